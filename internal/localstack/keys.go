package localstack

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keyNames are the variables of keys.env.
var keyNames = [...]string{"OMNIFLOW_ENCRYPTION_KEYS", "OMNIFLOW_JWT_KEYS"}

// keys gives the secrets of the stack in dir as KEY=value: made once, kept in
// dir/keys.env, which only its owner may read and a shell can source. Losing
// the file makes what was encrypted with it unreadable.
func keys(dir string) ([]string, error) {
	path := filepath.Join(dir, "keys.env")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKeys(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read keys: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, fmt.Errorf("close keys to others: %w", err)
	}
	env := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(raw), `"`, "")), "\n")
	for i, name := range keyNames {
		if i >= len(env) || !strings.HasPrefix(env[i], name+"=") {
			return nil, fmt.Errorf("read keys: line %d of %s is not %s=…: restore the file, or remove all of %s", i+1, path, name, dir)
		}
	}
	return env, nil
}

func makeKeys(path string) ([]string, error) {
	var env []string
	var text strings.Builder
	for _, name := range keyNames {
		secret := make([]byte, 32)
		rand.Read(secret) // never fails
		value := "k1:" + base64.StdEncoding.EncodeToString(secret)
		env = append(env, name+"="+value)
		fmt.Fprintf(&text, "%s=%q\n", name, value)
	}
	if err := writeFile(path, []byte(text.String()), 0o600); err != nil {
		return nil, fmt.Errorf("write keys: %w", err)
	}
	return env, nil
}
