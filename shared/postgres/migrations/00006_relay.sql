-- Runs that outlive the function that does them: which process has a run, how
-- often it changed hands, and who helps with it.

-- +goose Up
alter table guarda.backup_executions
    -- Grows whenever another process gets the run. Who writes names its own
    -- leg, so that a process which lost the run cannot harm it.
    add column leg integer not null default 0,
    add column picture integer not null default 0, -- every new snapshot of the run is one
    add column relay_count integer not null default 0, -- how often the picture was handed on
    add column resume_count integer not null default 0, -- how often the run was taken up after it was cut off
    add column resume_at timestamp with time zone, -- when an interrupted run is to go on; null: it is going, or died
    add column told integer not null default 0, -- how often the coordinator was told to take it up since somebody did
    add column baton jsonb; -- what the next process needs: where the state is, and the wrapped key

alter table guarda.backup_chunks
    add column picture integer not null default 0,
    add column failures integer not null default 0, -- attempts that failed; those that the time ended do not count
    add column reused boolean not null default false, -- refers to an object that was there before
    drop constraint backup_chunks_pkey,
    add primary key (execution_id, picture, chunk_no);
drop index guarda.idx_backup_chunks_claimable;
create index idx_backup_chunks_claimable on guarda.backup_chunks (execution_id, picture, chunk_no) where status in ('pending', 'claimed');

-- The places of helping workers. One process at a time has a place.
create table guarda.backup_workers (
    execution_id uuid not null references guarda.backup_executions (id) on delete cascade,
    place text not null, -- worker-1, worker-2, …
    token text, -- of the process that has it; null: nobody
    lease_until timestamp with time zone,
    called_at timestamp with time zone, -- when a process was last called for
    calls integer not null default 0, -- since one last copied a chunk
    starts integer not null default 0, -- processes that had the place
    chunks integer not null default 0, -- that they copied
    row_count bigint not null default 0,
    raw_bytes bigint not null default 0,
    primary key (execution_id, place)
);

-- +goose Down
drop table guarda.backup_workers;
drop index guarda.idx_backup_chunks_claimable;
delete from guarda.backup_chunks where picture > 0;
alter table guarda.backup_chunks
    drop constraint backup_chunks_pkey,
    add primary key (execution_id, chunk_no),
    drop column reused,
    drop column failures,
    drop column picture;
create index idx_backup_chunks_claimable on guarda.backup_chunks (execution_id, chunk_no) where status in ('pending', 'claimed');
alter table guarda.backup_executions
    drop column baton,
    drop column told,
    drop column resume_at,
    drop column resume_count,
    drop column relay_count,
    drop column picture,
    drop column leg;
