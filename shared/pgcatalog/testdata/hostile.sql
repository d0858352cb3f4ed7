-- What is half done, badly named, or made so that it gets in the way.
create schema x;
create schema "ü234567890123456789012345678901234567890123456789012345678901";
create role museum_reader;
create role museum_owner;
-- names of 63 bytes whose last letter takes more than one of them, where the server makes up others from them
create table "ü234567890123456789012345678901234567890123456789012345678901"."äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüä" ("öäüöäüöäüöäüöäüöäüöäüöäüöäüöäüö" serial primary key, "x üüüüüüüüüüüüüüüüüüüüüüüüüüüüü" int unique check ("x üüüüüüüüüüüüüüüüüüüüüüüüüüüüü" > 0), "ß€ßßßßßßßßßßßßßßßßßßßßßßßßßßßßß" int not null references "ü234567890123456789012345678901234567890123456789012345678901"."äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüä");
create index on "ü234567890123456789012345678901234567890123456789012345678901"."äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüä" ("x üüüüüüüüüüüüüüüüüüüüüüüüüüüüü", "ß€ßßßßßßßßßßßßßßßßßßßßßßßßßßßßß");
create type "ü234567890123456789012345678901234567890123456789012345678901"."€€€€€€€€€€€€€€€€€€€€€" as enum ('€€€€€€€€€€€€€€€€€€€€€', ' ', '"', E'a\nb');
create table x."€€€€€€€€€€€€€€€€€€€€€" (a "ü234567890123456789012345678901234567890123456789012345678901"."€€€€€€€€€€€€€€€€€€€€€"[] default '{"€€€€€€€€€€€€€€€€€€€€€"," ","\"","a
b"}');
create table x."select" ("table" int, "user" text, "1a" int, "a-b" int, "A" int, a int, "a""b" int, "a.b" int, ":v" int, "\" int, "'" int, E int, "$1" int, "a
b" int, "--" int, "/*" int);
create view x."--
drop table x; --" as select ':v :''v'' :"v"'::text as ":v", '\d'::text as "\d", E'\\.\n'::text as "\.
" from x."select";
comment on table x."select" is E'\\.\n\\q\n\\! touch /tmp/x\n--\n/*';
comment on column x."select"."--" is E'$$ $a$ ''' ;
create function x.psql_traps(text default E'\\.\n\\q') returns text language sql as E'select \':x\' || $1 /*\n\\.\n\\q\n*/';
-- triggers and rules that get in the way of the rows, were they there before them
create table x.guarded (a int primary key, b text); insert into x.guarded values (1, 'x');
create function x.no() returns trigger language plpgsql as $$ begin raise exception 'nobody writes here'; end $$;
create trigger no before insert or update or delete on x.guarded for each row execute function x.no();
create trigger no_truncate before truncate on x.guarded for each statement execute function x.no();
alter table x.guarded enable always trigger no;
create rule away as on delete to x.guarded do instead nothing;
create table x.rls (a int primary key, up int references x.rls); insert into x.rls values (1, 1), (2, 1); alter table x.rls enable row level security; alter table x.rls force row level security;
create policy nobody on x.rls using (false) with check (false);
create table x.rls_ref (a int references x.rls); insert into x.rls_ref values (2);
-- a check that looks at other tables
create table x.looked_at (a int); insert into x.looked_at values (1);
create function x.looks(int) returns bool language sql immutable as 'select exists (select from x.looked_at where a = $1)';
create table x.looking (a int check (x.looks(a))); 
create table x."looking first" (a int, check (x.looks(a))) partition by list (a); create table x."looking first 1" partition of x."looking first" for values in (1);
-- functions and operators in public that look like the server's
create function public.lower(text) returns text language sql immutable as $$ select 'mine' $$;
create function public.now() returns timestamptz language sql stable as $$ select 'infinity'::timestamptz $$;
create operator public.= (function = int4eq, leftarg = int, rightarg = int);
create operator public.|| (function = textcat, leftarg = text, rightarg = text);
create type public.int4 as enum ('not a number'); create domain public.text as pg_catalog.text; create collation public."C" from "POSIX";
create table x.shadowed (a public.int4, b public.text, c pg_catalog.int4, d pg_catalog.text collate public."C" default public.lower('A'), e timestamptz default public.now());
create view x.shadows as select public.lower(d) as l, pg_catalog.lower(d) as m, c operator(public.=) 1 as o, c = 1 as p, d operator(public.||) 'x' as q from x.shadowed;
create index on x.shadowed (public.lower(d));
create table public.pg_class (relname name); create view x.of_tables as select relname from public.pg_class union all select relname from pg_catalog.pg_class;
-- a partition that was let go
create table x.det (a int, k int not null) partition by list (k); create table x.det1 partition of x.det for values in (1); create table x.det2 partition of x.det for values in (2); create table x.det3 partition of x.det for values in (3); create index on x.det (a); insert into x.det values (1, 1), (2, 2), (3, 3);
alter table x.det detach partition x.det3;
-- invalid and half valid indexes
create table x.dup (a int); insert into x.dup values (1), (1);
create table x.part_ix (a int, k int) partition by list (k); create table x.part_ix1 partition of x.part_ix for values in (1); create table x.part_ix2 partition of x.part_ix for values in (2); create index part_ix_only on only x.part_ix (a); create index part_ix1_a on x.part_ix1 (a); alter index x.part_ix_only attach partition x.part_ix1_a;
create unique index part_uq_only on only x.part_ix (a, k);
create table x.part_pk (a int not null, k int not null) partition by list (k); create table x.part_pk1 partition of x.part_pk for values in (1); alter table only x.part_pk add constraint part_pk_only primary key (a, k);
-- extensions elsewhere, moved, with a quoted schema, and what uses them there
create schema "Ext.1"; create extension pg_trgm with schema "Ext.1"; create extension citext with schema x; alter extension citext set schema "Ext.1";
create table x.ext (a "Ext.1".citext default 'A'::"Ext.1".citext, b text, primary key (a)); create index on x.ext using gin (b "Ext.1".gin_trgm_ops); create view x.ext_v as select a from x.ext where a operator("Ext.1".=) 'b'::"Ext.1".citext and b operator("Ext.1".%) 'c';
create domain x.ext_d as "Ext.1".citext check (value operator("Ext.1".<>) ''::"Ext.1".citext);
create extension hstore with schema public; create table x.h (a public.hstore default 'a=>"b\"c"'); create index on x.h using gist (a public.gist_hstore_ops (siglen = 32));
-- functions in rules, MERGE in functions, options of views
create table x.m (a int primary key, b text); create view x.invoker with (security_invoker = true, security_barrier = true) as select * from x.m; -- since 15
create view x.checked with (security_invoker = true) as select * from x.invoker where a > 0 with local check option; -- since 15
create procedure x.merges(int) begin atomic merge into x.m as t using (values ($1, 'x'::text)) as s (a, b) on t.a = s.a when matched and s.b is null then delete when matched then do nothing when not matched then insert values (s.a, default); end; -- since 15
-- publications of schemas
create publication x_all_in for tables in schema x, public with (publish = 'insert'); create publication x_mixed for tables in schema x, table only x.looked_at where (a > 1); -- since 15
-- statistics with targets
create statistics x.st (ndistinct, dependencies, mcv) on a, k from x.part_ix; alter statistics x.st set statistics 7; create statistics x."ST ü" on a, k from x.det; alter statistics x."ST ü" set statistics 0; alter statistics x."ST ü" owner to museum_owner;
create statistics x.st_e on (a + k), (a % 3) from x.part_ix1; alter statistics x.st_e set statistics 10000; -- since 14
-- identity columns of partitioned tables, attached and set one by one
create table x.idp (id bigint generated by default as identity (start 5 increment 5 cache 3), k int, primary key (id, k)) partition by list (k); create table x.idp1 partition of x.idp for values in (1); create table x.idp2 (k int not null, extra int, id bigint not null); alter table x.idp2 drop extra; alter table x.idp attach partition x.idp2 for values in (2); create table x.idp3 partition of x.idp for values in (3) partition by range (id); create table x.idp31 partition of x.idp3 default; insert into x.idp (k) values (1), (2), (3); -- since 17
-- 18: virtual columns, constraints of their own kind
create table x.virt (a int, b text, v text generated always as (b || 'x'), w int generated always as (a * 2) virtual not null, s int generated always as (a + 1) stored, check (w > 0)); insert into x.virt (a, b) values (1, 'q'); -- since 18
create table x.virt_p (a int, k int, v int generated always as (a + k) virtual) partition by list (k); create table x.virt_p1 partition of x.virt_p for values in (1); create table x.virt_p2 (k int, v int generated always as (a * 100) virtual, a int); alter table x.virt_p attach partition x.virt_p2 for values in (2); insert into x.virt_p values (1, 1), (1, 2); -- since 18
create table x.virt_kid (own int) inherits (x.virt); create table x.virt_kid2 (w int generated always as (a * 3) virtual) inherits (x.virt); -- since 18
create table x.nn (a int constraint "NN a" not null not null, b int, c int constraint nn_c not null no inherit); alter table x.nn add constraint nn_b not null b not valid; comment on constraint nn_b on x.nn is 'not yet'; create table x.nn_kid (c int constraint kid_c not null) inherits (x.nn); create table x.nn_kid2 () inherits (x.nn_kid); alter table x.nn_kid2 add constraint kid_c not null c; create table x.nn_late (a int, b int, c int); alter table x.nn_late alter a set not null, alter b set not null, alter c set not null; -- since 18
create table x.nn_p (a int constraint p_a not null, k int) partition by list (k); create table x.nn_p1 partition of x.nn_p for values in (1); create table x.nn_p2 (a int constraint p2_a not null, k int constraint p2_k not null); alter table x.nn_p attach partition x.nn_p2 for values in (2); alter table x.nn_p add constraint p_k not null k not valid; -- since 18
create extension btree_gist; -- since 18
create table x.rooms (id int, at tstzrange, constraint rooms_pk primary key (id, at without overlaps)); create table x.stays (id int, room int, at tstzrange, constraint stays_fk foreign key (room, period at) references x.rooms (id, period at) deferrable initially deferred, constraint stays_uq unique (id, at without overlaps)); insert into x.rooms values (1, '[2020-01-01,2020-02-01)'); insert into x.stays values (1, 1, '[2020-01-02,2020-01-03)'); -- since 18
create table x.rooms_p (id int, at tstzrange, k int, primary key (k, id, at without overlaps)) partition by list (k); create table x.rooms_p1 partition of x.rooms_p for values in (1); create table x.rooms_p2 partition of x.rooms_p for values in (2); create table x.rooms_r (k int, id int, at tstzrange, foreign key (k, id, period at) references x.rooms_p (k, id, period at)); -- since 18
create table x.ne (a int, b int constraint ne_b check (b > 0) not enforced, constraint ne_fk foreign key (a) references x.m not enforced); create table x.ne_kid () inherits (x.ne); -- since 18
create table x.fk_nv_p (a int, k int) partition by list (k); create table x.fk_nv_p1 partition of x.fk_nv_p for values in (1); alter table x.fk_nv_p add constraint fk_nv foreign key (a) references x.m not valid; -- since 18
create table x.ex_p (a int, k int, exclude using gist (k with =, a with =)) partition by list (k); create table x.ex_p1 partition of x.ex_p for values in (1); create table x.ex_p2 partition of x.ex_p for values in (2) partition by list (a); create table x."ex %p'21" partition of x.ex_p2 for values in (1); alter table x."ex %p'21" rename constraint "ex %p'21_k_a_excl" to "Other %n'ame"; comment on constraint "Other %n'ame" on x."ex %p'21" is 'below'; insert into x.ex_p values (1, 1), (1, 2); -- since 18
-- rights: a grantor who lost the object, rights of the public on a column alone, options without the right of use
revoke all on x.guarded from current_user; grant select on x.guarded to current_user; grant insert (a), update (b) on x.guarded to public; revoke usage on schema "Ext.1" from public; grant create on schema x to public;
alter default privileges for role museum_owner grant execute on functions to museum_reader;
create materialized view x.mv as select count(*) from x.dup; create materialized view x.mv2 as select * from x.mv;
