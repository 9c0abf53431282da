package localstack

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who runs PostgreSQL: we, or, because the server refuses to run as
// root, somebody else.
type account struct {
	other    bool // false: we ourselves; the ids are unset
	uid, gid uint32
}

// serverAccount picks postgres, or nobody where that account does not exist,
// when euid is root's.
func serverAccount(euid int, lookup func(name string) (*user.User, error)) (account, error) {
	if euid != 0 {
		return account{}, nil
	}
	var faults []error
	for _, name := range []string{"postgres", "nobody"} {
		u, err := lookup(name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return account{}, fmt.Errorf("read the ids of account %s: %w", name, err)
		}
		return account{other: true, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return account{}, fmt.Errorf("PostgreSQL refuses to run as root and no account postgres or nobody exists: %w", errors.Join(faults...))
}

func (a account) credential() *syscall.Credential {
	if !a.other {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid}
}

// own gives path to the account.
func (a account) own(path string) error {
	if !a.other {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// reaches reports whether the account may pass through dir and every folder
// above it.
func (a account) reaches(dir string) bool {
	if !a.other {
		return true
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	for {
		info, err := os.Stat(real)
		if err != nil || !a.passes(info) {
			return false
		}
		if real == filepath.Dir(real) {
			return true
		}
		real = filepath.Dir(real)
	}
}

func (a account) passes(info fs.FileInfo) bool {
	mode, st := info.Mode().Perm(), info.Sys().(*syscall.Stat_t)
	switch {
	case st.Uid == a.uid:
		return mode&0o100 != 0
	case st.Gid == a.gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}

// dataFolder gives the place of the cluster's data: dir/data, unless the account
// cannot reach it. Then the data lies in a folder whose name is a hash of dir,
// and dir/data is a symbolic link to it. Whoever removes the link, or dir,
// removes the cluster: data without its link is not taken over.
func (a account) dataFolder(dir string) (string, error) {
	link := filepath.Join(dir, "data")
	if target, err := filepath.EvalSymlinks(link); err == nil {
		return target, nil
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("remove a link to no data: %w", err)
	}
	if a.reaches(dir) {
		return link, nil
	}
	for _, parent := range []string{"/var/tmp", os.TempDir()} {
		if !a.reaches(parent) {
			continue
		}
		data := filepath.Join(parent, fmt.Sprintf("omniflow-postgres-%x", sha256.Sum256([]byte(dir)))[:40])
		if err := os.RemoveAll(data); err != nil {
			return "", fmt.Errorf("remove data without its link: %w", err)
		}
		if err := os.Symlink(data, link); err != nil {
			return "", fmt.Errorf("link to the data: %w", err)
		}
		return data, nil
	}
	return "", fmt.Errorf("account %d can reach neither %s nor /var/tmp nor %s", a.uid, dir, os.TempDir())
}
