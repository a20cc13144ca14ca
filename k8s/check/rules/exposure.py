"""What is public, under which name, certificate and address."""

from manifests import annotations, label
from problem import rule

# Of the gateway's paths those that clients need, and those that are for us alone.
PUBLIC = {"/", "/health", "/page", "/socket.io", "/v1"}
PRIVATE = {"/livez", "/readyz", "/lbz", "/metrics"}


def leads(kind, prefix, path):
    return path == prefix or (kind in ("Prefix", "PathPrefix") and path.startswith(prefix.rstrip("/") + "/"))


def openings(manifests):
    """(object, how, path, Service, port) for every way in."""
    for ingress in manifests.of("Ingress"):
        for rules in ingress["spec"].get("rules", []):
            for path in rules["http"]["paths"]:
                service = path["backend"]["service"]
                yield label(ingress), path["pathType"], path["path"], service["name"], service["port"].get("name", service["port"].get("number"))
    for route in manifests.of("HTTPRoute"):
        for part in route["spec"]["rules"]:
            for backend in part.get("backendRefs", []):
                for match in part.get("matches", [{"path": {"type": "PathPrefix", "value": "/"}}]):
                    yield label(route), match["path"]["type"], match["path"]["value"], backend["name"], backend["port"]


def is_public(manifests, path):
    return any(leads(kind, prefix, path) for _, kind, prefix, _, _ in openings(manifests))


@rule
def public_paths(manifests, _):
    if not manifests.on_google:
        return
    for path in sorted(PUBLIC):
        if not is_public(manifests, path):
            yield path, "is not reachable from outside"
    for path in sorted(PRIVATE):
        if is_public(manifests, path):
            yield path, "is for us alone, and reachable from outside"
    for ingress in manifests.of("Ingress"):
        if "defaultBackend" in ingress["spec"]:
            yield label(ingress), "a default backend makes everything public, /metrics too"


@rule
def openings_lead_somewhere(manifests, _):
    for where, _, path, name, port in openings(manifests):
        service = manifests.find("Service", name)
        ports = {key for item in (service or {"spec": {"ports": []}})["spec"]["ports"] for key in (item["name"], item["port"])}
        if port not in ports:
            yield where, f"{path} leads to port {port} of Service {name}, which is not there"


@rule
def ingress(manifests, _):
    for item in manifests.of("Ingress"):
        notes = annotations(item)
        if notes.get("kubernetes.io/ingress.class") != "gce" or "ingressClassName" in item["spec"]:
            yield label(item), "GKE goes by the annotation kubernetes.io/ingress.class: gce only"
        if not notes.get("kubernetes.io/ingress.global-static-ip-name"):
            yield label(item), "has no static address, so the domain would point nowhere after it is made anew"
        frontend = manifests.find("FrontendConfig", notes.get("networking.gke.io/v1beta1.FrontendConfig", ""))
        if not frontend:
            yield label(item), "names no FrontendConfig, so plain HTTP is served beside HTTPS"
        elif frontend["spec"].get("redirectToHttps", {}).get("enabled") is not True:
            yield label(frontend), "does not redirect to HTTPS"
        if notes.get("kubernetes.io/ingress.allow-http") == "false":
            yield label(item), "without port 80 there is nothing that could redirect"
        certificate = manifests.find("ManagedCertificate", notes.get("networking.gke.io/managed-certificates", ""))
        hosts = {rules.get("host") for rules in item["spec"].get("rules", [])}
        if not certificate or not hosts <= set(certificate["spec"]["domains"]) or None in hosts:
            yield label(item), f"no certificate covers {hosts}"


@rule
def gateway(manifests, _):
    for item in manifests.of("Gateway"):
        spec, where = item["spec"], label(item)
        if spec["gatewayClassName"] != "gke-l7-global-external-managed":
            yield where, f"class {spec['gatewayClassName']}: only gke-l7-global-external-managed keeps busy websockets open"
        if not annotations(item).get("networking.gke.io/certmap"):
            yield where, "has no networking.gke.io/certmap, so HTTPS has no certificate"
        listeners = {listener["name"]: listener for listener in spec["listeners"]}
        if {(listener["protocol"], listener["port"]) for listener in listeners.values()} != {("HTTP", 80), ("HTTPS", 443)}:
            yield where, "must listen for HTTP on 80 and for HTTPS on 443"
        if any("tls" in listener for listener in listeners.values()):
            yield where, "a listener names certificates beside the map"
        if [address["type"] for address in spec.get("addresses", [])] != ["NamedAddress"]:
            yield where, "has no static address by name"


@rule
def routes(manifests, _):
    gateways = {item["metadata"]["name"]: {listener["name"]: listener["protocol"] for listener in item["spec"]["listeners"]} for item in manifests.of("Gateway")}
    redirects = set()
    for route in manifests.of("HTTPRoute"):
        serves = any(part.get("backendRefs") for part in route["spec"]["rules"])
        for parent in route["spec"]["parentRefs"]:
            protocol = gateways.get(parent["name"], {}).get(parent.get("sectionName"))
            if protocol is None:
                yield label(route), f"hangs on {parent}, which is not there"
            if serves and protocol != "HTTPS":
                yield label(route), "serves plain HTTP"
            for part in route["spec"]["rules"]:
                for only in part.get("filters", []):
                    if only["requestRedirect"].get("scheme") == "https" and only["requestRedirect"].get("statusCode") == 301 and protocol == "HTTP":
                        redirects.add(parent["name"])
        if not route["spec"].get("hostnames"):
            yield label(route), "answers to every name"
    if len({tuple(route["spec"].get("hostnames", [])) for route in manifests.of("HTTPRoute")}) > 1:
        yield "HTTPRoute", "the routes answer to different names"
    for name in set(gateways) - redirects:
        yield f"Gateway/{name}", "does not redirect to HTTPS for good (301)"
