-- Who may do what: people, API keys, failed sign-ins, and answers kept for
-- requests that are sent twice.

-- +goose Up
create table guarda.users (
    id uuid primary key default gen_random_uuid(),
    email varchar(320) not null check (email = lower(email)),
    name varchar(255) not null,
    password_hash text, -- argon2id in PHC form; null: cannot sign in with a password
    role varchar(50) not null check (role in ('admin', 'operator', 'viewer')),
    active boolean not null default true,
    created_at timestamp with time zone not null default now(),
    updated_at timestamp with time zone not null default now(),
    last_login_at timestamp with time zone
);
create unique index idx_users_email on guarda.users (email);

create table guarda.api_keys (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references guarda.users (id) on delete cascade, -- who made it
    name varchar(255) not null,
    public_id varchar(32) not null unique, -- the part of the key that may be shown
    secret_hash bytea not null check (octet_length(secret_hash) = 32), -- SHA-256 of the random secret
    role varchar(50) not null check (role in ('admin', 'operator', 'viewer')),
    created_at timestamp with time zone not null default now(),
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    revoked_at timestamp with time zone
);
create index idx_api_keys_user_id on guarda.api_keys (user_id);

-- Failed sign-ins, counted per e-mail and per address: the subject is a hash,
-- so that typed e-mails and addresses are not kept.
create table guarda.login_failures (
    subject bytea primary key check (octet_length(subject) = 32),
    failures integer not null,
    window_start timestamp with time zone not null,
    blocked_until timestamp with time zone
);
create index idx_login_failures_window_start on guarda.login_failures (window_start);

create table guarda.idempotency_keys (
    scope varchar(400) not null, -- identity, method and route
    key varchar(200) not null,
    request_hash bytea not null check (octet_length(request_hash) = 32),
    status integer, -- null while the first request is being answered
    headers jsonb,
    body bytea,
    claimed_by uuid not null, -- which attempt answers it
    locked_until timestamp with time zone not null, -- after that an unfinished attempt counts as dead
    created_at timestamp with time zone not null,
    expires_at timestamp with time zone not null,
    primary key (scope, key)
);
create index idx_idempotency_keys_expires_at on guarda.idempotency_keys (expires_at);

-- +goose Down
drop table guarda.idempotency_keys;
drop table guarda.login_failures;
drop table guarda.api_keys;
drop table guarda.users;
