// Package omniflow is the domain: nouns, states, permission matrix, windows,
// content rules, codes and texts of the specification, as tables and pure
// functions. It does no I/O and reads no clock: the time comes as argument.
//
// A rule that is checked twice (D-SYS-00), at the API's door and again when
// it takes effect, is written here once and called from both places. Rule ids
// such as BRD-05 are those of the specification.
package omniflow
