"""Everything that names something else names something that is there."""

import re
from collections import Counter

from manifests import label, matches
from problem import rule

# The Secret that `just secrets-create` makes; it is in no manifest.
SECRETS = {
    "mayfly": {"session-secret", "redis-url", "redis-password", "webhook-secret", "auth-jwt-secret", "auth-jwt-public-key", "service-token"},
}


def secret_keys(manifests, name):
    """A Secret's keys, whoever makes it; None if nobody does."""
    secret = next((item for item in manifests.of("Secret") if item["metadata"]["name"] == name), None)
    if secret:
        return set(secret.get("data", {})) | set(secret.get("stringData", {}))
    return SECRETS.get(name) if manifests.on_google else None


@rule
def unique(manifests, _):
    for name, times in Counter(label(item) for item in manifests.objects).items():
        if times > 1:
            yield name, "is there more than once"


@rule
def selectors(manifests, _):
    for workload in manifests.workloads("Deployment"):
        if not matches(workload.spec["selector"], workload.labels):
            yield workload, "its selector does not match its own pods: the API server refuses it"
        others = [str(other) for other in manifests.selected(workload.spec["selector"]) if other.name != workload.name]
        if others:
            yield workload, f"its selector also matches pods of {others}"
    for item in manifests.of("Service"):
        if len(manifests.selected({"matchLabels": item["spec"].get("selector", {})})) != 1:
            yield label(item), "must select the pods of one workload"
    for item in manifests.of("PodDisruptionBudget", "PodMonitoring"):
        if not manifests.selected(item["spec"].get("selector", {})):
            yield label(item), "selects no pods"
    for item in manifests.of("NetworkPolicy"):
        for selector in [item["spec"].get("podSelector", {}), *peers(item)]:
            if not manifests.selected(selector):
                yield label(item), f"{selector} selects no pods"


def peers(policy):
    """Selectors of pods in this namespace on the other side."""
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for allowed in policy["spec"].get(direction) or []:
            for peer in allowed.get(side) or []:
                if "podSelector" in peer and "namespaceSelector" not in peer:
                    yield peer["podSelector"]


@rule
def service_ports(manifests, _):
    for service in manifests.of("Service"):
        for workload in manifests.selected({"matchLabels": service["spec"].get("selector", {})}):
            for port in service["spec"]["ports"]:
                if workload.port(port.get("targetPort", port["port"])) is None:
                    yield label(service), f"targetPort {port.get('targetPort')} is no port of {workload}"


# Where `just secrets-create` says that the cache is.
CACHE = "valkey:6379"


@rule
def addresses(manifests, _):
    """Who is called by the name of a Service is there, at that port."""
    there = {f"{service['metadata']['name']}:{port['port']}" for service in manifests.of("Service") for port in service["spec"]["ports"]}
    for workload in manifests.workloads():
        for variable, value in manifests.environment(workload).items():
            called = re.fullmatch(r"(?:\w+://)?([a-z][a-z0-9-]*:\d+)", value)
            if called and called[1] not in there:
                yield workload, f"{variable}: there is no Service {called[1]}"
    if manifests.component("cache") and CACHE not in there:
        yield "Service/valkey", f"is not {CACHE}, which the secret redis-url says"


@rule
def scrape_ports(manifests, _):
    for monitoring in manifests.of("PodMonitoring"):
        for workload in manifests.selected(monitoring["spec"]["selector"]):
            for endpoint in monitoring["spec"]["endpoints"]:
                if workload.port(endpoint["port"]) is None:
                    yield label(monitoring), f"port {endpoint['port']} is none of {workload}'s"
                if endpoint.get("path", "/metrics") != "/metrics":
                    yield label(monitoring), f"{endpoint['path']} is not where the figures are"
        for workload in manifests.component("gateway", "worker"):
            if not matches(monitoring["spec"]["selector"], workload.labels):
                yield label(monitoring), f"leaves out {workload}"


@rule
def accounts(manifests, _):
    """Each workload is somebody of its own, by its own name: roles are bound to these, see `pubsub-grant`."""
    for workload in manifests.workloads():
        name = workload.pod.get("serviceAccountName", "default")
        if not manifests.find("ServiceAccount", name):
            yield workload, f"runs as ServiceAccount {name}, which is not there"
        if name != workload.name:
            yield workload, f"runs as {name}, to which its roles are not bound, and others may be"
    for account in manifests.of("ServiceAccount"):
        if not manifests.find("Deployment", account["metadata"]["name"]) and not manifests.find("CronJob", account["metadata"]["name"]):
            yield label(account), "is nobody's"


