-- The sample shop: small enough to load in seconds, awkward enough to be a
-- fair picture of real databases. Everything is made by arithmetic on row
-- numbers, so that every load gives the same rows.

create schema shop;
create schema reporting;
create schema "Back Office";

comment on schema shop is 'A sample shop, made by Guarda to have something to keep safe';

do $$
begin
    if not exists (select from pg_roles where rolname = 'shop_reader') then
        create role shop_reader nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'shop_clerk') then
        create role shop_clerk nologin;
    end if;
end
$$;

create type shop.order_status as enum ('new', 'paid', 'sent', 'returned', 'it''s complicated');
create type shop.address as (street text, number integer, city text, postal_code varchar(9));
create domain shop.email as text check (value ~ '^[^@\s]+@[^@\s]+$');
create domain shop.money_brl as numeric(14, 2) default 0 not null constraint not_absurd check (value > -1e9);
create type shop.price_range as range (subtype = numeric, multirange_type_name = shop.price_ranges);

comment on type shop.order_status is 'Where an order is; "it''s complicated" is a real state';

create sequence shop.invoice_numbers as bigint start 1000 increment 7 cache 3;

create function shop.without_accents(t text) returns text
    language sql immutable strict parallel safe
    return translate(t, 'áàâãéêíóôõúçÁÀÂÃÉÊÍÓÔÕÚÇ', 'aaaaeeiooooucAAAAEEIOOOUC');

create function shop.touch() returns trigger language plpgsql as $fn$
begin
    -- a $$ inside, and a quote ' too
    new.changed_at := timestamptz '2026-01-01 00:00:00+00' + make_interval(secs => new.customer_id % 86400);
    return new;
end
$fn$;

create table shop.customers (
    customer_id integer generated always as identity (start with 1 increment by 1) primary key,
    name text not null,
    email shop.email,
    born date,
    address shop.address,
    tags text[] default '{}' not null,
    preferences jsonb default '{"newsletter": false}'::jsonb,
    credit shop.money_brl,
    search_name text generated always as (shop.without_accents(lower(name))) stored,
    photo bytea,
    changed_at timestamptz,
    constraint customers_email_once unique (email) deferrable initially deferred
);
alter table shop.customers alter column name set statistics 500;
alter table shop.customers alter column photo set storage external;
comment on table shop.customers is E'People who buy.\nSecond line, with a tab\there and a backslash \\ too';
comment on column shop.customers.search_name is 'Lower case, without accents: "coração" is found as "coracao"';

create index customers_search on shop.customers using btree (search_name text_pattern_ops) where email is not null;
create index customers_tags on shop.customers using gin (tags);
create index customers_city on shop.customers (((address).city), born desc nulls last) include (name) with (fillfactor = 80);
create statistics shop.customers_born_credit (dependencies, ndistinct) on born, credit from shop.customers;

create trigger customers_touch before insert or update of name, email on shop.customers
    for each row execute function shop.touch();
alter table shop.customers disable trigger customers_touch;

create table shop.products (
    product_id bigserial primary key,
    sku varchar(20) collate "C" not null,
    name text not null,
    price numeric(20, 10),
    weight_grams real,
    dimensions double precision[],
    available shop.price_range,
    embargo tstzrange,
    added timestamp without time zone default '2020-02-29 12:34:56.789012',
    constraint products_sku unique (sku) include (name),
    constraint products_price check (price >= 0 or price = 'NaN'::numeric) no inherit
);
alter sequence shop.products_product_id_seq increment by 2;

create table shop.products_imported (
    country char(2) not null,
    duty numeric default 0.1,
    check (country <> 'BR')
) inherits (shop.products);

