-- Minutes that have entries of a source, a level or a pattern, found without
-- looking at the counts of all others: a filter that few entries pass would
-- read a day's counts for each of them. Only what was merged is indexed, so
-- that nothing of it is on the way of ingestion; what was not is little.

-- +goose Up
create index idx_log_counts_source on guarda.log_counts (source, bucket) where merged and span = 60;
create index idx_log_counts_level on guarda.log_counts (level, bucket) where merged and span = 60;
create index idx_log_counts_pattern on guarda.log_counts (pattern_id, bucket) where merged and span = 60;

-- +goose Down
drop index guarda.idx_log_counts_pattern;
drop index guarda.idx_log_counts_level;
drop index guarda.idx_log_counts_source;
