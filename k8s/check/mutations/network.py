"""Mistakes in who may reach whom."""

from . import mutation


def policy(m, name):
    return m.get("NetworkPolicy", name)["spec"]


@mutation("default-deny")
def egress_is_open_by_default(m):
    policy(m, "default-deny")["policyTypes"] = ["Ingress"]


@mutation("ways-in")
def a_load_balancers_range_is_missing(m):
    policy(m, "load-balancer-to-gateway")["ingress"][0]["from"].pop()


@mutation("ways-in")
def a_load_balancers_range_is_too_small(m):
    policy(m, "load-balancer-to-gateway")["ingress"][0]["from"][0]["ipBlock"]["cidr"] = "35.191.0.0/24"


@mutation("ways-in")
def the_load_balancer_may_reach_the_services_port(m):
    policy(m, "load-balancer-to-gateway")["ingress"][0]["ports"][0]["port"] = 80


@mutation("ways-in")
def the_collectors_are_shut_out(m):
    m.objects.remove(m.get("NetworkPolicy", "managed-prometheus"))


@mutation("ways-out")
def no_way_to_the_metadata_server(m):
    policy(m, "metadata-server")["egress"][0]["to"][0]["ipBlock"]["cidr"] = "169.254.169.252/32"


@mutation("ways-out")
def dns_by_udp_only(m):
    policy(m, "dns")["egress"][0]["ports"].pop()


@mutation("ways-out")
def no_way_to_the_nodes_dns_cache(m):
    policy(m, "dns")["egress"][0]["to"] = policy(m, "dns")["egress"][0]["to"][:1]


@mutation("ways-out")
def gc_may_not_reach_pubsub(m):
    policy(m, "google-apis")["podSelector"]["matchExpressions"][0]["values"].remove("operator")


@mutation("ways-out", "gke+opentelemetry")
def the_collector_may_not_reach_google(m):
    policy(m, "google-apis")["podSelector"]["matchExpressions"][0]["values"].remove("telemetry")


@mutation("ways-between")
def workers_may_not_reach_the_cache(m):
    policy(m, "into-valkey")["ingress"][0]["from"][0]["podSelector"]["matchExpressions"][0]["values"].remove("worker")


@mutation("closed-doors")
def the_cache_is_open_to_all(m):
    del policy(m, "into-valkey")["ingress"][0]["from"]


@mutation("closed-doors")
def the_network_around_is_open(m):
    del policy(m, "google-apis")["egress"][0]["to"][0]["ipBlock"]["except"]


@mutation("policy-types")
def rules_of_a_direction_that_does_not_count(m):
    policy(m, "metadata-server")["policyTypes"] = ["Ingress"]


@mutation("numbered-ports")
def a_named_port_in_a_policy(m):
    policy(m, "to-valkey")["egress"][0]["ports"][0]["port"] = "redis"


@mutation("memorystore", "gke+memorystore")
def no_way_to_memorystore(m):
    policy(m, "to-memorystore")["podSelector"]["matchExpressions"][0]["values"] = ["gateway"]


@mutation("closed-doors")
def http_to_anywhere(m):
    del policy(m, "metadata-server")["egress"][0]["to"]


@mutation("closed-doors")
def any_pod_may_be_a_cache(m):
    policy(m, "to-valkey")["egress"][0]["to"] = [{"podSelector": {}}]


@mutation("closed-doors")
def dns_to_anywhere(m):
    del policy(m, "dns")["egress"][0]["to"]


@mutation("closed-doors")
def every_port_of_the_gateway(m):
    del policy(m, "load-balancer-to-gateway")["ingress"][0]["ports"]


@mutation("closed-doors")
def the_load_balancer_reaches_workers(m):
    policy(m, "load-balancer-to-gateway")["podSelector"] = {}
