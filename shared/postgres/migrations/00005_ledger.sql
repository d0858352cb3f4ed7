-- What of a database is in a completed backup and what is not, for showing
-- without the key: the manifest has the whole.

-- +goose Up
create table guarda.backup_ledgers (
    execution_id uuid primary key references guarda.backup_executions (id) on delete cascade,
    document jsonb not null -- see ledger.Kept
);

-- +goose Down
drop table guarda.backup_ledgers;
