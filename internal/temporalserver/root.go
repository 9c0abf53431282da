package temporalserver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// Root returns the folder of the module omniflow that dir lies in, or an error
// where it lies in none.
func Root(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the module omniflow: %w", err)
	}
	for folder := start; ; folder = filepath.Dir(folder) {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte("module omniflow\n")) {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("find the module omniflow: %s is in no folder of it", start)
		}
	}
}
