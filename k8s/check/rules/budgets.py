"""Numbers that must agree: with each other, with Google's, and with the code."""

import re

from manifests import label
from problem import rule

# All that an ordinary pod has on a preempted machine, whatever its manifest says.
PREEMPTION_S = 15
# How often figures are read at most: each reading of each figure is paid for.
SCRAPE_S = 60
# How long Google's load balancer keeps idle connections to a backend.
BACKEND_KEEP_ALIVE_S = 600


def drain_s(manifests, workload, code):
    told = manifests.environment(workload).get("DRAIN_BUDGET_MS")
    return int(told) / 1000 if told else code.default(workload.service, "DRAIN_BUDGET_MS") / 1000


@rule
def drain(manifests, code):
    for workload in manifests.workloads():
        if workload.service not in code.services:
            continue
        budget, grace = drain_s(manifests, workload, code), workload.pod.get("terminationGracePeriodSeconds", 30)
        if budget > PREEMPTION_S - 2:
            yield workload, f"drains for {budget:g} s; a preempted pod has {PREEMPTION_S} s in all, and needs a margin"
        if not PREEMPTION_S < grace <= 75:
            yield workload, f"terminationGracePeriodSeconds {grace} must be above {PREEMPTION_S}, and no more than helps"
        if budget >= grace:
            yield workload, f"drains for {budget:g} s and is killed after {grace} s"
        if "preStop" in workload.container.get("lifecycle", {}):
            yield workload, f"a preStop hook eats of the {PREEMPTION_S} s that a drain has on a preempted machine"
    for workload in manifests.component("gateway"):
        if code.goodbye_s + 2 > drain_s(manifests, workload, code):
            yield workload, f"sends its clients away over {code.goodbye_s:g} s, which its drain leaves no room for"


@rule
def ports(manifests, code):
    for workload in manifests.component("gateway", "worker"):
        told = manifests.environment(workload)
        variable = "PORT" if workload.name == "gateway" else "HEALTH_PORT"
        listens = told.get(variable, code.settings(workload.service)[variable])
        if int(listens) != workload.port("http"):
            yield workload, f"listens on {listens}; its port http is {workload.port('http')}"
        if told.get("BIND") != "0.0.0.0":
            yield workload, "listens on loopback, where nobody is in a pod"


@rule
def kinds(manifests, code):
    """What clients may submit has workers, and what works may be submitted."""
    for gateway in manifests.component("gateway"):
        offered = set(manifests.environment(gateway).get("KINDS", "").split(","))
        workers = {workload.name for workload in manifests.component("worker")}
        working = {kind for kind, crate in code.kinds.items() if crate in workers}
        if offered != working:
            yield gateway, f"takes jobs for {sorted(offered)}, there are workers for {sorted(working)}"
        for worker in workers - set(code.kinds.values()) - {"worker-dead-letter"}:
            yield worker, "works for nobody: its binary registers no job"
        if "worker-dead-letter" not in workers:
            yield gateway, "without worker-dead-letter nobody hears of jobs that nobody could process"


@rule
def websocket_life(manifests, code):
    """Ingress: the age at which a websocket is cut. Gateway: the silence after which it is."""
    for config in manifests.of("BackendConfig"):
        if config["spec"].get("timeoutSec", 30) < 3600:
            yield label(config), "cuts every websocket, idle or not, within the hour"
    for policy in manifests.of("GCPBackendPolicy"):
        timeout = policy["spec"]["default"].get("timeoutSec", 30)
        if timeout < max(90, code.silence_s * 2, code.body_s):
            yield label(policy), f"closes websockets after {timeout} s of silence; clients are silent for up to {code.silence_s} s"


@rule
def keep_alive(_, code):
    if code.keep_alive_s <= BACKEND_KEEP_ALIVE_S:
        yield "crates/gateway", f"closes idle connections after {code.keep_alive_s:g} s, while the load balancer keeps them for {BACKEND_KEEP_ALIVE_S} s: 502s"


@rule
def connection_draining(manifests, code):
    for item in manifests.of("BackendConfig", "GCPBackendPolicy"):
        spec = item["spec"] if item["kind"] == "BackendConfig" else item["spec"]["default"]
        seconds = spec.get("connectionDraining", {}).get("drainingTimeoutSec", 0)
        for gateway in manifests.component("gateway"):
            if not drain_s(manifests, gateway, code) <= seconds <= gateway.pod.get("terminationGracePeriodSeconds", 30):
                yield label(item), f"drains for {seconds} s: shorter than the gateway does, or longer than it lives"


def checks(manifests):
    for config in manifests.of("BackendConfig"):
        check = config["spec"].get("healthCheck", {})
        yield config, check, check
    for policy in manifests.of("HealthCheckPolicy"):
        yield policy, policy["spec"]["default"], policy["spec"]["default"].get("config", {}).get("httpHealthCheck", {})


@rule
def linger(manifests, code):
    """A gateway that no longer listens while it is still sent clients answers them with 502."""
    for gateway in manifests.component("gateway"):
        lingers = int(manifests.environment(gateway).get("LINGER_MS") or code.settings("gateway")["LINGER_MS"]) / 1000
        for item, times, _ in checks(manifests):
            if lingers < notices_s(times) + 2:
                yield gateway, f"listens for {lingers:g} s after SIGTERM; {label(item)} takes {notices_s(times)} s to notice, and the load balancer some to act"
        if lingers > code.goodbye_s:
            yield gateway, f"LINGER_MS: after {code.goodbye_s:g} s it leaves all the same"


def notices_s(times):
    """How long it takes a health check at most to find a pod unhealthy."""
    return times.get("checkIntervalSec", 15) * times.get("unhealthyThreshold", 2) + times.get("timeoutSec", 15)


@rule
def health_check(manifests, code):
    for item, times, request in checks(manifests):
        if request.get("requestPath") != "/lbz":
            yield label(item), f"asks for {request.get('requestPath')}: only /lbz says whether new clients are welcome"
        for gateway in manifests.component("gateway"):
            if request.get("port") != gateway.port("http"):
                yield label(item), f"asks at port {request.get('port')}; gateways listen on {gateway.port('http')}"
        notices = notices_s(times)
        if times.get("timeoutSec", 15) > times.get("checkIntervalSec", 15):
            yield label(item), "its timeout is longer than its interval: refused"
        if not 2 <= times.get("unhealthyThreshold", 2) <= 3 or notices > code.goodbye_s:
            yield label(item), f"notices a leaving gateway after {notices} s; by then it has sent its clients away, and gets them back"
        if times.get("healthyThreshold", 2) > 2:
            yield label(item), "takes long to believe in a new gateway"


@rule
def scrape_interval(manifests, _):
    for monitoring in manifests.of("PodMonitoring"):
        for endpoint in monitoring["spec"]["endpoints"]:
            interval = endpoint.get("interval", "")
            seconds = int(interval[:-1]) * {"s": 1, "m": 60}[interval[-1]] if re.fullmatch(r"\d+[sm]", interval) else 0
            if seconds < SCRAPE_S:
                yield label(monitoring), f"reads figures every {interval or 'so often'}, and each sample is paid for: not below {SCRAPE_S} s"
