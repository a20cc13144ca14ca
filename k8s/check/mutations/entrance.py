"""Mistakes between the load balancer and the gateway."""

from . import mutation

NEG, BACKEND = "cloud.google.com/neg", "cloud.google.com/backend-config"
NEW = "gke-gateway"


def notes(m, kind, name):
    return m.get(kind, name)["metadata"]["annotations"]


@mutation("cluster-ip")
def a_load_balancer_beside_the_ingress(m):
    m.get("Service", "gateway")["spec"]["type"] = "LoadBalancer"


@mutation("cluster-ip")
def affinity_by_the_service(m):
    m.get("Service", "gateway")["spec"]["sessionAffinity"] = "ClientIP"


@mutation("neg")
def the_neg_annotation_is_no_json(m):
    notes(m, "Service", "gateway")[NEG] = "{ingress: true}"


@mutation("neg")
def the_neg_annotation_is_gone(m):
    del notes(m, "Service", "gateway")[NEG]


@mutation("neg")
def the_neg_is_switched_off(m):
    notes(m, "Service", "gateway")[NEG] = '{"ingress": false}'


@mutation("backend-config")
def the_backend_config_is_misspelt(m):
    notes(m, "Service", "gateway")[BACKEND] = '{"default": "gatewy"}'


@mutation("backend-config")
def the_backend_config_is_for_another_key(m):
    notes(m, "Service", "gateway")[BACKEND] = '{"Default": "gateway"}'


@mutation("known-annotations")
def the_backend_config_is_on_the_ingress(m):
    notes(m, "Ingress", "mayfly")[BACKEND] = notes(m, "Service", "gateway").pop(BACKEND)


@mutation("known-annotations")
def the_seeds_beta_annotation(m):
    notes(m, "Service", "gateway")["beta.cloud.google.com/backend-config"] = notes(m, "Service", "gateway").pop(BACKEND)


@mutation("known-annotations")
def an_annotation_for_nginx(m):
    notes(m, "Ingress", "mayfly")["nginx.org/websocket-services"] = "gateway"


@mutation("known-annotations")
def the_frontend_config_without_its_version(m):
    notes(m, "Ingress", "mayfly")["networking.gke.io/FrontendConfig"] = notes(m, "Ingress", "mayfly").pop("networking.gke.io/v1beta1.FrontendConfig")


@mutation("http1")
def http2_to_the_backend_by_annotation(m):
    notes(m, "Service", "gateway")["cloud.google.com/app-protocols"] = '{"http": "HTTP2"}'


@mutation("http1", NEW)
def http2_to_the_backend_by_port(m):
    m.get("Service", "gateway")["spec"]["ports"][0]["appProtocol"] = "kubernetes.io/h2c"


@mutation("one-owner")
def two_kinds_own_the_service(m):
    m.objects.append({
        "apiVersion": "networking.gke.io/v1", "kind": "GCPBackendPolicy", "metadata": {"name": "gateway", "namespace": "mayfly"},
        "spec": {"targetRef": {"group": "", "kind": "Service", "name": "gateway"}, "default": {"timeoutSec": 120}},
    })


@mutation("backend-is-complete")
def no_timeout(m):
    del m.get("BackendConfig", "gateway")["spec"]["timeoutSec"]


@mutation("backend-is-complete", NEW)
def no_timeout_behind_a_gateway(m):
    del m.get("GCPBackendPolicy", "gateway")["spec"]["default"]["timeoutSec"]


@mutation("backend-is-complete", NEW)
def no_health_check_policy(m):
    m.objects.remove(m.get("HealthCheckPolicy", "gateway"))


@mutation("backend-is-complete")
def no_health_check(m):
    del m.get("BackendConfig", "gateway")["spec"]["healthCheck"]


@mutation("websocket-life")
def websockets_for_a_minute(m):
    m.get("BackendConfig", "gateway")["spec"]["timeoutSec"] = 60


@mutation("websocket-life", NEW)
def silence_shorter_than_a_ping(m):
    m.get("GCPBackendPolicy", "gateway")["spec"]["default"]["timeoutSec"] = 40


@mutation("affinity")
def affinity_by_address(m):
    m.get("BackendConfig", "gateway")["spec"]["sessionAffinity"]["affinityType"] = "CLIENT_IP"


@mutation("schema")
def an_affinity_that_does_not_exist(m):
    m.get("BackendConfig", "gateway")["spec"]["sessionAffinity"]["affinityType"] = "COOKIE"


@mutation("schema")
def a_cookie_for_a_week(m):
    m.get("BackendConfig", "gateway")["spec"]["sessionAffinity"]["affinityCookieTtlSec"] = 604800


@mutation("schema")
def millionths_on_a_backend_config(m):
    m.get("BackendConfig", "gateway")["spec"]["logging"]["sampleRate"] = 1000000


@mutation("sample-rate", NEW)
def a_share_on_a_backend_policy(m):
    m.get("GCPBackendPolicy", "gateway")["spec"]["default"]["logging"]["sampleRate"] = 1


@mutation("schema")
def logging_is_enabled_in_the_other_kinds_spelling(m):
    logging = m.get("BackendConfig", "gateway")["spec"]["logging"]
    logging["enabled"] = logging.pop("enable")


@mutation("schema", NEW)
def a_fixed_port_without_saying_so(m):
    del m.get("HealthCheckPolicy", "gateway")["spec"]["default"]["config"]["httpHealthCheck"]["portSpecification"]


