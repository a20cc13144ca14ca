"""What an API server refuses although its published schema takes it."""

import ipaddress
import re

from manifests import label
from problem import rule

from .quantities import quantity

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
LABEL_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
HANDLERS = {"httpGet", "tcpSocket", "exec", "grpc"}
# Minute, hour, day, month, weekday.
CRON = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]


@rule
def names(manifests, _):
    for item in manifests.objects:
        if not NAME.fullmatch(item["metadata"]["name"]):
            yield label(item), "its name is none"
        for key, value in (item["metadata"].get("labels") or {}).items():
            if not LABEL_KEY.fullmatch(key) or not LABEL.fullmatch(value):
                yield label(item), f"label {key}: {value} is none"
    for workload in manifests.workloads():
        for key, value in workload.labels.items():
            if not LABEL_KEY.fullmatch(key) or not LABEL.fullmatch(value):
                yield workload, f"label {key}: {value} is none"
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", workload.container["name"]):
            yield workload, f"container name {workload.container['name']!r} is none"
        for port in workload.container.get("ports", []):
            if not PORT_NAME.fullmatch(port.get("name", "")):
                yield workload, f"port name {port.get('name')!r} is none: at most 15 of a-z, 0-9 and -"
    for service in manifests.of("Service"):
        for port in service["spec"]["ports"]:
            if isinstance(port.get("targetPort"), str) and not PORT_NAME.fullmatch(port["targetPort"]):
                yield label(service), f"targetPort {port['targetPort']!r} is no name"


@rule
def amounts(manifests, _):
    for workload in manifests.workloads():
        for part in ("requests", "limits"):
            for name, amount in workload.container.get("resources", {}).get(part, {}).items():
                if quantity(amount) is None:
                    yield workload, f"{part}.{name} {amount!r} is no quantity"
        for volume in workload.pod.get("volumes", []):
            size = (volume.get("emptyDir") or {}).get("sizeLimit")
            if size is not None and quantity(size) is None:
                yield workload, f"sizeLimit {size!r} is no quantity"


@rule
def networks(manifests, _):
    for policy in manifests.of("NetworkPolicy"):
        for direction, side in (("ingress", "from"), ("egress", "to")):
            for part in policy["spec"].get(direction) or []:
                for peer in part.get(side) or []:
                    if not peer:
                        yield label(policy), "a peer is nobody"
                    yield from ((label(policy), what) for what in block_problems(peer.get("ipBlock")))


def block_problems(block):
    if block is None:
        return
    if not isinstance(block, dict):
        yield f"{block} is no ipBlock"
        return
    try:
        whole = ipaddress.ip_network(block["cidr"])
        parts = [ipaddress.ip_network(part) for part in block.get("except", [])]
    except ValueError as error:
        yield str(error)
        return
    for part in parts:
        if not part.subnet_of(whole) or part == whole:
            yield f"{part} is no part of {whole}"


@rule
def probe_form(manifests, _):
    for workload in manifests.workloads():
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = workload.container.get(name)
            if probe is None:
                continue
            if len(HANDLERS & set(probe)) != 1:
                yield workload, f"{name} must ask in one way"
            if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
                yield workload, f"{name}: successThreshold must be 1"
            if any(probe.get(key, 1) < 1 for key in ("periodSeconds", "timeoutSeconds", "failureThreshold")):
                yield workload, f"{name}: times must be 1 or more"


@rule
def strategies(manifests, _):
    for workload in manifests.workloads("Deployment"):
        strategy = workload.spec.get("strategy", {})
        rolling = strategy.get("rollingUpdate")
        if rolling and strategy.get("type") == "Recreate":
            yield workload, "Recreate takes no rollingUpdate"
        if rolling and all(str(rolling.get(key, "25%")).rstrip("%") == "0" for key in ("maxSurge", "maxUnavailable")):
            yield workload, "maxSurge and maxUnavailable cannot both be 0"
        if workload.spec.get("minReadySeconds", 0) >= workload.spec.get("progressDeadlineSeconds", 600):
            yield workload, "progressDeadlineSeconds must be longer than minReadySeconds"
        if workload.pod.get("restartPolicy", "Always") != "Always":
            yield workload, "restartPolicy must be Always"


@rule
def label_keys(manifests, _):
    """`matchLabelKeys` are added to a selector, which must be there and must not have them."""
    for workload in manifests.workloads():
        terms = [term["podAffinityTerm"] for term in workload.pod.get("affinity", {}).get("podAntiAffinity", {}).get("preferredDuringSchedulingIgnoredDuringExecution", [])]
        for part in [*terms, *workload.pod.get("topologySpreadConstraints", [])]:
            selector = part.get("labelSelector", {})
            used = set(selector.get("matchLabels", {})) | {expression["key"] for expression in selector.get("matchExpressions", [])}
            if part.get("matchLabelKeys") and (not selector or used & set(part["matchLabelKeys"])):
                yield workload, f"matchLabelKeys {part['matchLabelKeys']} beside {selector}"
        spreads = [(part["topologyKey"], part["whenUnsatisfiable"]) for part in workload.pod.get("topologySpreadConstraints", [])]
        if len(spreads) != len(set(spreads)):
            yield workload, "is spread twice over the same"


@rule
def schedules(manifests, _):
    for job in manifests.of("CronJob"):
        fields = job["spec"]["schedule"].split()
        if len(fields) != len(CRON) or not all(is_field(field, *bounds) for field, bounds in zip(fields, CRON)):
            yield label(job), f"schedule {job['spec']['schedule']!r} is none"


def is_field(field, least, most):
    for part in field.split(","):
        found = re.fullmatch(r"(\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        if not found:
            return False
        numbers = [int(number) for number in (found[2], found[3]) if number]
        if any(not least <= number <= most for number in numbers) or found[4] == "0":
            return False
    return True


@rule
def targets(manifests, _):
    """A metric's target has the field that its type names."""
    fields = {"Utilization": "averageUtilization", "AverageValue": "averageValue", "Value": "value"}
    for item in manifests.of("HorizontalPodAutoscaler"):
        for metric in item["spec"].get("metrics", []):
            target = metric.get(metric["type"][0].lower() + metric["type"][1:], {}).get("target", {})
            if set(target) != {"type", fields.get(target.get("type"))}:
                yield label(item), f"target {target} is none"


@rule
def mounts(manifests, _):
    for workload in manifests.workloads():
        for volume in workload.pod.get("volumes", []):
            if len(volume) != 2:
                yield workload, f"volume {volume['name']} is of no kind, or of two"
        paths = [mount["mountPath"] for mount in workload.container.get("volumeMounts", [])]
        if len(paths) != len(set(paths)):
            yield workload, "mounts two volumes at one path"
        volumes = [volume["name"] for volume in workload.pod.get("volumes", [])]
        if len(volumes) != len(set(volumes)):
            yield workload, "has two volumes of one name"
