package pgsession

import (
	"bufio"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	connectTimeout = 15 * time.Second
	application    = "guarda"
	readBuffer     = 128 << 10 // bytes
)

// keepAlive notices in six minutes that a server is gone which nobody hears of
// any more: a COPY only reads. The driver's own asks every five minutes, nine
// times.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 30 * time.Second, Count: 10}

// Defaults gives a configuration what its connection string does not say: a
// limit to the time that connecting takes, since an address that a firewall
// hides never answers, and to that in which a lost server is waited for; a name
// by which the server's administrator knows us; and reads from the network in
// larger pieces than the driver's 8 kB, which are fewer system calls for the
// rows of a COPY, for 128 kB of memory a connection.
func Defaults(config *pgx.ConnConfig) {
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = application
	}
	config.DialFunc = (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		return pgproto3.NewFrontend(bufio.NewReaderSize(r, readBuffer), w)
	}
}
