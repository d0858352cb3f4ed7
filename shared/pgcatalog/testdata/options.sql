-- The options of what the other rooms show, each at least once.
create schema o;
create schema "o.2";
create role museum_reader;
create role museum_owner;
create role "museum Rôle ""q""";
-- types: labels put between others, attributes dropped and added, domains over everything
create type o.level as enum ('low', 'high'); alter type o.level add value 'mid' before 'high'; alter type o.level rename value 'low' to 'Low 1'; commit;
create type o.empty_enum as enum ();
create type o.pair as (a int, gone text, "Z z" varchar(7)); alter type o.pair drop attribute gone, add attribute c numeric(6,2)[];
create type o.none as ();
create domain o.d_base as varchar(20) collate "C" default 'x' constraint "Not empty" check (value <> '');
create domain o.d_over as o.d_base default null check (length(value) < 10);
create domain o.d_array as o.d_over[] check (array_length(value, 1) < 4);
create domain o.d_pair as o.pair check ((value).a > 0);
create domain o.d_range as int4range not null;
create domain o.d_bit as bit varying(9);
create domain o.d_when as timestamp(3) with time zone default now();
create domain o.d_span as interval day to second(2) default interval '1 day 02:03:04.05';
create type o.typ8;
create function o.typ8_in(cstring) returns o.typ8 language internal immutable strict as 'int8in';
create function o.typ8_out(o.typ8) returns cstring language internal immutable strict as 'int8out';
create function o.typ8_recv(internal) returns o.typ8 language internal immutable strict as 'int8recv';
create function o.typ8_send(o.typ8) returns bytea language internal immutable strict as 'int8send';
create function o.mod_in(cstring[]) returns int language internal immutable strict as 'varchartypmodin';
create function o.mod_out(int) returns cstring language internal immutable strict as 'varchartypmodout';
create function o.typ8_an(internal) returns boolean language internal strict as 'array_typanalyze';
create type o.typ8 (input = o.typ8_in, output = o.typ8_out, receive = o.typ8_recv, send = o.typ8_send, typmod_in = o.mod_in, typmod_out = o.mod_out,
  analyze = o.typ8_an, internallength = 8, passedbyvalue, alignment = double, category = 'N', preferred = true, default = '42');
create type o.vec;
create function o.vec_in(cstring) returns o.vec language internal immutable strict as 'point_in';
create function o.vec_out(o.vec) returns cstring language internal immutable strict as 'point_out';
create type o.vec (input = o.vec_in, output = o.vec_out, internallength = 16, alignment = double, element = float8);
create type o.vec2; -- since 14
create function o.vec2_in(cstring) returns o.vec2 language internal immutable strict as 'point_in'; -- since 14
create function o.vec2_out(o.vec2) returns cstring language internal immutable strict as 'point_out'; -- since 14
create type o.vec2 (input = o.vec2_in, output = o.vec2_out, internallength = 16, alignment = double, subscript = raw_array_subscript_handler, element = float8); -- since 14
create type o.c1;
create function o.c1_in(cstring) returns o.c1 language internal immutable strict as 'charin';
create function o.c1_out(o.c1) returns cstring language internal immutable strict as 'charout';
create type o.c1 (input = o.c1_in, output = o.c1_out, internallength = 1, passedbyvalue, alignment = char, storage = plain);
create type o.big;
create function o.big_in(cstring) returns o.big language internal immutable strict as 'byteain';
create function o.big_out(o.big) returns cstring language internal immutable strict as 'byteaout';
create type o.big (input = o.big_in, output = o.big_out, internallength = variable, alignment = int4, storage = main);
create table o.uses_types (a o.typ8(5), b o.vec, c o.c1, d o.big, e o.level[], f o.pair[], g o.d_array, h bit(3), i "char", j name, k o.typ8[], l o.none);
insert into o.uses_types (a, b, e, f) values ('7', '(1,2)', '{mid,"Low 1"}', '{"(1,x,\"{1.50,2.25}\")"}');
-- operators: each option; classes with storage, ordering operators, operators between types
create function o.eq(o.typ8, o.typ8) returns bool language internal immutable strict as 'int8eq';
create function o.hash(o.typ8) returns int language internal immutable strict as 'hashint8';
create function o.hashx(o.typ8, int8) returns int8 language internal immutable strict as 'hashint8extended';
create operator o.=== (function = o.eq, leftarg = o.typ8, rightarg = o.typ8, commutator = operator(o.===), restrict = eqsel, join = eqjoinsel, hashes, merges);
create operator class o."Hash ops" default for type o.typ8 using hash as operator 1 o.===, function 1 o.hash(o.typ8), function 2 o.hashx(o.typ8, int8);
create function o.mixed(o.typ8, int8) returns bool language internal immutable strict as 'int8eq';
create operator "o.2".<-> (function = o.mixed, leftarg = o.typ8, rightarg = int8, commutator = operator(o.<->));
create operator class o.points for type point using gist as storage box,
  operator 1 <<, operator 5 >>, operator 15 <-> (point, point) for order by float_ops,
  function 1 gist_point_consistent(internal, point, smallint, oid, internal), function 2 gist_box_union(internal, internal), function 3 gist_point_compress(internal),
  function 5 gist_box_penalty(internal, internal, internal), function 6 gist_box_picksplit(internal, internal), function 7 gist_box_same(box, box, internal), function 8 gist_point_distance(internal, point, smallint, oid, internal);
