// Package customercsv reads files of customers, such as a shop exports them:
// one customer on one channel a row, found by column names. It streams: rows
// come one by one, and only their keys are kept, to tell duplicates.
//
// A file that cannot be trusted as a whole is refused (csv_invalid,
// csv_column_missing). A row that cannot be used is rejected, and the rest of
// the file goes on. An Issue says where and why, and never repeats what a cell
// holds.
package customercsv
