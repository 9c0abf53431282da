// Package media keeps the files that messages carry: their bytes in a blob
// store, what they are by their bytes and name, smaller pictures where a
// channel wants them, and the public addresses from which providers fetch.
package media
