package localstack

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// guardScript waits on its standard input. A line means that all ended in
// order. The end of the input means that the process which held the other end
// is dead: then it stops what has a pid file in $1, kills after 5 s whatever is
// left, and removes the folders that follow.
const guardScript = `
run=$1; shift
if read -r word; then exit 0; fi
for f in "$run"/*.pid; do
  [ -f "$f" ] || continue
  { read -r pid; read -r sig; } <"$f"
  [ "$pid" -gt 1 ] && kill -"$sig" "$pid"
done
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25; do
  left=
  for f in "$run"/*.pid; do
    [ -f "$f" ] || continue
    read -r pid <"$f"
    kill -0 "$pid" && left="$left -$pid"
  done
  [ -n "$left" ] || break
  sleep 0.2
done
[ -n "$left" ] && kill -9 -- $left
rm -rf -- "$@"
`

// guard is a shell that outlives this process and clears up after its death,
// also one by SIGKILL or by the time limit of `go test`. A pipe instead of
// Linux's parent death signal, because macOS has no such signal.
type guard struct {
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

// startGuard watches over the pid files in runDir and the folders to remove.
func startGuard(runDir string, remove ...string) (*guard, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", guardScript, "guard", runDir}, remove...)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start guard: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start guard: %w", err)
	}
	return &guard{cmd: cmd, pipe: pipe}, nil
}

// dismiss ends the guard without any of its acts. A nil guard is none.
func (g *guard) dismiss() error {
	if g == nil {
		return nil
	}
	_, err := io.WriteString(g.pipe, "done\n")
	if err := errors.Join(err, g.pipe.Close(), g.cmd.Wait()); err != nil {
		return fmt.Errorf("dismiss guard: %w", err)
	}
	return nil
}