create operator family o.ints using btree;
create operator class o.ints8 for type int8 using btree family o.ints as storage int8, operator 1 <(int8,int8), operator 2 <=(int8,int8), operator 3 =(int8,int8), operator 4 >=(int8,int8), operator 5 >(int8,int8),
  function 1 btint8cmp(int8,int8), function 2 btint8sortsupport(internal), function 4 btequalimage(oid);
alter operator family o.ints using btree add operator 1 <(int8,int4), operator 2 <=(int8,int4), operator 3 =(int8,int4), operator 4 >=(int8,int4), operator 5 >(int8,int4),
  function 1 (int8, int4) btint84cmp(int8, int4), function 1 (int4, int4) btint4cmp(int4,int4), function 2 (int4, int4) btint4sortsupport(internal), function 4 (int4, int4) btequalimage(oid);
create operator class o.empty_ops for type int8 using btree family o.ints as storage int8;
create operator o.~~ (function = int4eq, leftarg = int, rightarg = int);
create operator class o.one_op for type int using btree as operator 3 o.~~;
create operator class o.gin_c for type int[] using gin as storage int4, operator 1 &&(anyarray, anyarray), function 1 btint4cmp(int4, int4), function 2 ginarrayextract(anyarray, internal, internal),
  function 3 ginqueryarrayextract(anyarray, internal, smallint, internal, internal, internal, internal), function 4 ginarrayconsistent(internal, smallint, anyarray, integer, internal, internal, internal, internal);
