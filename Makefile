# omniflow. `make` alone lists the targets.
.DEFAULT_GOAL := help
export GOTOOLCHAIN := local
TOOL := go tool -modfile=$(CURDIR)/internal/tools/go.mod

.PHONY: help demo up down build test check lint e2e chaos groups bench bench-full bench-conversations histories clean compiler

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## watch a broadcast leave through four channels (DEMO_RECIPIENTS=5000, KEEP=1 leaves the stack running)
	@go run ./internal/demo demo

up: ## start the local stack: PostgreSQL, Temporal with UI, simulators, api, worker
	@go run ./internal/demo up

down: ## stop everything that make up or make demo started
	@go run ./internal/demo down

build: ## build worker, api, starter, simulator and the Temporal server into .local/bin
	@go run ./internal/demo build

test: compiler ## run every test, unit to end to end, on its own PostgreSQL and Temporal
	@go run ./internal/demo build
	go test -race -shuffle=on -timeout 25m ./...
	cd deploy/temporal && CGO_ENABLED=0 go test -shuffle=on ./...

check: lint test ## what continuous integration runs: lint, then test

lint: ## gofmt, go vet, staticcheck, workflowcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) workflowcheck ./workflows/...
	cd deploy/temporal && CGO_ENABLED=0 go vet ./...

e2e: compiler ## run only the end-to-end tests: the built programs, killed in mid-broadcast
	@go run ./internal/demo build
	go test -race -shuffle=on -timeout 25m -v ./internal/e2e/...

chaos: ## kill 20 processes during a broadcast to 20,000 on the providers' worst day, 12 while 500 conversations talk (E2E_RECIPIENTS, E2E_KILLS, E2E_CONVERSATIONS, E2E_CONVERSATION_KILLS; E2E_SEED repeats a run)
	E2E_RECIPIENTS=$${E2E_RECIPIENTS:-20000} E2E_KILLS=$${E2E_KILLS:-20} go test -count=1 -timeout 60m -v -run '^TestKills$$' ./internal/e2e
	E2E_CONVERSATIONS=$${E2E_CONVERSATIONS:-500} E2E_CONVERSATION_KILLS=$${E2E_CONVERSATION_KILLS:-12} go test -count=1 -timeout 60m -v -run '^TestConversationsSurvive$$' ./internal/e2e

groups: ## ask for 1,000 WhatsApp groups of one number at once, each with a member who joins (E2E_GROUPS; E2E_GROUP_CALLS a minute that the provider takes)
	E2E_GROUPS=$${E2E_GROUPS:-1000} go test -count=1 -timeout 30m -v -run '^TestManyGroups$$' ./internal/e2e

bench: ## measure the budgets: throughput beside a bare loop and peers, cost, limits, kills (a table and bench.json)
	@go run ./internal/bench

bench-full: ## bench, and 1,000,000 recipients beside 10,000
	@go run ./internal/bench -full

bench-conversations: ## measure 100,000 open conversations on Temporal with PostgreSQL (OPEN=100000)
	@go run ./internal/bench -only conversations -open $${OPEN:-100000}

histories: ## record the histories that the replay test runs anew (only after an intended change of a workflow)
	go test -count=1 -run "EX001|EX003|Crash|IsChanged" ./worker -record-groups
	go test -run TestRecordHistories ./internal/e2e/... -record

clean: down ## stop the stack and remove everything it made, but the built Temporal server
	@find .local -mindepth 1 -maxdepth 1 ! -name bin -exec rm -rf {} + 2>/dev/null || true

# The race detector needs a C compiler.
compiler:
	@command -v cc >/dev/null || command -v gcc >/dev/null || { \
	  echo "No C compiler: the race detector needs one."; \
	  if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq gcc libc6-dev; \
	  else echo "Install gcc (Debian: sudo apt-get install gcc libc6-dev; macOS: xcode-select --install), then try again."; exit 1; fi; }
