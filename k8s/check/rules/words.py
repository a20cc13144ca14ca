"""Words and numbers that an API server knows, and whose typos its published schema takes."""

from manifests import label
from problem import rule
from schema import GROUPS

# Wherever a key of this name stands in a Kubernetes object.
WORDS = {
    "protocol": {"TCP", "UDP", "SCTP"},
    "pathType": {"Exact", "Prefix", "ImplementationSpecific"},
    "whenUnsatisfiable": {"DoNotSchedule", "ScheduleAnyway"},
    "nodeTaintsPolicy": {"Honor", "Ignore"},
    "nodeAffinityPolicy": {"Honor", "Ignore"},
    "fsGroupChangePolicy": {"OnRootMismatch", "Always"},
    "imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    "restartPolicy": {"Always", "OnFailure", "Never"},
    "concurrencyPolicy": {"Allow", "Forbid", "Replace"},
    "unhealthyPodEvictionPolicy": {"IfHealthyBudget", "AlwaysAllow"},
    "effect": {"NoSchedule", "PreferNoSchedule", "NoExecute"},
    "operator": {"In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Equal"},
    "policyTypes": {"Ingress", "Egress"},
}
# By the key that such a list or object hangs on.
TYPES = {"policies": {"Pods", "Percent"}, "strategy": {"RollingUpdate", "Recreate"}, "seccompProfile": {"RuntimeDefault", "Localhost", "Unconfined"}}
NUMBERS = {
    "weight": (1, 100), "maxSkew": (1, 2**31), "containerPort": (1, 65535), "port": (1, 65535), "targetPort": (1, 65535),
    "averageUtilization": (1, 1000), "periodSeconds": (1, 1800), "defaultMode": (0, 0o777),
}


def walk(value, key=None, parent=None):
    """(key, value, key of what it hangs on) of everything in an object."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner, key
            yield from walk(inner, name, key)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, key, parent)


@rule
def words(manifests, _):
    for item in manifests.objects:
        if item["apiVersion"].rpartition("/")[0] not in GROUPS or item["kind"] == "ConfigMap":
            continue
        for key, value, parent in walk(item):
            known = TYPES.get(parent) if key == "type" else WORDS.get(key)
            for word in value if isinstance(value, list) else [value]:
                if known and word not in known:
                    yield label(item), f"{key}: {word!r} is none of {sorted(known)}"
            least, most = NUMBERS.get(key, (None, None))
            if least is not None and isinstance(value, int) and not least <= value <= most:
                yield label(item), f"{key}: {value} is not between {least} and {most}"


@rule
def operators(manifests, _):
    """A toleration compares or finds; a selector has values or has not."""
    for workload in manifests.workloads():
        for toleration in workload.pod.get("tolerations", []):
            if toleration.get("operator", "Equal") not in ("Equal", "Exists"):
                yield workload, f"toleration operator {toleration['operator']}"
    for item in manifests.objects:
        for key, value, _ in walk(item):
            for expression in value if key == "matchExpressions" else []:
                if (expression["operator"] in ("In", "NotIn")) != bool(expression.get("values")):
                    yield label(item), f"{expression}: In and NotIn have values, the others have none"
