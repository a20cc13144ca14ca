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

# Break everything on purpose, with real processes and stock clients; `just chaos 3 4` tells these stories only, `just chaos --seconds 3600` goes on for an hour
chaos *ARGUMENTS:
    cargo build --workspace
    ./e2e/chaos/run {{ ARGUMENTS }}

# A new worker crate, wired and with a passing test; `just new-job NAME --in CRATE` adds the job to an existing one
new-job NAME *OPTIONS:
    ./scripts/new-job {{ NAME }} {{ OPTIONS }}

# Optimised binaries in target/release
release:
    cargo build --release --workspace --locked

# JSON Schemas of what clients and services say
schemas:
    @cargo run --quiet -- schemas

# What a deployment costs a month with these settings, by a table of prices with its date; `just cost 100` with 100 GB of traffic
[no-exit-message]
cost *GB:
    @./scripts/cloud/cost {{ GB }}

# From an empty Google project to an address that answers, or to the next release; goes on where it ended. Settings: deploy.env.example
[no-exit-message]
deploy:
    @./scripts/cloud/deploy

# Tools, account, services, quotas, machines, load balancer: what a deployment needs or has, and how to mend what it lacks
[no-exit-message]
doctor:
    @./scripts/cloud/doctor

# The cluster with its machines, on Spot or not
[no-exit-message]
cluster-create:
    @NEXT="just cluster-create" ./scripts/cloud/apis-enable
    @./scripts/cloud/cluster-create

# Delete the cluster and its load balancer; topics, images and the address stay
[no-exit-message]
cluster-delete:
    @./scripts/cloud/cluster-delete

# The static address, and what DNS must say
[no-exit-message]
ip-create:
    @NEXT="just ip-create" ./scripts/cloud/apis-enable
    @./scripts/cloud/ip-create

# Topics, subscriptions and who may use them
[no-exit-message]
pubsub-setup:
    @./scripts/cloud/pubsub-setup

# Random secrets, made once, and those of your own that settings name
[no-exit-message]
secrets-create:
    @./scripts/cloud/secrets-create

# Images of all services
[no-exit-message]
build:
    @./scripts/cloud/build

# Images into Artifact Registry, named after the commit; refuses a tree that differs from it
[no-exit-message]
push:
    @./scripts/cloud/push

# Ask the public address for a page, a certificate, a websocket and a job
[no-exit-message]
prove:
    @./scripts/cloud/prove

# What runs where
[no-exit-message]
status:
    @./scripts/cloud/status

# The logs of a service, `just logs worker-echo --since=1h`; without a word the gateways', and on
[no-exit-message]
logs *ARGUMENTS:
    @./scripts/cloud/logs {{ ARGUMENTS }}

# Back to the release before this one, or to the images of a commit
[no-exit-message]
rollback *COMMIT:
    @./scripts/cloud/rollback {{ COMMIT }}

# Forget the pods that preempted machines left behind
[no-exit-message]
pods-gc:
    @./scripts/cloud/pods-gc

# Take a machine's pods away and watch a client not notice; `just drill --machine` has Google preempt the machine itself
[no-exit-message]
drill *ARGUMENTS:
    @./scripts/cloud/drill {{ ARGUMENTS }}

# Delete everything that a deployment has in the project, after asking
[no-exit-message]
destroy:
    @./scripts/cloud/destroy

# Build and run every image as the cluster would, read-only and within its limits; needs a container engine
test-containers:
    ./docker/prove

# The recipes above against stand-ins of gcloud, kubectl and docker
test-recipes:
    ./scripts/cloud/tests/run
