package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"omniflow/internal/localstack"
)

// folderPattern names the folders of the servers that this package starts.
const folderPattern = "omniflow-test-postgres-*"

// folder is where a server of this process lives. The lock on its file "lock"
// goes with the process: a folder whose lock is free is an orphan's.
type folder struct {
	dir  string
	lock *os.File
}

func newFolder(parent string) (*folder, error) {
	dir, err := os.MkdirTemp(parent, folderPattern)
	if err != nil {
		return nil, fmt.Errorf("make a folder for the test server: %w", err)
	}
	lock, err := os.Create(filepath.Join(dir, "lock.new"))
	if err == nil {
		err = errors.Join(
			syscall.Flock(int(lock.Fd()), syscall.LOCK_EX),
			os.Rename(lock.Name(), filepath.Join(dir, "lock")), // only now may another process try it
			os.Chmod(dir, 0o755),                               // for the account that the server runs as when we are root
		)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the folder of the test server: %w", err), os.RemoveAll(dir))
	}
	return &folder{dir: dir, lock: lock}, nil
}

func (f *folder) release() error {
	return errors.Join(os.RemoveAll(f.dir), f.lock.Close())
}

// sweep stops and removes the servers below parent whose test process is dead.
// Normally each server's guard has done that already; this is for what both
// were killed.
func sweep(ctx context.Context, parent string) error {
	dirs, err := filepath.Glob(filepath.Join(parent, folderPattern))
	if err != nil {
		return err
	}
	var faults []error
	for _, dir := range dirs {
		if orphaned(dir) {
			faults = append(faults, removeOrphan(ctx, dir))
		}
	}
	return errors.Join(faults...)
}

// orphaned reports whether nobody holds the folder's lock. A folder without one
// may be in the making, so it counts only when it is old. Folders that we may
// not read are another account's.
func orphaned(dir string) bool {
	lock, err := os.Open(filepath.Join(dir, "lock"))
	if errors.Is(err, fs.ErrNotExist) {
		info, err := os.Stat(dir)
		return err == nil && time.Since(info.ModTime()) > time.Hour
	}
	if err != nil {
		return false
	}
	defer lock.Close()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

func removeOrphan(ctx context.Context, dir string) error {
	_, err := localstack.StopAll(ctx, filepath.Join(dir, "run"))
	data, errLink := os.Readlink(filepath.Join(dir, "data"))
	if errLink == nil { // the data lies elsewhere
		err = errors.Join(err, os.RemoveAll(data))
	}
	return errors.Join(err, os.RemoveAll(dir))
}