create type o.range_custom as range (subtype = int4, subtype_opclass = o.one_op);
create table o.ops (a int8, p point, r int[]);
create index ops_a on o.ops (a o.ints8 desc nulls last); create index ops_p on o.ops using gist (p o.points); create index ops_r on o.ops using gin (r o.gin_c);
create extension btree_gist;
-- routines: every clause
create function o.supported() returns int language sql as 'select 1' support varchar_support;
create function o.restricted(in a int default 1 + 2, inout b text default e'a\\b''c', variadic "V v" text[] default array['x', null]) language plpgsql volatile called on null input not leakproof parallel restricted cost 0.5 set datestyle to 'ISO, DMY' set search_path to "$user", o, "o.2", '' set "my.guc" to e'it''s \\' as $_$begin b := $1::text; end$_$;
create function o.from_current() returns text language sql set timezone from current as $$ select 'x' $$;
create function o.with_cr() returns text language plpgsql as e'begin\r\n return ''a'';\r\nend';
create function o."quo""te"("in" int, "Out" out int, out "x y" text) returns record language sql as 'select 1, ''$$''::text';
create function o.any_variadic(variadic "any") returns text language internal stable strict as 'text_format';
create function o.poly(anyelement, anyarray) returns anyarray language sql immutable as 'select array_append($2, $1)';
create function o.poly2(anycompatible, anycompatiblerange) returns anycompatible language sql immutable as 'select $1';
create function o.c_fn() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create language o_lang handler o.c_fn;
create trusted language "O lang" handler plpgsql_call_handler;
create function o.setof_rec() returns setof record language sql rows 7 as 'select 1, 2';
create function o.ret(a int) returns int immutable return a + 1; -- since 14
create function o.atomic(a o.level, out n bigint) begin atomic; select count(*) from o.uses_types where e[1] = atomic.a; select 5; end; -- since 14
create procedure o.proc_out(in a int, out b int, inout c o.pair) language sql as 'select 1, c'; -- since 14
create procedure o.proc_atomic(a int) begin atomic insert into o.ops (a) values (a); update o.ops set a = a + 1 returning *; delete from o.ops where ops.a < 0; end; -- since 14
create procedure o.sec() language plpgsql security definer set work_mem = '1MB' as 'begin end';
create function o.over(int) returns int language sql as 'select 1'; create function o.over(text) returns int language sql as 'select 2'; create function o.over(o.level, o.pair[]) returns int language sql as 'select 3';
create function o.int_out(int) returns int language sql immutable as 'select $1';
create function o.usesdefault(a int default o.int_out(4), b o.level default 'mid', c date default '2020-02-03') returns int language sql as 'select 1';
-- aggregates: every clause
create aggregate o.newavg (int4) (sfunc = int4_avg_accum, stype = _int8, finalfunc = int8_avg, finalfunc_modify = shareable, initcond = '{0,0}', sspace = 64,
  msfunc = int4_avg_accum, minvfunc = int4_avg_accum_inv, mstype = _int8, mfinalfunc = int8_avg, mfinalfunc_modify = read_write, minitcond = '{0,0}', msspace = 32, combinefunc = int4_avg_combine, parallel = restricted);
