import type {
  Download,
  Execution,
  ExecutionDetail,
  Ledger,
  LedgerItem,
  Session,
  Source,
  Summary,
  User,
} from "@/api/types";

/** Answers as the contract describes them: the compiler holds them to the generated types. */
export const now = Date.parse("2026-11-24T12:00:00Z");
export const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

export const admin: User = {
  id: "00000000-0000-4000-8000-000000000001",
  email: "ana@example.com",
  name: "Ana",
  role: "admin",
  permissions: [
    "backup.read",
    "backup.run",
    "backup.cancel",
    "backup.download",
    "sources.read",
    "sources.write",
    "sources.test",
    "logs.read",
    "logs.manage",
  ],
};
export const viewer: User = {
  ...admin,
  role: "viewer",
  permissions: ["backup.read", "sources.read", "logs.read"],
};

export const sessionOf = (user: User, seconds = 3_600, token = "token-1"): Session => ({
  token,
  expires_at: new Date(Date.now() + seconds * 1000).toISOString(),
  user,
});

export const shop: Source = {
  id: "00000000-0000-4000-8000-0000000000a1",
  name: "loja",
  kind: "postgres",
  host: "db.example.com",
  port: 5432,
  database: "shop",
  username: "guarda",
  is_default: true,
  settings: {},
  created_at: "2026-11-01T00:00:00Z",
  updated_at: "2026-11-01T00:00:00Z",
};

export const done = (over: Partial<Execution> = {}): Execution => ({
  id: "00000000-0000-4000-8000-0000000000e1",
  schedule_id: null,
  schedule_name: null,
  source_id: shop.id,
  source_name: shop.name,
  status: "completed",
  type: "full",
  requested_type: "full",
  trigger: "manual",
  started_at: ago(3 * 3_600 + 60),
  completed_at: ago(3 * 3_600),
  duration_seconds: 60,
  size_bytes: 4_550_000,
  raw_bytes: 45_500_000,
  rows: 362_818,
  tables: 12,
  chunks: 30,
  chunks_reused: 0,
  base_id: null,
  progress: null,
  warnings: [],
  error: null,
  canceled: false,
  compression: "zstd",
  encrypted: true,
  store_path: "loja/20261124T090000Z",
  relay_count: 0,
  resume_count: 0,
  ...over,
});

export const running = (over: Partial<Execution> = {}): Execution =>
  done({
    id: "00000000-0000-4000-8000-0000000000e2",
    status: "running",
    started_at: ago(20),
    completed_at: null,
    duration_seconds: null,
    size_bytes: null,
    rows: null,
    progress: {
      phase: "copy",
      bytes_done: 500_000_000,
      bytes_total: 1_000_000_000,
      rows_done: 1_234_567,
      chunks_done: 5,
      chunks_total: 10,
      tables_done: 3,
      tables_total: 12,
      bytes_per_second: 25_000_000,
      seconds_left: 20,
      updated_at: ago(0),
    },
    ...over,
  });

export const brief = (run: Execution) => ({
  id: run.id,
  status: run.status,
  type: run.type,
  started_at: run.started_at,
  duration_seconds: run.duration_seconds,
  size_bytes: run.size_bytes,
  canceled: run.canceled,
  warning_count: run.warnings.length,
});

export const summary = (over: Partial<Summary["sources"][number]> = {}): Summary => {
  const last = done();
  return {
    last_success: last.started_at,
    next_run: new Date(Date.now() + 3_600_000).toISOString(),
    storage_bytes: 18_200_000,
    backups: 4,
    last_restore_test: null,
    sources: [
      {
        source: shop,
        last_success: brief(last),
        running: null,
        next_run: new Date(Date.now() + 3_600_000).toISOString(),
        storage_bytes: 18_200_000,
        recent: [brief(last)],
        ...over,
      },
    ],
  };
};

export const noSources: Summary = {
  last_success: null,
  next_run: null,
  storage_bytes: 0,
  backups: 0,
  last_restore_test: null,
  sources: [],
};

export const detail = (over: Partial<ExecutionDetail> = {}): ExecutionDetail => ({
  ...done(),
  phases: [
    { name: "connect", started_at: "2026-11-24T09:00:00Z", completed_at: "2026-11-24T09:00:01Z" },
    { name: "catalog", started_at: "2026-11-24T09:00:01Z", completed_at: "2026-11-24T09:00:03Z" },
    { name: "copy", started_at: "2026-11-24T09:00:03Z", completed_at: "2026-11-24T09:00:59Z" },
    { name: "finish", started_at: "2026-11-24T09:00:59Z", completed_at: "2026-11-24T09:01:00Z" },
  ],
  table_details: [
    {
      schema: "public",
      name: "orders",
      rows: 300_000,
      raw_bytes: 40_000_000,
      stored_bytes: 4_000_000,
      chunks: 8,
      chunks_done: 8,
      content_hash: "0123456789abcdef0123456789abcdef",
    },
  ],
  options: { tables: [], exclude: ["public.tmp_*"], jobs: 2 },
  workers: [],
  server_version: "15.8",
  snapshot_at: "2026-11-24T09:00:01Z",
  ...over,
});

export const files: Download = {
  items: [
    {
      path: "loja/20261124T090000Z/manifest.json",
      size_bytes: 12_345,
      checksum: "ab".repeat(32),
      url: "/files/manifest",
    },
  ],
  next_cursor: null,
  has_more: false,
  expires_at: ago(-3_600),
};

export const unreadable: LedgerItem = {
  status: "unreadable",
  kind: "table rows",
  kind_label: "linhas da tabela",
  schema: "public",
  name: "public.payroll",
  rule: "privilege",
  detail: "",
  privilege: "SELECT on public.payroll",
  grants: ["GRANT SELECT ON TABLE public.payroll TO guarda"],
  objects: 1,
  carried: true,
  lost: true,
};

export const ledger = (over: Partial<Ledger["summary"]> = {}, items: LedgerItem[] = []): Ledger => ({
  summary: {
    preset: "none",
    preset_detected: "none",
    managed_data: [],
    strict: false,
    objects: 812,
    dumped: 812,
    excluded: 0,
    unreadable: 0,
    unsupported: 0,
    managed: 0,
    lost: 0,
    compared_with: null,
    ...over,
  },
  groups: [
    {
      kind: "table",
      kind_label: "tabela",
      schema: "public",
      dumped: 12,
      excluded: 0,
      unreadable: 0,
      unsupported: 0,
      managed: 0,
    },
  ],
  items,
  next_cursor: null,
  has_more: false,
  truncated: false,
});
