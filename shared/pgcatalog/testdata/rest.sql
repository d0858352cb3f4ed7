-- The rarer kinds.
create schema r;
create role museum_reader;
-- a base type made of functions that use it, and a shell that stayed one
create type r.txt;
create function r.txt_in(cstring) returns r.txt language internal immutable strict as 'textin';
create function r.txt_out(r.txt) returns cstring language internal immutable strict as 'textout';
create type r.txt (input = r.txt_in, output = r.txt_out, internallength = variable, alignment = int4, storage = extended, category = 'S', delimiter = ';', default = 'x''y', collatable = true);
create type r.shell;
create type r.small;
create function r.small_in(cstring) returns r.small language internal immutable strict as 'int4in';
create function r.small_out(r.small) returns cstring language internal immutable strict as 'int4out';
create type r.small (input = r.small_in, output = r.small_out, like = int4);
create type r.canon;
create function r.canon_fn(r.canon) returns r.canon language internal immutable strict as 'int4range_canonical';
create type r.canon as range (subtype = int4, canonical = r.canon_fn, subtype_diff = int4range_subdiff);
-- operators whose commutators and negators come in any order
create function r.lt(r.small, r.small) returns bool language internal immutable strict as 'int4lt';
create function r.le(r.small, r.small) returns bool language internal immutable strict as 'int4le';
create function r.eq(r.small, r.small) returns bool language internal immutable strict as 'int4eq';
create function r.ne(r.small, r.small) returns bool language internal immutable strict as 'int4ne';
create function r.ge(r.small, r.small) returns bool language internal immutable strict as 'int4ge';
create function r.gt(r.small, r.small) returns bool language internal immutable strict as 'int4gt';
create function r.cmp(r.small, r.small) returns int language internal immutable strict as 'btint4cmp';
create operator r.< (function = r.lt, leftarg = r.small, rightarg = r.small, commutator = operator(r.>), negator = operator(r.>=), restrict = scalarltsel, join = scalarltjoinsel);
create operator r.<= (function = r.le, leftarg = r.small, rightarg = r.small, commutator = operator(r.>=), negator = operator(r.>));
create operator r.= (function = r.eq, leftarg = r.small, rightarg = r.small, commutator = operator(r.=), negator = operator(r.<>), merges, hashes, restrict = eqsel, join = eqjoinsel);
create operator r.<> (function = r.ne, leftarg = r.small, rightarg = r.small, commutator = operator(r.<>), negator = operator(r.=));
create operator r.>= (function = r.ge, leftarg = r.small, rightarg = r.small, commutator = operator(r.<=), negator = operator(r.<));
create operator r.> (function = r.gt, leftarg = r.small, rightarg = r.small, commutator = operator(r.<), negator = operator(r.<=));
create function r.neg(r.small) returns r.small language internal immutable strict as 'int4um';
create operator r.!! (function = r.neg, rightarg = r.small);
create operator class r.small_ops default for type r.small using btree as operator 1 r.<, operator 2 r.<=, operator 3 r.=, operator 4 r.>=, operator 5 r.>, function 1 r.cmp(r.small, r.small);
create operator family r.fam using btree;
create operator class r.small_desc for type r.small using btree family r.fam as operator 1 r.>, operator 2 r.>=, operator 3 r.=, operator 4 r.<=, operator 5 r.<, function 1 r.cmp(r.small, r.small);
create function r.mixcmp(r.small, int) returns int language sql immutable as 'select 0';
alter operator family r.fam using btree add function 1 (r.small, int4) r.mixcmp(r.small, int);
create operator family r.empty using hash;
create function r.dist(int, int) returns float8 language sql immutable as 'select 0.0::float8';
create table r.uses (a r.small, t r.txt, primary key (a));
create index on r.uses (a r.small_desc);
create type r.small_range as range (subtype = r.small, subtype_opclass = r.small_desc);
-- casts, conversions, collations, transforms
create function r.to_int(r.small) returns int language internal immutable strict as 'int4up';
create cast (r.small as int) with function r.to_int(r.small) as assignment;
create cast (int as r.small) without function as implicit;
create cast (r.txt as text) with inout;
create conversion r.conv for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create default conversion r.conv2 for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1;
create collation r.c_copy from "C";
create collation r.two (lc_collate = 'C', lc_ctype = 'C.UTF-8');
create collation r.nd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create table r.coll (a text collate r.nd, b text collate r.two);
create transform for bigint language plpgsql (from sql with function prsd_lextype(internal));
create function r.transformed(bigint) returns int language plpgsql transform for type bigint as $$ begin return 1; end $$;
create access method r_heap type table handler heap_tableam_handler;
create access method "r Btree" type index handler bthandler;
create table r.other_am (a int) using r_heap;
create trusted language r_lang handler plpgsql_call_handler inline plpgsql_inline_handler validator plpgsql_validator;
create function r.in_lang() returns int language r_lang as $$ begin return 1; end $$;
-- text search
create text search parser r.prs (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, headline = prsd_headline, lextypes = prsd_lextype);
create text search template r.tmpl (init = dsimple_init, lexize = dsimple_lexize);
create text search dictionary r.dict (template = r.tmpl, stopwords = english, accept = false);
create text search configuration r."Cfg.x" (parser = r.prs);
alter text search configuration r."Cfg.x" add mapping for asciiword, word with r.dict, simple;
alter text search configuration r."Cfg.x" add mapping for numword with simple;
create table r.docs (t text, v tsvector generated always as (to_tsvector('r."Cfg.x"', t)) stored);
create index on r.docs using gin (v);
-- foreign data
create foreign data wrapper r_fdw options (host 'o''h');
create server r_srv type 'a' version 'b' foreign data wrapper r_fdw options (dbname 'x\y');
create user mapping for public server r_srv options (user 'u', password 'p');
create user mapping for museum_reader server r_srv;
create foreign table r.ft (a int options (column_name 'x') not null default 3, b text, check (a > 0)) server r_srv options (table_name 't''t');
create table r.fpart (a int) partition by list (a);
create foreign table r.fpart1 partition of r.fpart for values in (1) server r_srv;
create foreign table r.fkid (c int) inherits (r.ft) server r_srv;
alter foreign table r.ft alter a set statistics 3;
create function r.trg() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger ftt after insert on r.ft for each row execute function r.trg();
alter foreign table r.ft disable trigger ftt;
-- publications and subscriptions
create table r.pubbed (id int primary key, a text, b int);
create publication pub_all for all tables with (publish = 'insert, truncate');
create publication pub_some for table r.pubbed (id, b) where (b > 3), r.uses with (publish_via_partition_root = true); -- since 15
create publication pub_schema for tables in schema r; -- since 15
create publication "pub none";
create subscription sub connection 'host=/nowhere dbname=x password=it''s' publication "Pub A", b with (connect = false, slot_name = none, synchronous_commit = on);
alter subscription sub set (binary = true, streaming = true); -- since 14
create subscription sub2 connection 'dbname=y' publication b with (connect = false, slot_name = 'slot');
-- large objects
select lo_create(90001); select lo_create(90002); select lo_from_bytea(90003, 'abc');
alter large object 90002 owner to museum_reader;
grant select on large object 90001 to museum_reader; comment on large object 90003 is 'lo';
-- default privileges
alter default privileges in schema r grant select on tables to museum_reader;
alter default privileges for role museum_reader revoke execute on functions from public;
alter default privileges for role museum_reader grant usage on schemas to public;
alter default privileges in schema r grant execute on functions to museum_reader with grant option;
alter default privileges revoke all on types from public;
-- comments and owners
comment on type r.txt is 'b'; comment on operator r.= (r.small, r.small) is 'o'; comment on operator r.!! (none, r.small) is 'u';
comment on operator class r.small_ops using btree is 'oc'; comment on operator family r.fam using btree is 'of';
comment on cast (r.small as int) is 'c'; comment on conversion r.conv is 'cv'; comment on collation r.nd is 'co';
comment on access method r_heap is 'am'; comment on language r_lang is 'l'; comment on text search configuration r."Cfg.x" is 'ts';
comment on text search parser r.prs is 'tp'; comment on text search template r.tmpl is 'tt'; comment on text search dictionary r.dict is 'td';
comment on foreign data wrapper r_fdw is 'f'; comment on server r_srv is 's'; comment on foreign table r.ft is 'ft'; comment on column r.ft.a is 'fc';
comment on publication pub_all is 'p'; comment on subscription sub is 's'; comment on transform for bigint language plpgsql is 'tf';
alter operator r.= (r.small, r.small) owner to museum_reader; alter collation r.nd owner to museum_reader; alter server r_srv owner to museum_reader;
alter type r.small owner to museum_reader; alter operator class r.small_ops using btree owner to museum_reader;
alter text search dictionary r.dict owner to museum_reader;
grant usage on foreign data wrapper r_fdw to museum_reader with grant option; grant usage on foreign server r_srv to public; grant usage on language r_lang to museum_reader;
revoke usage on language r_lang from public; grant select (a) on r.ft to museum_reader;
-- extension members changed after creation, rows of a configuration table
create extension pg_trgm; 
revoke execute on function show_limit() from public; grant execute on function show_limit() to museum_reader;
alter schema public owner to museum_reader; revoke usage on schema public from public; comment on schema public is 'mine';
revoke execute on function pg_catalog.pg_sleep(float8) from public;
-- what goes when an extension goes
create extension "unaccent";
create function r.dep() returns trigger language plpgsql as $$ begin return new; end $$;
alter function r.dep() depends on extension unaccent; alter function r.dep() depends on extension pg_trgm;
create table r.dep_t (a int primary key, b text); create index dep_i on r.dep_t (b);
create trigger dep_g before insert on r.dep_t for each row execute function r.dep(); alter trigger dep_g on r.dep_t depends on extension unaccent;
alter index r.dep_i depends on extension unaccent; alter index r.dep_t_pkey depends on extension unaccent;
create materialized view r.dep_m as select 1 as x; alter materialized view r.dep_m depends on extension unaccent;
