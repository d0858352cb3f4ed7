package pgsession

import (
	"bufio"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

const readBuffer = 128 << 10 // bytes

// LargeReads makes the connections of a configuration read from the network in
// larger pieces than the driver's 8 kB: fewer system calls for the rows of a
// COPY, for 128 kB of memory a connection.
func LargeReads(config *pgx.ConnConfig) {
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		return pgproto3.NewFrontend(bufio.NewReaderSize(r, readBuffer), w)
	}
}
