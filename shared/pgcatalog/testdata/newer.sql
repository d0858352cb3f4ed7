-- What came after PostgreSQL 15. Lines are marked with the version they need.
create schema nw;
create table nw.stored (a text storage external, b jsonb storage main compression pglz); -- since 16
create table nw.gp (a int, g int generated always as (a * 2) stored);
create table nw.gc (g int generated always as (a * 3) stored) inherits (nw.gp); -- since 16
create collation nw.rules (provider = icu, locale = 'und', rules = '&V << w <<< W'); -- since 16
create table nw.idp (id int generated always as identity, k int) partition by list (k); -- since 17
create table nw.idp1 partition of nw.idp for values in (1); -- since 17
create table nw.idp2 (id int not null, k int); -- since 17
alter table nw.idp attach partition nw.idp2 for values in (2); -- since 17
create collation nw.bi (provider = builtin, locale = 'C.UTF-8'); -- since 17
create table nw.nn (a int constraint named_nn not null, b int not null no inherit, c int, constraint "Table NN" not null c); -- since 18
comment on constraint named_nn on nw.nn is 'nn'; -- since 18
create table nw.nn_kid (a int constraint own_nn not null, d int) inherits (nw.nn); -- since 18
create table nw.nn_kid2 (e int) inherits (nw.nn); -- since 18
create table nw.nn_plain_kid () inherits (nw.gp); -- since 18
alter table nw.nn_plain_kid add constraint kid_only not null a; -- since 18
create table nw.nnv (a int); -- since 18
alter table nw.nnv add constraint nnv_nv not null a not valid; -- since 18
create table nw.nn_inv (x int, y int); -- since 18
create table nw.nn_pk (id int primary key, k int); -- since 18
create table nw.nn_pk_named (id int constraint pk_nn not null, primary key (id)); -- since 18
create table nw.nnp (a int constraint p_nn not null, k int not null) partition by list (k); -- since 18
create table nw.nnp1 partition of nw.nnp for values in (1); -- since 18
create table nw.nnp2 (k int not null, a int constraint other_nn not null); -- since 18
alter table nw.nnp attach partition nw.nnp2 for values in (2); -- since 18
create table nw.virt (a int, v int generated always as (a + 1) virtual, w int generated always as (a + 2)); -- since 18
create table nw.noten (a int, constraint ne check (a > 0) not enforced); -- since 18
create table nw.fk_ne (a int references nw.nn_pk not enforced); -- since 18
create extension btree_gist; -- since 18
create table nw.temporal (id int, valid daterange, primary key (id, valid without overlaps)); -- since 18
create table nw.temporal_fk (id int, valid daterange, foreign key (id, period valid) references nw.temporal (id, period valid)); -- since 18
create publication nw_gen for table nw.virt with (publish_generated_columns = stored); -- since 18
create domain nw.dnn as int constraint dom_nn not null constraint dom_ck check (value > 1); -- since 17
comment on constraint dom_nn on domain nw.dnn is 'd'; -- since 17
create table nw.sq (a int, b int);
create statistics nw.defname on a, b from nw.sq;
create table nw.fk_part (a int, k int, primary key (a, k)) partition by list (k); 
create table nw.fk_part1 partition of nw.fk_part for values in (1) partition by list (k);
create table nw.fk_part11 partition of nw.fk_part1 for values in (1);
create table nw.fk_to (a int, k int, foreign key (a, k) references nw.fk_part) partition by hash (a);
create table nw.fk_to0 partition of nw.fk_to for values with (modulus 1, remainder 0);
-- names that the server would choose differently if it met the tables in another order
create table nw.zpar (f int not null, k int) partition by list (k);
create table nw.apart (f int constraint zpar_f_not_null not null, k int); -- since 18
alter table nw.zpar attach partition nw.apart for values in (1); -- since 18
create table nw.nnv_kid () inherits (nw.nnv); -- since 18
alter table nw.nnv_kid validate constraint nnv_nv; -- since 18
create table nw.nnv_kid2 (a int not null); -- since 18
alter table nw.nnv_kid2 inherit nw.nnv; -- since 18
create table nw.part_heap (a int) partition by list (a) using heap; -- since 17
create table nw.part_none (a int) partition by list (a);