create aggregate o.num(numeric) (sfunc = numeric_avg_accum, stype = internal, sspace = 128, finalfunc = numeric_avg, serialfunc = numeric_avg_serialize, deserialfunc = numeric_avg_deserialize, combinefunc = numeric_avg_combine, parallel = safe);
create aggregate o.least(int4) (sfunc = int4smaller, stype = int4, sortop = <);
create aggregate o.rank2(variadic "any" order by variadic "any") (sfunc = ordered_set_transition_multi, stype = internal, finalfunc = rank_final, finalfunc_extra, hypothetical);
create aggregate o.vari(variadic int4[]) (sfunc = array_cat, stype = int4[], initcond = '{}'); -- before 14
create aggregate o.vari(variadic int4[]) (sfunc = array_cat, stype = int4[], initcond = '{}'); -- since 14
-- casts, conversions, transforms
create cast (timestamptz as interval) with function age(timestamptz) as assignment;
create function o.to_pair(text, int, bool) returns o.pair language sql immutable as 'select null::o.pair';
create cast (text as o.pair) with function o.to_pair(text, int, bool) as implicit;
create cast (o.level as int) with inout as assignment;
create transform for int language sql (from sql with function prsd_lextype(internal), to sql with function int4recv(internal));
create transform for o.typ8 language plpgsql (to sql with function o.typ8_recv(internal));
create default conversion "o.2".latin2 for 'LATIN2' to 'UTF8' from iso8859_to_utf8;
create collation o."de u" (provider = icu, locale = 'de-u-co-phonebk'); create collation o."Ci" (provider = icu, locale = 'en-u-ks-level1', deterministic = false);
create collation o.posix from "POSIX";
-- text search
create text search configuration o.en (copy = english); alter text search configuration o.en alter mapping replace english_stem with simple; alter text search configuration o.en drop mapping for url_path;
create text search dictionary o.snow (template = snowball, language = 'portuguese', stopwords = 'portuguese');
create text search dictionary "o.2".syn (template = pg_catalog.simple, accept = true);
create text search template o.only_lexize (lexize = dsimple_lexize);
create text search parser o.no_headline (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
-- sequences of each type, at their ends
create sequence o.s_small as smallint minvalue -5 maxvalue 5 start -5; create sequence o.s_int as int increment 100 no cycle cache 20; create sequence o.s_big minvalue -9223372036854775808 maxvalue 9223372036854775807 start 0;
create sequence o.s_down as int increment by -1; create sequence o.s_down_big increment by -9223372036854775807 cycle; create sequence o.s_last as smallint; select setval('o.s_last', 32767);
create unlogged sequence o.s_unlogged; -- since 15
create table o.two_cols (id bigserial, other bigint default nextval('o.s_big'), more int default nextval('o.s_int'::text)); alter sequence o.s_int owned by o.two_cols.more;
alter sequence o.two_cols_id_seq rename to "Renamed seq"; alter sequence o."Renamed seq" as int;
create sequence o.two_cols_other_seq;
create table o.identities (a smallint generated by default as identity (minvalue -3 start -3 increment 2 maxvalue 9 cycle cache 4), b bigint generated always as identity (sequence name o."Own name" start 7), c int generated always as identity);
alter table o.identities alter c set generated by default, alter c restart with 5; comment on sequence o."Own name" is 'of identity'; grant select on o."Own name" to museum_reader;
create unlogged table o.unlogged_ident (a int generated always as identity, b serial);
-- tables: storage parameters, marks, options of columns
create table o.params (a text, b text, c int, d point, e jsonb) with (fillfactor = 55, parallel_workers = 3, toast_tuple_target = 256, user_catalog_table = true, vacuum_truncate = false, log_autovacuum_min_duration = 10, autovacuum_vacuum_scale_factor = 0.01,
  autovacuum_vacuum_cost_delay = 1.5, toast.autovacuum_vacuum_threshold = 99, toast.vacuum_truncate = true, toast.log_autovacuum_min_duration = -1);
alter table o.params alter a set storage main, alter b set storage plain, alter e set storage external, alter c set statistics 0, alter a set statistics 1234, alter a set (n_distinct = 5, n_distinct_inherited = -0.25), alter c set statistics -1;
do $$ begin alter table o.params alter a set compression lz4; exception when feature_not_supported then end $$; -- since 14
alter table o.params alter e set compression pglz; -- since 14
create table o.vac (a int) with (vacuum_index_cleanup = off, autovacuum_freeze_max_age = 200000000, autovacuum_multixact_freeze_table_age = 100000000);
create table o.with_vac18 (a int) with (vacuum_max_eager_freeze_failure_rate = 0.5, autovacuum_vacuum_max_threshold = 12345); -- since 18
create table o.force_only (a int); alter table o.force_only force row level security;
create table o.rls_only (a int); alter table o.rls_only enable row level security;
create table o.ri_index (a int not null, b int not null, c text); create unique index ri_u on o.ri_index (b, a); alter table o.ri_index replica identity using index ri_u; create index ri_cl on o.ri_index (c); cluster o.ri_index using ri_cl;
create table o.dropped (a int, b int, c int, d int default 3, e int generated always as (a + d) stored); alter table o.dropped drop b, drop c; alter table o.dropped add f text default 'fast' not null; insert into o.dropped (a) values (1);
create table o.all_dropped (a int, b int); alter table o.all_dropped drop a, drop b;
create table o.typed of o.pair (a with options default 4 constraint typed_ck check (a > 1), "Z z" not null unique);
alter table o.typed alter "Z z" set storage external;
create table o.col_types (a char, b char(5), c varchar, d numeric(10), f timestamp(0), g time(6) with time zone, h interval year to month, i interval(3), j bit, k int2vector, l oidvector, m regclass, n xml, o pg_lsn, p int[3][3], q float(20));
create table o.neg_scale (e numeric(5, -2), f numeric(3, 5)); -- since 15
create table o.xmlt (a xml default '<a/>', b regclass default 'o.ops', c regtype default 'o.pair', d regproc default 'o.eq', f regnamespace default 'o', g o.level[] default array['mid'::o.level], h interval default '1 mon -3 days', i date default 'infinity', j bytea default '\x00ff', k text default e'a\nb\\c\t''');
create table o.gen (a int, b int generated always as (case when a > 0 then a else -a end) stored, c text generated always as ('x' || a::text) stored);
-- inheritance: what children say themselves
create table o.ip (a int not null default 1, b text, c int check (c > 0) no inherit, d int constraint d_ck check (d > 0), z int);
create table o.ic1 (a int default 2, e text) inherits (o.ip); create table o.ic2 (constraint d_ck check (d > 0), constraint own check (a < 100)) inherits (o.ip);
create table o.ic3 (primary key (a), unique (b)) inherits (o.ip); create table o.ic4 (f int, a int default 7) inherits (o.ic1, o.ic2);
alter table o.ip alter z set statistics 5; alter table only o.ip alter z set storage plain; alter table o.ic1 alter b set not null, alter b set default 'child', alter b set (n_distinct = 3); alter table o.ic2 alter d set statistics 44;
alter table o.ip add constraint nv check (d < 1000) not valid; alter table o.ic1 validate constraint nv;
create table "o.2".child_elsewhere (own int) inherits (o.ip); create table o.ip_g (a int, g int generated always as (a * 2) stored); create table o.ic_g () inherits (o.ip_g); create table o.ic_g2 (a int, g int) inherits (o.ip_g); -- before 16
create table "o.2".child_elsewhere (own int) inherits (o.ip); create table o.ip_g (a int, g int generated always as (a * 2) stored); create table o.ic_g () inherits (o.ip_g); create table o.ic_g2 (a int, g int generated always as (a * 2) stored) inherits (o.ip_g); -- since 16
-- partitions: bounds of every form, trees, pieces that differ
create table o.pr (a int, b text, c date not null default '2020-01-01', d int) partition by range (a, b collate "C", (d + 1));
create table o.pr_1 partition of o.pr for values from (minvalue, minvalue, minvalue) to (1, 'a''b', maxvalue); create table o.pr_2 partition of o.pr (c default '2021-01-01', constraint only_here check (a < 500), d not null) for values from (1, 'a''b\c', 0) to (100, minvalue, minvalue) with (fillfactor = 44);
create table o.pr_def partition of o.pr default;
create table o.pl (k o.level, v int, t text) partition by list (k); create table o.pl_1 partition of o.pl for values in ('Low 1', null) partition by hash (v); create table o.pl_1_0 partition of o.pl_1 for values with (modulus 3, remainder 0); create table o.pl_1_1 partition of o.pl_1 for values with (modulus 6, remainder 1); create table "o.2".pl_2 partition of o.pl for values in ('mid', 'high');
create table o.pk_target (id int primary key, u int unique, x int, y int, unique (x, y)); create unique index pk_uq on o.pk_target (y, x, u);
create table o.pfk (id int, r int references o.pk_target on delete set null, k int not null, primary key (k, id), x int, y int, constraint "Two cols" foreign key (x, y) references o.pk_target (x, y) match full on update cascade on delete set default deferrable) partition by list (k);
create table o.pfk_1 partition of o.pfk for values in (1); create table o.pfk_2 (y int, x int, k int not null, r int, id int not null, constraint pfk2_own_pk primary key (k, id)); alter table o.pfk_2 add constraint own_fk foreign key (r) references o.pk_target on delete set null; create index "Odd name" on o.pfk_2 (r); alter table o.pfk attach partition o.pfk_2 for values in (2);
create index pfk_r on o.pfk (r) with (fillfactor = 33); create unique index pfk_u on o.pfk (k, x) where x > 0; create index pfk_e on o.pfk ((x + y)); alter index o.pfk_1_r_idx rename to "renamed part index"; alter index o.pfk_e alter column 1 set statistics 66;
create table o.self_ref (id int, k int, up int, primary key (id, k), foreign key (up, k) references o.self_ref (id, k)) partition by list (k); create table o.self_ref1 partition of o.self_ref for values in (1); create table o.self_ref2 partition of o.self_ref for values in (2) partition by list (id); create table o.self_ref21 partition of o.self_ref2 for values in (1, 2);
create table o.ref_to_part (id int, k int, constraint "To part" foreign key (id, k) references o.self_ref on delete cascade);
create table o.only_child_fk (id int references o.pk_target (u), k int) partition by list (k); create table o.only_child_fk1 partition of o.only_child_fk for values in (1); alter table o.only_child_fk1 add constraint child_only foreign key (k) references o.pk_target not valid;
create table o.p_idt (a int, b date) partition by range (b); create table o.p_idt1 partition of o.p_idt for values from ('-infinity') to ('2020-02-29'); create table o.p_idt2 partition of o.p_idt for values from ('2020-02-29') to ('infinity');
alter table o.p_idt replica identity full; alter table o.p_idt1 replica identity nothing; alter table only o.p_idt alter a set statistics 50; alter table o.p_idt1 alter a set default 9;
-- constraints
create table o.cons (a int, b int, c int4range, d text, e int, f int references o.pk_target on delete set null on update restrict, g int constraint fk_nv references o.pk_target deferrable initially deferred,
  constraint u_def unique (a) deferrable, constraint u_imm unique (b) with (fillfactor = 60) deferrable initially immediate, constraint u_inc unique (a, b) include (d, e),
  constraint ex exclude using gist (c with &&, a with =) include (b) with (fillfactor = 90) where (a > 0) deferrable initially deferred, constraint ex_hash exclude using hash (d with =),
  constraint ex_expr exclude using btree ((lower(d)) collate "C" text_pattern_ops with =, b with =), check (a <> b), check (b > 0), constraint never check (false) no inherit, primary key (e) with (fillfactor = 77));
alter table o.cons add foreign key (a, b) references o.pk_target (x, y) on delete set null (b) not valid; -- since 15
alter table o.cons add constraint to_unique_index foreign key (a, b, g) references o.pk_target (y, x, u);
create unique index "Becomes constraint" on o.cons (g, f); alter table o.cons add constraint "Using index" unique using index "Becomes constraint" deferrable;
create table o.circle1 (id int primary key, other int); create table o.circle2 (id int primary key, other int references o.circle1); alter table o.circle1 add foreign key (other) references o.circle2;
alter table o.cons alter constraint fk_nv not deferrable; comment on constraint u_def on o.cons is 'u'; comment on constraint ex on o.cons is 'x'; comment on index o."Using index" is 'ui'; comment on constraint "To part" on o.ref_to_part is 'tp';
-- indexes
create table o.ix (a int, b text, c tsvector, d int[], e jsonb, f inet, g point, h int4range, i timestamptz, j numeric);
create index on o.ix (a) with (fillfactor = 50, deduplicate_items = off); create index on o.ix using hash (b) with (fillfactor = 40); create index on o.ix using gin (e jsonb_path_ops, d) with (fastupdate = off, gin_pending_list_limit = 128);
create index on o.ix using gist (c tsvector_ops (siglen = 100), h) with (buffering = on); create index on o.ix using spgist (f inet_ops) include (a); -- since 14
create index on o.ix using gist (c tsvector_ops (siglen = 100), h) with (buffering = on); -- before 14
create index on o.ix using spgist (g kd_point_ops) where g is not null; create index on o.ix using brin (i) with (pages_per_range = 8, autosummarize = true);
create index on o.ix using brin (a int4_minmax_multi_ops (values_per_range = 16), b text_bloom_ops (n_distinct_per_range = 100, false_positive_rate = 0.02)); -- since 14
create index on o.ix (b collate "C" text_pattern_ops desc nulls last, lower(b) collate o."de u", (j + 1), ((e ->> 'x')::int)) where b like 'x%' and not (a is null); create unique index nnd on o.ix (a, b) include (j) nulls not distinct; -- since 15
create index on o.ix (b collate "C" text_pattern_ops desc nulls last, lower(b) collate o."de u", (j + 1), ((e ->> 'x')::int)) where b like 'x%' and not (a is null); -- before 15
create function o.inner_pred(int) returns bool language sql immutable as 'select $1 > 0'; create function o.pred(int) returns bool language sql immutable set search_path = o as 'select inner_pred($1)'; create index with_function on o.ix (a) where o.pred(a);
insert into o.ix (a) values (1), (-1);
create index unlogged_idx on o.unlogged_ident (a); alter index o.with_function depends on extension btree_gist;
-- statistics objects
create statistics o.s_mcv (mcv) on a, b from o.ix; create statistics "o.2".s_all on a, b, j from o.ix; alter statistics "o.2".s_all owner to museum_owner; alter statistics o.s_mcv set statistics 0; create statistics o.s_part (dependencies) on a, b from o.pr;
create statistics o.s_exp on (a + 1), (lower(b)), j from o.ix; create statistics o.s_one on (abs(a)) from o.ix; -- since 14
create statistics (ndistinct, mcv) on (a % 2), (a % 3) from o.ix; -- since 16
comment on statistics "o.2".s_all is 's';
