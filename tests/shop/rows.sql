insert into shop.customers (name, email, born, address, tags, preferences, credit, photo, changed_at)
select
    case n % 11
        when 0 then 'Conceição d''Ávila ' || n
        when 1 then 'O''Brien "the quick" ' || n
        when 2 then E'Line\nbreak\r\nand\ttab ' || n
        when 3 then 'Émilie 🚀 ' || n || ' 👩‍👩‍👧'
        when 4 then 'back\slash \N \. ' || n
        when 5 then '' || repeat(' ', n % 3)
        when 6 then '李雷 ' || n
        when 7 then 'שלום ' || n
        else 'João Pereira ' || n
    end,
    case when n % 13 = 0 then null else 'customer' || n || '@example.com' end,
    case when n % 17 = 0 then 'infinity'::date when n % 19 = 0 then '0044-03-15 BC' else date '1930-01-01' + (n * 37 % 30000) end,
    case when n % 5 = 0 then null else row('Rua "Nova", nº (' || n || ')', n % 2000, case n % 3 when 0 then 'São Paulo' when 1 then null else '' end, lpad((n % 99999)::text, 5, '0'))::shop.address end,
    case n % 4 when 0 then '{}' when 1 then array['vip', null, 'has "quotes"', 'a,b', '{braces}'] when 2 then array[''] else array['new', E'multi\nline'] end,
    case n % 6 when 0 then null else jsonb_build_object('n', n, 'nested', jsonb_build_array(n, null, 'té"xt', jsonb_build_object('k', n / 7.0))) end,
    (n * 7919 % 100000) / 100.0,
    case when n % 50 = 0 then decode(repeat(md5(n::text), 20), 'hex') when n % 51 = 0 then '\x'::bytea else null end,
    timestamptz '2026-01-01 00:00:00+00' + n * interval '1 second'
from generate_series(1, 20000) n;

insert into shop.products (sku, name, price, weight_grams, dimensions, available, embargo, added)
select
    'SKU-' || lpad(n::text, 6, '0'),
    'Produto ' || n || case when n % 9 = 0 then ' – edição "especial"' else '' end,
    case when n % 500 = 0 then 'NaN'::numeric else (n * 104729 % 1000000) / 1e4 + 1e-10 end,
    case n % 7 when 0 then 'Infinity'::real when 1 then null else n / 3.0 end,
    case when n % 3 = 0 then null else array[n / 7.0, -0.0, 1e-300, 'NaN'::double precision] end,
    case n % 4 when 0 then 'empty' when 1 then shop.price_range(n, n + 10, '[)') when 2 then shop.price_range(null, n) else null end,
    case when n % 10 = 0 then tstzrange('2026-01-01 00:00:00+00', 'infinity', '[]') else null end,
    case when n % 100 = 0 then '-infinity'::timestamp else timestamp '2020-01-01' + n * interval '1 hour 1 microsecond' end
from generate_series(1, 3000) n;

insert into shop.products_imported (sku, name, price, country, duty)
select 'IMP-' || n, 'Importado ' || n, n, (array['DE', 'US', 'JP', 'PT'])[n % 4 + 1], 123456789012345678901234567890.123456789 * n
from generate_series(1, 200) n;

insert into shop.orders (order_id, placed_at, customer_id, status, total, note, ship_to)
select
    n,
    timestamptz '2025-06-01 00:00:00+00' + n * interval '11 minutes 3 seconds',
    n * 31 % 20000 + 1,
    (array['new', 'paid', 'sent', 'returned', 'it''s complicated'])[n % 5 + 1]::shop.order_status,
    (n * 12347 % 500000) / 100.0,
    case n % 20 when 0 then E'Deliver to "back door"\\n; not the front\n-- really' when 1 then E'\u00e7\u00e3o ✓' else null end,
    case when n % 30 = 0 then row('x', null, null, null)::shop.address else null end
from generate_series(1, 80000) n;

insert into shop.order_items (order_id, line, product_id, quantity, unit_price, discount)
select n, l, ((n * 17 + l) % 1500) * 2 + 1, (n + l) % 9 + 1, (n * 3571 % 90000) / 100.0, case when n % 10 = 0 then 0.125 else null end
from generate_series(1, 80000) n, generate_series(1, 2) l;

insert into shop.events (at, kind, took, from_address, payload, body)
select
    case when n % 1000 = 0 then null else timestamptz '2026-01-01 00:00:00+00' + n * interval '7.123456 seconds' end,
    (array['view', 'search', 'buy', 'error', null])[n % 5 + 1],
    case when n % 7 = 0 then interval '-1 year 2 mons -3 days 04:05:06.789' else n * interval '1 millisecond' end,
    ('10.' || n % 256 || '.' || n / 256 % 256 || '.0/24')::inet,
    case when n % 3 = 0 then null else jsonb_build_object('path', '/p/' || n, 'ok', n % 2 = 0) end,
    case when n % 2500 = 0 then repeat(md5(n::text) || E' long\ttext\n', 4000) when n % 11 = 0 then '\N' when n % 12 = 0 then '' when n % 13 = 0 then E'\x01\x02 control' else 'event ' || n end
from generate_series(1, 100000) n;

insert into shop.sessions (token, customer_id, expires)
select md5('session' || n)::uuid, n, case when n % 2 = 0 then 'infinity'::timestamptz else timestamptz '2026-06-01 00:00:00+00' + n * interval '1 hour' end
from generate_series(1, 500) n;
alter table shop.sessions enable row level security;

insert into shop.rooms select n % 3 + 1, tsrange(timestamp '2026-01-01' + n * interval '1 hour', timestamp '2026-01-01' + (n + 1) * interval '1 hour')
from generate_series(1, 100) n;

insert into shop.no_columns select from generate_series(1, 3);

insert into "Back Office"."Order Notes" ("Order.Number", "the ""note""", "ação", "select")
select n, case n % 3 when 0 then 'He said "no"' when 1 then null else E'tab\tquote''s' end, n % 2 = 0, n::text::xid from generate_series(1, 1000) n;

select setval('shop.invoice_numbers', 8008, true);

-- After the rows, so that it is built from them.
create materialized view reporting.sales_by_day as
    select date_trunc('day', placed_at at time zone 'UTC') as day, count(*) as orders, sum(total) as total
    from shop.orders group by 1
    with data;
create unique index sales_by_day_day on reporting.sales_by_day (day);
create materialized view reporting.sales_by_month as
    select date_trunc('month', day) as month, sum(total) as total from reporting.sales_by_day group by 1
    with no data;

-- Holes in the heap, and a column that was dropped after rows were written.
alter table shop.events add column gone integer default 7;
alter table shop.events drop column gone;
alter table shop.events add column region text default 'south' not null;
delete from shop.events where kind = 'view' and extract(second from at)::integer % 10 = 3;
analyze;
