// Package truth judges a broadcast by what the providers really delivered: it
// asks the simulators for their books and holds our ledger against them. The
// demo and the end-to-end tests share it.
package truth
