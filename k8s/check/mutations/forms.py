"""Mistakes of form that a schema takes and an API server refuses."""

from . import mutation


@mutation("names")
def a_port_name_that_is_too_long(m):
    m.workload("gateway").container["ports"][0]["name"] = "http-and-websockets"


@mutation("names")
def a_name_in_capitals(m):
    m.get("PodDisruptionBudget", "gateway")["metadata"]["name"] = "Gateway"


@mutation("names")
def a_label_with_a_space(m):
    m.get("Service", "gateway")["metadata"]["labels"]["app.kubernetes.io/version"] = "1 beta"


@mutation("amounts")
def memory_in_megabytes(m):
    m.workload("gateway").container["resources"]["limits"]["memory"] = "512MB"


@mutation("networks")
def a_network_with_host_bits(m):
    m.get("NetworkPolicy", "load-balancer-to-gateway")["spec"]["ingress"][0]["from"][1]["ipBlock"]["cidr"] = "130.211.0.1/22"


@mutation("networks")
def an_exception_outside_its_network(m):
    m.get("NetworkPolicy", "google-apis")["spec"]["egress"][0]["to"][0]["ipBlock"]["cidr"] = "199.36.153.8/30"


@mutation("probe-form")
def a_probe_that_asks_in_two_ways(m):
    m.workload("gateway").container["livenessProbe"]["tcpSocket"] = {"port": "http"}


@mutation("probe-form")
def liveness_must_succeed_twice(m):
    m.workload("gateway").container["livenessProbe"]["successThreshold"] = 2


@mutation("strategies")
def a_recreation_that_rolls(m):
    m.workload("valkey").spec["strategy"]["rollingUpdate"] = {"maxSurge": 1}


@mutation("strategies")
def a_rollout_that_cannot_move(m):
    m.workload("gateway").spec["strategy"]["rollingUpdate"]["maxSurge"] = 0


@mutation("label-keys")
def a_label_by_selector_and_by_key(m):
    m.workload("gateway").pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"]["app.kubernetes.io/name"] = "gateway"


@mutation("schedules")
def a_schedule_with_six_fields(m):
    m.get("CronJob", "gc")["spec"]["schedule"] = "0 */30 * * * *"


@mutation("schedules")
def a_schedule_past_the_hour(m):
    m.get("CronJob", "gc")["spec"]["schedule"] = "60 * * * *"


@mutation("targets")
def an_autoscaler_without_a_target(m):
    del m.get("HorizontalPodAutoscaler", "gateway")["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"]


@mutation("networks")
def a_peer_that_is_nobody(m):
    m.get("NetworkPolicy", "into-valkey")["spec"]["ingress"][0]["from"] = [{}]


@mutation("mounts")
def a_volume_of_no_kind(m):
    del m.workload("valkey").pod["volumes"][1]["secret"]


@mutation("mounts")
def two_volumes_at_one_path(m):
    gateway = m.workload("gateway")
    gateway.pod["volumes"].append({"name": "scratch", "emptyDir": {"sizeLimit": "1Mi"}})
    gateway.container["volumeMounts"].append({"name": "scratch", "mountPath": "/run/secrets/mayfly"})


@mutation("words")
def a_path_type_that_is_none(m):
    m.get("Ingress", "mayfly")["spec"]["rules"][0]["http"]["paths"][0]["pathType"] = "exact"


@mutation("words")
def a_protocol_in_small_letters(m):
    m.get("NetworkPolicy", "dns")["spec"]["egress"][0]["ports"][0]["protocol"] = "udp"


@mutation("words")
def a_spread_that_is_none(m):
    m.workload("gateway").pod["topologySpreadConstraints"][0]["whenUnsatisfiable"] = "ScheduleAnyways"


@mutation("words")
def a_weight_of_nothing(m):
    m.workload("gateway").pod["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]["weight"] = 0


@mutation("operators")
def a_toleration_that_compares_like_a_selector(m):
    m.workload("gateway").pod["tolerations"][0]["operator"] = "In"


@mutation("operators")
def a_selector_without_values(m):
    del m.get("NetworkPolicy", "dns")["spec"]["podSelector"]["matchExpressions"][0]["values"]
