package restore

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
)

// pass is when an entry is applied.
type pass int

const (
	passSchema pass = iota // before the rows, one by one
	passData               // sequences' values, after the rows
	passMain               // in parallel
	passACL                // one by one: two grants on one object at a time fail
	passLast               // what runs the users' code or would fire during the restore
)

// passes says when each entry is applied, by its ID. What needs an entry of the
// last pass (the comment on an event trigger) is of the last pass too.
func passes(entries []pgcatalog.Entry) map[int]pass {
	of := make(map[int]pass, len(entries))
	for i := range entries {
		e := &entries[i]
		of[e.ID] = passOf(e)
		for _, d := range e.DependsOn {
			if of[d] == passLast {
				of[e.ID] = passLast
			}
		}
	}
	return of
}

func passOf(e *pgcatalog.Entry) pass {
	switch {
	case isACL(e):
		return passACL
	case e.Kind == "MATERIALIZED VIEW DATA" || e.Kind == "EVENT TRIGGER":
		return passLast
	case e.Section == pgcatalog.PreData:
		return passSchema
	case e.Section == pgcatalog.Data:
		return passData
	default:
		return passMain
	}
}

func isACL(e *pgcatalog.Entry) bool { return e.Kind == "ACL" || e.Kind == "DEFAULT ACL" }

const (
	schemaBatch = 200 // entries in a transaction
	deadlocks   = 20  // how often an entry is tried again
)

// schema makes what the rows need. Entries are applied in transactions of some
// hundred, which is faster than one by one and does not run out of locks.
func (x *restoration) schema(ctx context.Context) error {
	open := 0
	end := func() error {
		if open == 0 {
			return nil
		}
		open = 0
		return pgsession.Explain(pgsession.Exec(ctx, x.conn, "commit"), "commit")
	}
	for i := range x.entries {
		e := &x.entries[i]
		if x.pass[e.ID] != passSchema {
			continue
		}
		if e.NoTransaction || open == schemaBatch {
			if err := end(); err != nil {
				return err
			}
		}
		if open == 0 && !e.NoTransaction {
			if err := pgsession.Exec(ctx, x.conn, "begin"); err != nil {
				return pgsession.Explain(err, "begin")
			}
		}
		if err := x.apply(ctx, x.conn, e); err != nil {
			return err
		}
		if !e.NoTransaction {
			open++
		}
	}
	return end()
}

// apply makes one object and gives it to its owner.
func (x *restoration) apply(ctx context.Context, conn *pgx.Conn, e *pgcatalog.Entry) error {
	sql := e.SQL
	if !x.NoOwner && !e.NoTransaction {
		sql += e.OwnerSQL
	}
	err := pgsession.Exec(ctx, conn, sql)
	if err == nil && !x.NoOwner && e.NoTransaction && e.OwnerSQL != "" {
		err = pgsession.Exec(ctx, conn, e.OwnerSQL)
	}
	if err != nil {
		return stopped(err, strings.ToLower(e.Kind)+" "+display(e))
	}
	x.progress.made.Add(1)
	return nil
}

func display(e *pgcatalog.Entry) string {
	if e.Schema == "" {
		return e.Name
	}
	return e.Schema + "." + e.Name
}

// stopped is the error of a restore that ends at an object.
func stopped(err error, object string) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return pgsession.Explain(err, "restore "+object)
	}
	code := fault.Internal
	switch {
	case pg.Code == "42501":
		code = fault.Forbidden
	case strings.HasPrefix(pg.Code, "53"):
		code = fault.Exhausted
	case strings.HasPrefix(pg.Code, "57P"), strings.HasPrefix(pg.Code, "08"):
		code = fault.Unavailable
	}
	return fault.New(code, "the restore stopped at %s: %s", object, pg.Message).
		Hint("the target holds part of the backup: remove the cause, drop the database, and restore again").Because(pg)
}

// indexes makes indexes, constraints, triggers and the like with all jobs,
// each as soon as what it needs is there; then the grants.
func (x *restoration) indexes(ctx context.Context) error {
	var main []*pgcatalog.Entry
	for i := range x.entries {
		if e := &x.entries[i]; x.pass[e.ID] == passMain {
			main = append(main, e)
		}
	}
	if err := x.parallel(ctx, newSchedule(main)); err != nil {
		return err
	}
	for i := range x.entries {
		if e := &x.entries[i]; x.pass[e.ID] == passACL {
			if err := x.apply(ctx, x.conn, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (x *restoration) parallel(ctx context.Context, s *schedule) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	go func() {
		<-ctx.Done()
		s.stop()
	}()
	var group sync.WaitGroup
	for range min(x.Jobs, s.size) {
		group.Go(func() {
			conn, err := x.connect(ctx)
			if err != nil {
				fail(err)
				return
			}
			defer func() { pgsession.Close(ctx, conn) }()
			for e := s.next(); e != nil; e = s.next() {
				if err := x.applyAlongside(ctx, conn, e); err != nil {
					fail(err)
					return
				}
				s.done(e)
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// applyAlongside is apply, again after a deadlock with another job: adding a
// foreign key locks two tables, and two jobs may want the same two.
func (x *restoration) applyAlongside(ctx context.Context, conn *pgx.Conn, e *pgcatalog.Entry) error {
	for try := 1; ; try++ {
		err := x.apply(ctx, conn, e)
		var pg *pgconn.PgError
		if try < deadlocks && errors.As(err, &pg) && (pg.Code == "40P01" || pg.Code == "XX000" && strings.Contains(pg.Message, "concurrently updated")) {
			continue
		}
		return err
	}
}
