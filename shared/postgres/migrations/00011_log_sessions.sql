-- Entries of a session are looked for on their own; most entries have none.

-- +goose Up
create index idx_advanced_logs_session_id on guarda.advanced_logs (session_id) where session_id is not null;

-- +goose Down
drop index guarda.idx_advanced_logs_session_id;
