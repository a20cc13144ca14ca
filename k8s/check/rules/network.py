"""Who may talk to whom, asked of the policies as the network would work them out."""

from flows import Peer, allowed
from manifests import label
from problem import rule

# An address of each range that Google's load balancers and their checks come from.
LOAD_BALANCERS = ["35.191.0.1", "35.191.255.254", "130.211.0.1", "130.211.3.254"]
INTERNET, NODE, NEIGHBOUR = "203.0.113.7", "10.128.0.5", "192.168.7.7"
DNS = [Peer({"k8s-app": "kube-dns"}, "kube-system"), Peer({"k8s-app": "node-local-dns"}, "kube-system"), Peer(address="169.254.20.10"), Peer(address="169.254.169.254")]
# Tokens: Dataplane V2, then Calico.
METADATA = [("169.254.169.254", 80), ("169.254.169.254", 8080), ("169.254.169.252", 987), ("169.254.169.252", 988)]
COLLECTORS = [Peer({"app": "managed-prometheus-collector"}, namespace) for namespace in ("gmp-system", "gke-gmp-system")]
# Private networks, link-local addresses, and ports that nobody here calls.
FORBIDDEN = [
    (NODE, 443), (NODE, 10250), (NEIGHBOUR, 443), ("10.96.0.1", 443), ("172.16.0.1", 443), ("100.64.0.1", 443),
    (NODE, 80), ("169.254.169.254", 443), ("169.254.169.252", 443), (INTERNET, 25), (INTERNET, 53), (INTERNET, 987), (INTERNET, 6379), (INTERNET, 8080),
]
# Parts that call Google's APIs.
CLIENTS = ("gateway", "worker", "operator", "telemetry")


@rule
def default_deny(manifests, _):
    for direction in ("Ingress", "Egress"):
        if not any(policy["spec"]["podSelector"] == {} and direction in policy["spec"].get("policyTypes", []) and not policy["spec"].get(direction.lower()) for policy in manifests.of("NetworkPolicy")):
            yield "NetworkPolicy", f"nothing denies {direction} by default"


@rule
def policy_types(manifests, _):
    """Rules of a direction that policyTypes leaves out are not looked at."""
    for policy in manifests.of("NetworkPolicy"):
        for direction in ("Ingress", "Egress"):
            if direction.lower() in policy["spec"] and direction not in policy["spec"].get("policyTypes", []):
                yield label(policy), f"has rules for {direction.lower()}, which policyTypes leaves out"


@rule
def numbered_ports(manifests, _):
    for policy in manifests.of("NetworkPolicy"):
        for direction in ("ingress", "egress"):
            for part in policy["spec"].get(direction) or []:
                for port in part.get("ports", []):
                    if not isinstance(port.get("port"), int):
                        yield label(policy), f"port {port.get('port')}: not every implementation resolves names"


@rule
def ways_in(manifests, _):
    for workload in manifests.component("gateway", "worker"):
        port = workload.port("http")
        if workload.name == "gateway":
            for address in LOAD_BALANCERS:
                if not allowed(manifests, workload.labels, "Ingress", Peer(address=address), port):
                    yield workload, f"Google's load balancer ({address}) may not reach port {port}"
        for collector in COLLECTORS:
            if manifests.on_google and not allowed(manifests, workload.labels, "Ingress", collector, port):
                yield workload, f"the collectors in {collector.namespace} may not read its figures"


@rule
def ways_out(manifests, _):
    for workload in manifests.component(*CLIENTS):
        for dns in DNS:
            for protocol in ("UDP", "TCP"):
                if not allowed(manifests, workload.labels, "Egress", dns, 53, protocol):
                    yield workload, f"may not ask {dns.address or dns.labels['k8s-app']} by {protocol}"
        for address, port in METADATA:
            if not allowed(manifests, workload.labels, "Egress", Peer(address=address), port):
                yield workload, f"may not fetch tokens from {address}:{port}"
        for address in (INTERNET, "199.36.153.8"):
            if not allowed(manifests, workload.labels, "Egress", Peer(address=address), 443):
                yield workload, f"may not reach Google's APIs ({address}:443)"
    for workload in manifests.component("worker"):
        if workload.service == "worker-webhook" and not allowed(manifests, workload.labels, "Egress", Peer(address=INTERNET), 80):
            yield workload, "may not send webhooks by http, which it would accept"


