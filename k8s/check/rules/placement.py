"""Where pods go: Spot with a fallback, and spread."""

from manifests import matches
from problem import rule

SPOT = "cloud.google.com/gke-spot"
HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def tolerates_spot(pod):
    return any(
        toleration.get("key") == SPOT and toleration.get("effect") in (None, "NoSchedule")
        and (toleration.get("operator") == "Exists" or toleration.get("value") == "true")
        for toleration in pod.get("tolerations", [])
    )


def node_terms(pod, kind):
    affinity = pod.get("affinity", {}).get("nodeAffinity", {})
    if kind == "preferred":
        return [term["preference"].get("matchExpressions", []) for term in affinity.get("preferredDuringSchedulingIgnoredDuringExecution", [])]
    return [term.get("matchExpressions", []) for term in affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", [])]


def stays_off_spot(pod):
    terms = node_terms(pod, "required")
    return bool(terms) and all(any(part["key"] == SPOT and part["operator"] in ("DoesNotExist", "NotIn") for part in term) for term in terms)


def by_name(term, workload):
    """Whether a spread or an affinity is about this workload's pods and no others."""
    key = "app.kubernetes.io/name"
    return key in term.get("matchLabelKeys", []) or term.get("labelSelector", {}).get("matchLabels", {}).get(key) == workload.name


@rule
def spot(manifests, _):
    """Everything may run on tainted Spot nodes and would rather; what must not, says so."""
    if not manifests.on_google:
        return
    for workload in manifests.workloads():
        off = stays_off_spot(workload.pod)
        if off and tolerates_spot(workload.pod):
            yield workload, "stays off Spot nodes, yet tolerates their taint"
        if off:
            continue
        if not tolerates_spot(workload.pod):
            yield workload, f"does not tolerate {SPOT}=true:NoSchedule, so it finds no place where only Spot nodes are left"
        if not any(part == {"key": SPOT, "operator": "In", "values": ["true"]} for term in node_terms(workload.pod, "preferred") for part in term):
            yield workload, "does not prefer Spot nodes"
        if SPOT in workload.pod.get("nodeSelector", {}) or any(part["key"] == SPOT for term in node_terms(workload.pod, "required") for part in term):
            yield workload, "requires Spot nodes: when Google has none to give, it hangs"


@rule
def spread(manifests, _):
    for workload in manifests.component("gateway", "worker"):
        constraints = workload.pod.get("topologySpreadConstraints", [])
        if {constraint["topologyKey"] for constraint in constraints} != {HOST, ZONE}:
            yield workload, "must be spread over nodes and zones"
        for constraint in constraints:
            if not matches(constraint.get("labelSelector", {}), workload.labels) or not constraint.get("labelSelector"):
                yield workload, f"the spread over {constraint['topologyKey']} counts other pods than its own"
            if not by_name(constraint, workload):
                yield workload, f"the spread over {constraint['topologyKey']} counts other pods than its own"
            if not set(constraint.get("matchLabelKeys", [])) - {"pod-template-hash"} <= set(workload.labels):
                yield workload, f"the spread over {constraint['topologyKey']} goes by a label that the pods have not"


@rule
def hard_spread(manifests, _):
    """What was tried: a cordoned zone leaves the replacement Pending, and the disruption budget then blocks the drain."""
    for workload in manifests.workloads():
        for constraint in workload.pod.get("topologySpreadConstraints", []):
            if constraint["whenUnsatisfiable"] != "DoNotSchedule":
                continue
            if constraint["topologyKey"] == HOST:
                yield workload, "DoNotSchedule over nodes: a lost Spot node leaves its pods Pending"
            elif constraint.get("nodeTaintsPolicy") != "Honor":
                yield workload, "DoNotSchedule over zones needs nodeTaintsPolicy: Honor, or a drained zone's pods hang"


@rule
def anti_affinity(manifests, _):
    for workload in manifests.component("gateway", "worker"):
        affinity = workload.pod.get("affinity", {}).get("podAntiAffinity", {})
        if affinity.get("requiredDuringSchedulingIgnoredDuringExecution"):
            yield workload, "required anti-affinity leaves pods Pending on few nodes"
        terms = [term["podAffinityTerm"] for term in affinity.get("preferredDuringSchedulingIgnoredDuringExecution", [])]
        if not any(term["topologyKey"] == HOST and matches(term.get("labelSelector", {}), workload.labels) and by_name(term, workload) for term in terms):
            yield workload, "does not prefer nodes without a pod of its own kind"
