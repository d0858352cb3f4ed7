-- The tables that the specification's diagram (section 6.1) draws without
-- giving their DDL: its columns where it names them, and its relations.

-- +goose Up
create table guarda.backup_files (
    id uuid primary key default gen_random_uuid(),
    execution_id uuid not null references guarda.backup_executions (id) on delete cascade,
    file_path varchar(1024) not null,
    file_type varchar(50) not null,
    size_bytes bigint not null check (size_bytes >= 0),
    checksum varchar(128),
    compressed boolean not null default false,
    cloud_url varchar(2048),
    created_at timestamp with time zone not null default now(),
    unique (execution_id, file_path)
);

create table guarda.backup_verifications (
    id uuid primary key default gen_random_uuid(),
    execution_id uuid not null references guarda.backup_executions (id) on delete cascade,
    file_id uuid references guarda.backup_files (id) on delete cascade, -- null: the whole backup
    kind varchar(50) not null check (kind in ('stored_bytes', 'restore_drill')),
    status varchar(50) not null check (status in ('running', 'passed', 'failed')),
    details jsonb not null default '{}',
    error_message text,
    started_at timestamp with time zone not null default now(),
    completed_at timestamp with time zone
);
create index idx_backup_verifications_execution_id on guarda.backup_verifications (execution_id, started_at desc);
create index idx_backup_verifications_file_id on guarda.backup_verifications (file_id);

create table guarda.log_exports (
    id uuid primary key default gen_random_uuid(),
    last_log_id uuid references guarda.advanced_logs (id) on delete set null, -- the newest entry that the export holds
    format varchar(20) not null,
    filters jsonb not null default '{}',
    status varchar(50) not null default 'pending' check (status in ('pending', 'running', 'completed', 'failed')),
    file_path varchar(1024),
    row_count bigint,
    size_bytes bigint,
    error_message text,
    user_id uuid,
    created_at timestamp with time zone not null default now(),
    completed_at timestamp with time zone,
    expires_at timestamp with time zone
);
create index idx_log_exports_created_at on guarda.log_exports (created_at desc);
create index idx_log_exports_last_log_id on guarda.log_exports (last_log_id);

create table guarda.log_patterns (
    id uuid primary key default gen_random_uuid(),
    sample_log_id uuid references guarda.advanced_logs (id) on delete set null, -- an entry that matches
    source varchar(100) not null,
    level varchar(20) not null,
    template text not null,
    match_count bigint not null default 0,
    first_seen_at timestamp with time zone not null default now(),
    last_seen_at timestamp with time zone not null default now(),
    muted boolean not null default false,
    metadata jsonb not null default '{}'
);
create index idx_log_patterns_last_seen_at on guarda.log_patterns (last_seen_at desc);
create index idx_log_patterns_sample_log_id on guarda.log_patterns (sample_log_id);

create table guarda.alert_notifications (
    id uuid primary key default gen_random_uuid(),
    rule_id uuid not null references guarda.alert_rules (id) on delete cascade,
    channel varchar(50) not null,
    status varchar(50) not null default 'pending' check (status in ('pending', 'sent', 'failed')),
    payload jsonb not null default '{}',
    error_message text,
    created_at timestamp with time zone not null default now(),
    sent_at timestamp with time zone
);
create index idx_alert_notifications_rule_id on guarda.alert_notifications (rule_id, created_at desc);

create table guarda.monitoring_metrics (
    id uuid primary key default gen_random_uuid(),
    metric_name varchar(255) not null,
    value double precision not null,
    tags jsonb not null default '{}',
    recorded_at timestamp with time zone not null default now()
);
create index idx_monitoring_metrics_name_recorded_at on guarda.monitoring_metrics (metric_name, recorded_at desc);

create table guarda.metric_thresholds (
    id uuid primary key default gen_random_uuid(),
    metric_id uuid references guarda.monitoring_metrics (id) on delete set null, -- the measurement last compared
    metric_name varchar(255) not null,
    comparison varchar(2) not null check (comparison in ('>', '>=', '<', '<=')),
    warning_value double precision,
    critical_value double precision,
    tags jsonb not null default '{}',
    active boolean not null default true,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now()
);
create index idx_metric_thresholds_metric_name on guarda.metric_thresholds (metric_name);
create index idx_metric_thresholds_metric_id on guarda.metric_thresholds (metric_id);

-- +goose Down
drop table guarda.metric_thresholds;
drop table guarda.monitoring_metrics;
drop table guarda.alert_notifications;
drop table guarda.log_patterns;
drop table guarda.log_exports;
drop table guarda.backup_verifications;
drop table guarda.backup_files;
