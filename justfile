# The only door: `just` lists what there is.

[private]
default:
    @just --list --unsorted

# The whole system in one process at http://127.0.0.1:9000
run *ARGUMENTS:
    cargo run -- {{ ARGUMENTS }}

# Everything that must hold, installing what it needs; the same as CI
test:
    ./scripts/test

# The quick half of the tests: format, lints, repository rules
check:
    cargo fmt --all --check
    python3 scripts/tidy
    cargo clippy --workspace --all-targets -- --deny warnings

# Rust tests of one crate, or of all
test-rust CRATE="*":
    cargo test -p '{{ CRATE }}'

# Stock clients against a freshly built binary
test-clients:
    cargo build
    ./e2e/run

# Put all sources into their form
format:
    cargo fmt --all
    just --fmt

# Break everything on purpose, with real processes and stock clients; `just chaos 3 4` tells these stories only, CHAOS_SECONDS=3600 goes on for an hour
chaos *STORIES:
    cargo build --workspace
    ./e2e/chaos/run {{ STORIES }}

# A new worker crate, wired and with a passing test; `just new-job NAME --in CRATE` adds the job to an existing one
new-job NAME *OPTIONS:
    ./scripts/new-job {{ NAME }} {{ OPTIONS }}

# Optimised binaries in target/release
release:
    cargo build --release --workspace --locked

# JSON Schemas of what clients and services say
schemas:
    @cargo run --quiet -- schemas
