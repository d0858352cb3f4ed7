// Package sourcestore keeps the databases that are backed up in Guarda's own
// Postgres. It implements source.Store.
package sourcestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"guarda/shared/clock"
	"guarda/shared/fault"
	"guarda/shared/postgres"
	"guarda/shared/source"
)

// Store keeps sources. It is safe for concurrent use when its DB is.
type Store struct {
	db    postgres.DB
	clock clock.Clock
}

// New makes a store on a pool.
func New(db postgres.DB, c clock.Clock) *Store { return &Store{db, c} }

const (
	columns = `id::text, name, kind, host, port, database, username, is_default, settings::text, version, created_at, updated_at`
	// defaultLock makes those that choose the default source take turns: a
	// lock of the transaction, which a pooler bears.
	defaultLock int64 = 0x67756172646101
)

func scan(row pgx.Row) (*source.Source, error) {
	var s source.Source
	var settings string
	err := row.Scan(&s.ID, &s.Name, &s.Kind, &s.Host, &s.Port, &s.Database, &s.Username, &s.IsDefault, &settings, &s.Version, &s.CreatedAt, &s.UpdatedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, notFound()
	}
	if err != nil {
		return nil, postgres.Explain(err, "read a source")
	}
	if err := json.Unmarshal([]byte(settings), &s.Settings); err != nil {
		return nil, fmt.Errorf("read the settings of source %s: %w", s.ID, err)
	}
	s.CreatedAt, s.UpdatedAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC()
	return &s, nil
}

func notFound() error { return fault.New(fault.NotFound, "there is no such source") }

func conflict(err error, name string) error {
	if postgres.IsUnique(err, "idx_sources_name") {
		return fault.New(fault.Conflict, "there is a source with the name %s already", name)
	}
	return err
}

// List returns up to limit sources by name, after a name.
func (s *Store) List(ctx context.Context, after string, limit int) ([]source.Source, error) {
	rows, err := s.db.Query(ctx, `select `+columns+` from guarda.sources where name collate "C" > $1 order by name collate "C" limit $2::int8`, after, limit)
	if err != nil {
		return nil, postgres.Explain(err, "list sources")
	}
	defer rows.Close()
	var list []source.Source
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, *one)
	}
	return list, postgres.Explain(rows.Err(), "list sources")
}

// Get returns a source, or fault.NotFound.
func (s *Store) Get(ctx context.Context, id string) (*source.Source, error) {
	return scan(s.db.QueryRow(ctx, `select `+columns+` from guarda.sources where id = $1::uuid`, id))
}

// SealedDSN returns the sealed connection string, or fault.NotFound.
func (s *Store) SealedDSN(ctx context.Context, id string) ([]byte, error) {
	var sealed []byte
	err := s.db.QueryRow(ctx, `select sealed_dsn from guarda.sources where id = $1::uuid`, id).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, notFound()
	}
	return sealed, postgres.Explain(err, "read a source's connection")
}

// tx runs f while nobody else chooses the default source.
func (s *Store) tx(ctx context.Context, doing string, f func(pgx.Tx) error) error {
	err := postgres.Tx(ctx, s.db, postgres.TxOptions{Attempts: 3}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "select pg_catalog.pg_advisory_xact_lock($1)", defaultLock); err != nil {
			return err
		}
		return f(tx)
	})
	return postgres.Explain(err, doing)
}

