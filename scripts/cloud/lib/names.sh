# Names that follow from the settings.
# shellcheck shell=bash

# kubectl gets a configuration of its own: it cannot reach another cluster by mistake, and leaves yours alone.
export KUBECONFIG=$PWD/$OUT/kubeconfig

# Every program that is a service, and `mayfly`, whose image has the operator's commands.
services() {
    local main
    printf '%s\n' gateway mayfly
    for main in crates/worker-*/src/main.rs; do
        main=${main#crates/}
        printf '%s\n' "${main%%/*}"
    done
}

registry() { printf '%s-docker.pkg.dev' "$REGION"; }
images() { printf '%s/%s/%s' "$(registry)" "$PROJECT" "$REPOSITORY"; }
node_account() { printf '%s@%s.iam.gserviceaccount.com' "$NODE_SERVICE_ACCOUNT" "$PROJECT"; }
kinds() { tr ',' '\n' <<<"$KINDS"; }

# The commit, in twelve digits: long enough to stay the only one. What was not committed cannot be found again, so it says so.
tag() {
    local commit changed
    commit=$(git rev-parse --short=12 HEAD)
    changed=$(git status --porcelain)
    if is_dry; then changed=; fi
    printf '%s%s' "$commit" "${changed:+-dirty}"
}

# Images are named after commits, which is a lie if the tree differs from its commit.
refuse_dirty_tree() {
    local changed
    changed=$(git status --porcelain)
    if [[ -n $changed ]]; then
        is_dry || { printf '%s\n' "$changed" >&2 && fail "the working tree differs from its commit (above)" "commit or stash that, then run \`${NEXT:-just $RECIPE}\` again"; }
        say "# the working tree differs from its commit: without DRY_RUN this would end here"
    fi
}

# A certificate of Certificate Manager is for its domains for ever, so each domain has its own.
certificate() { printf '%s-%s' "$CERTIFICATE_MAP" "$(cksum <<<"$DOMAIN" | cut -d ' ' -f 1)"; }

# What a service account in the cluster is called by IAM: by Workload Identity Federation, with no key and no Google account in between.
# The project's number stands in one place, its id in the other. principal NUMBER ACCOUNT [NAMESPACE]
principal() { printf 'principal://iam.googleapis.com/projects/%s/locations/global/workloadIdentityPools/%s.svc.id.goog/subject/ns/%s/sa/%s' "$1" "$PROJECT" "${3:-$NAMESPACE}" "$2"; }
