create table members (id bigint primary key, name text not null, changed timestamptz not null default now());
insert into members select n, 'Member ' || n, timestamptz '2026-01-01' from generate_series(1, 300) n;
create table visits (member bigint not null, day date not null);
insert into visits select n % 300 + 1, date '2026-01-01' + n % 90 from generate_series(1, 4000) n;
select lo_from_bytea(70001, convert_to('the statutes', 'UTF8'));
comment on large object 70001 is 'statutes';
