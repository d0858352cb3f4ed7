-- API keys that people make: the role of a log shipper, and requests that are
-- sent twice.

-- +goose Up
alter table guarda.api_keys drop constraint api_keys_role_check;
alter table guarda.api_keys add constraint api_keys_role_check check (role in ('admin', 'operator', 'viewer', 'sender'));
alter table guarda.api_keys add column request_key bytea unique check (octet_length(request_key) = 32); -- of the Idempotency-Key that made it
create index idx_api_keys_created_at on guarda.api_keys (created_at desc, id desc);

-- +goose Down
drop index guarda.idx_api_keys_created_at;
alter table guarda.api_keys drop column request_key;
delete from guarda.api_keys where role = 'sender';
alter table guarda.api_keys drop constraint api_keys_role_check;
alter table guarda.api_keys add constraint api_keys_role_check check (role in ('admin', 'operator', 'viewer'));
