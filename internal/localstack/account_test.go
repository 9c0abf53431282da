package localstack

import (
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestServerAccount(t *testing.T) {
	t.Parallel()
	known := func(accounts ...string) func(string) (*user.User, error) {
		return func(name string) (*user.User, error) {
			for _, a := range accounts {
				if a == name {
					return map[string]*user.User{
						"postgres": {Uid: "101", Gid: "104"}, "nobody": {Uid: "65534", Gid: "65534"},
					}[name], nil
				}
			}
			return nil, user.UnknownUserError(name)
		}
	}
	for name, tc := range map[string]struct {
		euid   int
		lookup func(string) (*user.User, error)
		want   account
		err    string
	}{
		"not root":    {1000, known("postgres"), account{}, ""},
		"root":        {0, known("postgres", "nobody"), account{true, 101, 104}, ""},
		"no postgres": {0, known("nobody"), account{true, 65534, 65534}, ""},
		"nobody left": {0, known(), account{}, "refuses to run as root"},
		"odd ids": {0, func(string) (*user.User, error) { return &user.User{Uid: "S-1-5", Gid: "1"}, nil },
			account{}, "read the ids of account postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := serverAccount(tc.euid, tc.lookup)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

// stranger is an account that owns nothing here.
var stranger = account{other: true, uid: 3999999999, gid: 3999999999}

func TestDataFolder(t *testing.T) {
	t.Parallel()
	dir, err := realFolder(t.TempDir()) // its parent is closed to strangers
	require.NoError(t, err)

	mine, err := account{}.dataFolder(dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "data"), mine)

	elsewhere, err := stranger.dataFolder(dir)
	require.NoError(t, err)
	require.True(t, stranger.reaches(filepath.Dir(elsewhere)))
	require.NotContains(t, elsewhere, dir)
	target, err := os.Readlink(filepath.Join(dir, "data"))
	require.NoError(t, err)
	require.Equal(t, elsewhere, target)

	again, err := stranger.dataFolder(dir) // the link leads nowhere yet
	require.NoError(t, err)
	require.Equal(t, elsewhere, again, "the name is stable")
	other, err := stranger.dataFolder(t.TempDir())
	require.NoError(t, err)
	require.NotEqual(t, elsewhere, other)

	_, err = os.Stat(elsewhere)
	require.True(t, errors.Is(err, os.ErrNotExist), "nothing is made yet")
}
