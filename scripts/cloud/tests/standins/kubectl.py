"""A kubectl that knows the commands of the recipes, and nothing else."""

import base64
import json
import re
from pathlib import Path

from .world import Program, expect, must

kubectl = Program()


def cluster(state, flags):
    must(Path(flags["call"].kubeconfig).exists() and state["clusters"], "The connection to the server was refused")


RESOURCES = {
    "Deployment": "deployment.apps", "CronJob": "cronjob.batch", "HorizontalPodAutoscaler": "horizontalpodautoscaler.autoscaling",
    "PodDisruptionBudget": "poddisruptionbudget.policy", "Service": "service", "ServiceAccount": "serviceaccount", "ConfigMap": "configmap",
    "NetworkPolicy": "networkpolicy.networking.k8s.io", "PodMonitoring": "podmonitoring.monitoring.googleapis.com",
    "Ingress": "ingress.networking.k8s.io", "ManagedCertificate": "managedcertificate.networking.gke.io",
    "FrontendConfig": "frontendconfig.networking.gke.io", "BackendConfig": "backendconfig.cloud.google.com",
    "Gateway": "gateway.gateway.networking.k8s.io", "HTTPRoute": "httproute.gateway.networking.k8s.io",
    "GCPBackendPolicy": "gcpbackendpolicy.networking.gke.io", "GCPGatewayPolicy": "gcpgatewaypolicy.networking.gke.io",
    "HealthCheckPolicy": "healthcheckpolicy.networking.gke.io", "Namespace": "namespace",
}  # fmt: skip


def plural(resource):
    kind, dot, group = resource.partition(".")
    many = kind[:-1] + "ies" if kind.endswith("cy") else kind + ("es" if kind.endswith("s") else "s")
    return many + dot + group


CRDS = [plural(resource) for resource in RESOURCES.values() if resource.endswith((".gke.io", ".com", "gateway.networking.k8s.io"))]


def named(key):
    kind, _, name = key.partition("/")
    return f"{RESOURCES[kind]}/{name}"


def document_names(text):
    """Kind, name and whose it is of each document; enough YAML for what kustomize writes, whose keys are sorted."""
    for document in re.split(r"^---$", text, flags=re.MULTILINE):
        kind = re.search(r"^kind: (\w+)$", document, re.MULTILINE)
        name = re.search(r"^metadata:\n(?:  .*\n)*?  name: ([\w.-]+)$", document, re.MULTILINE)
        if kind and name:
            part = re.search(r"^    app.kubernetes.io/part-of: ([\w-]+)$", document[: name.end()], re.MULTILINE)
            yield kind[1], name[1], part[1] if part else ""


@kubectl.reads("version", "client")
def version(state, words, flags):
    return "Client Version: v1.36.0"


@kubectl.changes("apply", "filename")
def apply(state, words, flags):
    cluster(state, flags)
    if flags["filename"] == "-":
        manifest = json.loads(flags["call"].stdin)
        expect(manifest["kind"], "Namespace")
        state["namespaces"].setdefault(manifest["metadata"]["name"], {})
        return
    text = Path(flags["call"].folder, flags["filename"]).read_text()
    must("example-project" not in text and "mayfly.example.com" not in text, "the manifests are those of the examples")
    for kind, name, part in document_names(text):
        must(state["crd_rounds"] == 0 or plural(RESOURCES[kind]) not in CRDS, f"no matches for kind {kind}: ensure CRDs are installed first")
        if kind == "Namespace":
            state["namespaces"].setdefault(name, {})
        state["objects"][f"{kind}/{name}"] = part
        if kind == "Deployment":
            state["pods"].setdefault(f"{name}-1", {"node": "node-a", "phase": "Running"})
            state["pods"].setdefault(f"{name}-2", {"node": "node-b", "phase": "Running"})


@kubectl.reads("get", "filename output")
def applied(state, words, flags):
    expect(flags["output"], "name")
    names = [named(f"{kind}/{name}") for kind, name, _ in document_names(Path(flags["call"].folder, flags["filename"]).read_text())]
    return "\n".join(names)


@kubectl.reads("get customresourcedefinitions", "output")
def crds(state, words, flags):
    state["crd_rounds"] = max(0, state["crd_rounds"] - 1)
    known = CRDS if state["crd_rounds"] == 0 else CRDS[:3]
    return "\n".join(f"customresourcedefinition.apiextensions.k8s.io/{name}" for name in known)


@kubectl.reads("get replicasets.apps,pods,cronjobs.batch", "namespace output")
def config_maps_read(state, words, flags):
    expect(flags["output"], "jsonpath={..configMapRef.name} {..configMap.name}")
    return " ".join(state["config_maps_read"])


