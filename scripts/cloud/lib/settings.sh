# Settings: the environment, then deploy.env, then the defaults of deploy.env.example, which lists all there are.
# shellcheck shell=bash

declare -A DEFAULTS=() CHOSEN=()
PROBLEMS=()

# Reads KEY=VALUE lines into the array of that name; nothing is evaluated. Values are not repeated in complaints: they may be secrets by mistake.
read_settings() {
    local file=$1 number=0 line key value
    local -n into=$2
    while IFS= read -r line || [[ -n $line ]]; do
        number=$((number + 1))
        line=${line%$'\r'}
        [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
        if [[ ! $line =~ ^([A-Z][A-Z0-9_]*)=(.*)$ ]]; then
            PROBLEMS+=("line $number of $file is not KEY=VALUE")
            continue
        fi
        key=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
        if [[ $value =~ ^\"(.*)\"$ || $value =~ ^\'(.*)\'$ ]]; then value=${BASH_REMATCH[1]}; fi
        # shellcheck disable=SC2034 # a nameref
        into["$key"]=$value
    done <"$file"
}

load_settings() {
    local file=${DEPLOY_ENV:-deploy.env} key
    read_settings deploy.env.example DEFAULTS
    if [[ -f $file ]]; then
        read_settings "$file" CHOSEN
    elif [[ -n ${DEPLOY_ENV:-} ]]; then
        PROBLEMS+=("DEPLOY_ENV names $file, which does not exist")
    fi
    for key in "${!CHOSEN[@]}"; do
        [[ -v DEFAULTS[$key] ]] || PROBLEMS+=("$file sets $key, which is no setting; deploy.env.example has all of them")
    done
    for key in "${!DEFAULTS[@]}"; do
        export "$key=${!key-${CHOSEN[$key]-${DEFAULTS[$key]}}}"
    done
    # Another region without a word about its zone.
    [[ $ZONE != "${DEFAULTS[ZONE]}" || $REGION == "${DEFAULTS[REGION]}" ]] || ZONE=$REGION-c
    export LOCATION=${ZONE:-$REGION}
}

wrong() { PROBLEMS+=("$1=${!1}: must be $2"); }

# check KEY WHAT EXPRESSION: the value must match the whole expression; empty is for `settings` to judge.
check() { [[ -z ${!1} || ${!1} =~ ^($3)$ ]] || wrong "$1" "$2"; }

check_settings() {
    local part word='[a-z]([a-z0-9-]{0,38}[a-z0-9])?'
    check PROJECT "a project's id, such as my-project-123" '[a-z][a-z0-9-]{4,28}[a-z0-9]'
    check DOMAIN "a host name, such as jobs.example.com" '([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}'
    check REGION "a region, such as us-central1" '[a-z]+-[a-z]+[0-9]+'
    check ZONE "a zone of $REGION, or empty for a regional cluster" "$REGION-[a-z]"
    for part in CLUSTER NAMESPACE REPOSITORY IP_NAME CERTIFICATE_MAP; do
        check "$part" "up to 40 lower-case letters, digits and dashes, a letter first" "$word"
    done
    for part in NETWORK SUBNETWORK; do check "$part" "the name of a network or subnet" '[a-z]([a-z0-9-]{0,61}[a-z0-9])?'; done
    check NODE_SERVICE_ACCOUNT "6 to 30 lower-case letters, digits and dashes" '[a-z][a-z0-9-]{4,28}[a-z0-9]'
    check MACHINE_TYPE "a machine type, such as e2-small" '[a-z][a-z0-9]*(-[a-z0-9]+)+'
    check SPOT "true or false" 'true|false'
    check NAT "true or false" 'true|false'
    for part in NODES_MIN NODES_MAX; do check "$part" "a number from 1 to 1000" '[1-9][0-9]{0,2}|1000'; done
    check ON_DEMAND_NODES "a number from 0 to 99" '[0-9]{1,2}'
    check DISK_GB "a number from 12 to 65536" '1[2-9]|[2-9][0-9]|[1-9][0-9]{2,3}|[1-5][0-9]{4}|6[0-5][0-9]{3}'
    check RELEASE_CHANNEL "rapid, regular, stable or extended" 'rapid|regular|stable|extended'
    check OVERLAY "gke or gke-gateway" 'gke|gke-gateway'
    check KINDS "job types, separated by commas" "$word(,$word)*"
    check TOPIC_PREFIX "lower-case letters, digits and dashes, a letter first" '[a-z][a-z0-9-]{0,39}'
    check VALKEY_IMAGE "an image with its digest, …@sha256:…" '[a-z0-9./:_-]+@sha256:[0-9a-f]{64}'
    check REDIS_ADDRESS "an address with or without a port, such as 10.0.0.3:6379" '[0-9]{1,3}(\.[0-9]{1,3}){3}(:[0-9]{1,5})?'
    check OTEL_COLLECTOR_IMAGE "an image with its digest, …@sha256:…" '[a-z0-9./:_-]+@sha256:[0-9a-f]{64}'
    check SSL_POLICY "the name of an SSL policy" '[a-z]([a-z0-9-]{0,61}[a-z0-9])?'
    check SECURITY_POLICY "the name of a Cloud Armor policy" '[a-z]([a-z0-9-]{0,61}[a-z0-9])?'
    part='(memorystore|cloud-armor|backlog-scaling|opentelemetry|on-demand-cache)'
    check COMPONENTS "a list of memorystore, cloud-armor, backlog-scaling, opentelemetry and on-demand-cache" "$part(,$part)*"
    check PROVE_KIND "one of KINDS" "$word"
    check PROVE_PAYLOAD "JSON on one line" '\{.*\}|\[.*\]|".*"|-?[0-9.]+|true|false|null'
    for part in AUTH_JWT_PUBLIC_KEY_FILE AUTH_JWT_SECRET_FILE SERVICE_TOKEN_FILE PROVE_TOKEN_FILE; do
        [[ -z ${!part} || -r ${!part} ]] || PROBLEMS+=("$part=${!part}: there is no such file to read")
    done
}

# What goes together or not at all.
check_combinations() {
    [[ ! $NODES_MIN$NODES_MAX =~ ^[0-9]+$ ]] || ((10#$NODES_MIN <= 10#$NODES_MAX)) || wrong NODES_MAX "at least NODES_MIN, which is $NODES_MIN"
    ! has_component memorystore || need REDIS_ADDRESS "which COMPONENTS=…memorystore needs"
    ! has_component cloud-armor || need SECURITY_POLICY "which COMPONENTS=…cloud-armor needs"
    if has_component on-demand-cache && [[ $ON_DEMAND_NODES == 0 && $SPOT == true ]]; then
        wrong ON_DEMAND_NODES "at least 1 with COMPONENTS=…on-demand-cache"
    fi
    # Or all would be deployed, and the proof could never hold.
    if [[ -z $PROVE_KIND && ,$KINDS, == *,echo,* ]]; then PROVE_KIND="echo"; fi
    need PROVE_KIND "which KINDS without echo needs: the one that \`just prove\` may submit"
    [[ -z $PROVE_KIND || ,$KINDS, == *,"$PROVE_KIND",* ]] || wrong PROVE_KIND "one of KINDS, which are $KINDS"
}

has_component() { [[ ,$COMPONENTS, == *,"$1",* ]]; }
need() { [[ -n ${!1} ]] || PROBLEMS+=("$1 is not set${2:+, $2}"); }

# settings [REQUIRED...]: loads them all, and names everything that is wrong or missing at once.
settings() {
    local key
    load_settings
    for key in "$@"; do [[ -z $key ]] || need "$key"; done
    # What has a default may be chosen, but not emptied.
    for key in "${!DEFAULTS[@]}"; do
        [[ -z ${DEFAULTS[$key]} || $key == ZONE ]] || need "$key"
    done
    check_settings
    check_combinations
    ((${#PROBLEMS[@]})) || return 0
    printf '  %s\n' "${PROBLEMS[@]}" >&2
    fail "wrong or missing settings (above): ${#PROBLEMS[@]}" "write them into ${DEPLOY_ENV:-deploy.env}; deploy.env.example explains each"
}
