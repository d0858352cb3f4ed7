-- A request for a run that is sent again, because its answer was lost with the
-- process that gave it, finds the run that it began.

-- +goose Up
alter table guarda.backup_executions add column request_key text; -- hash of caller, route, Idempotency-Key and request
create index idx_backup_executions_request_key on guarda.backup_executions (request_key) where request_key is not null;

-- +goose Down
drop index guarda.idx_backup_executions_request_key;
alter table guarda.backup_executions drop column request_key;