@kubectl.changes("delete", "namespace ignore-not-found timeout")
def delete(state, words, flags):
    must(words and flags["namespace"] in state["namespaces"], "nothing is named, or nowhere")
    for key in [key for key in state["objects"] if named(key) in words]:
        del state["objects"][key]
        state["pods"] = {name: pod for name, pod in state["pods"].items() if not key == f"Deployment/{name.rsplit('-', 1)[0]}"}


@kubectl.reads("get namespace", "ignore-not-found output")
def namespace(state, words, flags):
    cluster(state, flags)
    expect(flags["output"], "name", "jsonpath={.metadata.annotations.mayfly/releases}")
    found = state["namespaces"].get(words[0])
    must(found is not None or "ignore-not-found" in flags, "NotFound")
    if found is None:
        return None
    return f"namespace/{words[0]}" if flags["output"] == "name" else found.get("mayfly/releases", "")


@kubectl.reads("get namespaces", "selector output")
def namespaces(state, words, flags):
    cluster(state, flags)
    expect(flags["selector"] + flags["output"], "app.kubernetes.io/part-of=mayflyname")
    return "\n".join(f"namespace/{name}" for name in state["namespaces"])


@kubectl.changes("annotate namespace", "overwrite")
def annotate(state, words, flags):
    key, _, value = words[1].partition("=")
    state["namespaces"][words[0]][key] = value


@kubectl.reads("get secret mayfly", "namespace ignore-not-found output")
def secret(state, words, flags):
    cluster(state, flags)
    data = state["secrets"].get(flags["namespace"])
    if data is None:
        return None
    if flags["output"] == '''go-template={{range $key, $value := .data}}{{$key}}{{"\\n"}}{{end}}''':
        return "\n".join(data)
    key = re.fullmatch(r'go-template=\{\{index \.data "([a-z-]+)"\}\}', flags["output"])
    expect(bool(key), True)
    return data[key[1]]


def decodable(data):
    for value in data.values():
        must(base64.b64decode(value, validate=True), "an empty secret")
    return data


@kubectl.changes("create", "namespace filename")
def create(state, words, flags):
    manifest = json.loads(flags["call"].stdin)
    expect(manifest["kind"] + manifest["metadata"]["name"], "Secretmayfly")
    must(flags["namespace"] in state["namespaces"], "the namespace does not exist")
    must(flags["namespace"] not in state["secrets"], "AlreadyExists")
    state["secrets"][flags["namespace"]] = decodable(manifest["data"])


@kubectl.changes("patch secret mayfly", "namespace type patch-file")
def patch(state, words, flags):
    expect(flags["type"], "merge")
    state["secrets"][flags["namespace"]].update(decodable(json.loads(flags["call"].stdin)["data"]))


@kubectl.reads("get deployments", "namespace output")
def deployments(state, words, flags):
    if flags["output"] != "name":
        expect(flags["output"], 'jsonpath={range .items[*]}{.metadata.name} {.status.availableReplicas}/{.spec.replicas}{"\\n"}{end}')
        state["rollout_rounds"] = max(0, state["rollout_rounds"] - 1)
        available = "" if state["rollout_rounds"] else "2"
        return "\n".join(f"{name.split('/')[1]} {available}/2" for name in state["objects"] if name.startswith("Deployment/"))
    return "\n".join(f"deployment.apps/{name.split('/')[1]}" for name in state["objects"] if name.startswith("Deployment/"))


@kubectl.reads("get deployment", "namespace output")
def deployment(state, words, flags):
    must(f"Deployment/{words[0]}" in state["objects"], f"NotFound: {words[0]}")
    expect(flags["output"], "go-template={{range $key, $value := .spec.selector.matchLabels}}{{$key}}={{$value}},{{end}}")
    return f"app.kubernetes.io/name={words[0]},"


@kubectl.reads("rollout status", "namespace timeout")
def rollout(state, words, flags):
    must(words[0].replace("deployment.apps", "Deployment") in state["objects"], f"NotFound: {words}")
    must(state["rollout_rounds"] == 0, f"{words[0]} exceeded its progress deadline")
    return f"{words[0]} successfully rolled out"


@kubectl.changes("rollout restart deployment", "namespace")
def restart(state, words, flags):
    must(any(name.startswith("Deployment/") for name in state["objects"]), "no objects found")
    state["restarts"] = state.get("restarts", 0) + 1


@kubectl.reads("get managedcertificates", "namespace output")
def certificate(state, words, flags):
    expect(flags["output"], 'jsonpath={range .items[*]}{.status.certificateStatus} {.status.domainStatus[*].status}{"\\n"}{end}')
    state["certificate_rounds"] -= 1
    return "Active Active" if state["certificate_rounds"] < 0 else "Provisioning FailedNotVisible"


