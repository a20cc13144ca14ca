"""Rollouts, disruptions, scaling."""

import re

from manifests import label
from problem import rule

from .quantities import quantity

# Alone by design, each for a reason that stands beside it.
SINGLE = {"valkey", "emulator", "otel-collector"}
READINESS_GATE_S = 600
# What Mayfly comes with. Whoever adds jobs of their own, or a collector, has the cluster add machines for them.
SHIPPED = {"gateway", "worker-echo", "worker-thumbnail", "worker-webhook", "worker-dead-letter", "valkey"}
# What the smallest number of its pods may ask for in all: about two thirds of what three e2-small are thought to have left
# beside GKE's own pods. `just doctor` prints what they really have.
MODEST = {"cpu": 1.0, "memory": 1.25 * 2**30}


def share(value, of):
    return int(str(value).rstrip("%")) * of / 100 if str(value).endswith("%") else int(value)


@rule
def rollout(manifests, _):
    for workload in manifests.component("gateway", "worker"):
        spec, strategy = workload.spec, workload.spec.get("strategy", {})
        rolling = strategy.get("rollingUpdate", {})
        if strategy.get("type") != "RollingUpdate":
            yield workload, f"strategy {strategy.get('type')} leaves nobody to serve meanwhile"
        elif workload.name == "gateway" and (share(rolling.get("maxUnavailable", "25%"), 100) != 0 or rolling.get("maxSurge") != 1):
            yield workload, "must roll one more before one less: maxSurge 1, maxUnavailable 0"
        if not 10 <= spec.get("minReadySeconds", 0) <= 30:
            yield workload, "minReadySeconds must be 10 to 30: a load balancer needs 5 to 15 s to learn of a pod"
        if not 60 <= spec.get("progressDeadlineSeconds", READINESS_GATE_S) < READINESS_GATE_S:
            yield workload, f"progressDeadlineSeconds must be below {READINESS_GATE_S}: then GKE's readiness gate opens, healthy or not"


@rule
def disruption(manifests, _):
    for workload in manifests.workloads("Deployment"):
        budgets = [item for item in manifests.of("PodDisruptionBudget") if workload in manifests.selected(item["spec"].get("selector", {}))]
        if len(budgets) != 1:
            yield workload, f"has {len(budgets)} disruption budgets: without one a drain takes all, with two none can be evicted"
    for item in manifests.of("PodDisruptionBudget"):
        if item["spec"].get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield label(item), "a pod that is not well keeps its node from being drained"
        if "minAvailable" in item["spec"] or not 0 < share(item["spec"].get("maxUnavailable", 0), 2) <= 1:
            yield label(item), "must allow one of two pods to go, or drains hang"


@rule
def replicas(manifests, _):
    scaled = {item["spec"]["scaleTargetRef"]["name"] for item in manifests.of("HorizontalPodAutoscaler")}
    for workload in manifests.workloads("Deployment"):
        if workload.name in scaled:
            if "replicas" in workload.spec:
                yield workload, "has replicas beside an autoscaler, whose number every deploy would undo"
        elif workload.name not in SINGLE and manifests.on_google and workload.spec.get("replicas", 1) < 2:
            yield workload, "is alone: when its node goes, so does the service"


@rule
def autoscaling(manifests, code):
    targets = [item["spec"]["scaleTargetRef"]["name"] for item in manifests.of("HorizontalPodAutoscaler")]
    for name in {name for name in targets if targets.count(name) > 1}:
        yield name, "two autoscalers pull at it"
    for workload in manifests.component("gateway", "worker"):
        if manifests.on_google and workload.name not in targets and workload.name != "worker-dead-letter":
            yield workload, "has no autoscaler"
    for item in manifests.of("HorizontalPodAutoscaler"):
        spec = item["spec"]
        if not 2 <= spec.get("minReplicas", 1) < spec["maxReplicas"]:
            yield label(item), "needs minReplicas of 2 or more, and more at most"
        busy = [metric["resource"]["target"].get("averageUtilization", 0) for metric in spec.get("metrics", []) if metric["type"] == "Resource" and metric["resource"]["name"] == "cpu"]
        if not busy or not all(40 <= percent <= 90 for percent in busy):
            yield label(item), "must also go by CPU, at 40 to 90 %: backlogs are minutes old when they are told"
        if item["metadata"]["name"] != spec["scaleTargetRef"]["name"]:
            yield label(item), f"is not named like its target {spec['scaleTargetRef']['name']}"
        down = spec.get("behavior", {}).get("scaleDown", {})
        if item["metadata"]["name"] == "gateway":
            slow = [policy for policy in down.get("policies", []) if policy["type"] == "Pods" and policy["value"] == 1 and policy["periodSeconds"] >= 300]
            if down.get("stabilizationWindowSeconds", 0) < 600 or len(slow) != 1 or len(down["policies"]) != 1:
                yield label(item), "scaling down drops sockets: after 600 s, one pod in 5 minutes"


@rule
def metrics(manifests, code):
    """Names that Google's adapter understands, for subscriptions that exist, and figures that gateways have."""
    prefix, room = None, None
    for workload in manifests.component("gateway"):
        told = manifests.environment(workload)
        prefix, room = told.get("TOPIC_PREFIX", ""), told.get("MAX_CONNECTIONS")
    for item in manifests.of("HorizontalPodAutoscaler"):
        wanted = {f"{prefix}jobs-{kind}-worker" for kind, crate in code.kinds.items() if crate == item["metadata"]["name"]}
        watched = set()
        for metric in item["spec"].get("metrics", []):
            if metric["type"] == "External":
                name = metric["external"]["metric"]["name"]
                labels = metric["external"]["metric"].get("selector", {}).get("matchLabels", {})
                if not re.fullmatch(r"pubsub\.googleapis\.com\|subscription\|(num_undelivered_messages|oldest_unacked_message_age)", name):
                    yield label(item), f"{name} is no metric that is known here"
                if labels.get("resource.labels.subscription_id") not in wanted:
                    yield label(item), f"watches {labels}, not one of the subscriptions {wanted}"
                watched.add((name, labels.get("resource.labels.subscription_id")))
                age = name.endswith("age")
                if metric["external"]["target"]["type"] != ("Value" if age else "AverageValue"):
                    yield label(item), f"{name} as {metric['external']['target']['type']}: messages are shared among workers, an age is not"
            elif metric["type"] == "Pods":
                name = metric["pods"]["metric"]["name"]
                if name != "prometheus.googleapis.com|mayfly_gateway_connections|gauge":
                    yield label(item), f"{name} is no figure of a gateway's"
                if int(metric["pods"]["target"]["averageValue"]) * 2 != int(room or 0):
                    yield label(item), f"is not half of MAX_CONNECTIONS, {room}: sockets do not move to a gateway that comes late"
        if watched and len(watched) != 2 * len(wanted):
            yield label(item), f"must watch messages and their age in each of {wanted}, and watches {watched}"


@rule
def fits_small_nodes(manifests, _):
    """At rest the whole system runs on three of the cheapest machines."""
    least = {item["spec"]["scaleTargetRef"]["name"]: item["spec"].get("minReplicas", 1) for item in manifests.of("HorizontalPodAutoscaler")}
    for resource, most in MODEST.items():
        asked = sum(
            least.get(workload.name, workload.spec.get("replicas", 1)) * (quantity(workload.container.get("resources", {}).get("requests", {}).get(resource)) or 0)
            for workload in manifests.workloads("Deployment")
            if workload.name in SHIPPED
        )
        if asked > most:
            yield "Deployments", f"ask for {asked:g} of {resource} at rest, more than {most:g}"
