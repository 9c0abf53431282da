// Package temporaltest gives a test its own Temporal server: the program of
// deploy/temporal, in memory, on a free port, with the search attributes of our
// runs, stopped when the test ends.
package temporaltest
