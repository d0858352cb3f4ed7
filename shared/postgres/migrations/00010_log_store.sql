-- The log store: advanced_logs by day, with the specification's columns, checks
-- and index names, and what is kept beside it: counts, the feed that tails
-- read, ids that were taken in, settings.

-- +goose Up

-- Two PostgreSQL facts shape this. A partitioned table's key must hold what it
-- is partitioned by, so the key is (created_at, id) and nothing can refer to an
-- entry by its id alone: the two references of the diagram become plain columns
-- with the entry's time beside the id. And a foreign key to a partition would
-- keep it from being dropped.
alter table guarda.log_exports drop constraint log_exports_last_log_id_fkey, add column last_log_at timestamp with time zone;
alter table guarda.log_patterns drop constraint log_patterns_sample_log_id_fkey, add column sample_log_at timestamp with time zone;

alter table guarda.advanced_logs rename to advanced_logs_before;
drop index guarda.idx_advanced_logs_level;
drop index guarda.idx_advanced_logs_source;
drop index guarda.idx_advanced_logs_created_at;
drop index guarda.idx_advanced_logs_user_id;
drop index guarda.idx_advanced_logs_message_gin;

create table guarda.advanced_logs (
    id uuid not null default gen_random_uuid(),
    level varchar(20) not null check (level in ('debug', 'info', 'warn', 'error', 'critical')),
    source varchar(100) not null,
    message text not null,
    metadata jsonb default '{}',
    created_at timestamp with time zone not null default now(),
    user_id uuid,
    session_id varchar(255),
    pattern_id uuid, -- guarda.log_patterns, not enforced: patterns are forgotten before entries are
    constraint advanced_logs_key primary key (created_at, id)
) partition by range (created_at);
create index idx_advanced_logs_level on guarda.advanced_logs (level);
create index idx_advanced_logs_source on guarda.advanced_logs (source);
create index idx_advanced_logs_created_at on guarda.advanced_logs (created_at desc);
create index idx_advanced_logs_user_id on guarda.advanced_logs (user_id);
create index idx_advanced_logs_message_gin on guarda.advanced_logs using gin (to_tsvector('portuguese', message)) with (gin_pending_list_limit = 4096);
create index idx_advanced_logs_metadata_gin on guarda.advanced_logs using gin (metadata jsonb_path_ops) with (gin_pending_list_limit = 4096);

-- For rows whose day has no partition: ingestion makes the day's first, so only
-- rows that come by other ways get here, and move when the day is made.
create table guarda.advanced_logs_default partition of guarda.advanced_logs default;

-- How many entries there are for each minute, hour and day (span, in seconds),
-- source, level and pattern. Rows are only added: an ingest adds its own, so
-- writers never wait for each other, and guarda.merge_log_counts adds up what
-- has the same key. A sum over the rows is exact at any moment.
create table guarda.log_counts (
    span integer not null check (span in (60, 3600, 86400)),
    bucket timestamp with time zone not null, -- its start
    source varchar(100) not null,
    level varchar(20) not null,
    pattern_id uuid not null, -- all zero: none
    n bigint not null, -- less than zero when entries were deleted
    merged boolean not null default false
);
create index idx_log_counts_bucket on guarda.log_counts (span, bucket);
create unique index idx_log_counts_merged on guarda.log_counts (span, bucket, source, level, pattern_id) where merged;
create index idx_log_counts_fresh on guarda.log_counts (span, bucket) where not merged;

-- What was taken in, in the order of arrival, for tails: a row a batch, with the
-- keys of its entries. Kept for an hour.
create table guarda.log_feed (
    seq bigint generated always as identity primary key,
    received_at timestamp with time zone not null default clock_timestamp(),
    ids uuid[] not null,
    times timestamp with time zone[] not null, -- created_at of the same entry
    untold integer not null default 0 -- entries that are not listed, because they were too many
);
create index idx_log_feed_received_at on guarda.log_feed (received_at);

