-- The counts of minutes, hours and days apart: hours lie between minutes no
-- more, so that a histogram of days reads a fiftieth of the pages; and minutes
-- of a source, a level or a pattern are found without looking at those of all
-- others, as a filter that few entries pass would have to. Only what was merged
-- has these indexes, so that nothing of it is on the way of ingestion; what was
-- not is little.

-- +goose Up
alter table guarda.log_counts rename to log_counts_before;
drop index guarda.idx_log_counts_bucket;
drop index guarda.idx_log_counts_merged;
drop index guarda.idx_log_counts_fresh;

create table guarda.log_counts (
    span integer not null,
    bucket timestamp with time zone not null, -- its start
    source varchar(100) not null,
    level varchar(20) not null,
    pattern_id uuid not null, -- all zero: none
    n bigint not null, -- less than zero when entries were deleted
    merged boolean not null default false
) partition by list (span);
create table guarda.log_counts_minutes partition of guarda.log_counts for values in (60);
create table guarda.log_counts_hours partition of guarda.log_counts for values in (3600);
create table guarda.log_counts_days partition of guarda.log_counts for values in (86400);
insert into guarda.log_counts select * from guarda.log_counts_before order by span, bucket;
drop table guarda.log_counts_before;

create index idx_log_counts_bucket on guarda.log_counts (span, bucket);
create unique index idx_log_counts_merged on guarda.log_counts (span, bucket, source, level, pattern_id) where merged;
create index idx_log_counts_fresh on guarda.log_counts (span, bucket) where not merged;
create index idx_log_counts_source on guarda.log_counts_minutes (source, bucket) where merged;
create index idx_log_counts_level on guarda.log_counts_minutes (level, bucket) where merged;
create index idx_log_counts_pattern on guarda.log_counts_minutes (pattern_id, bucket) where merged;

-- +goose Down
alter table guarda.log_counts rename to log_counts_spans;
drop index guarda.idx_log_counts_bucket;
drop index guarda.idx_log_counts_merged;
drop index guarda.idx_log_counts_fresh;
create table guarda.log_counts (
    span integer not null check (span in (60, 3600, 86400)),
    bucket timestamp with time zone not null,
    source varchar(100) not null,
    level varchar(20) not null,
    pattern_id uuid not null,
    n bigint not null,
    merged boolean not null default false
);
insert into guarda.log_counts select * from guarda.log_counts_spans;
drop table guarda.log_counts_spans;
create index idx_log_counts_bucket on guarda.log_counts (span, bucket);
create unique index idx_log_counts_merged on guarda.log_counts (span, bucket, source, level, pattern_id) where merged;
create index idx_log_counts_fresh on guarda.log_counts (span, bucket) where not merged;
