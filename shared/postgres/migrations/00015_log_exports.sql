-- Exports of log entries: how they were asked for, how far they are, and how
-- long their file is kept.

-- +goose Up
alter table guarda.log_exports
    add column query jsonb not null default '{}', -- what is looked for, as the export reads it; filters is what was asked for
    add column options jsonb not null default '{}',
    add column rows_done bigint not null default 0,
    add column rows_expected bigint,
    add column heartbeat_at timestamp with time zone,
    add column attempts integer not null default 0,
    add column error_code varchar(50),
    add column error_hint text;
create index idx_log_exports_expires_at on guarda.log_exports (expires_at) where file_path is not null;

-- +goose Down
drop index guarda.idx_log_exports_expires_at;
alter table guarda.log_exports
    drop column error_hint,
    drop column error_code,
    drop column attempts,
    drop column heartbeat_at,
    drop column rows_expected,
    drop column rows_done,
    drop column options,
    drop column query;