-- Ids that senders gave, so that an entry that is sent twice is stored once
-- whatever time it says; and the batches that were stored, so that a batch that
-- was put aside although it had been stored is not stored again.
create table guarda.log_ids (
    id uuid primary key,
    created_at timestamp with time zone not null -- of the entry
);
create table guarda.log_batches (
    id uuid primary key,
    received_at timestamp with time zone not null default now(),
    accepted integer not null,
    duplicates integer not null
);
create index idx_log_batches_received_at on guarda.log_batches (received_at);

-- One row of settings. A change of the text search is wanted first; the log
-- keeper builds its index, then makes it the active one.
create table guarda.log_settings (
    one boolean primary key default true check (one),
    text_search text not null default 'portuguese',
    fold_accents boolean not null default false,
    wanted_text_search text,
    wanted_fold_accents boolean,
    key_limit integer not null default 1200000 check (key_limit > 0), -- entries per minute and identity
    max_age_days integer not null default 3660 check (max_age_days > 0), -- older entries are not taken in, whatever the retention
    version bigint not null default 1,
    updated_at timestamp with time zone not null default now()
);
insert into guarda.log_settings default values;

-- How long entries are kept: the rule that names source and level counts before
-- the one that names the source, that before the level, that before neither.
create table guarda.log_retention (
    id uuid primary key default gen_random_uuid(),
    source varchar(100),
    level varchar(20) check (level in ('debug', 'info', 'warn', 'error', 'critical')),
    days integer check (days > 0) -- null: for ever
);
create unique index idx_log_retention_rule on guarda.log_retention (coalesce(source, ''), coalesce(level, ''));
insert into guarda.log_retention (days) values (null); -- for ever, until somebody says otherwise

-- What is masked before it is stored, per source; '*' is every source that has
-- no row of its own. No rows: nothing is masked.
create table guarda.log_masking (
    source varchar(100) primary key,
    rules text[] not null check (rules <@ array['email', 'cpf', 'cnpj', 'card', 'token'])
);

-- How many entries an identity may still send: a bucket that fills up again
-- with its limit a minute.
create table guarda.log_limits (
    subject varchar(100) primary key,
    tokens double precision not null,
    updated_at timestamp with time zone not null
);

alter table guarda.api_keys add column logs_per_minute integer check (logs_per_minute > 0); -- null: log_settings.key_limit

create table guarda.saved_searches (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references guarda.users (id) on delete cascade,
    name varchar(200) not null,
    query jsonb not null, -- the parameters of GET /api/logs/search
    shared boolean not null default false,
    version bigint not null default 1,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now()
);
create unique index idx_saved_searches_name on guarda.saved_searches (user_id, name);

-- +goose StatementBegin
-- Letters with their accents taken off: character for character, so that
-- positions in the result are positions in the text. Immutable, for indexes.
create function guarda.fold_accents(text) returns text
    language sql immutable strict parallel safe as $$
    select pg_catalog.translate($1,
        'ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖòóôõöÙÚÛÜùúûüÝýÿ',
        'AAAAAAaaaaaaCcEEEEeeeeIIIIiiiiNnOOOOOoooooUUUUuuuuYyy')
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Makes the partition of a day (in UTC), and moves there what the default
-- partition has of it. False: it was there already. It is made apart and
-- attached, so that readers and writers of other days do not wait.
create function guarda.make_log_partition(day date) returns boolean
    language plpgsql as $$
