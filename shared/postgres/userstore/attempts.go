package userstore

import (
	"context"
	"time"

	"guarda/shared/auth"
	"guarda/shared/postgres"
)

// Attempt counts a sign-in of a subject unless it is blocked, and returns
// until when it is. One statement, so that many at once are all counted. The
// attempt that reaches the limit is still let through; the next one waits.
func (s *Store) Attempt(ctx context.Context, subject [32]byte, l auth.Limit, now time.Time) (time.Time, error) {
	var until *time.Time
	err := s.db.QueryRow(ctx, `
		with old as (
			select blocked_until from guarda.login_failures where subject = $1 for update
		), counted as (
			insert into guarda.login_failures as f (subject, failures, window_start, blocked_until)
			select $1, 1, $2::timestamptz, null
			where not exists (select from old where blocked_until > $2::timestamptz)
			on conflict (subject) do update set
				failures = case when greatest(f.window_start, f.blocked_until) < $3::timestamptz then 1 else f.failures + 1 end,
				window_start = case when greatest(f.window_start, f.blocked_until) < $3::timestamptz then $2::timestamptz else f.window_start end,
				blocked_until = case
					when greatest(f.window_start, f.blocked_until) < $3::timestamptz or f.failures + 1 < $4::int then null
					else $2::timestamptz + least($5::float8 * power(2, least(f.failures + 1 - $4::int, 20)), $6::float8) * interval '1 second' end
		)
		select max(blocked_until) from old where blocked_until > $2::timestamptz`,
		subject[:], now, now.Add(-l.Window), l.Attempts, l.Block.Seconds(), l.MaxBlock.Seconds()).Scan(&until)
	if err != nil || until == nil {
		return time.Time{}, postgres.Explain(err, "count the attempt to sign in")
	}
	return *until, nil
}

// Succeeded takes back one counted attempt, or all of them, and clears away
// what is old.
func (s *Store) Succeeded(ctx context.Context, subject [32]byte, forget bool, now time.Time) error {
	sql, args := `update guarda.login_failures set failures = greatest(failures - 1, 0), blocked_until = null where subject = $1`, []any{subject[:]}
	if forget {
		sql, args = `delete from guarda.login_failures where subject = $1 or window_start < $2::timestamptz`, append(args, now.AddDate(0, 0, -1))
	}
	_, err := s.db.Exec(ctx, sql, args...)
	return postgres.Explain(err, "forget the attempts to sign in")
}
