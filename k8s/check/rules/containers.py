"""Images, resources, probes."""

import re

from manifests import annotations
from problem import rule

from .quantities import quantity

RESOURCES = ("cpu", "memory", "ephemeral-storage")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


@rule
def image_by_digest(manifests, _):
    for workload in manifests.workloads():
        if re.search(r"@sha256:[0-9a-f]{64}$", workload.image):
            continue
        tag = re.search(r":([\w.-]+)$", workload.image)
        # Images that a laptop built are known to that laptop only. Whoever says why may go by tag, as for checkov.
        excused = not manifests.on_google or any("CKV_K8S_43=" in text for text in annotations(workload.object).values())
        if not excused or not tag or tag[1] == "latest":
            yield workload, f"{workload.image} is not pinned by digest"


@rule
def image_pull(manifests, _):
    wanted = {"Always"} if manifests.on_google else {"Always", "IfNotPresent"}
    for workload in manifests.workloads():
        if workload.container.get("imagePullPolicy") not in wanted:
            yield workload, f"imagePullPolicy is {workload.container.get('imagePullPolicy')}"


@rule
def resources(manifests, _):
    for workload in manifests.workloads():
        given = workload.container.get("resources", {})
        for name in RESOURCES:
            request, limit = (quantity(given.get(part, {}).get(name)) for part in ("requests", "limits"))
            if request is None or limit is None:
                yield workload, f"needs a request and a limit of {name}"
            elif limit < request:
                yield workload, f"{name}: the limit {limit:g} is below the request {request:g}: the API server refuses it"
            elif name == "cpu" and not 2 * request <= limit <= 4 * request:
                yield workload, "the CPU limit must be two to four times the request: less stalls every socket, more promises what the node has not"


@rule
def probes(manifests, _):
    for workload in manifests.workloads("Deployment"):
        container = workload.container
        for name in PROBES:
            probe = container.get(name)
            if not probe:
                yield workload, f"has no {name}"
                continue
            port = (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("port")
            if port is not None and workload.port(port) is None:
                yield workload, f"{name} asks at port {port}, which the container has not; the API server does not mind"
            if probe.get("timeoutSeconds", 1) > probe.get("periodSeconds", 10):
                yield workload, f"{name} may take longer than its period"
        start = container.get("startupProbe", {})
        if start and start.get("failureThreshold", 3) * start.get("periodSeconds", 10) < 20:
            yield workload, "must be given 20 s to start, or a busy small node restarts it for ever"
        if any(container.get(name, {}).get("httpGet") and container[name].get("timeoutSeconds", 1) < 2 for name in PROBES):
            yield workload, "a probe's second is too short for a small share of a CPU"
        ready, alive = container.get("readinessProbe", {}), container.get("livenessProbe", {})
        if ready == alive or (ready.get("httpGet") and ready.get("httpGet") == alive.get("httpGet")):
            yield workload, "liveness and readiness are the same: what makes a pod unready would kill it, drains above all"
        if alive and not 20 <= alive.get("failureThreshold", 3) * alive.get("periodSeconds", 10) <= 60:
            yield workload, "liveness must give up after 20 s, which a busy small node may take, and within a minute"
        if ready and not 5 < ready.get("failureThreshold", 3) * ready.get("periodSeconds", 10) <= 15:
            yield workload, "readiness must bear one slow answer, and notice within 15 s"


@rule
def probe_paths(manifests, code):
    """What `crates/service` answers; the drift test asks the real binaries."""
    wanted = {"startupProbe": "/livez", "readinessProbe": "/readyz", "livenessProbe": "/livez"}
    for workload in manifests.component("gateway", "worker"):
        for name, path in wanted.items():
            asked = workload.container.get(name, {}).get("httpGet", {}).get("path")
            if asked != path:
                yield workload, f"{name} asks for {asked}, not {path}"


@rule
def writable_is_bounded(manifests, _):
    for workload in manifests.workloads():
        for volume in workload.pod.get("volumes", []):
            if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
                yield workload, f"volume {volume['name']} has no sizeLimit"


@rule
def batch_is_bounded(manifests, _):
    for job in manifests.of("CronJob"):
        spec, inner = job["spec"], job["spec"]["jobTemplate"]["spec"]
        where = f"CronJob/{job['metadata']['name']}"
        if spec.get("concurrencyPolicy") != "Forbid":
            yield where, "may run beside itself"
        if not inner.get("activeDeadlineSeconds") or inner.get("backoffLimit") is None or not inner.get("ttlSecondsAfterFinished"):
            yield where, "needs activeDeadlineSeconds, backoffLimit and ttlSecondsAfterFinished, or what hangs stays for ever"
        if spec.get("startingDeadlineSeconds", 0) < 10:
            yield where, "without startingDeadlineSeconds of 10 or more it stops for ever after 100 missed starts, or is never started"
        if inner["template"]["spec"].get("restartPolicy") not in ("Never", "OnFailure"):
            yield where, "a job's restartPolicy is Never or OnFailure: the API server refuses any other"