create table shop.orders (
    order_id bigint not null,
    placed_at timestamptz not null,
    customer_id integer not null references shop.customers on delete restrict,
    status shop.order_status default 'new' not null,
    total numeric(14, 2),
    note text,
    ship_to shop.address,
    primary key (order_id, placed_at)
) partition by range (placed_at);
create table shop.orders_2025q3 partition of shop.orders for values from ('2025-07-01 00:00:00+00') to ('2025-10-01 00:00:00+00');
create table shop.orders_2025q4 partition of shop.orders for values from ('2025-10-01 00:00:00+00') to ('2026-01-01 00:00:00+00');
create table shop.orders_2026 partition of shop.orders for values from ('2026-01-01 00:00:00+00') to ('2027-01-01 00:00:00+00')
    partition by hash (order_id);
create table shop.orders_2026_even partition of shop.orders_2026 for values with (modulus 2, remainder 0);
create table shop.orders_2026_odd partition of shop.orders_2026 for values with (modulus 2, remainder 1);
create table shop.orders_rest partition of shop.orders default;
create index orders_by_customer on shop.orders (customer_id, placed_at desc);
alter table shop.orders_rest set (autovacuum_enabled = true, fillfactor = 90);

create table shop.order_items (
    order_id bigint not null,
    line smallint not null,
    product_id bigint not null references shop.products (product_id) deferrable initially immediate,
    quantity integer not null check (quantity > 0),
    unit_price numeric(14, 2) not null,
    discount numeric,
    amount numeric generated always as (quantity * unit_price * (1 - coalesce(discount, 0))) stored,
    primary key (order_id, line)
);
create index order_items_product on shop.order_items using hash (product_id);

-- No primary key, duplicates allowed, every kind of awkward text.
create table shop.events (
    at timestamptz,
    kind text,
    took interval,
    from_address inet,
    payload jsonb,
    body text
);
create index events_at on shop.events using brin (at) with (pages_per_range = 32);

create unlogged table shop.sessions (
    token uuid primary key,
    customer_id integer,
    expires timestamptz default 'infinity'
);

alter table shop.sessions add constraint sessions_customer foreign key (customer_id) references shop.customers on delete cascade not valid;

create table shop.rooms (
    room integer,
    during tsrange,
    exclude using gist (during with &&) where (room = 1)
);

create table shop.no_columns ();

create table "Back Office"."Order Notes" (
    "Id" integer generated by default as identity primary key,
    "Order.Number" bigint,
    "the ""note""" text,
    "ação" boolean default true,
    "select" xid
);
comment on column "Back Office"."Order Notes"."the ""note""" is 'A name with quotes';

create view reporting.order_values as
    select o.order_id, o.placed_at, o.customer_id, sum(i.amount) as value, count(*) as lines
    from shop.orders o
    join shop.order_items i using (order_id)
    group by o.order_id, o.placed_at, o.customer_id;

create view reporting.best_customers with (security_barrier = true) as
    select c.customer_id, c.name, sum(v.value) as bought, rank() over (order by sum(v.value) desc nulls last) as place
    from reporting.order_values v
    join shop.customers c using (customer_id)
    group by c.customer_id, c.name;
comment on view reporting.best_customers is 'A view on a view';

create view reporting.open_orders as
    select order_id, placed_at, customer_id, status from shop.orders where status in ('new', 'paid')
    with local check option;

create function reporting.value_of(c integer, out orders bigint, out value numeric) language sql stable
begin atomic
    select count(*), sum(v.value) from reporting.order_values v where v.customer_id = c;
end;

create procedure shop.close_order(o bigint) language plpgsql security definer set search_path = shop, pg_temp as $$
begin
    update orders set status = 'sent' where order_id = o;
end
$$;

create aggregate shop.longest(text) (sfunc = textcat, stype = text, initcond = '');

create rule no_delete as on delete to shop.no_columns do instead nothing;

create policy own_sessions on shop.sessions for select to shop_reader using (token is not null);

grant usage on schema shop, reporting to shop_reader;
grant select on shop.products, reporting.best_customers to shop_reader;
grant select (customer_id, name), update (name) on shop.customers to shop_clerk;
grant insert on shop.orders to shop_clerk with grant option;
grant execute on procedure shop.close_order(bigint) to shop_clerk;
revoke execute on procedure shop.close_order(bigint) from public;
alter default privileges in schema reporting grant select on tables to shop_reader;