declare
    part text := 'advanced_logs_' || to_char(day, 'YYYYMMDD');
    low timestamptz := day::timestamp at time zone 'UTC';
    high timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
    if to_regclass('guarda.' || part) is not null then
        return false;
    end if;
    perform pg_advisory_xact_lock(7453010000010); -- one at a time
    if to_regclass('guarda.' || part) is not null then
        return false;
    end if;
    execute format('create table guarda.%I (like guarda.advanced_logs including all)', part);
    if exists (select from guarda.advanced_logs_default where created_at >= low and created_at < high) then
        lock table guarda.advanced_logs_default in access exclusive mode;
        execute format('with moved as (delete from guarda.advanced_logs_default where created_at >= %L and created_at < %L returning *)
            insert into guarda.%I select * from moved', low, high, part);
    end if;
    execute format('alter table guarda.advanced_logs attach partition guarda.%I for values from (%L) to (%L)', part, low, high);
    return true;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Forgets a day: its partition, its counts and its ids.
create function guarda.drop_log_partition(day date) returns void
    language plpgsql as $$
declare
    low timestamptz := day::timestamp at time zone 'UTC';
    high timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
    execute format('drop table if exists guarda.%I', 'advanced_logs_' || to_char(day, 'YYYYMMDD'));
    delete from guarda.log_counts where bucket >= low and bucket < high;
    delete from guarda.log_ids where created_at >= low and created_at < high;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- The days that have a partition.
create function guarda.log_days() returns setof date
    language sql stable as $$
    select to_date(right(c.relname, 8), 'YYYYMMDD')
        from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'guarda.advanced_logs'::regclass and c.relname ~ '^advanced_logs_[0-9]{8}$'
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Keeps counts and feed in step with statements on advanced_logs. Ingestion
-- copies into the day's partition itself and adds both on its own, in the same
-- transaction: a trigger with a transition table would make COPY insert row by
-- row. This is for everybody else's statements.
create function guarda.count_logs() returns trigger
    language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        insert into guarda.log_counts (span, bucket, source, level, pattern_id, n)
            select s.span, date_trunc(s.unit, g.created_at, 'UTC'), g.source, g.level, coalesce(g.pattern_id, '00000000-0000-0000-0000-000000000000'), -count(*)
            from gone g cross join (values (60, 'minute'), (3600, 'hour'), (86400, 'day')) s (span, unit) group by 1, 2, 3, 4, 5;
    end if;
    if tg_op <> 'DELETE' then
        insert into guarda.log_counts (span, bucket, source, level, pattern_id, n)
            select s.span, date_trunc(s.unit, a.created_at, 'UTC'), a.source, a.level, coalesce(a.pattern_id, '00000000-0000-0000-0000-000000000000'), count(*)
            from added a cross join (values (60, 'minute'), (3600, 'hour'), (86400, 'day')) s (span, unit) group by 1, 2, 3, 4, 5;
    end if;
    if tg_op = 'INSERT' then
        insert into guarda.log_feed (ids, times, untold)
            select coalesce(array_agg(f.id order by f.created_at, f.id), '{}'), coalesce(array_agg(f.created_at order by f.created_at, f.id), '{}'), greatest(c.n - 10000, 0)
            from (select count(*)::int as n from added) c left join lateral (select * from added order by created_at, id limit 10000) f on true
            where c.n > 0 group by c.n;
        perform pg_notify('guarda_logs', '');
    end if;
    return null;
end $$;
-- +goose StatementEnd
create trigger logs_added after insert on guarda.advanced_logs
    referencing new table as added for each statement execute function guarda.count_logs();
create trigger logs_gone after delete on guarda.advanced_logs
    referencing old table as gone for each statement execute function guarda.count_logs();
create trigger logs_changed after update on guarda.advanced_logs
    referencing old table as gone new table as added for each statement execute function guarda.count_logs();

-- +goose StatementBegin
-- Adds up counts that have the same key, in one statement, so that nobody ever
-- sees them missing or twice. Returns how many rows it read.
create function guarda.merge_log_counts() returns bigint
    language plpgsql as $$
declare
    done bigint;
begin
    if not pg_try_advisory_xact_lock(7453010000011) then
        return 0;
    end if;
    with fresh as (
        delete from guarda.log_counts where not merged returning *
    ), added as (
        insert into guarda.log_counts (span, bucket, source, level, pattern_id, n, merged)
            select span, bucket, source, level, pattern_id, sum(n), true from fresh group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
            on conflict (span, bucket, source, level, pattern_id) where merged do update set n = log_counts.n + excluded.n
    )
    select count(*) into done from fresh;
    return done;
end $$;
-- +goose StatementEnd

-- What an unpartitioned table held moves over, counted by the trigger.
select guarda.make_log_partition(d) from (select distinct (created_at at time zone 'UTC')::date from guarda.advanced_logs_before where isfinite(created_at)) days (d); -- null: now
select guarda.make_log_partition((now() at time zone 'UTC')::date + n) from generate_series(-1, 3) n;
insert into guarda.advanced_logs (id, level, source, message, metadata, created_at, user_id, session_id)
    select id, level, source, message, metadata, coalesce(created_at, now()), user_id, session_id from guarda.advanced_logs_before;
insert into guarda.log_ids (id, created_at) select id, coalesce(created_at, now()) from guarda.advanced_logs_before;
delete from guarda.log_feed;
select guarda.merge_log_counts();
update guarda.log_exports e set last_log_at = b.created_at from guarda.advanced_logs_before b where b.id = e.last_log_id;
update guarda.log_patterns p set sample_log_at = b.created_at from guarda.advanced_logs_before b where b.id = p.sample_log_id;
drop table guarda.advanced_logs_before;

-- +goose Down
alter table guarda.advanced_logs rename to advanced_logs_by_day;
drop index guarda.idx_advanced_logs_level;
drop index guarda.idx_advanced_logs_source;
drop index guarda.idx_advanced_logs_created_at;
drop index guarda.idx_advanced_logs_user_id;
drop index guarda.idx_advanced_logs_message_gin;
create table guarda.advanced_logs (
    id uuid primary key default gen_random_uuid(),
    level varchar(20) not null check (level in ('debug', 'info', 'warn', 'error', 'critical')),
    source varchar(100) not null,
    message text not null,
    metadata jsonb default '{}',
    created_at timestamp with time zone default now(),
    user_id uuid,
    session_id varchar(255)
);
insert into guarda.advanced_logs (id, level, source, message, metadata, created_at, user_id, session_id)
    select distinct on (id) id, level, source, message, metadata, created_at, user_id, session_id from guarda.advanced_logs_by_day order by id, created_at;
create index idx_advanced_logs_level on guarda.advanced_logs (level);
create index idx_advanced_logs_source on guarda.advanced_logs (source);
create index idx_advanced_logs_created_at on guarda.advanced_logs (created_at desc);
create index idx_advanced_logs_user_id on guarda.advanced_logs (user_id);
create index idx_advanced_logs_message_gin on guarda.advanced_logs using gin (to_tsvector('portuguese', message));
drop table guarda.advanced_logs_by_day;
drop table guarda.saved_searches;
alter table guarda.api_keys drop column logs_per_minute;
drop table guarda.log_limits;
drop table guarda.log_masking;
drop table guarda.log_retention;
drop table guarda.log_settings;
drop table guarda.log_batches;
drop table guarda.log_ids;
drop table guarda.log_feed;
drop table guarda.log_counts;
drop function guarda.count_logs();
drop function guarda.merge_log_counts();
drop function guarda.log_days();
drop function guarda.drop_log_partition(date);
drop function guarda.make_log_partition(date);
drop function guarda.fold_accents(text);
update guarda.log_exports set last_log_id = null where last_log_id is not null and not exists (select from guarda.advanced_logs l where l.id = last_log_id);
update guarda.log_patterns set sample_log_id = null where sample_log_id is not null and not exists (select from guarda.advanced_logs l where l.id = sample_log_id);
alter table guarda.log_exports drop column last_log_at,
    add constraint log_exports_last_log_id_fkey foreign key (last_log_id) references guarda.advanced_logs (id) on delete set null;
alter table guarda.log_patterns drop column sample_log_at,
    add constraint log_patterns_sample_log_id_fkey foreign key (sample_log_id) references guarda.advanced_logs (id) on delete set null;
