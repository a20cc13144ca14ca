# The kinds of objects that manifests have: what must be known to a cluster before they are applied, and where `prune` looks.
# shellcheck shell=bash
# shellcheck disable=SC2034 # for those who source this

# Ways in. Of each overlay only one may hold the address and rule the gateway's Service.
INGRESS_KINDS=(ingresses.networking.k8s.io managedcertificates.networking.gke.io frontendconfigs.networking.gke.io backendconfigs.cloud.google.com)
GATEWAY_KINDS=(
    gateways.gateway.networking.k8s.io httproutes.gateway.networking.k8s.io
    gcpbackendpolicies.networking.gke.io gcpgatewaypolicies.networking.gke.io healthcheckpolicies.networking.gke.io
)
# Everything else.
OTHER_KINDS=(
    deployments.apps cronjobs.batch horizontalpodautoscalers.autoscaling poddisruptionbudgets.policy
    services serviceaccounts configmaps networkpolicies.networking.k8s.io podmonitorings.monitoring.googleapis.com
)

# The kinds that GKE's own controllers bring, one a line.
known_crds() {
    local crds
    crds=$(ask "" kubectl get customresourcedefinitions --output=name)
    printf '%s\n' "${crds//customresourcedefinition.apiextensions.k8s.io\//}"
}

# Whether a kind comes from such a controller, rather than from Kubernetes.
is_crd() { [[ $1 == *.gke.io || $1 == *.google.com || $1 == *.googleapis.com || $1 == *.gateway.networking.k8s.io ]]; }
