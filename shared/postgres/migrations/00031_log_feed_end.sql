-- Where the log feed begins: whoever asks for what came before must be told
-- that it is gone, however little that was.

-- +goose Up
alter table guarda.log_settings add column feed_forgotten bigint not null default 0; -- the last number that was deleted

-- +goose Down
alter table guarda.log_settings drop column feed_forgotten;