@kubectl.reads("get ingress", "namespace output")
def ingress(state, words, flags):
    expect(flags["output"], "jsonpath={.items[*].metadata.annotations.ingress\\.kubernetes\\.io/backends}")
    return '{"k8s-be-30123--1a2b3c4d":"HEALTHY","k8s1-1a2b3c4d-mayfly-gateway-80-5e6f7a8b":"HEALTHY","k8s1-1a2b3c4d-kube-system-default-http-backend-80-9c":"HEALTHY"}'


@kubectl.reads("get gateway", "namespace output")
def gateway(state, words, flags):
    expect(flags["output"], "jsonpath={.items[*].metadata.annotations.networking\\.gke\\.io/backend-services}")
    return "/projects/4711/global/backendServices/gkegw1-1a2b-mayfly-gw-serve404-80-9c, /projects/4711/global/backendServices/gkegw1-1a2b-mayfly-gateway-80-5e6f"


def pods_of(state, selector):
    kept = {"status.phase=Running": {"Running"}, "status.phase=Failed": {"Failed"}, "status.phase!=Failed": {"Running"}, "status.phase=Pending": {"Pending"}}
    expect(selector, *kept)
    return {name: pod for name, pod in state["pods"].items() if pod["phase"] in kept[selector]}


@kubectl.reads("get pods", "namespace field-selector output")
def pods(state, words, flags):
    found = pods_of(state, flags["field-selector"])
    if flags.get("output") == 'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{"\\n"}{end}':
        return "\n".join(f"{name} {pod['node']}" for name, pod in found.items())
    if flags.get("output") == "name":
        return "\n".join(f"pod/{name}" for name in found)
    expect(flags.get("output"), "wide", None)
    return "\n".join(found)


@kubectl.changes("delete pods", "namespace field-selector grace-period wait")
def delete_pods(state, words, flags):
    doomed = words or list(pods_of(state, flags["field-selector"]))
    for name in doomed:
        node = state["pods"].pop(name)["node"]
        if words:
            # Its Deployment makes another one, elsewhere.
            must(node in state["cordoned"], "nothing keeps the replacement from the same machine")
            state["pods"][f"{name}x"] = {"node": "node-c", "phase": "Running"}


@kubectl.changes("delete namespace", "ignore-not-found timeout")
def delete_namespace(state, words, flags):
    cluster(state, flags)
    state["namespaces"].pop(words[0], None)
    state["secrets"].pop(words[0], None)
    state["objects"], state["pods"] = {}, {}


@kubectl.changes("cordon")
def cordon(state, words, flags):
    state["cordoned"] = sorted({*state["cordoned"], *words})


@kubectl.changes("uncordon")
def uncordon(state, words, flags):
    state["cordoned"] = [node for node in state["cordoned"] if node not in words]


@kubectl.reads("get node", "output")
def node(state, words, flags):
    expect(flags["output"], "jsonpath={.metadata.labels.cloud\\.google\\.com/gke-spot} {.metadata.labels.topology\\.kubernetes\\.io/zone}")
    return f"{'true' if words[0] == 'node-a' else ''} us-central1-c"


@kubectl.reads("get apiservice", "ignore-not-found output")
def apiservice(state, words, flags):
    expect(words[0], "v1beta1.external.metrics.k8s.io")
    expect(flags["output"], 'jsonpath={.status.conditions[?(@.type=="Available")].status}')
    return state["external_metrics"]


@kubectl.reads("get nodes", "no-headers output label-columns")
def nodes(state, words, flags):
    return "node-a 940m 1.3Gi true\nnode-b 940m 1.3Gi true"


def register_tables():
    for kinds in ("deployments,horizontalpodautoscalers", "ingresses,managedcertificates", "gateways,httproutes"):
        kubectl.reads(f"get {kinds}", "namespace")(lambda state, words, flags: "a table")


register_tables()


def register_kinds():
    way_in = ("Ingress", "ManagedCertificate", "FrontendConfig", "BackendConfig", "Gateway", "HTTPRoute", "GCPBackendPolicy", "GCPGatewayPolicy", "HealthCheckPolicy")
    rest = ("Deployment", "CronJob", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Service", "ServiceAccount", "ConfigMap", "NetworkPolicy", "PodMonitoring")
    for kinds in (way_in, rest):

        @kubectl.reads(f"get {','.join(plural(RESOURCES[kind]) for kind in kinds)}", "namespace selector output")
        def ours(state, words, flags, kinds=kinds):
            expect(flags["selector"], "app.kubernetes.io/part-of=mayfly")
            expect(flags["output"], "name")
            return "\n".join(named(key) for key, part in state["objects"].items() if part == "mayfly" and key.split("/")[0] in kinds)


register_kinds()


@kubectl.reads("logs", "namespace selector prefix max-log-requests tail follow since")
def logs(state, words, flags):
    must(not flags["selector"].endswith(","), "a selector must not end with a comma")
    return "a line of the log"
