create schema library;
create type library.state as enum ('in', 'out', 'lost');
create table library.books (
    id bigint generated always as identity primary key,
    title text not null,
    state library.state default 'in',
    price numeric(10, 2),
    tags text[],
    extra jsonb,
    cover bytea,
    title_length int generated always as (length(title)) stored
);
insert into library.books (title, state, price, tags, extra, cover)
select 'Book ' || n || case when n % 10 = 0 then E' with a tab\t, a newline\n, a \\ and "quotes"' else '' end,
       (enum_range(null::library.state))[n % 3 + 1], case when n % 7 > 0 then n * 1.25 end,
       case when n % 4 = 0 then array['a', null, 'ção'] end, jsonb_build_object('n', n, 'emoji', '📚'), decode(md5(n::text), 'hex')
from generate_series(1, 500) n;
create table library.loans (book bigint not null references library.books, since date not null default '2026-01-01');
insert into library.loans select n, date '2026-01-01' + n::int from generate_series(1, 100) n;
create table library.empty (id int);
create index loans_since on library.loans (since desc);
create view library.lost as select id, title from library.books where state = 'lost';
create function library.total() returns numeric language sql stable as 'select sum(price) from library.books';
comment on table library.books is 'What we have; "quoted"';
