package backupstore

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"guarda/shared/execution"
	"guarda/shared/postgres"
)

const filesPerStatement = 5000

func insertFiles(ctx context.Context, tx pgx.Tx, id string, files []execution.File) error {
	for batch := range slices.Chunk(files, filesPerStatement) {
		var paths, types []string
		var sizes []int64
		var sums, urls []*string
		var compressed []bool
		for _, f := range batch {
			paths, types, sizes = append(paths, f.Path), append(types, f.Type), append(sizes, f.SizeBytes)
			sums, urls, compressed = append(sums, f.Checksum), append(urls, f.CloudURL), append(compressed, f.Compressed)
		}
		_, err := tx.Exec(ctx, `
			insert into guarda.backup_files (execution_id, file_path, file_type, size_bytes, checksum, compressed, cloud_url)
			select $1::text::uuid, * from unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::boolean[], $7::text[])`,
			id, paths, types, sizes, sums, compressed, urls)
		if err != nil {
			return err
		}
	}
	return nil
}

// Files returns up to limit files of a run whose path comes after one ("" is
// the beginning), by path.
func (s *Store) Files(ctx context.Context, id, after string, limit int) ([]execution.File, error) {
	rows, err := s.db.Query(ctx, `
		select file_path, file_type, size_bytes, checksum, compressed, cloud_url from guarda.backup_files
		where execution_id = $1::text::uuid and file_path collate "C" > $2::text order by file_path collate "C" limit $3::int`, id, after, limit)
	if err != nil {
		return nil, postgres.Explain(err, "list the files of a run")
	}
	files, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f execution.File, err error) {
		err = row.Scan(&f.Path, &f.Type, &f.SizeBytes, &f.Checksum, &f.Compressed, &f.CloudURL)
		return f, err
	})
	return files, postgres.Explain(err, "list the files of a run")
}
