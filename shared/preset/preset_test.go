package preset_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"guarda/shared/backup"
	"guarda/shared/backup/manifest"
	"guarda/shared/blob/memory"
	"guarda/shared/fault"
	"guarda/shared/ledger"
	"guarda/shared/postgres/pgserver"
	"guarda/shared/postgres/pgtest"
	"guarda/shared/preset"
	"guarda/shared/restore"
)

// server starts a server of the test's own: a platform is told by its roles,
// which would be there for every other test too.
func server(t *testing.T, roles string) *pgserver.Server {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "guarda-preset-")
	if err != nil {
		t.Fatal(err)
	}
	settings := pgtest.Settings()
	settings["unix_socket_directories"], settings["wal_level"] = "", "logical"
	s, err := pgserver.Start(t.Context(), pgserver.Config{Dir: dir, Throwaway: true, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	run(t, s.URL("postgres"), roles)
	return s
}

func run(t *testing.T, url string, files ...string) {
	t.Helper()
	for _, f := range files {
		raw, err := os.ReadFile("testdata/" + f)
		if err != nil {
			t.Fatal(err)
		}
		pgtest.Exec(t, url, string(raw))
	}
}

func connector(url string) func(context.Context) (*pgx.Conn, error) {
	return func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, url) }
}

// take backs up a database as the customer would.
func take(t *testing.T, url string, r backup.Run) (*backup.Result, *manifest.Manifest, restore.Deps, manifest.Listed) {
	t.Helper()
	store := memory.New()
	r.ID, r.Source = uuid.NewString(), "db"
	result, err := backup.Execute(context.Background(), backup.Deps{Connect: connector(url), Store: store}, r)
	if err != nil {
		t.Fatal(err)
	}
	l, err := manifest.Find(t.Context(), store, "", "latest")
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := manifest.Open(t.Context(), store, l, nil)
	if err != nil {
		t.Fatal(err)
	}
	if result.Ledger.Total() != result.Ledger.Objects {
		t.Errorf("the ledger does not add up: %+v", result.Ledger.Counts)
	}
	return result, m, restore.Deps{Store: store}, l
}

func names(m *manifest.Manifest) (entries, tables []string) {
	for _, e := range m.Entries {
		entries = append(entries, strings.ToLower(e.Kind)+" "+strings.TrimPrefix(e.Schema+"."+e.Name, "."))
	}
	for _, t := range m.Tables {
		tables = append(tables, t.FullName())
	}
	slices.Sort(tables)
	return entries, tables
}

