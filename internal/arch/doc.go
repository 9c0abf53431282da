// Package arch holds the tests of the tree itself: who may import whom, what
// deterministic code may not call, and how packages, files and tests look.
package arch
