package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"omniflow/internal/progress"
)

// stalledAfter is how long a count may stand still before a scenario gives up.
const stalledAfter = 2 * time.Minute

// progress shows how many conversations of the crowd are so, until n are: a bar
// on a terminal, a line every ten seconds elsewhere.
func (c *crowd) progress(ctx context.Context, what string, n int, where string) error {
	var bar *mpb.Bar
	if progress.Terminal(c.out) {
		bars := mpb.NewWithContext(ctx, mpb.WithOutput(c.out))
		bar = bars.AddBar(int64(n), mpb.PrependDecorators(decor.Name(what+" ")), mpb.AppendDecorators(decor.CountersNoUnit("%d of %d")))
		defer bars.Wait()
		defer bar.Abort(false)
	}
	said, moved, last := time.Now(), time.Now(), -1
	for {
		var now int
		if err := c.db.QueryRow(ctx, `SELECT count(*) FROM conversations WHERE team_id = $1 AND `+where, c.teamID).Scan(&now); err != nil {
			return fmt.Errorf("count conversations: %w", err)
		}
		if now != last {
			last, moved = now, time.Now()
		}
		switch {
		case bar != nil:
			bar.SetCurrent(int64(now))
		case time.Since(said) > 10*time.Second:
			said = time.Now()
			c.say("%s of %s %s", number(float64(now)), number(float64(n)), what)
		}
		if now >= n {
			return nil
		}
		if time.Since(moved) > stalledAfter {
			return fmt.Errorf("only %d of %d %s", now, n, what)
		}
		if err := pause(ctx, max(250*time.Millisecond, time.Duration(n)*20*time.Microsecond)); err != nil { // the count costs too
			return err
		}
	}
}