@mutation("health-check")
def the_load_balancer_asks_for_readiness(m):
    m.get("BackendConfig", "gateway")["spec"]["healthCheck"]["requestPath"] = "/readyz"


@mutation("health-check", NEW)
def the_load_balancer_asks_at_the_services_port(m):
    m.get("HealthCheckPolicy", "gateway")["spec"]["default"]["config"]["httpHealthCheck"]["port"] = 80


@mutation("health-check")
def a_leaving_gateway_is_noticed_late(m):
    m.get("BackendConfig", "gateway")["spec"]["healthCheck"] |= {"checkIntervalSec": 15, "timeoutSec": 15}


@mutation("health-check", NEW)
def a_check_longer_than_its_interval(m):
    m.get("HealthCheckPolicy", "gateway")["spec"]["default"]["timeoutSec"] = 3


@mutation("connection-draining")
def draining_outlives_the_pod(m):
    m.get("BackendConfig", "gateway")["spec"]["connectionDraining"]["drainingTimeoutSec"] = 60


@mutation("connection-draining", NEW)
def no_draining(m):
    m.get("GCPBackendPolicy", "gateway")["spec"]["default"]["connectionDraining"]["drainingTimeoutSec"] = 0


@mutation("policy-targets", NEW)
def a_policy_for_a_service_that_is_not_there(m):
    m.get("GCPBackendPolicy", "gateway")["spec"]["targetRef"]["name"] = "gateways"


@mutation("schema")
def the_seeds_certificate_version(m):
    m.get("ManagedCertificate", "mayfly")["apiVersion"] = "networking.gke.io/v1beta1"


@mutation("schema")
def the_seeds_backend_config_version(m):
    m.get("BackendConfig", "gateway")["apiVersion"] = "cloud.google.com/v1beta1"


@mutation("schema")
def the_seeds_ingress_version(m):
    m.get("Ingress", "mayfly")["apiVersion"] = "extensions/v1beta1"


@mutation("schema")
def an_ingress_in_googles_group(m):
    m.get("Ingress", "mayfly")["apiVersion"] = "networking.gke.io/v1"


@mutation("ingress")
def no_ingress_class(m):
    del notes(m, "Ingress", "mayfly")["kubernetes.io/ingress.class"]


@mutation("ingress")
def no_static_address(m):
    del notes(m, "Ingress", "mayfly")["kubernetes.io/ingress.global-static-ip-name"]


@mutation("ingress")
def no_redirect(m):
    m.get("FrontendConfig", "mayfly")["spec"]["redirectToHttps"]["enabled"] = False


@mutation("ingress")
def a_certificate_for_another_name(m):
    m.get("ManagedCertificate", "mayfly")["spec"]["domains"] = ["www.example.com"]


@mutation("schema")
def a_certificate_with_a_wildcard(m):
    m.get("ManagedCertificate", "mayfly")["spec"]["domains"] = ["*.example.com"]


@mutation("public-paths")
def everything_is_public(m):
    m.get("Ingress", "mayfly")["spec"]["defaultBackend"] = {"service": {"name": "gateway", "port": {"name": "http"}}}


@mutation("public-paths", NEW)
def metrics_are_public(m):
    m.get("HTTPRoute", "gateway")["spec"]["rules"][0]["matches"].append({"path": {"type": "PathPrefix", "value": "/metrics"}})


@mutation("public-paths")
def sockets_are_not_public(m):
    paths = m.get("Ingress", "mayfly")["spec"]["rules"][0]["http"]["paths"]
    paths[:] = [path for path in paths if path["path"] != "/socket.io"]


@mutation("openings-lead-somewhere")
def the_ingress_leads_to_a_port_that_is_not_there(m):
    m.get("Ingress", "mayfly")["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] = {"number": 8080}


@mutation("gateway", NEW)
def the_classic_load_balancer(m):
    m.get("Gateway", "mayfly")["spec"]["gatewayClassName"] = "gke-l7-gxlb"


@mutation("known-annotations", NEW)
def the_certificate_map_with_a_hyphen(m):
    notes(m, "Gateway", "mayfly")["networking.gke.io/cert-map"] = notes(m, "Gateway", "mayfly").pop("networking.gke.io/certmap")


@mutation("gateway", NEW)
def certificates_beside_the_map(m):
    m.get("Gateway", "mayfly")["spec"]["listeners"][1]["tls"] = {"mode": "Terminate", "certificateRefs": [{"name": "mayfly"}]}


@mutation("routes", NEW)
def the_route_serves_plain_http(m):
    m.get("HTTPRoute", "gateway")["spec"]["parentRefs"][0]["sectionName"] = "http"


@mutation("routes", NEW)
def the_redirect_is_gone(m):
    m.objects.remove(m.get("HTTPRoute", "redirect"))


@mutation("routes", NEW)
def a_route_on_a_listener_that_is_not_there(m):
    m.get("HTTPRoute", "gateway")["spec"]["parentRefs"][0]["sectionName"] = "tls"


@mutation("routes", NEW)
def a_redirect_for_now(m):
    del m.get("HTTPRoute", "redirect")["spec"]["rules"][0]["filters"][0]["requestRedirect"]["statusCode"]


@mutation("routes", NEW)
def the_redirect_is_for_another_name(m):
    m.get("HTTPRoute", "redirect")["spec"]["hostnames"] = ["www.example.com"]


@mutation("affinity")
def a_cookie_for_a_second(m):
    m.get("BackendConfig", "gateway")["spec"]["sessionAffinity"]["affinityCookieTtlSec"] = 1
