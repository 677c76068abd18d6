# Everything here needs Go and a C compiler (for the race detector); make lint fetches its linter by itself.

GO        ?= go
MODULES   := . internal/bench
# The packages whose tests ask a real Consul server.
CONSUL    := ./internal/consultest ./discovery/consul ./examples/consul
LINTER    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME  ?= 5s
TIMEOUT   ?= 20m
BENCHARGS ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# Where the Consul server is goes into the environment, because go test would else take what it remembers of a run without
# one for the result with it.
.PHONY: test
test: ## run every test with the race detector; those against Consul where test-consul has built it
	@server=$$(cd internal/consultool && $(GO) run . -check 2>/dev/null); \
	echo "$(GO) test -race ./..."; \
	INTRAMESH_TEST_CONSUL="$${INTRAMESH_TEST_CONSUL:-$$server}" $(GO) test -race -timeout $(TIMEOUT) ./...
	@cd internal/consultool && $(GO) run . -check >/dev/null

.PHONY: test-consul
test-consul: ## build a Consul server where there is none, and run the tests against it
	@server=$$(cd internal/consultool && $(GO) run .) && \
	echo "$(GO) test -race $(CONSUL), against $$server" && \
	INTRAMESH_TEST_CONSUL="$$server" $(GO) test -race -count=1 -timeout $(TIMEOUT) $(CONSUL)

.PHONY: bench
bench: ## compare with plain net/http and grpc-go; BENCHARGS=-h shows the flags
	@cd internal/bench && $(GO) run . $(BENCHARGS)

.PHONY: bench-consul
bench-consul: ## measure discovery by Consul against a real server, in 4 minutes
	@server=$$(cd internal/consultool && $(GO) run .) && \
		INTRAMESH_TEST_CONSUL="$$server" $(GO) test ./discovery/consul -count 1 -timeout 20m -run 'TestFigures$$' -figures -v

.PHONY: lint
lint: ## gofmt, go vet and golangci-lint, in every module
	@out=$$(gofmt -l .); if [ -n "$$out" ]; then echo "not formatted:"; echo "$$out"; exit 1; fi
	@for m in $(MODULES) internal/consultool; do \
		echo "lint $$m"; \
		(cd $$m && $(GO) vet ./... && $(GO) run $(LINTER) run --config $(CURDIR)/.golangci.yml ./...) || exit 1; \
	done

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (5s)
	@GO=$(GO) .ci/fuzz $(FUZZTIME)

.PHONY: api
api: ## write down the exported API anew, after a change that is meant
	$(GO) test ./internal/repotest -run TestAPI -update
	@git diff --stat -- internal/repotest/testdata/api.txt

.PHONY: fmt
fmt: ## format the code
	gofmt -w .

# internal/consultool is left out: tidying it would ask for the tests of all that Consul needs.
.PHONY: tidy
tidy: ## make go.mod and go.sum say what is used, in every module
	@for m in $(MODULES); do (cd $$m && $(GO) mod tidy) || exit 1; done

.PHONY: cover
cover: ## measure which code the tests run, across packages
	$(GO) test -coverpkg=./... -coverprofile=cover.out ./...
	$(GO) tool cover -func=cover.out | tail -n 1
