# What several recipes ask of Google, and what they make sure of.
# shellcheck shell=bash

# Members of a policy, one `role,member` a line: policy_of pubsub topics get-iam-policy NAME
policy_of() { ask "" gcloud "$@" --project="$PROJECT" '--flatten=bindings[].members' '--format=csv[no-heading](bindings.role,bindings.members)'; }

# The service account that machines run as. Without one of their own they would get the project's default, an editor of everything.
ensure_node_account() {
    local accounts
    accounts=$(ask "" gcloud iam service-accounts list --project="$PROJECT" '--format=value(email)')
    has_line "$accounts" "$(node_account)" ||
        change gcloud iam service-accounts create "$NODE_SERVICE_ACCOUNT" --project="$PROJECT" --display-name=mayfly-nodes
}

# True if machines without addresses reach Google's own services.
private_access() { ask "" gcloud compute networks subnets describe "$SUBNETWORK" --region="$REGION" --project="$PROJECT" '--format=value(privateIpGoogleAccess)'; }

# cluster_status: RUNNING and the like; empty if there is none.
cluster_status() { ask "" gcloud container clusters list --project="$PROJECT" --location="$LOCATION" --filter="name=$CLUSTER" '--format=value(status)'; }

# Other installations in this cluster, by their namespaces, one a line. A cluster in ERROR cannot be asked.
neighbours() {
    local status found
    status=$(cluster_status)
    if ! is_dry && [[ -z $status || $status == ERROR ]]; then return 0; fi
    connect
    found=$(ask "" kubectl get namespaces --selector=app.kubernetes.io/part-of=mayfly --output=name)
    awk -F / -v ours="$NAMESPACE" '$2 && $2 != ours { print $2 }' <<<"$found"
}

# Lets kubectl talk to the cluster, through the endpoint that needs no public address of it.
connect() {
    if [[ -s $KUBECONFIG ]] && grep -q "^current-context: gke_${PROJECT}_${LOCATION}_${CLUSTER}\$" "$KUBECONFIG"; then return; fi
    change gcloud container clusters get-credentials "$CLUSTER" --project="$PROJECT" --location="$LOCATION" --dns-endpoint
}

# Whether something answers for the external metrics that backlog scaling asks for: True, or anything else.
external_metrics() { ask True kubectl get apiservice v1beta1.external.metrics.k8s.io --ignore-not-found '--output=jsonpath={.status.conditions[?(@.type=="Available")].status}'; }

address() { ask "${1-}" gcloud compute addresses list --project="$PROJECT" --global --filter="name=$IP_NAME" '--format=value(address)'; }

# The words of a proof by `mayfly prove`, in `proof`: proof_of IMAGE ADDRESS OPTION...
# A token comes by the environment: command lines can be seen by everybody on this machine.
proof_of() {
    proof=(docker run --rm --env="PROVE_KIND=$PROVE_KIND")
    [[ -z $PROVE_PAYLOAD ]] || proof+=(--env="PROVE_PAYLOAD=$PROVE_PAYLOAD")
    [[ -z $PROVE_TOKEN_FILE ]] || proof+=(--env=PROVE_TOKEN)
    proof+=("$1" prove "https://$DOMAIN" --address "$2" "${@:3}")
}
# Becomes the proof: for a subshell, so that its process id is docker's.
exec_proof() {
    set +x
    if [[ -n $PROVE_TOKEN_FILE ]]; then
        PROVE_TOKEN=$(<"$PROVE_TOKEN_FILE")
        export PROVE_TOKEN
    fi
    exec "${proof[@]}"
}

# Lets docker read and write the repository.
registry_login() {
    local host config=${DOCKER_CONFIG:-$HOME/.docker}/config.json
    host=$(registry)
    if [[ -f $config ]] && grep -q "\"$host\"" "$config"; then return; fi
    change gcloud auth configure-docker "$host"
}

# Deletes the certificates of the map and their entries, except of the domain that is kept: drop_certificates [CERTIFICATE]
drop_certificates() {
    local kept=${1:-} name maps entries='' certificates
    local some=$CERTIFICATE_MAP-DOMAIN
    maps=$(ask "$CERTIFICATE_MAP" gcloud certificate-manager maps list --project="$PROJECT" '--format=value(name.basename())')
    ! has_line "$maps" "$CERTIFICATE_MAP" || entries=$(ask "$some" gcloud certificate-manager maps entries list --map="$CERTIFICATE_MAP" --project="$PROJECT" '--format=value(name.basename())')
    certificates=$(ask "$some" gcloud certificate-manager certificates list --project="$PROJECT" '--format=value(name.basename())')
    for name in $entries; do
        [[ -n $kept && $name == "$kept" ]] || change_patiently gcloud certificate-manager maps entries delete "$name" --map="$CERTIFICATE_MAP" --project="$PROJECT"
    done
    if [[ -z $kept ]] && has_line "$maps" "$CERTIFICATE_MAP"; then change_patiently gcloud certificate-manager maps delete "$CERTIFICATE_MAP" --project="$PROJECT"; fi
    for name in $certificates; do
        if [[ $name == "$kept" || ! $name =~ ^$CERTIFICATE_MAP-([0-9]+|DOMAIN)$ ]]; then continue; fi
        change_patiently gcloud certificate-manager certificates delete "$name" --project="$PROJECT"
    done
}

# What the repository has of a commit, one `IMAGE@DIGEST` a line: pushed_images TAG
pushed_images() {
    local all
    all=$(ask "" gcloud artifacts docker images list "$(images)" --project="$PROJECT" --include-tags '--format=value(package,version,tags)')
    awk -F '\t' -v tag="$1" '{ n = split($3, tags, /[;, ]+/); for (i = 1; i <= n; i++) if (tags[i] == tag) print $1 "@" $2 }' <<<"$all"
}

repository_exists() {
    local names
    names=$(ask "" gcloud artifacts repositories list --project="$PROJECT" --location="$REGION" '--format=value(name.basename())')
    has_line "$names" "$REPOSITORY" && printf yes
    return 0
}

# What the installed gcloud does not understand of all the commands of a deployment.
misunderstood_at_all() { DRY_RUN=1 DOMAIN=${DOMAIN:-mayfly.example.com} "$CLOUD/deploy" | sed -n 's/^[+?] \(gcloud \)/\1/p' | sort -u | misunderstood; }

# Lets the installed gcloud judge commands, one a line, without running them: prints in one line what it does not understand.
misunderstood() {
    local line file answer list=
    while IFS= read -r line; do
        line=${line//\\/\\\\}
        list+="${list:+,}{\"command_string\":\"${line//\"/\\\"}\"}"
    done
    file=$(mktemp)
    printf '[%s]' "$list" >"$file"
    answer=$(gcloud meta lint-gcloud-commands --commands-file="$file" 2>/dev/null) || answer='"error_message": "this gcloud cannot check commands"'
    rm -f "$file"
    tr ',' '\n' <<<"$answer" | sed -n 's/^ *"error_message": "\([^"]*\).*/\1/p' | sed 's/ *\\n.*//' | sort -u | paste -s -d ';' -
}