def services(manifests):
    """Who calls which of our own pods at which port."""
    yield "valkey", 6379, ("gateway", "worker")
    if not manifests.on_google:
        yield "emulator", 8085, ("gateway", "worker", "operator")
    if manifests.find("Deployment", "otel-collector"):
        yield "otel-collector", 4317, ("gateway", "worker", "operator")


@rule
def ways_between(manifests, _):
    for name, port, callers in services(manifests):
        if not manifests.find("Deployment", name):
            if not manifests.find("NetworkPolicy", "to-memorystore"):
                yield name, "is not there"
            continue
        server = manifests.workload(name)
        for workload in manifests.workloads():
            if workload.name == name:
                continue
            out = allowed(manifests, workload.labels, "Egress", Peer(server.labels), port)
            into = allowed(manifests, server.labels, "Ingress", Peer(workload.labels), port)
            if workload.labels.get("app.kubernetes.io/component") in callers:
                if not out or not into:
                    yield workload, f"may not reach {name} at {port}"
            elif out or into:
                yield workload, f"may reach {name}, or would be let in, and has no business there"
        if server.port(port) is None:
            yield server, f"has no port {port}, which policies open"


@rule
def memorystore(manifests, _):
    policy = manifests.find("NetworkPolicy", "to-memorystore")
    if not policy:
        return
    address = policy["spec"]["egress"][0]["to"][0]["ipBlock"]["cidr"].split("/")[0]
    port = policy["spec"]["egress"][0]["ports"][0]["port"]
    for workload in manifests.component("gateway", "worker"):
        if not allowed(manifests, workload.labels, "Egress", Peer(address=address), port):
            yield workload, f"may not reach Memorystore at {address}:{port}"
    if any(workload.name == "valkey" for workload in manifests.workloads()):
        yield "valkey", "is there although Memorystore takes its place"


@rule
def closed_doors(manifests, _):
    for workload in manifests.workloads():
        for port in workload.ports().values():
            for address in (INTERNET, NODE, NEIGHBOUR):
                if allowed(manifests, workload.labels, "Ingress", Peer(address=address), port):
                    yield workload, f"anybody ({address}) may reach port {port}"
            if allowed(manifests, workload.labels, "Ingress", Peer({}, "default"), port):
                yield workload, f"pods of other namespaces may reach port {port}"
        yield from strangers(manifests, workload)
        for address, port in FORBIDDEN:
            if allowed(manifests, workload.labels, "Egress", Peer(address=address), port):
                yield workload, f"may reach {address}:{port}"
        for peer, port in ((DNS[0], 9153), (Peer({"k8s-app": "kube-dns"}, "default"), 53), (Peer({}, "kube-system"), 53)):
            if allowed(manifests, workload.labels, "Egress", peer, port):
                yield workload, f"may reach {peer.labels} in {peer.namespace} at {port}"
        if workload.labels.get("app.kubernetes.io/component") in ("cache", "emulator"):
            for peer, port in ((Peer(address=INTERNET), 443), (Peer(address=INTERNET), 80), (DNS[0], 53), (Peer(address="169.254.169.254"), 80)):
                if allowed(manifests, workload.labels, "Egress", peer, port):
                    yield workload, f"calls nobody, and may reach {peer.address or 'DNS'}"


def strangers(manifests, workload):
    """Who of those that may reach somebody must not reach this one, or not at this port."""
    ports = set(workload.ports().values())
    for other in manifests.component("gateway", "worker"):
        for port in {9000, 6379, 9001} - (ports if workload.name == "valkey" else set()):
            if other.name != workload.name and allowed(manifests, workload.labels, "Ingress", Peer(other.labels), port):
                yield workload, f"{other.name} may reach port {port}"
        for port in (9000, 6379, 4317, 8085):
            if allowed(manifests, workload.labels, "Egress", Peer(other.labels), port):
                yield workload, f"may call {other.name} at port {port}"
    for peer in (Peer(address=LOAD_BALANCERS[0]), COLLECTORS[0]):
        scraped = workload.labels.get("app.kubernetes.io/component") in ("gateway", "worker")
        for port in {9001, 6379} if (scraped if peer.address is None else workload.name == "gateway") else {9000, 9001, 6379, 8085, 4317}:
            if allowed(manifests, workload.labels, "Ingress", peer, port):
                yield workload, f"{peer.address or peer.namespace} may reach port {port}"
