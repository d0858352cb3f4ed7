-- The tables of the specification's section 6.2, with its names, types,
-- checks, indexes and initial rows, in a schema of our own. What we add to
-- them comes in later files. Every statement of Guarda names the schema, so
-- that no connection needs a search_path (a transaction pooler would lose it).

-- +goose Up
create table guarda.backup_schedules (
    id uuid primary key default gen_random_uuid(),
    name varchar(255) not null,
    cron_expression varchar(100) not null,
    backup_type varchar(50) not null check (backup_type in ('full', 'incremental', 'differential')),
    configuration jsonb default '{}',
    active boolean default true,
    created_at timestamp with time zone default now(),
    updated_at timestamp with time zone default now()
);
create index idx_backup_schedules_active on guarda.backup_schedules (active);
create index idx_backup_schedules_type on guarda.backup_schedules (backup_type);

insert into guarda.backup_schedules (name, cron_expression, backup_type, configuration) values
    ('Backup Diário Completo', '0 2 * * *', 'full', '{"compression": true, "cloud_upload": true}'),
    ('Backup Incremental de 6h', '0 */6 * * *', 'incremental', '{"compression": true, "retention_days": 7}');

create table guarda.backup_executions (
    id uuid primary key default gen_random_uuid(),
    schedule_id uuid references guarda.backup_schedules (id),
    status varchar(50) not null default 'pending' check (status in ('pending', 'running', 'completed', 'failed')),
    started_at timestamp with time zone default now(),
    completed_at timestamp with time zone,
    duration_seconds integer,
    size_bytes bigint,
    metadata jsonb default '{}',
    error_message text
);
create index idx_backup_executions_status on guarda.backup_executions (status);
create index idx_backup_executions_started_at on guarda.backup_executions (started_at desc);
create index idx_backup_executions_schedule_id on guarda.backup_executions (schedule_id);

create table guarda.advanced_logs (
    id uuid primary key default gen_random_uuid(),
    level varchar(20) not null check (level in ('debug', 'info', 'warn', 'error', 'critical')),
    source varchar(100) not null,
    message text not null,
    metadata jsonb default '{}',
    created_at timestamp with time zone default now(),
    user_id uuid,
    session_id varchar(255)
);
create index idx_advanced_logs_level on guarda.advanced_logs (level);
create index idx_advanced_logs_source on guarda.advanced_logs (source);
create index idx_advanced_logs_created_at on guarda.advanced_logs (created_at desc);
create index idx_advanced_logs_user_id on guarda.advanced_logs (user_id);
create index idx_advanced_logs_message_gin on guarda.advanced_logs using gin (to_tsvector('portuguese', message));

insert into guarda.advanced_logs (level, source, message, metadata) values
    ('info', 'backup_system', 'Backup automático iniciado', '{"schedule_id": "uuid", "type": "incremental"}'),
    ('error', 'backup_system', 'Falha na compressão do backup', '{"error_code": "COMPRESSION_FAILED", "file_size": 1024000}');

create table guarda.alert_rules (
    id uuid primary key default gen_random_uuid(),
    name varchar(255) not null,
    condition_type varchar(100) not null,
    condition_config jsonb not null,
    notification_config jsonb not null,
    active boolean default true,
    created_at timestamp with time zone default now(),
    updated_at timestamp with time zone default now()
);

insert into guarda.alert_rules (name, condition_type, condition_config, notification_config) values
    ('Falha de Backup Crítica', 'backup_failure', '{"consecutive_failures": 3}', '{"email": true, "slack": true, "priority": "high"}'),
    ('Uso de Armazenamento Alto', 'storage_usage', '{"threshold_percent": 85}', '{"email": true, "priority": "medium"}');

-- +goose Down
drop table guarda.alert_rules;
drop table guarda.advanced_logs;
drop table guarda.backup_executions;
drop table guarda.backup_schedules;
