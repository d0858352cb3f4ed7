-- Why exports and erasures failed, in a form that can be shown in the language
-- of whoever asks (fault.Failure): the code, and of message and hint the format
-- and its arguments. The columns that were there keep the English sentences;
-- rows from before have nothing else and are shown with those.

-- +goose Up
alter table guarda.log_exports add column failure jsonb;
alter table guarda.log_erasures add column last_failure jsonb;

-- +goose Down
alter table guarda.log_erasures drop column last_failure;
alter table guarda.log_exports drop column failure;