func TestSupabase(t *testing.T) {
	t.Parallel()
	s := server(t, "supabase-roles.sql")
	pgtest.Exec(t, s.URL("postgres"), "create database source")
	pgtest.Exec(t, s.URL("postgres"), "create database target")
	run(t, s.URL("source"), "supabase-platform.sql", "supabase-customer.sql")
	run(t, s.URL("target"), "supabase-platform.sql")
	pgtest.Exec(t, s.URL("source"), "alter table public.profiles owner to customer; alter view public.emails owner to customer; alter function public.handle_new_user() owner to customer")
	customer := pgtest.WithUser(t, s.URL("source"), "customer", "")

	t.Run("is told by its roles and schemas", func(t *testing.T) {
		d, err := preset.Detect(t.Context(), pgtest.Connect(t, customer))
		if err != nil || d.Name != preset.Supabase || d.Reason().IsZero() {
			t.Fatalf("%+v, %v", d, err)
		}
		if d, _ = preset.Detect(t.Context(), pgtest.Connect(t, s.URL("postgres"))); d.Name != preset.None {
			t.Errorf("a database without its schemas: %+v", d)
		}
	})

	t.Run("keeps what the customer made", func(t *testing.T) {
		r, m, _, _ := take(t, customer, backup.Run{Strict: true})
		entries, tables := names(m)
		for _, want := range []string{"table public.profiles", "table public.made_in_dashboard", "function public.handle_new_user()", "trigger auth.users on_auth_user_created", "policy storage.objects own_files",
			"policy public.profiles own", "fk constraint public.profiles profiles_id_fkey", "view public.emails", "publication table public.supabase_realtime profiles", "extension citext"} {
			if !slices.Contains(entries, want) {
				t.Errorf("%s is not in the backup: %q", want, entries)
			}
		}
		for _, e := range m.Entries {
			if strings.Contains(e.OwnerSQL, "supabase_") {
				t.Errorf("only the platform may run %s", e.OwnerSQL)
			}
		}
		for _, e := range entries {
			for _, never := range []string{"table auth.", "schema auth", "schema storage", "table vault.", "function storage.", "trigger storage.", "event trigger", "publication supabase", "default acl", "comment extension"} {
				if strings.HasPrefix(e, never) {
					t.Errorf("%s is in the backup", e)
				}
			}
		}
		if !slices.Equal(tables, []string{"public.made_in_dashboard", "public.profiles"}) {
			t.Errorf("rows of %q", tables)
		}
		if !slices.ContainsFunc(r.Warnings, func(w fault.Warning) bool { return w.Code == "managed_data_left_out" && w.Object == "auth, storage" }) {
			t.Errorf("nothing says that the rows of auth and storage are left out: %+v", r.Warnings)
		}
		if r.Coverage.Preset != preset.Supabase || r.Coverage.PresetDetected != preset.Supabase || r.Coverage.Managed < 50 || !r.Ledger.Complete() {
			t.Errorf("%+v", r.Coverage)
		}
		for _, it := range r.Ledger.Items {
			if it.Status != ledger.Managed || it.Rule != ledger.ByPreset || !strings.Contains(it.Detail, "platform") && !strings.Contains(it.Detail, "Supabase") {
				t.Errorf("%+v", it)
			}
		}
	})

	t.Run("keeps rows of auth and storage when asked", func(t *testing.T) {
		// storage.objects is under row security, which the customer of this test does not bypass.
		r, m, deps, l := take(t, s.URL("source"), backup.Run{ManagedData: []string{"auth", "storage"}})
		_, tables := names(m)
		if want := []string{"auth.refresh_tokens", "auth.users", "public.made_in_dashboard", "public.profiles", "storage.objects"}; !slices.Equal(tables, want) {
			t.Errorf("rows of %q, want %q", tables, want)
		}
		deps.Connect = connector(s.URL("target"))
		// One connection: the tokens, which refer to the users, come before them.
		if _, err := restore.Run(t.Context(), deps, restore.Options{Jobs: 1}, l); err != nil {
			t.Fatalf("into a new database of the platform: %v\nhint: %s", err, fault.HintOf(err))
		}
		var users, profiles int
		var token int64
		if err := pgtest.Connect(t, s.URL("target")).QueryRow(t.Context(), `
			select (select count(*) from auth.users), (select count(*) from public.profiles), nextval('auth.refresh_tokens_id_seq')`).Scan(&users, &profiles, &token); err != nil {
			t.Fatal(err)
		}
		if users != 2 || profiles != 2 || token != 301 {
			t.Errorf("%d users, %d profiles, next token %d", users, profiles, token)
		}
		if len(r.Warnings) > 0 || r.Coverage.Unreadable > 0 || !slices.Equal(r.Coverage.ManagedData, []string{"auth", "storage"}) {
			t.Errorf("%+v", r.Coverage)
		}
	})

	t.Run("can be overridden", func(t *testing.T) {
		r, m, _, _ := take(t, s.URL("source"), backup.Run{Preset: preset.None})
		entries, tables := names(m)
		if !slices.Contains(entries, "table auth.users") || !slices.Contains(tables, "vault.secrets") || r.Coverage.Managed != 0 || r.Coverage.PresetDetected != preset.Supabase {
			t.Errorf("%q, %q, %+v", entries, tables, r.Coverage)
		}
		_, err := backup.Execute(t.Context(), backup.Deps{Connect: connector(customer), Store: memory.New()}, backup.Run{ID: uuid.NewString(), Source: "db", ManagedData: []string{"vault"}})
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(fault.HintOf(err), "auth, storage") {
			t.Errorf("%v, %s", err, fault.HintOf(err))
		}
	})
}

func TestRDS(t *testing.T) {
	t.Parallel()
	s := server(t, "rds-roles.sql")
	pgtest.Exec(t, s.URL("postgres"), "create database source")
	run(t, s.URL("source"), "rds.sql")
	r, m, _, _ := take(t, pgtest.WithUser(t, s.URL("source"), "customer", ""), backup.Run{Strict: true})
	entries, tables := names(m)
	for _, want := range []string{"table public.orders", "sequence set public.orders_id_seq", "acl public.TABLE orders", "extension citext"} {
		if !slices.Contains(entries, want) {
			t.Errorf("%s is not in the backup: %q", want, entries)
		}
	}
	for _, e := range m.Entries {
		if strings.Contains(e.SQL+e.OwnerSQL, "rds_own") || strings.Contains(e.OwnerSQL, "rdsadmin") || e.Kind == "EVENT TRIGGER" || e.Kind == "DEFAULT ACL" {
			t.Errorf("%s %s is the platform's: %s%s", e.Kind, e.Name, e.SQL, e.OwnerSQL)
		}
	}
	if !slices.Equal(tables, []string{"public.orders"}) || r.Coverage.Preset != preset.RDS || r.Coverage.Managed < 5 || !r.Ledger.Complete() {
		t.Errorf("%q, %+v", tables, r.Coverage)
	}
	managed := map[string]bool{}
	for _, it := range r.Ledger.Items {
		managed[it.Kind+" "+it.Name] = it.Status == ledger.Managed
	}
	for _, want := range []string{"schema rds_own", "table rds_own.state", "event trigger rds_watch", "function pg_catalog.rds_tools()"} {
		if !managed[want] {
			t.Errorf("%s is not said to be managed: %v", want, managed)
		}
	}
}

func TestRolesOfThePlatform(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ its, others []string }{
		preset.Supabase: {[]string{"anon", "authenticated", "supabase_admin", "service_role"}, []string{"app", "authenticated2"}},
		preset.RDS:      {[]string{"rdsadmin", "rds_iam", "rds_superuser"}, []string{"app", "rdsx"}},
		preset.None:     {nil, []string{"anon", "rdsadmin"}},
	} {
		for _, r := range c.its {
			if !preset.Named(name).PlatformRole(r) {
				t.Errorf("%s: %s", name, r)
			}
		}
		for _, r := range c.others {
			if preset.Named(name).PlatformRole(r) {
				t.Errorf("%s: %s", name, r)
			}
		}
	}
}
