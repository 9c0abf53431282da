package postgres

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Unavailable says whether err means that the database cannot be reached or
// is going down, so that the same request may succeed later.
func Unavailable(err error) bool {
	var connect *pgconn.ConnectError
	var network *net.OpError
	var server *pgconn.PgError
	switch {
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), pgconn.Timeout(err):
		return true
	case errors.As(err, &server):
		// 08 connection exception, 57P01-57P03 shutdown and start-up, 53300 too many connections.
		return strings.HasPrefix(server.Code, "08") || strings.HasPrefix(server.Code, "57P0") || server.Code == "53300"
	}
	// Neither has a type of its own.
	return err != nil && (strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "closed pool"))
}

// BadText says whether err means that a text cannot be stored: it is not
// UTF-8, or it holds a NUL.
func BadText(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.Code == "22021" || server.Code == "22P05")
}
