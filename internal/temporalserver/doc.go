// Package temporalserver builds deploy/temporal, the Temporal server that tests
// and the local stack run, and knows which search attributes it needs.
package temporalserver
