package localstack

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// machine records commands; those that begin with a key of fails end badly.
type machine struct {
	ran      []string
	fails    map[string]error
	clusters []string // answers of pg_lsclusters, one a call
}

func (m *machine) run(_ context.Context, name string, args ...string) (string, error) {
	line := strings.Join(append([]string{name}, args...), " ")
	if name == "pg_lsclusters" {
		answer := m.clusters[0]
		m.clusters = m.clusters[1:]
		return answer, nil
	}
	m.ran = append(m.ran, line)
	for prefix, err := range m.fails {
		if strings.HasPrefix(line, prefix) {
			return "", err
		}
	}
	return "", nil
}

func TestInstall(t *testing.T) {
	t.Parallel()
	none := []string{"", ""}
	update := []string{"sh -c " + noMainCluster, "apt-get update",
		"env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql"}
	sudo := []string{"apt-get --version", "sudo -n true"}
	for _, line := range update {
		sudo = append(sudo, "sudo -n "+line)
	}
	broken := errors.New("exit status 100: no route to the mirror")
	for name, tc := range map[string]struct {
		root     bool
		clusters []string
		fails    map[string]error
		want     []string
		err      error
	}{
		"root":              {true, none, nil, append([]string{"apt-get --version"}, update...), nil},
		"sudo":              {false, none, nil, sudo, nil},
		"no right":          {false, none, map[string]error{"sudo": broken}, sudo[:2], errNoPostgres},
		"no apt":            {true, none, map[string]error{"apt-get": broken}, []string{"apt-get --version"}, errNoPostgres},
		"apt fails":         {true, none, map[string]error{"apt-get update": broken}, append([]string{"apt-get --version"}, update[:2]...), broken},
		"old cluster stays": {true, []string{"15 main 5432 online\n", "15 main 5432 online\n"}, nil, append([]string{"apt-get --version"}, update...), nil},
		"new cluster stops": {true, []string{"13 main 5432 online\n", "13 main 5432 online\n15 main 5433 online\n"}, nil,
			append(append([]string{"apt-get --version"}, update...), "pg_ctlcluster 15 main stop"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &machine{fails: tc.fails, clusters: tc.clusters}
			var told bytes.Buffer
			err := installer{root: tc.root, progress: &told, run: m.run}.install(t.Context())
			require.ErrorIs(t, err, tc.err)
			require.Equal(t, tc.want, m.ran)
			require.Equal(t, tc.err != errNoPostgres, strings.Contains(told.String(), "apt-get install -y postgresql"))
		})
	}
}
