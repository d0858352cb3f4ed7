// Generated from infra/openapi.yaml by `npm run api-types`; do not edit.

export interface paths {
    "/api/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Sign in with e-mail and password */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Exchange a valid token for a newer one
         * @description Works until seven days after the password was given; then sign in again.
         */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller, with role and permissions */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/auto": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Back up on a schedule */
        post: operations["createAutomaticBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/execute": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Back up now
         * @description Waits up to 25 seconds for the run. A run that takes longer answers 202
         *     with `status: running` and the same fields so far; follow it at
         *     `/api/backup/executions/{backup_id}`. A run that fails within the wait
         *     answers with its problem, and `backup_id` names the failed execution.
         */
        post: operations["executeBackup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/summary": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How well everything is protected, a row per source */
        get: operations["backupSummary"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/schedules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Schedules, by name */
        get: operations["listSchedules"];
        put?: never;
        /** Make a schedule */
        post: operations["createSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/schedules/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** One schedule, with its next five runs */
        get: operations["getSchedule"];
        /** Replace a schedule */
        put: operations["updateSchedule"];
        post?: never;
        /** Remove a schedule; its executions stay */
        delete: operations["deleteSchedule"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/schedules/{id}/run": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Run a schedule now */
        post: operations["runSchedule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/executions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Runs, newest first */
        get: operations["listExecutions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/executions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** One run, with its phases and tables */
        get: operations["getExecution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/executions/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop a pending or running backup
         * @description The run ends as failed with `canceled` true within a few seconds. A run that has ended already is a 409.
         */
        post: operations["cancelExecution"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/executions/{id}/ledger": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /**
         * What of the database is in a completed backup, and what is not
         * @description Every object of the catalog is counted once, by an enumeration that knows
         *     nothing of the program that dumps; the counts of the statuses add up to
         *     `objects`. `groups` counts by kind and schema. `items` names everything
         *     that is not simply dumped. A run that has not completed is a 409; a backup
         *     made before there were ledgers is a 404.
         */
        get: operations["executionLedger"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/backup/executions/{id}/download": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /**
         * Signed links to the stored files of a completed backup
         * @description The links work for one hour. Files of earlier backups that this one refers to are among them. Files stay compressed and encrypted as stored; RESTORE.md among them says how to read them.
         */
        get: operations["downloadExecution"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Databases, by name */
        get: operations["listSources"];
        put?: never;
        /**
         * Add a database
         * @description The connection is not tried; call `/test` for that.
         */
        post: operations["createSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sources/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** One database */
        get: operations["getSource"];
        /**
         * Replace a database's settings
         * @description Leave `dsn` out to keep the stored one.
         */
        put: operations["updateSource"];
        post?: never;
        /** Forget a database; its backups stay in the store */
        delete: operations["deleteSource"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sources/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Try the connection and everything a backup will need */
        post: operations["testSource"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/sources/{id}/tables": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** The tables of a database, largest first */
        get: operations["listSourceTables"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take in log entries
         * @description One entry, an array of entries, or NDJSON (one entry a line); identity,
         *     gzip or zstd encoded, at most 20 MiB decoded and 20,000 entries. A bad
         *     entry is rejected by its index with the reason, and the rest is stored.
         *     An id that was sent before is stored once and counted as a duplicate.
         *     While Postgres is away the batch is put aside in the object store, and
         *     the answer is 202. Entries of a Supabase log drain (`event_message`)
         *     are understood too.
         */
        post: operations["ingestLogs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * OTLP/HTTP logs
         * @description `ExportLogsServiceRequest` of the OpenTelemetry protocol, in protobuf or
         *     JSON; the answer has the request's content type. Records that are
         *     rejected are counted in `partialSuccess`. Errors are `google.rpc.Status`.
         *     A request that is sent again (the same sender and bytes) within 14 days
         *     is stored once, if one of its records says its time more finely than to
         *     the millisecond, as SDKs do. Others take an `Idempotency-Key`, and so
         *     does who means to send the same twice: a new one each time.
         */
        post: operations["ingestOTLP"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Export log entries as a file
         * @description Small exports are made at once (200, with the link); larger ones by a
         *     worker (202, with `export_id`: ask for it until `download_url` is there).
         *     Every entry that the search finds is in the file, newest first; only PDF
         *     has a limit (5,000), which the file states. In CSV a cell that a
         *     spreadsheet would take for a formula (it begins with one of `=+-@`, a tab
         *     or a carriage return) has an apostrophe in front. A link works for an
         *     hour, the file is kept for seven days.
         */
        post: operations["exportLogs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/exports": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Exports, newest first */
        get: operations["listLogExports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/exports/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** One export, with a fresh link */
        get: operations["getLogExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/exports/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop an export that waits or is being made
         * @description It ends as failed with the error code `canceled`, and leaves no file. One that has ended already is a 409.
         */
        post: operations["cancelLogExport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search log entries, newest first
         * @description Filters by metadata are parameters of the form `metadata.<path>=value`,
         *     for instance `metadata.request.status=500`; a list has each of its
         *     members as value. A search that would take longer than its time answers
         *     with what it found so far: then `searched_back_to` says how far it got,
         *     `has_more` is true and `next_cursor` goes on from there. One that does
         *     not get through its first step (an expression that takes for ever, a
         *     database that is too busy) is a 503. Days that left
         *     Postgres for the object store (`hot_days` of the settings) are searched
         *     like the others, only slower; when the store does not answer, what
         *     Postgres has is the answer, with `searched_back_to`, or the answer is
         *     503.
         */
        get: operations["searchLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/histogram": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many entries there are over time, by level
         * @description Takes the filters of the search. Without `start_date` it covers the 24
         *     hours before `end_date`. Buckets are as wide as `interval_seconds` says,
         *     start at its multiples, and none is left out.
         */
        get: operations["logHistogram"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/facets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How many entries there are per level, source and pattern
         * @description Takes the filters of the search; the default of `start_date` is 24 hours before `end_date`.
         */
        get: operations["logFacets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/tail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow entries as they come in (server-sent events)
         * @description Events: `log` (data: an entry of the search, in the order of arrival),
         *     `sampled` (data: `{"dropped": n}`, that many matching entries were not
         *     sent because there were too many; with `"expired": true`, entries came in
         *     more than an hour ago and are found by the search only), `end` (data: `{"reason": …}`; connect
         *     again). Lines that start with a colon are heartbeats, at most 15 seconds
         *     apart. Every `log` and `sampled` event has an `id`: sent back in the
         *     header `Last-Event-ID`, or as `last_event_id`, the tail goes on after
         *     it and neither loses nor repeats an entry, for an hour. Without it the
         *     tail starts with what comes next.
         */
        get: operations["tailLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/saved": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Saved searches of the caller, and shared ones, by name */
        get: operations["listSavedSearches"];
        put?: never;
        /** Save a search */
        post: operations["saveSearch"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/saved/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        /** Replace a saved search of one's own */
        put: operations["updateSavedSearch"];
        post?: never;
        /** Forget a saved search of one's own */
        delete: operations["deleteSavedSearch"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/erasures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Erasures of people's entries, newest first
         * @description With `user_id` or `session_id`, those that were asked for exactly that
         *     person or session (both, where both are given), although a completed
         *     erasure no longer says whose entries it was about.
         */
        get: operations["listLogErasures"];
        put?: never;
        /**
         * Erase a person's entries, in Postgres and in the object store
         * @description Erases every entry with that `user_id` and, where both are given, that
         *     `session_id`: those in Postgres, those in archived days, and those that
         *     are put aside. It is carried out by the log keeper, minute by minute:
         *     archived entries are found no more once their day is rewritten, and the
         *     old objects are removed 20 minutes after that. It takes no notice of
         *     message texts, and files that were exported before keep what they hold
         *     until they expire.
         */
        post: operations["eraseLogs"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/erasures/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** One erasure, with its progress */
        get: operations["getLogErasure"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/patterns": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the messages of a range have in common, with how many there are
         * @description Counts are those of the entries of the range, level and source that are
         *     asked for, exact while `exact` is true; `total_count` is the sum over
         *     all patterns and `without_pattern`. Without `start_date` the range
         *     covers the 24 hours before `end_date`. A page's cursor keeps the range.
         *     The entries of a pattern: `/api/logs/search?pattern_id=`.
         */
        get: operations["listLogPatterns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/patterns/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /**
         * One pattern, by its id or that of one that became part of it
         * @description Its count is that of all entries, its trend that of the last seven days.
         */
        get: operations["getLogPattern"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Mute a pattern, or no longer
         * @description A muted pattern is counted as before, and nobody is told that it is new or surges.
         */
        patch: operations["changeLogPattern"];
        trace?: never;
    };
    "/api/logs/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** One entry */
        get: operations["getLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/logs/{id}/context": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        /** What came right before and after an entry */
        get: operations["logContext"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/settings/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How entries are kept, masked and found */
        get: operations["getLogSettings"];
        /**
         * Replace the settings of logs
         * @description Another text search becomes the active one when its index is built; `text_search_being_prepared` says which one is waited for.
         */
        put: operations["setLogSettings"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/access/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** API keys, the newest first, revoked ones too */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Make an API key
         * @description The key is in this answer and nowhere else. A second request with the same Idempotency-Key is a 409, because the first answer is not kept.
         */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/access/api-keys/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Revoke an API key, for good */
        delete: operations["revokeApiKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Problem: {
            /** @enum {boolean} */
            success: false;
            /** @description A URI reference: /problems/<code>. */
            type: string;
            title: string;
            status: number;
            code: string;
            detail: string;
            hint?: string;
            request_id: string;
            /** @description The failed execution, where there is one. */
            backup_id?: string;
            errors?: {
                field: string;
                code: string;
                message: string;
            }[];
        };
        LoginRequest: {
            email: string;
            password: string;
        };
        Session: {
            token: string;
            /** Format: date-time */
            expires_at: string;
            user: components["schemas"]["User"];
        };
        User: {
            /** Format: uuid */
            id: string;
            email: string;
            name: string;
            /** @enum {string} */
            role: "admin" | "operator" | "viewer" | "sender";
            /** @description e.g. backup.run, backup.read, sources.write */
            permissions: string[];
        };
        /** @enum {string} */
        BackupType: "full" | "incremental" | "differential";
        /** @enum {string} */
        ExecutionStatus: "pending" | "running" | "completed" | "failed";
        /** @enum {string} */
        CompressionName: "auto" | "zstd" | "gzip" | "brotli" | "none";
        /** @description What to keep. Nothing given keeps everything. */
        Retention: {
            keep_last?: number;
            keep_hourly?: number;
            keep_daily?: number;
            keep_weekly?: number;
            keep_monthly?: number;
            keep_yearly?: number;
            keep_within_days?: number;
        };
        Incremental: {
            /**
             * @description auto compares the places of rows and sees every change. timestamp follows the tables named in columns by a column that every change sets: for tables too large to compare. It does not see deletes; the coverage of the backup says so. Other tables are compared all the same.
             * @default auto
             * @enum {string}
             */
            strategy?: "auto" | "timestamp";
            /** @description With strategy timestamp: the column by table, as name or schema.name. The table needs a primary key. */
            columns?: {
                [key: string]: string;
            };
        };
        AutoRequest: {
            /** @description Cron expression: minute hour day month weekday. */
            schedule: string;
            type: components["schemas"]["BackupType"];
            /** @default true */
            compression?: boolean;
            /** @default false */
            cloud_upload?: boolean;
            name?: string;
            /**
             * Format: uuid
             * @description The default source when left out.
             */
            source_id?: string;
            /** @description IANA name; America/Sao_Paulo when left out. */
            timezone?: string;
            tables?: string[];
            exclude?: string[];
            retention?: components["schemas"]["Retention"];
            /** @default true */
            encryption?: boolean;
            incremental?: components["schemas"]["Incremental"];
        };
        AutoResponse: {
            success: boolean;
            /** Format: uuid */
            schedule_id: string;
            /** Format: date-time */
            next_run: string;
        };
        ExecuteRequest: {
            type: components["schemas"]["BackupType"];
            tables?: string[];
            /** @default true */
            compress?: boolean;
            exclude?: string[];
            /**
             * Format: uuid
             * @description The default source when left out.
             */
            source_id?: string;
            compression?: components["schemas"]["CompressionName"];
            /** @default true */
            encryption?: boolean;
            /**
             * @description false answers 202 at once.
             * @default true
             */
            wait?: boolean;
            incremental?: components["schemas"]["Incremental"];
        };
        ExecuteResponse: {
            /** @description true when the backup is complete or running. */
            success: boolean;
            /** Format: uuid */
            backup_id: string;
            /**
             * Format: int64
             * @description Bytes stored so far.
             */
            size: number;
            /** @description Seconds so far. */
            duration: number;
            status: components["schemas"]["ExecutionStatus"];
            warnings?: components["schemas"]["Warning"][];
        };
        ScheduleConfiguration: {
            /** @default true */
            compression?: boolean;
            /** @default false */
            cloud_upload?: boolean;
            timezone?: string;
            tables?: string[];
            exclude?: string[];
            retention?: components["schemas"]["Retention"];
            retention_days?: number;
            /** @default true */
            encryption?: boolean;
            incremental?: components["schemas"]["Incremental"];
            /**
             * @description What to do when the run before is still going: skip this run, with a warning on the one that is going, or start it once that has ended. However many runs were due meanwhile, one is started.
             * @default skip
             * @enum {string}
             */
            overlap?: "skip" | "queue";
            /** @description How old a run that was missed, because nothing was there to start it, may be to be started late; without it, however old. Of several missed runs only the latest is started. 0 starts none. A run that waits for the one before (overlap: queue) is not a missed one. */
            catch_up_hours?: number;
        };
        ScheduleInput: {
            name: string;
            cron_expression: string;
            backup_type: components["schemas"]["BackupType"];
            /**
             * Format: uuid
             * @description null is the default source.
             */
            source_id?: string | null;
            configuration?: components["schemas"]["ScheduleConfiguration"];
            /** @default true */
            active?: boolean;
        };
        Schedule: {
            /** Format: uuid */
            id: string;
            name: string;
            cron_expression: string;
            backup_type: components["schemas"]["BackupType"];
            /** Format: uuid */
            source_id: string | null;
            /** @description The source that it will run on; null when there is none. */
            source_name: string | null;
            configuration: components["schemas"]["ScheduleConfiguration"];
            active: boolean;
            /** Format: date-time */
            next_run: string | null;
            next_runs: string[];
            last_execution?: components["schemas"]["ExecutionBrief"] | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        ScheduleList: {
            items: components["schemas"]["Schedule"][];
            next_cursor: string | null;
            has_more: boolean;
        };
        Warning: {
            /** @description Stays the same in every language: full_instead, standby, unreadable, unsupported, coverage_lost, managed_data_left_out, deletes_invisible, run_skipped, interrupted, worker_missing, files_not_listed. */
            code: string;
            /** @description In the language of `Accept-Language`, whatever it was when the run was made; of runs from before there were translations, in English. */
            message: string;
            /** @description The database object it is about. */
            object?: string;
        };
        /** @description Message and hint are in the language of `Accept-Language`, whatever it was when the work failed. */
        Failure: {
            code: string;
            message: string;
            hint?: string;
        };
        /** @description Where a run is. Rates are over the last seconds. */
        Progress: {
            phase: components["schemas"]["PhaseName"];
            /**
             * Format: int64
             * @description Bytes of table data read.
             */
            bytes_done: number;
            /**
             * Format: int64
             * @description Estimate, from the tables' sizes.
             */
            bytes_total: number;
            /** Format: int64 */
            rows_done: number;
            chunks_done: number;
            chunks_total: number;
            tables_done: number;
            tables_total: number;
            bytes_per_second?: number;
            seconds_left?: number | null;
            /** Format: date-time */
            updated_at: string;
        };
        /** @enum {string} */
        PhaseName: "queued" | "connect" | "catalog" | "copy" | "finish" | "done";
        Phase: {
            name: components["schemas"]["PhaseName"];
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            completed_at?: string | null;
        };
        ExecutionBrief: {
            /** Format: uuid */
            id: string;
            status: components["schemas"]["ExecutionStatus"];
            type: components["schemas"]["BackupType"];
            /** Format: date-time */
            started_at: string;
            duration_seconds?: number | null;
            /** Format: int64 */
            size_bytes?: number | null;
            canceled: boolean;
            warning_count?: number;
        };
        Execution: {
            /** Format: uuid */
            id: string;
            /** Format: uuid */
            schedule_id: string | null;
            schedule_name: string | null;
            /** Format: uuid */
            source_id: string | null;
            source_name: string;
            status: components["schemas"]["ExecutionStatus"];
            type: components["schemas"]["BackupType"];
            requested_type: components["schemas"]["BackupType"];
            /** @enum {string} */
            trigger: "manual" | "schedule";
            /** Format: date-time */
            started_at: string;
            /** Format: date-time */
            completed_at: string | null;
            duration_seconds: number | null;
            /**
             * Format: int64
             * @description Bytes stored.
             */
            size_bytes: number | null;
            /**
             * Format: int64
             * @description Bytes of table data before compression.
             */
            raw_bytes: number | null;
            /** Format: int64 */
            rows: number | null;
            tables: number | null;
            chunks: number | null;
            chunks_reused: number | null;
            /**
             * Format: uuid
             * @description The backup that an incremental or differential one was compared with; null of a full one, of a run that has not completed, and of runs from before this was kept.
             */
            base_id: string | null;
            progress: components["schemas"]["Progress"] | null;
            warnings: components["schemas"]["Warning"][];
            error: components["schemas"]["Failure"] | null;
            canceled: boolean;
            compression: components["schemas"]["CompressionName"];
            encrypted: boolean;
            /** @description The folder of this backup in the store. */
            store_path: string | null;
            /** @description How often one function handed the run's snapshot and locks to the next, because its time was up. The backup is one picture nonetheless. */
            relay_count: number;
            /** @description How often the run was taken up again after it was cut off. Each time it takes a new snapshot, and keeps what did not change. */
            resume_count: number;
        };
        ExecutionDetail: components["schemas"]["Execution"] & {
            phases: components["schemas"]["Phase"][];
            /** @description Largest first, at most 1,000. */
            table_details: components["schemas"]["TableDetail"][];
            options: {
                tables: string[];
                exclude: string[];
                jobs: number;
            };
            server_version?: string | null;
            /**
             * Format: date-time
             * @description The moment the backup shows.
             */
            snapshot_at?: string | null;
            /** @description The helping workers of a large run; the coordinator copies too. */
            workers: components["schemas"]["WorkerPlace"][];
            /** @description null until the run has completed. */
            ledger?: components["schemas"]["LedgerSummary"] | null;
        };
        /**
         * @description dumped: it is in the backup. excluded: a rule left it out. unreadable: the
         *     role lacks a privilege. unsupported: nothing in Guarda knows how to keep
         *     it. managed: it belongs to the platform (preset).
         * @enum {string}
         */
        LedgerStatus: "dumped" | "excluded" | "unreadable" | "unsupported" | "managed";
        /** @enum {string} */
        PresetName: "none" | "supabase" | "rds";
        LedgerSummary: {
            preset: components["schemas"]["PresetName"];
            /** @description What the catalog looks like; differs from preset where a setting overrides it. */
            preset_detected: components["schemas"]["PresetName"];
            /** @description Schemas of the platform whose rows are in the backup. */
            managed_data?: string[];
            strict: boolean;
            /**
             * Format: int64
             * @description All objects that the catalog has.
             */
            objects: number;
            /** Format: int64 */
            dumped: number;
            /** Format: int64 */
            excluded: number;
            /** Format: int64 */
            unreadable: number;
            /** Format: int64 */
            unsupported: number;
            /** Format: int64 */
            managed: number;
            /**
             * Format: int64
             * @description Items that the backup before had.
             */
            lost: number;
            /**
             * Format: uuid
             * @description The backup that coverage was compared with.
             */
            compared_with?: string | null;
        };
        LedgerGroup: {
            /** @description e.g. table, table rows, sequence value, function, index, grants, comment */
            kind: string;
            /** @description The kind in the language of `Accept-Language`. */
            kind_label: string;
            /** @description Empty for objects outside of schemas. */
            schema: string;
            /** Format: int64 */
            dumped: number;
            /** Format: int64 */
            excluded: number;
            /** Format: int64 */
            unreadable: number;
            /** Format: int64 */
            unsupported: number;
            /** Format: int64 */
            managed: number;
        };
        LedgerItem: {
            status: components["schemas"]["LedgerStatus"];
            kind: string;
            /** @description The kind in the language of `Accept-Language`. */
            kind_label: string;
            schema: string;
            /** @description Full name as SQL writes it; empty for an item that stands for many. */
            name: string;
            /** @description Why: option_tables, option_exclude, preset, extension_rows, needs_excluded, incomplete, privilege, row_security, secret, unknown_kind, system_schema, not_possible, not_dumped; timestamp of rows that are followed by a column, whose deletions are not seen */
            rule?: string;
            /** @description In words, in the language of `Accept-Language`; of backups from before there were translations, in English. */
            detail?: string;
            /** @description Of an unreadable item: what the role lacks, in the language of `Accept-Language`. */
            privilege?: string;
            /** @description The statements that give it; run all of them. */
            grants?: string[];
            /**
             * Format: int64
             * @description How many objects the item stands for: itself and what belongs to it.
             */
            objects: number;
            /** @description true: its definition is in the backup all the same, as the system catalogs show it. */
            carried: boolean;
            /** @description true: the backup before had it. */
            lost: boolean;
        };
        Ledger: {
            summary: components["schemas"]["LedgerSummary"];
            /** @description By kind and schema; by kind only where there are more than 2,000. */
            groups: components["schemas"]["LedgerGroup"][];
            items: components["schemas"]["LedgerItem"][];
            next_cursor: string | null;
            has_more: boolean;
            /** @description true: there are more items than are kept here; `guarda show --ledger` shows all. */
            truncated: boolean;
        };
        WorkerPlace: {
            /** @description One function at a time works in a place. */
            name: string;
            /** @description One works in it now. */
            active: boolean;
            /** @description Functions that have worked in it. */
            starts: number;
            chunks: number;
            /** Format: int64 */
            rows: number;
            /** Format: int64 */
            raw_bytes: number;
        };
        TableDetail: {
            schema: string;
            name: string;
            /** Format: int64 */
            rows: number;
            /** Format: int64 */
            raw_bytes: number;
            /** Format: int64 */
            stored_bytes: number;
            chunks: number;
            chunks_done: number;
            /** @description Sum of the row hashes: hex, 32 digits. */
            content_hash?: string | null;
        };
        ExecutionList: {
            items: components["schemas"]["Execution"][];
            next_cursor: string | null;
            has_more: boolean;
        };
        Download: {
            items: {
                path: string;
                /** Format: int64 */
                size_bytes: number;
                /** @description SHA-256, hex. */
                checksum?: string | null;
                url: string;
            }[];
            next_cursor: string | null;
            has_more: boolean;
            /** Format: date-time */
            expires_at: string;
        };
        Summary: {
            /**
             * Format: date-time
             * @description Oldest of the sources' last good copies: everything is at least this fresh.
             */
            last_success: string | null;
            /** Format: date-time */
            next_run: string | null;
            /** Format: int64 */
            storage_bytes: number;
            backups: number;
            /** Format: date-time */
            last_restore_test: string | null;
            sources: {
                source: components["schemas"]["Source"];
                last_success: components["schemas"]["ExecutionBrief"] | null;
                running?: components["schemas"]["Execution"] | null;
                /** Format: date-time */
                next_run: string | null;
                /** Format: int64 */
                storage_bytes: number;
                /** @description Newest last. */
                recent: components["schemas"]["ExecutionBrief"][];
            }[];
        };
        SourceSettings: {
            /**
             * @description How many connections copy at the same time.
             * @default 2
             */
            jobs?: number;
            compression?: components["schemas"]["CompressionName"];
            exclude?: string[];
            /** @default 30 */
            lock_timeout_seconds?: number;
            /**
             * @description true: a run fails before it copies anything when an object is unreadable or unsupported.
             * @default false
             */
            strict?: boolean;
            /**
             * @description Which objects belong to the platform; auto looks at the catalog.
             * @default auto
             * @enum {string}
             */
            preset?: "auto" | "none" | "supabase" | "rds";
            /** @description Schemas of the platform whose rows are copied nonetheless, e.g. auth and storage on Supabase. */
            managed_data?: string[];
        };
        SourceInput: {
            /** @description Names the folder in the store. */
            name: string;
            /** @description A direct or session-mode connection, as URL or key=value. Stored encrypted, never shown. */
            dsn: string;
            /**
             * @default postgres
             * @enum {string}
             */
            kind?: "postgres" | "rds" | "aurora" | "supabase";
            /** @default false */
            is_default?: boolean;
            settings?: components["schemas"]["SourceSettings"];
        };
        SourceUpdate: {
            name: string;
            dsn?: string;
            /** @enum {string} */
            kind?: "postgres" | "rds" | "aurora" | "supabase";
            is_default?: boolean;
            settings?: components["schemas"]["SourceSettings"];
        };
        ApiKeyInput: {
            name: string;
            /**
             * @description `sender` may send log entries and nothing else. A key may never do more than who made it may.
             * @enum {string}
             */
            role: "sender" | "viewer" | "operator" | "admin";
            /** Format: date-time */
            expires_at?: string | null;
            /** @description Log entries; null is the limit of the settings of logs. */
            logs_per_minute?: number | null;
        };
        ApiKey: {
            /** Format: uuid */
            id: string;
            name: string;
            /** @description The beginning of the key. */
            prefix: string;
            /** @enum {string} */
            role: "sender" | "viewer" | "operator" | "admin";
            /** @description E-mail of who made it. */
            made_by: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string | null;
            /**
             * Format: date-time
             * @description To the minute.
             */
            last_used_at: string | null;
            /** Format: date-time */
            revoked_at: string | null;
            logs_per_minute: number | null;
        };
        NewApiKey: components["schemas"]["ApiKey"] & {
            /** @description Send it as X-API-Key. */
            key: string;
        };
        ApiKeyList: {
            items: components["schemas"]["ApiKey"][];
            next_cursor: string | null;
            has_more: boolean;
        };
        Source: {
            /** Format: uuid */
            id: string;
            name: string;
            /** @enum {string} */
            kind: "postgres" | "rds" | "aurora" | "supabase";
            host: string;
            port: number;
            database: string;
            username: string;
            is_default: boolean;
            settings: components["schemas"]["SourceSettings"];
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        SourceList: {
            items: components["schemas"]["Source"][];
            next_cursor: string | null;
            has_more: boolean;
        };
        SourceTest: {
            ok: boolean;
            server_version?: string | null;
            /** Format: int64 */
            size_bytes?: number | null;
            /** @description null when there was no connection. */
            preset?: {
                /** @description What a run will use. */
                name: components["schemas"]["PresetName"];
                detected: components["schemas"]["PresetName"];
                /** @description What it was told by. */
                reason?: string;
                /** @description Schemas of the database that belong to the platform. */
                managed_schemas: string[];
                /** @description Those whose rows managed_data may name. */
                data_schemas: string[];
            } | null;
            checks: {
                /** @enum {string} */
                name: "connect" | "version" | "session" | "privileges" | "row_security";
                /** @enum {string} */
                status: "ok" | "warning" | "failed" | "skipped";
                message: string;
                hint?: string;
            }[];
        };
        TableList: {
            items: {
                schema: string;
                name: string;
                /** @enum {string} */
                kind: "table" | "partition" | "partitioned table";
                /** Format: int64 */
                size_bytes: number;
                /** Format: int64 */
                row_estimate: number | null;
            }[];
            next_cursor: string | null;
            has_more: boolean;
        };
        /** @enum {string} */
        LogLevel: "debug" | "info" | "warn" | "error" | "critical";
        LogInput: {
            /**
             * Format: uuid
             * @description Made up when it is not given; sent twice it is stored once.
             */
            id?: string;
            /** @description debug, info, warn, error or critical; the usual other names (warning, fatal, trace…) in any case are understood. */
            level?: string;
            source?: string;
            /** @description At most 256 KiB. */
            message: string;
            /** @description At most 256 KiB. */
            metadata?: Record<string, never>;
            /** @description ISO 8601, or a number: seconds, milliseconds, microseconds or nanoseconds since 1970. Now when it is not given; `timestamp` is another name. */
            created_at?: string;
            /** Format: uuid */
            user_id?: string | null;
            session_id?: string | null;
        };
        LogReceipt: {
            /** @description Whether nothing was rejected. */
            success: boolean;
            /** @description Entries that are stored or put aside. */
            accepted: number;
            /** @description Entries whose id was stored before; unknown (0) with 202. */
            duplicates: number;
            rejected: number;
            /** @description The first 100 of them. */
            rejections: components["schemas"]["LogRejection"][];
            /** Format: uuid */
            batch_id: string;
        };
        LogRejection: {
            /** @description Place in the array, or line of NDJSON, from 0. */
            index: number;
            field: string;
            code: string;
            message: string;
        };
        Log: {
            /** Format: uuid */
            id: string;
            level: components["schemas"]["LogLevel"];
            source: string;
            message: string;
            metadata: {
                [key: string]: unknown;
            };
            /**
             * Format: date-time
             * @description To the microsecond.
             */
            created_at: string;
            /** Format: uuid */
            user_id: string | null;
            session_id: string | null;
            /** Format: uuid */
            pattern_id: string | null;
            /** @description Where the message matches the search: [start, end) in UTF-16 code units. */
            highlights?: number[][];
        };
        LogSearch: {
            logs: components["schemas"]["Log"][];
            /** Format: int64 */
            total_count: number;
            /**
             * @description gte: there are at least that many; counting stopped.
             * @enum {string}
             */
            total_count_relation: "eq" | "gte";
            has_more: boolean;
            next_cursor: string | null;
            /**
             * Format: date-time
             * @description Null: the whole range was searched.
             */
            searched_back_to: string | null;
        };
        LogExportRequest: {
            /** @enum {string} */
            format: "csv" | "json" | "ndjson" | "pdf" | "xlsx" | "parquet";
            /** @description Parameters of the search: level and source (a text or a list), search_term, mode, user_id, session_id, pattern_id, metadata (an object, or metadata.<path>); exclude_source and exclude_pattern_id (a text or a list), exclude_metadata. */
            filters?: {
                [key: string]: unknown;
            };
            /** @description From start on, before end. ISO 8601; a date without a time as end means to the end of that day. */
            date_range: {
                start?: string;
                end?: string;
                /** @description Another name of start. */
                start_date?: string;
                /** @description Another name of end. */
                end_date?: string;
            };
            /** @description All when left out. */
            columns?: ("created_at" | "level" | "source" | "message" | "metadata" | "user_id" | "session_id" | "pattern_id" | "id")[];
            /**
             * @description For csv, json and ndjson; the others are compressed by themselves.
             * @default false
             */
            gzip?: boolean;
            /** @description What is taken out of messages and metadata. */
            mask?: ("email" | "cpf" | "cnpj" | "card" | "token")[];
            /** @description IANA name of the times in a PDF; other formats have UTC. */
            timezone?: string;
        };
        LogExport: {
            success: boolean;
            /** Format: uuid */
            export_id: string;
            /** @enum {string} */
            status: "pending" | "running" | "completed" | "failed";
            format: string;
            filters: {
                [key: string]: unknown;
            };
            /** @description Null while there is no file or when it was removed. */
            download_url: string | null;
            /**
             * Format: date-time
             * @description When the link stops working.
             */
            expires_at: string | null;
            /** Format: date-time */
            file_expires_at: string | null;
            file_name: string;
            /** Format: int64 */
            rows_done: number;
            /**
             * Format: int64
             * @description Null before they are counted; at least so many when counting took too long.
             */
            rows_expected: number | null;
            /** Format: int64 */
            row_count: number | null;
            /** Format: int64 */
            size_bytes: number | null;
            error: components["schemas"]["Failure"] | null;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            completed_at: string | null;
        };
        LogExportList: {
            items: components["schemas"]["LogExport"][];
            next_cursor: string | null;
            has_more: boolean;
        };
        LogHistogram: {
            /** Format: date-time */
            start: string;
            /** Format: date-time */
            end: string;
            interval_seconds: number;
            /** @description False: there were too many hits to count in time; the newest ones are counted. */
            exact: boolean;
            /** Format: date-time */
            counted_back_to?: string | null;
            /** Format: int64 */
            total: number;
            buckets: {
                /** Format: date-time */
                start: string;
                /** Format: int64 */
                total: number;
                /** @description Entries per level; levels without any are left out. */
                levels: {
                    [key: string]: number;
                };
            }[];
        };
        LogFacets: {
            /** Format: date-time */
            start: string;
            /** Format: date-time */
            end: string;
            exact: boolean;
            /** Format: date-time */
            counted_back_to?: string | null;
            /** Format: int64 */
            total: number;
            levels: components["schemas"]["LogFacet"][];
            sources: components["schemas"]["LogFacet"][];
            patterns: components["schemas"]["LogFacet"][];
        };
        LogFacet: {
            /** @description For patterns the id; empty: entries without one. */
            value: string;
            /** @description The pattern's template. */
            label?: string;
            /** Format: int64 */
            count: number;
        };
        LogPattern: {
            /** Format: uuid */
            id: string;
            /** @description What its messages have in common; <*> stands for what changes. */
            template: string;
            /** @description Of the entry that had it first. */
            source: string;
            /** @description Of the entry that had it first. */
            level: string;
            /** Format: int64 */
            count: number;
            /** @description Part of the entries that were counted, 0 to 1. */
            share: number;
            /** Format: date-time */
            first_seen_at: string;
            /**
             * Format: date-time
             * @description To the minute.
             */
            last_seen_at: string;
            /** @description First seen in the last 24 hours, and not in the first 24 hours of the log itself. */
            new: boolean;
            surging: boolean;
            muted: boolean;
            surge: components["schemas"]["LogPatternSurge"];
            trend?: components["schemas"]["LogPatternTrend"];
            /** Format: uuid */
            sample_log_id: string | null;
        };
        /** @description The last hour compared with the same hour of up to 14 earlier days; null while there are fewer than three. */
        LogPatternSurge: {
            /** Format: date-time */
            since: string | null;
            /** Format: int64 */
            recent_count: number;
            median: number | null;
            /** @description Median of the absolute deviations from the median. */
            mad: number | null;
            /** @description Deviations above the median. */
            score: number | null;
        };
        LogPatternTrend: {
            /** Format: date-time */
            start: string;
            interval_seconds: number;
            counts: number[];
        };
        LogPatternList: {
            items: components["schemas"]["LogPattern"][];
            next_cursor: string | null;
            has_more: boolean;
            /** Format: date-time */
            start: string;
            /** Format: date-time */
            end: string;
            /** Format: int64 */
            total_count: number;
            /** Format: int64 */
            without_pattern: number;
            exact: boolean;
        };
        LogPatternDetail: components["schemas"]["LogPattern"] & {
            links: {
                /** @description Path of the search for the pattern's entries. */
                logs: string;
                /** @description Conditions of alert rules about it: that it surges, that its source has a new pattern of its level. */
                alert_conditions: {
                    /** @enum {string} */
                    condition_type: "log_pattern_surge" | "log_pattern_new";
                    condition_config: {
                        [key: string]: string;
                    };
                }[];
            };
            /** @description Patterns that turned out to be this one. */
            merged_ids: string[];
            sample: {
                /** Format: uuid */
                id: string;
                message: string;
                /** Format: date-time */
                created_at: string;
            } | null;
        };
        LogPatternChange: {
            muted: boolean;
        };
        LogContext: {
            log: components["schemas"]["Log"];
            before: components["schemas"]["Log"][];
            after: components["schemas"]["Log"][];
        };
        SavedSearchInput: {
            name: string;
            /** @description Parameters of the search: a text, or a list of texts for a repeated one. */
            query: {
                [key: string]: unknown;
            };
            /**
             * @description Whether everybody sees it.
             * @default false
             */
            shared?: boolean;
        };
        SavedSearch: {
            /** Format: uuid */
            id: string;
            name: string;
            query: {
                [key: string]: unknown;
            };
            shared: boolean;
            /** @description Whether it is the caller's. */
            own: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
        };
        SavedSearchList: {
            items: components["schemas"]["SavedSearch"][];
            next_cursor: string | null;
            has_more: boolean;
        };
        /** @description At least one of user_id and session_id. */
        LogErasureRequest: {
            /** Format: uuid */
            user_id?: string;
            session_id?: string;
            /** @description For the record; kept, so nothing that names the person. */
            reason?: string;
        };
        LogErasure: {
            /** Format: uuid */
            id: string;
            /** @enum {string} */
            state: "pending" | "running" | "completed";
            /**
             * @description What is done now; objects: waiting until no search reads the old objects.
             * @enum {string}
             */
            stage: "spool" | "hot" | "cold" | "objects" | "last_look" | "done";
            /**
             * Format: uuid
             * @description Null once it is completed.
             */
            user_id: string | null;
            /** @description Null once it is completed. */
            session_id: string | null;
            reason: string;
            requested_by: string;
            /** Format: date-time */
            requested_at: string;
            /** Format: date-time */
            completed_at: string | null;
            deleted: {
                total: number;
                /** @description Entries in Postgres. */
                hot: number;
                /** @description Entries in archived days. */
                cold: number;
                /** @description Entries that were put aside. */
                spooled: number;
            };
            /** @description Objects of archived days that are looked through. */
            segments: {
                total: number;
                done: number;
                rewritten: number;
            };
            /** @description Why the last run did not get on, in the language of `Accept-Language`; the next one tries again. */
            last_error: string | null;
        };
        LogErasureList: {
            items: components["schemas"]["LogErasure"][];
            next_cursor: string | null;
            has_more: boolean;
        };
        LogTextSearch: {
            /** @description A text search configuration of PostgreSQL: portuguese, simple, english… */
            config: string;
            /** @description Whether words are compared without their accents. */
            fold_accents: boolean;
        };
        LogSettings: {
            text_search: components["schemas"]["LogTextSearch"];
            text_search_being_prepared?: components["schemas"]["LogTextSearch"];
            /** @description What a key or person may send; a key may have a limit of its own. */
            entries_per_minute: number;
            /** @description Days that are older leave Postgres for the object store, where search and export still find them. Null: none does. */
            hot_days?: number | null;
            /** @description The rule that names source and level counts before the one with the source, that before the one with the level, that before the one with neither. */
            retention: {
                source?: string | null;
                /** @enum {string|null} */
                level?: "debug" | "info" | "warn" | "error" | "critical" | null;
                /** @description Null: for ever. */
                days?: number | null;
            }[];
            /** @description What is masked before it is stored, by source; "*" is every source without rules of its own. */
            masking: {
                [key: string]: ("email" | "cpf" | "cnpj" | "card" | "token")[];
            };
        };
    };
    responses: {
        /** @description What went wrong, and what to do. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        Id: string;
        Limit: number;
        /** @description `next_cursor` of the page before. */
        Cursor: string;
        /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
        IdempotencyKey: string;
        /** @description The ETag that was read. Another one is a 412; a request without it is a 422. */
        IfMatch: string;
        /** @description May be repeated. */
        LogLevel: components["schemas"]["LogLevel"][];
        /** @description May be repeated. */
        LogSource: string[];
        /** @description ISO 8601, with or without a time (no zone is UTC); entries from then on. Must be before end_date. */
        LogStart: string;
        /** @description ISO 8601; entries before then. A date without a time means to the end of that day. */
        LogEnd: string;
        /** @description Words, "a phrase", -without, this or that; or what `mode` says. */
        LogTerm: string;
        /** @description words: by the text search. substring and regex look at each entry of the range, as far as time allows; both ignore case. */
        LogMode: "words" | "substring" | "regex";
        LogUser: string;
        LogSession: string;
        LogPatternFilter: string;
        /** @description metadata.<path>=value, for instance metadata.request.status=500. */
        LogMetadata: {
            [key: string]: string;
        };
        /** @description No entries of this source. May be repeated. */
        LogNotSource: string[];
        /** @description No entries of this pattern. May be repeated. */
        LogNotPattern: string[];
        /** @description exclude_metadata.<path>=value: no entries whose metadata has that value there. */
        LogNotMetadata: {
            [key: string]: string;
        };
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            /** @description Signed in. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            401: components["responses"]["Problem"];
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A newer token. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            401: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createAutomaticBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AutoRequest"];
            };
        };
        responses: {
            /** @description The schedule was made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AutoResponse"];
                };
            };
            422: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    executeBackup: {
        parameters: {
            query?: never;
            header?: {
                /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExecuteRequest"];
            };
        };
        responses: {
            /** @description The backup is complete. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecuteResponse"];
                };
            };
            /** @description The backup is running. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecuteResponse"];
                };
            };
            422: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    backupSummary: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The summary. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Summary"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSchedules: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                active?: boolean;
                source_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScheduleList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleInput"];
            };
        };
        responses: {
            /** @description The schedule. */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The schedule. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateSchedule: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read. Another one is a 412; a request without it is a 422. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ScheduleInput"];
            };
        };
        responses: {
            /** @description The schedule as it is now. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Schedule"];
                };
            };
            412: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteSchedule: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    runSchedule: {
        parameters: {
            query?: never;
            header?: {
                /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run was started. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"];
                };
            };
            409: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listExecutions: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description May be repeated. */
                status?: components["schemas"]["ExecutionStatus"][];
                type?: components["schemas"]["BackupType"][];
                source_id?: string;
                schedule_id?: string;
                started_after?: string;
                started_before?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getExecution: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExecutionDetail"];
                };
            };
            404: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    cancelExecution: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The run was told to stop. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Execution"];
                };
            };
            409: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    executionLedger: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Of the items. May be repeated. */
                status?: components["schemas"]["LedgerStatus"][];
                /** @description Of groups and items. May be repeated. */
                kind?: string[];
                /** @description Of groups and items. May be repeated. */
                schema?: string[];
                /** @description true: only items that the backup before had. */
                lost?: boolean;
            };
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The ledger, with a page of its items. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ledger"];
                };
            };
            404: components["responses"]["Problem"];
            409: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    downloadExecution: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of files. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Download"];
                };
            };
            409: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listSources: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createSource: {
        parameters: {
            query?: never;
            header?: {
                /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SourceInput"];
            };
        };
        responses: {
            /** @description The source. */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Source"];
                };
            };
            409: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The source. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Source"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateSource: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read. Another one is a 412; a request without it is a 422. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SourceUpdate"];
            };
        };
        responses: {
            /** @description The source as it is now. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Source"];
                };
            };
            412: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    deleteSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            409: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    testSource: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The checks; `ok` says whether a backup would work. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SourceTest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSourceTables: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Part of the name. */
                search?: string;
            };
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TableList"];
                };
            };
            503: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    ingestLogs: {
        parameters: {
            query?: {
                /** @description Source of entries that name none (log drains). */
                source?: string;
            };
            header?: {
                /** @description A second request with the same key and body stores nothing again and says what the first one did. With another body it is another batch. Kept for 14 days. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogInput"] | unknown[];
                "application/x-ndjson": string;
            };
        };
        responses: {
            /** @description What was stored. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogReceipt"];
                };
            };
            /** @description Postgres is away; what was accepted is put aside and stored later, in order. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogReceipt"];
                };
            };
            400: components["responses"]["Problem"];
            413: components["responses"]["Problem"];
            415: components["responses"]["Problem"];
            /** @description No entry was accepted; `errors` has the reasons. */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    ingestOTLP: {
        parameters: {
            query?: never;
            header?: {
                /** @description A second request with the same key and body stores nothing again. Kept for 14 days. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-protobuf": string;
                "application/json": Record<string, never>;
            };
        };
        responses: {
            /** @description `ExportLogsServiceResponse`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                    "application/x-protobuf": string;
                };
            };
            /** @description `google.rpc.Status`; a problem document where the request did not get as far. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                    "application/x-protobuf": string;
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportLogs: {
        parameters: {
            query?: never;
            header?: {
                /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogExportRequest"];
            };
        };
        responses: {
            /** @description The file is there. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogExport"];
                };
            };
            /** @description It is being made. */
            202: {
                headers: {
                    Location?: string;
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogExport"];
                };
            };
            422: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    listLogExports: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogExportList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getLogExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The export. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogExport"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    cancelLogExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It was told to stop. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogExport"];
                };
            };
            409: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    searchLogs: {
        parameters: {
            query?: {
                /** @description May be repeated. */
                level?: components["parameters"]["LogLevel"];
                /** @description May be repeated. */
                source?: components["parameters"]["LogSource"];
                /** @description ISO 8601, with or without a time (no zone is UTC); entries from then on. Must be before end_date. */
                start_date?: components["parameters"]["LogStart"];
                /** @description ISO 8601; entries before then. A date without a time means to the end of that day. */
                end_date?: components["parameters"]["LogEnd"];
                /** @description Words, "a phrase", -without, this or that; or what `mode` says. */
                search_term?: components["parameters"]["LogTerm"];
                /** @description words: by the text search. substring and regex look at each entry of the range, as far as time allows; both ignore case. */
                mode?: components["parameters"]["LogMode"];
                user_id?: components["parameters"]["LogUser"];
                session_id?: components["parameters"]["LogSession"];
                pattern_id?: components["parameters"]["LogPatternFilter"];
                /** @description metadata.<path>=value, for instance metadata.request.status=500. */
                metadata?: components["parameters"]["LogMetadata"];
                /** @description No entries of this source. May be repeated. */
                exclude_source?: components["parameters"]["LogNotSource"];
                /** @description No entries of this pattern. May be repeated. */
                exclude_pattern_id?: components["parameters"]["LogNotPattern"];
                /** @description exclude_metadata.<path>=value: no entries whose metadata has that value there. */
                exclude_metadata?: components["parameters"]["LogNotMetadata"];
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                order?: "desc" | "asc";
                /** @description Count all hits however many there are. */
                track_total?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of entries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogSearch"];
                };
            };
            422: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    logHistogram: {
        parameters: {
            query?: {
                /** @description May be repeated. */
                level?: components["parameters"]["LogLevel"];
                /** @description May be repeated. */
                source?: components["parameters"]["LogSource"];
                /** @description ISO 8601, with or without a time (no zone is UTC); entries from then on. Must be before end_date. */
                start_date?: components["parameters"]["LogStart"];
                /** @description ISO 8601; entries before then. A date without a time means to the end of that day. */
                end_date?: components["parameters"]["LogEnd"];
                /** @description Words, "a phrase", -without, this or that; or what `mode` says. */
                search_term?: components["parameters"]["LogTerm"];
                /** @description words: by the text search. substring and regex look at each entry of the range, as far as time allows; both ignore case. */
                mode?: components["parameters"]["LogMode"];
                user_id?: components["parameters"]["LogUser"];
                session_id?: components["parameters"]["LogSession"];
                pattern_id?: components["parameters"]["LogPatternFilter"];
                /** @description metadata.<path>=value, for instance metadata.request.status=500. */
                metadata?: components["parameters"]["LogMetadata"];
                /** @description No entries of this source. May be repeated. */
                exclude_source?: components["parameters"]["LogNotSource"];
                /** @description No entries of this pattern. May be repeated. */
                exclude_pattern_id?: components["parameters"]["LogNotPattern"];
                /** @description exclude_metadata.<path>=value: no entries whose metadata has that value there. */
                exclude_metadata?: components["parameters"]["LogNotMetadata"];
                /** @description About how many buckets. */
                buckets?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The buckets. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogHistogram"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    logFacets: {
        parameters: {
            query?: {
                /** @description May be repeated. */
                level?: components["parameters"]["LogLevel"];
                /** @description May be repeated. */
                source?: components["parameters"]["LogSource"];
                /** @description ISO 8601, with or without a time (no zone is UTC); entries from then on. Must be before end_date. */
                start_date?: components["parameters"]["LogStart"];
                /** @description ISO 8601; entries before then. A date without a time means to the end of that day. */
                end_date?: components["parameters"]["LogEnd"];
                /** @description Words, "a phrase", -without, this or that; or what `mode` says. */
                search_term?: components["parameters"]["LogTerm"];
                /** @description words: by the text search. substring and regex look at each entry of the range, as far as time allows; both ignore case. */
                mode?: components["parameters"]["LogMode"];
                user_id?: components["parameters"]["LogUser"];
                session_id?: components["parameters"]["LogSession"];
                pattern_id?: components["parameters"]["LogPatternFilter"];
                /** @description metadata.<path>=value, for instance metadata.request.status=500. */
                metadata?: components["parameters"]["LogMetadata"];
                /** @description No entries of this source. May be repeated. */
                exclude_source?: components["parameters"]["LogNotSource"];
                /** @description No entries of this pattern. May be repeated. */
                exclude_pattern_id?: components["parameters"]["LogNotPattern"];
                /** @description exclude_metadata.<path>=value: no entries whose metadata has that value there. */
                exclude_metadata?: components["parameters"]["LogNotMetadata"];
                /** @description How many values of each. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The values with the most entries first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogFacets"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    tailLogs: {
        parameters: {
            query?: {
                /** @description May be repeated. */
                level?: components["parameters"]["LogLevel"];
                /** @description May be repeated. */
                source?: components["parameters"]["LogSource"];
                /** @description Words, "a phrase", -without, this or that; or what `mode` says. */
                search_term?: components["parameters"]["LogTerm"];
                /** @description words: by the text search. substring and regex look at each entry of the range, as far as time allows; both ignore case. */
                mode?: components["parameters"]["LogMode"];
                user_id?: components["parameters"]["LogUser"];
                session_id?: components["parameters"]["LogSession"];
                pattern_id?: components["parameters"]["LogPatternFilter"];
                /** @description metadata.<path>=value, for instance metadata.request.status=500. */
                metadata?: components["parameters"]["LogMetadata"];
                /** @description No entries of this source. May be repeated. */
                exclude_source?: components["parameters"]["LogNotSource"];
                /** @description No entries of this pattern. May be repeated. */
                exclude_pattern_id?: components["parameters"]["LogNotPattern"];
                /** @description exclude_metadata.<path>=value: no entries whose metadata has that value there. */
                exclude_metadata?: components["parameters"]["LogNotMetadata"];
                last_event_id?: string;
            };
            header?: {
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stream. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listSavedSearches: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedSearchList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    saveSearch: {
        parameters: {
            query?: never;
            header?: {
                /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SavedSearchInput"];
            };
        };
        responses: {
            /** @description The saved search. */
            201: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedSearch"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    updateSavedSearch: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read. Another one is a 412; a request without it is a 422. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SavedSearchInput"];
            };
        };
        responses: {
            /** @description The saved search as it is now. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SavedSearch"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    deleteSavedSearch: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    listLogErasures: {
        parameters: {
            query?: {
                user_id?: string;
                session_id?: string;
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogErasureList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    eraseLogs: {
        parameters: {
            query?: never;
            header?: {
                /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogErasureRequest"];
            };
        };
        responses: {
            /** @description It will be carried out. */
            202: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogErasure"];
                };
            };
            422: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getLogErasure: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The erasure. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogErasure"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listLogPatterns: {
        parameters: {
            query?: {
                /** @description May be repeated. */
                level?: components["parameters"]["LogLevel"];
                /** @description May be repeated. */
                source?: components["parameters"]["LogSource"];
                /** @description ISO 8601, with or without a time (no zone is UTC); entries from then on. Must be before end_date. */
                start_date?: components["parameters"]["LogStart"];
                /** @description ISO 8601; entries before then. A date without a time means to the end of that day. */
                end_date?: components["parameters"]["LogEnd"];
                /** @description A part of the template, in any case. */
                q?: string;
                /** @description Only patterns that are new or that surge. */
                status?: "new" | "surging";
                muted?: boolean;
                /** @description The greatest first. */
                sort?: "count" | "last_seen" | "first_seen" | "surge";
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPatternList"];
                };
            };
            422: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getLogPattern: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The pattern. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPatternDetail"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    changeLogPattern: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogPatternChange"];
            };
        };
        responses: {
            /** @description The pattern as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogPatternDetail"];
                };
            };
            422: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    getLog: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entry. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Log"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    logContext: {
        parameters: {
            query?: {
                before?: number;
                after?: number;
                /** @description Entries of all sources or of the same source or session. */
                scope?: "source" | "session" | "all";
            };
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entry with its neighbours, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogContext"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    getLogSettings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The settings. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogSettings"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    setLogSettings: {
        parameters: {
            query?: never;
            header: {
                /** @description The ETag that was read. Another one is a 412; a request without it is a 422. */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogSettings"];
            };
        };
        responses: {
            /** @description The settings as they are now. */
            200: {
                headers: {
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogSettings"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    listApiKeys: {
        parameters: {
            query?: {
                limit?: components["parameters"]["Limit"];
                /** @description `next_cursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyList"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    createApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description Visible ASCII. A second request with the same key and body gets the first one's answer; with another body it is a 409. Kept for 24 hours. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiKeyInput"];
            };
        };
        responses: {
            /** @description The key. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiKey"];
                };
            };
            409: components["responses"]["Problem"];
            default: components["responses"]["Problem"];
        };
    };
    revokeApiKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: components["parameters"]["Id"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It works no more. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
}
