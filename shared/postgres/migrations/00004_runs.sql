-- What Guarda adds to the specification's tables to run backups: the databases
-- to back up, who runs what and how far it is, and the chunks of a run.

-- +goose Up
create table guarda.sources (
    id uuid primary key default gen_random_uuid(),
    name varchar(63) not null check (name ~ '^[a-z0-9][a-z0-9_-]*$'), -- names the folder in the store
    kind varchar(50) not null default 'postgres' check (kind in ('postgres', 'rds', 'aurora', 'supabase')),
    sealed_dsn bytea not null, -- AES-256-GCM, see shared/source
    host varchar(255) not null, -- these four are for showing; the sealed one counts
    port integer not null check (port between 1 and 65535),
    database varchar(255) not null,
    username varchar(255) not null,
    is_default boolean not null default false,
    settings jsonb not null default '{}',
    version bigint not null default 1, -- grows with each change: the ETag
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now()
);
create unique index idx_sources_name on guarda.sources (name);
create unique index idx_sources_default on guarda.sources (is_default) where is_default;

alter table guarda.backup_schedules
    add column source_id uuid references guarda.sources (id) on delete set null,
    add column next_run_at timestamp with time zone,
    add column last_tick_at timestamp with time zone,
    add column version bigint not null default 1;
create index idx_backup_schedules_source_id on guarda.backup_schedules (source_id);
create index idx_backup_schedules_next_run_at on guarda.backup_schedules (next_run_at) where active;

alter table guarda.backup_executions
    add column source_id uuid references guarda.sources (id) on delete set null,
    add column source_name text,
    add column backup_type varchar(50) check (backup_type in ('full', 'incremental', 'differential')), -- what was done
    add column requested_type varchar(50) check (requested_type in ('full', 'incremental', 'differential')),
    add column trigger text check (trigger in ('manual', 'schedule')),
    add column scheduled_for timestamp with time zone,
    add column heartbeat_at timestamp with time zone,
    add column cancel_requested_at timestamp with time zone,
    add column canceled boolean not null default false,
    add column progress jsonb,
    add column snapshot_name text,
    add column store_path text,
    add column raw_bytes bigint,
    add column row_count bigint,
    -- A tick of the scheduler that is delivered twice makes one run.
    add constraint backup_executions_tick_key unique (schedule_id, scheduled_for),
    -- Executions outlive their schedule.
    drop constraint backup_executions_schedule_id_fkey,
    add constraint backup_executions_schedule_id_fkey
        foreign key (schedule_id) references guarda.backup_schedules (id) on delete set null;
create index idx_backup_executions_source_id on guarda.backup_executions (source_id, started_at desc);
create index idx_backup_executions_unfinished on guarda.backup_executions (heartbeat_at) where status in ('pending', 'running');

create table guarda.backup_chunks (
    execution_id uuid not null references guarda.backup_executions (id) on delete cascade,
    chunk_no integer not null check (chunk_no > 0),
    table_oid bigint not null,
    table_schema text not null,
    table_name text not null,
    range_from bigint not null, -- first block
    range_to bigint not null, -- the block after the last one; -1: to the end of the table
    estimate bigint not null default 0, -- bytes on the source's disk
    object_key text,
    status varchar(50) not null default 'pending' check (status in ('pending', 'claimed', 'done', 'failed')),
    lease_until timestamp with time zone,
    worker text,
    attempts integer not null default 0,
    error text,
    rows bigint,
    raw_bytes bigint,
    stored_bytes bigint,
    sha256 text, -- of the stored object, hex
    content_hash text, -- of the rows, hex
    encoding text,
    fingerprint text,
    primary key (execution_id, chunk_no)
);
create index idx_backup_chunks_claimable on guarda.backup_chunks (execution_id, chunk_no) where status in ('pending', 'claimed');

-- +goose Down
drop table guarda.backup_chunks;
drop index guarda.idx_backup_executions_unfinished;
drop index guarda.idx_backup_executions_source_id;
alter table guarda.backup_executions
    drop constraint backup_executions_schedule_id_fkey,
    add constraint backup_executions_schedule_id_fkey
        foreign key (schedule_id) references guarda.backup_schedules (id),
    drop constraint backup_executions_tick_key,
    drop column row_count,
    drop column raw_bytes,
    drop column store_path,
    drop column snapshot_name,
    drop column progress,
    drop column canceled,
    drop column cancel_requested_at,
    drop column heartbeat_at,
    drop column scheduled_for,
    drop column trigger,
    drop column requested_type,
    drop column backup_type,
    drop column source_name,
    drop column source_id;
drop index guarda.idx_backup_schedules_next_run_at;
drop index guarda.idx_backup_schedules_source_id;
alter table guarda.backup_schedules
    drop column version,
    drop column last_tick_at,
    drop column next_run_at,
    drop column source_id;
drop table guarda.sources;
