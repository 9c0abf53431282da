package localstack

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const tail = " 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 98765 0 0"
	for name, tc := range map[string]struct {
		line string
		want procInfo
		ok   bool
	}{
		"plain":             {"42 (api) S 7" + tail, procInfo{7, "boot/98765"}, true},
		"brackets in name":  {"42 (a) (b) Z 1) R 7" + tail, procInfo{7, "boot/98765"}, true},
		"zombie":            {"42 (api) Z 7" + tail, procInfo{}, false},
		"cut off":           {"42 (api) S 7", procInfo{}, false},
		"empty":             {"", procInfo{}, false},
		"parent no number":  {"42 (api) S x" + tail, procInfo{0, "boot/98765"}, false},
		"without any state": {"42 (api)", procInfo{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := parseStat(tc.line, "boot")
			require.Equal(t, tc.ok, ok)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestParsePS(t *testing.T) {
	t.Parallel()
	got := parsePS(`    1     0 Ss   Mon Nov  2 08:00:00 2026
  501     1 S+   Fri Nov 20 09:05:33 2026
  502   501 Z    Fri Nov 20 09:05:34 2026
 rubbish
`)
	require.Equal(t, map[int]procInfo{
		1:   {0, "Mon Nov 2 08:00:00 2026"},
		501: {1, "Fri Nov 20 09:05:33 2026"},
	}, got)
}

// What ps says of this machine and what /proc says must agree on who is whose child.
func TestPSAgreesWithProc(t *testing.T) {
	t.Parallel()
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, child.Wait())
	})
	fromPS, err := psTable()
	require.NoError(t, err)
	for _, table := range []map[int]procInfo{fromPS, processTable()} {
		require.Equal(t, os.Getpid(), table[child.Process.Pid].parent)
		require.Contains(t, descendants(table, os.Getpid()), child.Process.Pid)
		require.Contains(t, descendants(table, os.Getppid()), child.Process.Pid)
		require.NotContains(t, descendants(table, child.Process.Pid), os.Getpid())
	}
}
