"""Pod Security `restricted`, and what it leaves open."""

from manifests import annotations
from problem import rule

# Above what a node's own users have.
HIGH_ID = 10_000
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


@rule
def restricted_namespace(manifests, _):
    for namespace in manifests.of("Namespace"):
        level = (namespace["metadata"].get("labels") or {}).get("pod-security.kubernetes.io/enforce")
        if level != "restricted":
            yield namespace["metadata"]["name"], f"enforces {level}, not `restricted`"
        if (namespace["metadata"].get("labels") or {}).get("pod-security.kubernetes.io/warn") != "restricted":
            yield namespace["metadata"]["name"], "does not warn: a Deployment that breaks the level is accepted without a word, and makes no pods"
    if len(manifests.of("Namespace")) != 1:
        yield "Namespace", "there must be one, which carries the Pod Security level"


@rule
def one_namespace(manifests, _):
    """Cluster-wide kinds aside, all is in the namespace that exists; `default` has no Pod Security level."""
    ours = {namespace["metadata"]["name"] for namespace in manifests.of("Namespace")}
    for item in manifests.objects:
        if item["kind"] != "Namespace" and item["metadata"].get("namespace") not in ours:
            yield f"{item['kind']}/{item['metadata']['name']}", f"is in namespace {item['metadata'].get('namespace')}, not in {ours}"


@rule
def restricted_pod(manifests, _):
    for workload in manifests.workloads():
        pod, context = workload.pod, workload.pod.get("securityContext", {})
        own = workload.container.get("securityContext", {})
        if not own.get("runAsNonRoot", context.get("runAsNonRoot")) or context.get("runAsNonRoot") is False:
            yield workload, "may run as root: the namespace refuses its pods"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield workload, "has no seccompProfile RuntimeDefault: the namespace refuses its pods"
        if own.get("allowPrivilegeEscalation") is not False:
            yield workload, "allows privilege escalation: the namespace refuses its pods"
        if own.get("capabilities", {}).get("drop") != ["ALL"] or own["capabilities"].get("add"):
            yield workload, "keeps capabilities: the namespace refuses its pods"
        if own.get("privileged") or any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
            yield workload, "is privileged or shares the host's namespaces: the namespace refuses its pods"
        for volume in pod.get("volumes", []):
            if not set(volume) - {"name"} <= VOLUMES:
                yield workload, f"volume {volume['name']} is of a kind that the namespace refuses"


@rule
def read_only_root(manifests, _):
    for workload in manifests.workloads():
        if not workload.container.get("securityContext", {}).get("readOnlyRootFilesystem"):
            yield workload, "can write to its root file system"


@rule
def high_user(manifests, _):
    for workload in manifests.workloads():
        for key in ("runAsUser", "runAsGroup"):
            contexts = (workload.pod.get("securityContext", {}), workload.container.get("securityContext", {}))
            ids = [context[key] for context in contexts if key in context]
            if not ids or min(ids) <= HIGH_ID:
                yield workload, f"{key} is {ids or 'not set'}; above {HIGH_ID} it is nobody's on the node"


@rule
def no_kubernetes_token(manifests, _):
    """Google's tokens come from the metadata server, so nothing here needs one of Kubernetes."""
    for account in manifests.of("ServiceAccount"):
        if account.get("automountServiceAccountToken") is not False:
            yield f"ServiceAccount/{account['metadata']['name']}", "automountServiceAccountToken must be false"
        if "iam.gke.io/gcp-service-account" in annotations(account):
            yield f"ServiceAccount/{account['metadata']['name']}", "is bound to a Google service account; roles are bound to the account itself"
    for workload in manifests.workloads():
        if workload.pod.get("automountServiceAccountToken") is not False:
            yield workload, "automountServiceAccountToken must be false"


@rule
def no_service_links(manifests, _):
    """A Service `redis` would set REDIS_PORT=tcp://… in every pod, which our binaries would read."""
    for workload in manifests.workloads():
        if workload.pod.get("enableServiceLinks") is not False:
            yield workload, "enableServiceLinks must be false"


@rule
def one_container(manifests, _):
    for workload in manifests.workloads():
        if len(workload.pod.get("containers", [])) != 1 or workload.pod.get("initContainers"):
            yield workload, "has not just one container, which the other rules look at"