@rule
def volumes(manifests, _):
    for workload in manifests.workloads():
        there = {volume["name"]: volume for volume in workload.pod.get("volumes", [])}
        used = [mount["name"] for mount in workload.container.get("volumeMounts", [])]
        for name in set(used) - set(there):
            yield workload, f"mounts volume {name}, which is not there"
        for name in set(there) - set(used):
            yield workload, f"volume {name} is not mounted"
        for volume in there.values():
            yield from contents(manifests, workload, volume)


def contents(manifests, workload, volume):
    if "configMap" in volume:
        config = next((item for item in manifests.of("ConfigMap") if item["metadata"]["name"] == volume["configMap"]["name"]), None)
        missing = {item["key"] for item in volume["configMap"].get("items", [])} - set((config or {}).get("data", {}))
        if config is None or missing:
            yield workload, f"volume {volume['name']}: ConfigMap {volume['configMap']['name']} is not there or lacks {missing}"
    if "secret" in volume:
        keys = secret_keys(manifests, volume["secret"]["secretName"])
        items = {item["key"] for item in volume["secret"].get("items", [])}
        if keys is None or not items:
            yield workload, f"volume {volume['name']}: nobody makes Secret {volume['secret']['secretName']}, or all of it is mounted"
        elif items - keys:
            yield workload, f"volume {volume['name']}: Secret {volume['secret']['secretName']} has no {items - keys}: the pod would wait for it for ever"


@rule
def config_maps(manifests, _):
    there = {item["metadata"]["name"] for item in manifests.of("ConfigMap")}
    used = set()
    for workload in manifests.workloads():
        for source in workload.container.get("envFrom", []):
            name = source.get("configMapRef", {}).get("name")
            used.add(name)
            if "configMapRef" in source and name not in there:
                yield workload, f"reads ConfigMap {name}, which is not there"
        for entry in workload.container.get("env", []):
            key = (entry.get("valueFrom") or {}).get("configMapKeyRef")
            if key and key["key"] not in (manifests.find("ConfigMap", key["name"]) or {}).get("data", {}):
                yield workload, f"reads {key['key']} of ConfigMap {key['name']}, which is not there"
        used |= {volume["configMap"]["name"] for volume in workload.pod.get("volumes", []) if "configMap" in volume}
    for name in there - used:
        yield f"ConfigMap/{name}", "is read by nobody"


@rule
def policy_targets(manifests, _):
    for item in manifests.of("GCPBackendPolicy", "HealthCheckPolicy", "GCPGatewayPolicy"):
        target = item["spec"]["targetRef"]
        group = {"Service": "", "Gateway": "gateway.networking.k8s.io"}.get(target["kind"])
        if group is None or target["group"] != group or not manifests.find(target["kind"], target["name"]):
            yield label(item), f"its target {target} is not there, so it does nothing"
    for item in manifests.of("HorizontalPodAutoscaler"):
        target = item["spec"]["scaleTargetRef"]
        if target.get("apiVersion") != "apps/v1" or not manifests.find(target["kind"], target["name"]):
            yield label(item), f"its target {target} is not there"


# What part each program plays; policies, disruption and most rules go by it.
PARTS = {"gateway": "gateway", "gc": "operator", "valkey": "cache", "emulator": "emulator", "otel-collector": "telemetry"}


@rule
def parts(manifests, _):
    for workload in manifests.workloads():
        part = "worker" if workload.name.startswith("worker-") else PARTS.get(workload.name)
        wanted = {"app.kubernetes.io/name": workload.name, "app.kubernetes.io/component": part, "app.kubernetes.io/part-of": "mayfly"}
        for labels, whose in ((workload.labels, "its pods"), (workload.object["metadata"].get("labels") or {}, "it")):
            if any(labels.get(key) != value for key, value in wanted.items()):
                yield workload, f"{whose} must have the labels {wanted}"


@rule
def labelled(manifests, _):
    """What has this label can be found, and removed once it is no longer wanted."""
    for item in manifests.objects:
        if (item["metadata"].get("labels") or {}).get("app.kubernetes.io/part-of") != "mayfly":
            yield label(item), "lacks the label app.kubernetes.io/part-of: mayfly"
