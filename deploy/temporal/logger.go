package main

import (
	"go.temporal.io/server/common/log"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLogger makes the server's logger, which writes to stderr, and a function
// that silences it except at level debug. Stack traces, 80 lines each, are
// written at level debug only.
func newLogger(o options) (logger log.Logger, hush func()) {
	if o.logLevel == "never" {
		return log.NewNoopLogger(), func() {}
	}
	format := "console"
	if o.logFormat == "json" {
		format = "json"
	}
	z := log.BuildZapLogger(log.Config{Level: o.logLevel, Format: format})
	if o.logLevel == "debug" {
		return log.NewZapLogger(z), func() {}
	}
	level := zap.NewAtomicLevelAt(z.Level())
	z = z.WithOptions(zap.AddStacktrace(zapcore.FatalLevel), zap.IncreaseLevel(level))
	return log.NewZapLogger(z), func() { level.SetLevel(zapcore.FatalLevel) }
}