// Create adds a source; the first one becomes the default one, and one that
// is to be takes that from the one before.
func (s *Store) Create(ctx context.Context, n source.Source, sealedDSN []byte) (*source.Source, error) {
	settings, err := json.Marshal(n.Settings)
	if err != nil {
		return nil, fmt.Errorf("encode a source's settings: %w", err)
	}
	var made *source.Source
	err = s.tx(ctx, "add a source", func(tx pgx.Tx) error {
		if n.IsDefault {
			if err := s.noDefault(ctx, tx); err != nil {
				return err
			}
		}
		var err error
		made, err = scan(tx.QueryRow(ctx, `
			insert into guarda.sources (id, name, kind, sealed_dsn, host, port, database, username, settings, created_at, updated_at, is_default)
			values ($1::uuid, $2, $3, $4, $5, $6::int, $7, $8, $9::jsonb, $10, $10, $11::bool or not exists (select from guarda.sources where is_default))
			returning `+columns, n.ID, n.Name, n.Kind, sealedDSN, n.Host, n.Port, n.Database, n.Username, string(settings), s.clock.Now(), n.IsDefault))
		return conflict(err, n.Name)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

func (s *Store) noDefault(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `update guarda.sources set is_default = false, version = version + 1, updated_at = $1 where is_default`, s.clock.Now())
	return err
}

// Update changes a source that still has the version. The default source
// stays so until another one is made it.
func (s *Store) Update(ctx context.Context, id string, version int64, c source.Change) (*source.Source, error) {
	var made *source.Source
	err := s.tx(ctx, "change a source", func(tx pgx.Tx) error {
		old, err := scan(tx.QueryRow(ctx, `select `+columns+` from guarda.sources where id = $1::uuid for update`, id))
		if err != nil {
			return err
		}
		if old.Version != version {
			return fault.New(fault.Precondition, "this was changed after you read it").
				Hint("read it again, look at what changed, and send your change with the new ETag")
		}
		next := apply(*old, c)
		if old.IsDefault && !next.IsDefault {
			return fault.New(fault.Conflict, "the source %s is the default one", old.Name).Hint("make another source the default one instead")
		}
		if next.IsDefault && !old.IsDefault {
			if err := s.noDefault(ctx, tx); err != nil {
				return err
			}
		}
		settings, err := json.Marshal(next.Settings)
		if err != nil {
			return fmt.Errorf("encode a source's settings: %w", err)
		}
		made, err = scan(tx.QueryRow(ctx, `
			update guarda.sources set name = $2, kind = $3, sealed_dsn = coalesce($4::bytea, sealed_dsn), host = $5, port = $6::int, database = $7,
				username = $8, is_default = $9::bool, settings = $10::jsonb, version = version + 1, updated_at = $11
			where id = $1::uuid returning `+columns,
			id, next.Name, next.Kind, c.SealedDSN, next.Host, next.Port, next.Database, next.Username, next.IsDefault, string(settings), s.clock.Now()))
		return conflict(err, next.Name)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

func apply(s source.Source, c source.Change) source.Source {
	s.Name = c.Name
	if c.Kind != "" {
		s.Kind = c.Kind
	}
	if c.Address != nil {
		s.Host, s.Port, s.Database, s.Username = c.Address.Host, c.Address.Port, c.Address.Database, c.Address.Username
	}
	if c.IsDefault != nil {
		s.IsDefault = *c.IsDefault
	}
	if c.Settings != nil {
		s.Settings = *c.Settings
	}
	return s
}

// Delete forgets a source. Its runs stay, with its name. The default one can
// go only as the last: otherwise schedules without a source would turn to a
// database that nobody chose.
func (s *Store) Delete(ctx context.Context, id string) error {
	return s.tx(ctx, "remove a source", func(tx pgx.Tx) error {
		// The lock makes a run that starts now wait, and then fail on its
		// foreign key.
		old, err := scan(tx.QueryRow(ctx, `select `+columns+` from guarda.sources where id = $1::uuid for update`, id))
		if err != nil {
			return err
		}
		var busy, others bool
		err = tx.QueryRow(ctx, `select
			exists (select from guarda.backup_executions where source_id = $1::uuid and status in ('pending', 'running')),
			exists (select from guarda.sources where id <> $1::uuid)`, id).Scan(&busy, &others)
		switch {
		case err != nil:
			return err
		case busy:
			return fault.New(fault.Conflict, "a backup of the source %s is going on", old.Name).Hint("wait for its end or cancel it, then try again")
		case old.IsDefault && others:
			return fault.New(fault.Conflict, "the source %s is the default one", old.Name).Hint("make another source the default one instead")
		}
		_, err = tx.Exec(ctx, `delete from guarda.sources where id = $1::uuid`, id)
		return err
	})
}
