-- The cold tier of the log store: days that are older than hot_days leave
-- advanced_logs for Parquet objects in the object store, piece by piece
-- (docs/design/cold-logs.md), and requests to erase a person's entries.

-- +goose Up

alter table guarda.log_settings add column hot_days integer check (hot_days > 0); -- null: days never leave Postgres

-- A piece of a day in the object store. Rows are in exactly one of
-- advanced_logs and the live segments, for every snapshot: they leave the one
-- in the transaction in which they appear in the other.
create table guarda.log_segments (
    id uuid primary key,
    day date not null,
    state text not null check (state in ('writing', 'live', 'gone')),
    reason text not null check (reason in ('archive', 'retention', 'erasure')), -- why it was written
    path text not null, -- of the Parquet object; the index is beside it
    low timestamp with time zone not null, -- created_at of its first row
    high timestamp with time zone not null, -- and of its last
    rows bigint not null,
    content numeric not null, -- the sum of guarda.log_fingerprint over its rows
    size bigint not null, -- bytes of the Parquet object
    footer bigint not null, -- of them its end, with the metadata
    index_size bigint not null,
    index_header bigint not null, -- bytes of the index before its filters
    kinds jsonb not null, -- [[level, source, rows], …]
    text_search text not null, -- the words of the index are those of this text search
    fold_accents boolean not null,
    erased_to bigint not null default 0, -- the last erasure that looked at it
    written_at timestamp with time zone not null,
    live_at timestamp with time zone,
    gone_at timestamp with time zone
);
create index idx_log_segments_live on guarda.log_segments (high) where state = 'live';
create index idx_log_segments_day on guarda.log_segments (day);

-- Days past hot_days to which entries came lately. They are left alone for a
-- while, so that they are not archived entry by entry, and so that tails still
-- find in advanced_logs what the feed lists.
create table guarda.log_late_days (
    day date primary key,
    since timestamp with time zone not null,
    seen_at timestamp with time zone not null
);

-- Who had whose entries erased when, and what that came to. Whose they were is
-- kept until the work is done; after that only a salted digest, which answers
-- for a known person and names none.
create table guarda.log_erasures (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity unique,
    user_id uuid,
    session_id varchar(255),
    salt bytea not null,
    digest bytea not null,
    state text not null default 'pending' check (state in ('pending', 'running', 'completed')),
    stage text not null default 'spool' check (stage in ('spool', 'hot', 'cold', 'objects', 'last_look', 'done')),
    reason varchar(500) not null default '',
    requested_by uuid, -- null: with an API key of nobody
    requested_by_name varchar(255) not null,
    requested_at timestamp with time zone not null,
    hot_rows bigint not null default 0,
    cold_rows bigint not null default 0,
    spooled_rows bigint not null default 0,
    segments_total integer not null default 0,
    segments_done integer not null default 0,
    segments_rewritten integer not null default 0,
    cold_done_at timestamp with time zone,
    last_error text,
    updated_at timestamp with time zone not null,
    completed_at timestamp with time zone,
    check (state = 'completed' or user_id is not null or session_id is not null)
);
create index idx_log_erasures_open on guarda.log_erasures (seq) where state <> 'completed';

-- +goose StatementBegin
-- A number for a row's whole content; their sum is that of a set of rows,
-- whatever their order. Package logs computes the same from what it reads back
-- (logs.Archived.Fingerprint).
create function guarda.log_fingerprint(id uuid, created_at timestamptz, level text, source text, message text, metadata jsonb, user_id uuid, session_id text, pattern_id uuid)
    returns bigint language sql stable parallel safe as $$
    select ('x' || pg_catalog.encode(pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(
        id::text || ' ' || (extract(epoch from pg_catalog.date_trunc('second', created_at))::bigint * 1000000 + extract(microseconds from created_at)::bigint % 1000000)::text
        || ' ' || level || ' ' || pg_catalog.octet_length(source) || ':' || source || ' ' || pg_catalog.octet_length(message) || ':' || message
        || ' ' || coalesce(pg_catalog.octet_length(metadata::text) || ':' || metadata::text, '-') || ' ' || coalesce(user_id::text, '-')
        || ' ' || coalesce(pg_catalog.octet_length(session_id) || ':' || session_id, '-') || ' ' || coalesce(pattern_id::text, '-'),
        'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Forgets a day: its partition, its segments, its counts and its ids.
create or replace function guarda.drop_log_partition(day date) returns void
    language plpgsql as $$
declare
    low timestamptz := day::timestamp at time zone 'UTC';
    high timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
    execute format('drop table if exists guarda.%I', 'advanced_logs_' || to_char(day, 'YYYYMMDD'));
    update guarda.log_segments s set state = 'gone', gone_at = clock_timestamp() where s.day = drop_log_partition.day and s.state <> 'gone';
    delete from guarda.log_counts where bucket >= low and bucket < high;
    delete from guarda.log_ids where created_at >= low and created_at < high;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Drops a day's partition if nothing is in it; its counts and ids stay, for
-- its rows are in segments. False: something is in it.
create function guarda.drop_empty_log_partition(day date) returns boolean
    language plpgsql as $$
declare
    part text := 'advanced_logs_' || to_char(day, 'YYYYMMDD');
    filled boolean;
begin
    if to_regclass('guarda.' || part) is null then
        return false;
    end if;
    execute format('lock table guarda.%I in access exclusive mode', part); -- nobody writes between the look and the drop
    execute format('select exists (select from guarda.%I)', part) into filled;
    if filled then
        return false;
    end if;
    execute format('drop table guarda.%I', part);
    return true;
end $$;
-- +goose StatementEnd

-- +goose Down
-- Entries that are in the object store cannot come back from here.
-- +goose StatementBegin
do $$
begin
    if exists (select from guarda.log_segments where state = 'live') then
        raise exception 'archived log entries are in the object store; this version cannot be taken back without losing them';
    end if;
end $$;
-- +goose StatementEnd
drop function guarda.drop_empty_log_partition(date);
-- +goose StatementBegin
create or replace function guarda.drop_log_partition(day date) returns void
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
drop function guarda.log_fingerprint(uuid, timestamptz, text, text, text, jsonb, uuid, text, uuid);
drop table guarda.log_erasures;
drop table guarda.log_late_days;
drop table guarda.log_segments;
alter table guarda.log_settings drop column hot_days;
