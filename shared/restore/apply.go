package restore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"guarda/shared/backup/pgsession"
	"guarda/shared/fault"
	"guarda/shared/pgcatalog"
	"guarda/shared/restore/choice"
)

const (
	schemaBatch = 200 // entries in a transaction
	deadlocks   = 20  // how often an entry is tried again
)

// schema makes what the rows need. Entries are applied in transactions of some
// hundred, which is faster than one by one and does not run out of locks.
func (x *restoration) schema(ctx context.Context) error {
	var open []string // what the transaction that is open made
	end := func() error {
		if open == nil {
			return nil
		}
		sql := x.journal.note(open...) + "commit"
		open = nil
		return pgsession.Explain(pgsession.Exec(ctx, x.conn, sql), "commit")
	}
	for e := range x.choice.In(choice.Schema) {
		if x.done(e) {
			continue
		}
		if e.NoTransaction {
			if err := end(); err != nil {
				return err
			}
			if err := x.apply(ctx, x.conn, e); err != nil {
				return err
			}
			continue
		}
		if open == nil {
			if err := pgsession.Exec(ctx, x.conn, "begin"); err != nil {
				return pgsession.Explain(err, "begin")
			}
		}
		if err := x.applyOrKeep(ctx, e); err != nil {
			return err
		}
		mark := entryMark(e.ID)
		if x.kept[e.ID] {
			mark = keptMark(e.ID)
		}
		open = append(open, mark)
		// An entry of large objects takes a lock for each of a thousand.
		if len(open) == schemaBatch || e.Kind == "BLOB" {
			if err := end(); err != nil {
				return err
			}
		}
	}
	return end()
}

// done reports whether an entry needs no work: an earlier attempt made it, or it
// belongs to something that was there and is used as it is.
func (x *restoration) done(e *pgcatalog.Entry) bool {
	if x.journal.done[entryMark(e.ID)] {
		x.progress.made.Add(1)
		return true
	}
	if x.keptTables[e.Table] {
		return true
	}
	switch e.Kind {
	case "COMMENT", "ACL", "SECURITY LABEL", "SEQUENCE SET", "SEQUENCE OWNED BY", "MATERIALIZED VIEW DATA":
		return slices.ContainsFunc(e.DependsOn, func(d int) bool { return x.kept[d] })
	}
	return false
}

// applyOrKeep makes an object, or uses the one that is there where that is
// allowed. It runs in a transaction.
func (x *restoration) applyOrKeep(ctx context.Context, e *pgcatalog.Entry) error {
	sql, err := x.statements(ctx, x.conn, e)
	if err != nil {
		return err
	}
	if !x.mayKeep(e) && e.Kind != "SECURITY LABEL" {
		return x.make(ctx, x.conn, e, sql)
	}
	if err := pgsession.Exec(ctx, x.conn, "savepoint object"); err != nil {
		return pgsession.Explain(err, "restore "+object(e))
	}
	err = pgsession.Exec(ctx, x.conn, sql)
	var pg *pgconn.PgError
	switch {
	case err == nil:
		x.progress.made.Add(1)
	case x.leftOut(e, err):
		if err := pgsession.Exec(ctx, x.conn, "rollback to object"); err != nil {
			return pgsession.Explain(err, "restore "+object(e))
		}
	case x.mayKeep(e) && errors.As(err, &pg) && slices.Contains([]string{"42P06", "42P07", "42710", "42723"}, pg.Code):
		if err := pgsession.Exec(ctx, x.conn, "rollback to object"); err != nil {
			return pgsession.Explain(err, "restore "+object(e))
		}
		x.keep(e)
	default:
		return x.stopped(err, object(e))
	}
	return pgsession.Explain(pgsession.Exec(ctx, x.conn, "release object"), "restore "+object(e))
}

func (x *restoration) keep(e *pgcatalog.Entry) {
	x.kept[e.ID] = true
	if e.Table != 0 {
		x.keptTables[e.Table] = true
	}
	if e.Kind != "SCHEMA" && e.Kind != "EXTENSION" {
		x.warn(fault.Warn("kept", choice.Display(e), "%s was there already and is used as it is", objectText(e)))
	}
}

// apply makes one object, gives it to its owner and enters it in the journal,
// in one transaction where that is possible.
func (x *restoration) apply(ctx context.Context, conn *pgx.Conn, e *pgcatalog.Entry) error {
	if x.done(e) {
		return nil
	}
	if !e.NoTransaction {
		sql, err := x.statements(ctx, conn, e)
		if err != nil {
			return err
		}
		return x.make(ctx, conn, e, sql+x.journal.note(entryMark(e.ID)))
	}
	err := x.make(ctx, conn, e, e.SQL)
	if after := e.OwnerSQL + x.journal.note(entryMark(e.ID)); err == nil && after != "" {
		err = pgsession.Exec(ctx, conn, after)
	}
	if err != nil {
		return x.stopped(err, object(e))
	}
	return nil
}

func (x *restoration) make(ctx context.Context, conn *pgx.Conn, e *pgcatalog.Entry, sql string) error {
	if err := pgsession.Exec(ctx, conn, sql); err != nil {
		return x.stopped(err, object(e))
	}
	x.progress.made.Add(1)
	return nil
}

func object(e *pgcatalog.Entry) string { return objectText(e).String() }

func objectText(e *pgcatalog.Entry) fault.Text {
	return fault.Join(" ", fault.Term(strings.ToLower(e.Kind)), fault.Term(choice.Display(e)))
}

// stopped is the error of a restore that ends at an object.
func (x *restoration) stopped(err error, object string) error {
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
	return x.wayOut(fault.New(code, "the restore stopped at %s: %s", object, pg.Message)).Because(pg)
}

// indexes makes indexes, constraints, triggers and the like with all jobs,
// each as soon as what it needs is there; then the grants.
func (x *restoration) indexes(ctx context.Context) error {
	if err := x.parallel(ctx, newSchedule(slices.Collect(x.choice.In(choice.Main)))); err != nil {
		return err
	}
	for e := range x.choice.In(choice.ACL) {
		if err := x.apply(ctx, x.conn, e); err != nil && !x.leftOut(e, err) {
			return err
		}
	}
	return nil
}

// leftOut notes what a target can do without: grants on what another version of
// the server or of an extension does not have or does not take, and labels of a
// provider that is not loaded there. No restore into that target could bring them back.
func (x *restoration) leftOut(e *pgcatalog.Entry, err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch {
	case e.Kind == "ACL" && slices.Contains([]string{"42883", "42P01", "42703", "42704", "3F000"}, pg.Code) && x.choice.OfOthers(e):
	case e.Kind == "ACL" && pg.Code == "0LP01": // on a multirange type, from 17 on
	case e.Kind == "SECURITY LABEL" && pg.Code == "22023" && strings.Contains(pg.Message, "security label provider"):
	default:
		return false
	}
	x.warn(fault.Warn("left_out", choice.Display(e), "%s is left out: %s", objectText(e), pg.Message))
	return true
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
		if err != nil && x.leftOut(e, err) {
			return nil
		}
		return err
	}
}
