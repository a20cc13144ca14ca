"""Services, and how Google's load balancer is told to treat them."""

from manifests import annotations, from_json, label
from problem import rule

NEG, BACKEND = "cloud.google.com/neg", "cloud.google.com/backend-config"
# Who may watch, what may be cached: nothing else stands on these kinds, so anything else is a typo or does nothing.
KNOWN = {
    "Service": {NEG, BACKEND},
    "Ingress": {
        "kubernetes.io/ingress.class", "kubernetes.io/ingress.global-static-ip-name", "kubernetes.io/ingress.allow-http",
        "networking.gke.io/managed-certificates", "networking.gke.io/v1beta1.FrontendConfig",
    },
    "Gateway": {"networking.gke.io/certmap"},
}


def public_services(manifests):
    """Names of the Services that an Ingress or a route leads to."""
    names = set()
    for ingress in manifests.of("Ingress"):
        backends = [path["backend"] for rules in ingress["spec"].get("rules", []) for path in rules["http"]["paths"]]
        names |= {backend["service"]["name"] for backend in [*backends, ingress["spec"].get("defaultBackend")] if backend}
    for route in manifests.of("HTTPRoute"):
        names |= {backend["name"] for part in route["spec"]["rules"] for backend in part.get("backendRefs", [])}
    return names


@rule
def cluster_ip(manifests, _):
    for service in manifests.of("Service"):
        if service["spec"].get("type", "ClusterIP") != "ClusterIP":
            yield label(service), f"type {service['spec']['type']} opens a second, unencrypted door"
        if service["spec"].get("sessionAffinity", "None") != "None" or service["spec"].get("externalIPs"):
            yield label(service), "affinity and addresses are the load balancer's, which goes straight to the pods"


@rule
def known_annotations(manifests, _):
    for item in manifests.of(*KNOWN):
        for key in set(annotations(item)) - KNOWN[item["kind"]]:
            hint = "; it belongs on the Service" if key.endswith("backend-config") else ""
            yield label(item), f"annotation {key} does nothing{hint}"


@rule
def neg(manifests, _):
    for name in public_services(manifests) if manifests.of("Ingress") else ():
        service = manifests.find("Service", name)
        value = annotations(service).get(NEG) if service else None
        if (from_json(value) or {}).get("ingress") is not True:
            yield f"Service/{name}", f"{NEG} is {value!r}, not a JSON object with ingress: true; the API server does not mind"


@rule
def backend_config(manifests, _):
    for service in manifests.of("Service"):
        value = annotations(service).get(BACKEND)
        if value is None:
            if manifests.of("Ingress") and service["metadata"]["name"] in public_services(manifests):
                yield label(service), f"has no {BACKEND}, so websockets are cut after 30 s"
            continue
        named = from_json(value) or {}
        names = [named.get("default"), *(named.get("ports") or {}).values()]
        if not named or set(named) - {"default", "ports"}:
            yield label(service), f"{BACKEND} is {value!r}, which is not what the controller reads"
        elif named.get("default") is None:
            yield label(service), f"{BACKEND} names none for all ports"
        for name in filter(None, names):
            if not manifests.find("BackendConfig", name):
                yield label(service), f"{BACKEND} names {name}, which is not there"
    owned = {name for service in manifests.of("Service") for name in (from_json(annotations(service).get(BACKEND)) or {}).values() if isinstance(name, str)}
    for config in manifests.of("BackendConfig"):
        if config["metadata"]["name"] not in owned:
            yield label(config), "is named by no Service, so it does nothing"


@rule
def one_owner(manifests, _):
    """Two kinds, or two of a kind, would overwrite each other's load balancer."""
    owners = {}
    for service in manifests.of("Service"):
        if BACKEND in annotations(service):
            owners.setdefault((service["metadata"]["name"], "policy"), []).append("BackendConfig")
    for item in manifests.of("GCPBackendPolicy", "HealthCheckPolicy"):
        what = "policy" if item["kind"] == "GCPBackendPolicy" else "check"
        owners.setdefault((item["spec"]["targetRef"]["name"], what), []).append(label(item))
    for (service, what), those in owners.items():
        if len(those) > 1:
            yield f"Service/{service}", f"its {what} is owned by {those}"
    if manifests.of("Ingress", "BackendConfig", "FrontendConfig", "ManagedCertificate") and manifests.of("Gateway", "HTTPRoute", "GCPBackendPolicy", "HealthCheckPolicy"):
        yield "Ingress and Gateway", "both ways in are there at once"


@rule
def http1(manifests, _):
    """Over HTTP/2 the load balancer answers websockets with 503."""
    for service in manifests.of("Service"):
        for key, value in annotations(service).items():
            if key.endswith("app-protocols"):
                yield label(service), f"{key}: {value}"
        for port in service["spec"]["ports"]:
            if "appProtocol" in port:
                yield label(service), f"appProtocol {port['appProtocol']} on port {port['name']}"
    for config in manifests.of("BackendConfig"):
        if config["spec"].get("healthCheck", {}).get("type", "HTTP") != "HTTP":
            yield label(config), "checks in another protocol than HTTP"


@rule
def backend_is_complete(manifests, _):
    """What is left out has a default, and each of these defaults is wrong for websockets."""
    for config in manifests.of("BackendConfig"):
        missing = {"timeoutSec", "connectionDraining", "sessionAffinity", "healthCheck", "logging"} - set(config["spec"])
        if missing:
            yield label(config), f"leaves {sorted(missing)} to defaults"
    for policy in manifests.of("GCPBackendPolicy"):
        missing = {"timeoutSec", "connectionDraining", "sessionAffinity", "logging"} - set(policy["spec"]["default"])
        if missing:
            yield label(policy), f"leaves {sorted(missing)} to defaults"
    for name in public_services(manifests) if manifests.of("Gateway") else ():
        for kind in ("GCPBackendPolicy", "HealthCheckPolicy"):
            if not any(item["spec"]["targetRef"]["name"] == name for item in manifests.of(kind)):
                yield f"Service/{name}", f"has no {kind}"


@rule
def affinity(manifests, _):
    for item in manifests.of("BackendConfig", "GCPBackendPolicy"):
        spec = item["spec"] if item["kind"] == "BackendConfig" else item["spec"]["default"]
        wanted = spec.get("sessionAffinity", {})
        kind, ttl = (wanted.get("affinityType"), wanted.get("affinityCookieTtlSec")) if item["kind"] == "BackendConfig" else (wanted.get("type"), wanted.get("cookieTtlSec"))
        if kind != "GENERATED_COOKIE":
            yield label(item), f"affinity {kind}: by address everybody behind one proxy meets at one gateway, without any polling breaks"
        if (ttl or 0) < 3600:
            yield label(item), "its cookie ends before a client's visit does"


@rule
def sample_rate(manifests, _):
    """A share on BackendConfig, millionths on GCPBackendPolicy: each one's usual value is nonsense for the other."""
    for item in manifests.of("BackendConfig"):
        if item["spec"].get("logging", {}).get("enable") is not True:
            yield label(item), "logs nothing"
        if not 0 < item["spec"].get("logging", {}).get("sampleRate", 0) <= 1:
            yield label(item), "logging.sampleRate is a share, above 0 to 1"
    for item in manifests.of("GCPBackendPolicy"):
        if item["spec"]["default"].get("logging", {}).get("enabled") is not True:
            yield label(item), "logs nothing"
        if not 1_000 <= item["spec"]["default"].get("logging", {}).get("sampleRate", 0) <= 1_000_000:
            yield label(item), "logging.sampleRate is in millionths; below 1,000 next to nothing is logged"
