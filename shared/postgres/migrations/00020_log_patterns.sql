-- Patterns of log messages: what the miners of all functions know together,
-- and what was found out about each pattern.

-- +goose Up

-- A row is a template. A pattern is a row that was not merged, with those that
-- were merged into it; merged_into never leads to a row that was merged itself.
-- Entries and counts keep the id that was theirs when they came in.
alter table guarda.log_patterns
    add column merged_into uuid,
    add column tokens text[] not null default '{}', -- what miners compare; see package pattern
    add column seq bigint generated always as identity, -- the oldest of those that are merged stays
    -- The transaction that wrote the row last. Readers ask for what is not older
    -- than their last snapshot's oldest transaction, and so miss nothing.
    add column changed_in xid8 not null default pg_catalog.pg_current_xact_id(),
    add column recent_count bigint not null default 0, -- entries of the last hour
    add column usual_count double precision, -- the median of that hour on earlier days
    add column usual_deviation double precision, -- the median of the absolute deviations from it
    add column surge_score double precision, -- deviations above the median
    add column surging_since timestamp with time zone,
    add column judged_at timestamp with time zone,
    -- No entry has it any more: functions no longer count on the row, which is
    -- deleted a day later unless somebody took it back.
    add column forgotten_at timestamp with time zone;
create index idx_log_patterns_merged_into on guarda.log_patterns (merged_into) where merged_into is not null;
create index idx_log_patterns_changed_in on guarda.log_patterns (changed_in);
create index idx_log_patterns_seq on guarda.log_patterns (seq);

-- Entries without a pattern: those that came by other ways than ingestion.
create index idx_advanced_logs_unassigned on guarda.advanced_logs (created_at) where pattern_id is null;

-- +goose Down
drop index guarda.idx_advanced_logs_unassigned;
delete from guarda.log_patterns where merged_into is not null;
alter table guarda.log_patterns
    drop column forgotten_at,
    drop column judged_at,
    drop column surging_since,
    drop column surge_score,
    drop column usual_deviation,
    drop column usual_count,
    drop column recent_count,
    drop column changed_in,
    drop column seq,
    drop column tokens,
    drop column merged_into;
