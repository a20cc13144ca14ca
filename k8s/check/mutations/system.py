"""Mistakes between the parts: references, settings, scaling, budgets."""

import copy

from . import mutation


def env(m, name, variable):
    return next(entry for entry in m.workload(name).container["env"] if entry["name"] == variable)


@mutation("unique")
def an_object_twice(m):
    m.objects.append(m.get("Service", "gateway"))


@mutation("selectors")
def a_selector_that_misses_its_pods(m):
    m.workload("gateway").spec["selector"]["matchLabels"]["app.kubernetes.io/name"] = "gatway"


@mutation("selectors")
def a_service_without_pods(m):
    m.get("Service", "valkey")["spec"]["selector"] = {"app": "redis"}


@mutation("selectors")
def a_budget_for_nobody(m):
    m.get("PodDisruptionBudget", "worker-echo")["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] = "echo"


@mutation("selectors")
def a_network_policy_for_nobody(m):
    m.get("NetworkPolicy", "into-valkey")["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] = "redis"


@mutation("service-ports")
def a_target_port_that_is_not_there(m):
    m.get("Service", "gateway")["spec"]["ports"][0]["targetPort"] = "web"


@mutation("addresses")
def the_cache_at_another_port(m):
    m.get("Service", "valkey")["spec"]["ports"][0]["port"] = 6380


@mutation("addresses", "local")
def the_emulator_under_another_name(m):
    m.get("Service", "emulator")["metadata"]["name"] = "pubsub"


@mutation("addresses", "gke+opentelemetry")
def the_collector_at_its_other_port(m):
    m.get("ConfigMap", "mayfly")["data"]["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://otel-collector:4318"


@mutation("scrape-ports")
def figures_are_read_at_a_port_that_is_not_there(m):
    m.get("PodMonitoring", "mayfly")["spec"]["endpoints"][0]["port"] = "metrics"


@mutation("scrape-interval")
def figures_are_read_four_times_as_often(m):
    m.get("PodMonitoring", "mayfly")["spec"]["endpoints"][0]["interval"] = "15s"


@mutation("accounts")
def an_account_that_is_not_there(m):
    m.workload("gc").pod["serviceAccountName"] = "garbage"


@mutation("accounts")
def a_worker_with_the_gateways_rights(m):
    m.workload("worker-echo").pod["serviceAccountName"] = "gateway"


@mutation("accounts")
def workers_share_an_account(m):
    m.workload("worker-echo").pod["serviceAccountName"] = "worker-webhook"


@mutation("accounts")
def an_account_that_is_nobodys(m):
    m.get("ServiceAccount", "valkey")["metadata"]["name"] = "redis"
    m.workload("valkey").pod["serviceAccountName"] = "redis"


@mutation("volumes")
def a_volume_that_is_not_there(m):
    m.workload("gateway").container["volumeMounts"][0]["name"] = "secret"


@mutation("volumes")
def a_key_that_the_secret_has_not(m):
    m.workload("gateway").pod["volumes"][0]["secret"]["items"][0]["key"] = "session_secret"


@mutation("volumes")
def a_secret_that_nobody_makes(m):
    m.workload("gateway").pod["volumes"][0]["secret"]["secretName"] = "mayfly-secrets"


@mutation("config-maps")
def a_config_map_that_is_not_there(m):
    m.workload("gateway").container["envFrom"][0]["configMapRef"]["name"] = "mayfly"


@mutation("hashed-config")
def a_config_map_without_a_hash(m):
    config = m.get("ConfigMap", "worker")
    for workload in m.component("worker"):
        workload.container["envFrom"][1]["configMapRef"]["name"] = "worker"
    config["metadata"]["name"] = "worker"


@mutation("known-settings")
def a_setting_that_no_program_knows(m):
    m.get("ConfigMap", "mayfly")["data"]["LOG_LEVEL"] = "debug"


@mutation("known-settings")
def a_file_for_a_setting_that_is_none(m):
    m.workload("gateway").container["env"].append({"name": "SESSIONS_SECRET_FILE", "value": "/run/secrets/mayfly/session-secret"})


@mutation("no-duplicate-settings")
def a_setting_twice(m):
    m.workload("gateway").container["env"].append({"name": "PORT", "value": "9000"})


@mutation("secrets-are-files")
def a_secret_in_the_environment(m):
    m.workload("gateway").container["env"].append({"name": "SERVICE_TOKEN", "valueFrom": {"secretKeyRef": {"name": "mayfly", "key": "service-token"}}})


@mutation("secrets-are-files")
def a_password_in_the_config(m):
    m.get("ConfigMap", "mayfly")["data"]["REDIS_URL"] = "redis://:hunter2@valkey:6379"


@mutation("secrets-are-files")
def a_secret_in_the_manifests(m):
    m.objects.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "mayfly", "namespace": "mayfly"}, "data": {"session-secret": "eA=="}})


@mutation("secret-files")
def a_file_that_is_not_mounted(m):
    env(m, "gateway", "SESSION_SECRET_FILE")["value"] = "/run/secrets/session-secret"


@mutation("needed-settings")
def no_project(m):
    del m.get("ConfigMap", "mayfly")["data"]["GOOGLE_CLOUD_PROJECT"]


@mutation("needed-settings")
def sessions_end_with_their_gateway(m):
    m.workload("gateway").container["env"].remove(env(m, "gateway", "SESSION_SECRET_FILE"))


@mutation("needed-settings")
def production_talks_to_an_emulator(m):
    m.get("ConfigMap", "mayfly")["data"]["PUBSUB_EMULATOR_HOST"] = "emulator:8085"


@mutation("needed-settings", "local")
def a_laptop_talks_to_google(m):
    del m.get("ConfigMap", "mayfly")["data"]["PUBSUB_EMULATOR_HOST"]


@mutation("rollout")
def a_rollout_takes_a_gateway_first(m):
    m.workload("gateway").spec["strategy"]["rollingUpdate"]["maxUnavailable"] = 1


@mutation("rollout")
def the_readiness_gate_opens_first(m):
    m.workload("gateway").spec["progressDeadlineSeconds"] = 600


@mutation("rollout")
def a_pod_counts_at_once(m):
    del m.workload("gateway").spec["minReadySeconds"]


@mutation("one-cache")
def two_caches_during_a_rollout(m):
    m.workload("valkey").spec["strategy"] = {"type": "RollingUpdate"}


@mutation("disruption")
def a_budget_without_an_eviction_policy(m):
    del m.get("PodDisruptionBudget", "gateway")["spec"]["unhealthyPodEvictionPolicy"]


@mutation("disruption")
def a_budget_that_blocks_drains(m):
    m.get("PodDisruptionBudget", "gateway")["spec"]["maxUnavailable"] = 0


@mutation("disruption")
def no_budget(m):
    m.objects.remove(m.get("PodDisruptionBudget", "gateway"))


@mutation("replicas")
def replicas_beside_an_autoscaler(m):
    m.workload("gateway").spec["replicas"] = 2


@mutation("autoscaling")
def an_autoscaler_that_goes_down_to_one(m):
    m.get("HorizontalPodAutoscaler", "gateway")["spec"]["minReplicas"] = 1


@mutation("policy-targets")
def an_autoscaler_for_nobody(m):
    m.get("HorizontalPodAutoscaler", "worker-echo")["spec"]["scaleTargetRef"]["name"] = "echo"


@mutation("autoscaling")
def gateways_go_all_at_once(m):
    del m.get("HorizontalPodAutoscaler", "gateway")["spec"]["behavior"]["scaleDown"]


@mutation("metrics", "gke+backlog-scaling")
def a_backlog_of_another_subscription(m):
    metric = m.get("HorizontalPodAutoscaler", "worker-echo")["spec"]["metrics"][1]["external"]["metric"]
    metric["selector"]["matchLabels"]["resource.labels.subscription_id"] = "mayfly-jobs-echo"


@mutation("metrics", "gke+backlog-scaling")
def a_backlog_without_its_age(m):
    m.get("HorizontalPodAutoscaler", "worker-echo")["spec"]["metrics"].pop()


@mutation("metrics", "gke+backlog-scaling")
def a_figure_that_gateways_have_not(m):
    m.get("HorizontalPodAutoscaler", "gateway")["spec"]["metrics"][1]["pods"]["metric"]["name"] = "prometheus.googleapis.com|ws_connections|gauge"


@mutation("metrics", "gke+backlog-scaling")
def more_connections_than_the_autoscaler_knows_of(m):
    m.get("ConfigMap", "gateway")["data"]["MAX_CONNECTIONS"] = "2500"


@mutation("drain")
def a_drain_longer_than_a_preemption(m):
    m.get("ConfigMap", "mayfly")["data"]["DRAIN_BUDGET_MS"] = "20000"


@mutation("drain")
def killed_before_it_has_drained(m):
    m.workload("worker-echo").pod["terminationGracePeriodSeconds"] = 10


@mutation("drain")
def a_sleep_before_the_drain(m):
    m.workload("gateway").container["lifecycle"] = {"preStop": {"sleep": {"seconds": 10}}}


@mutation("linger")
def a_leaving_gateway_stops_listening_at_once(m):
    del m.get("ConfigMap", "gateway")["data"]["LINGER_MS"]


@mutation("linger", "gke-gateway")
def the_load_balancer_notices_after_the_gateway_is_gone(m):
    m.get("HealthCheckPolicy", "gateway")["spec"]["default"]["unhealthyThreshold"] = 4


@mutation("ports")
def the_program_listens_elsewhere(m):
    m.get("ConfigMap", "gateway")["data"]["PORT"] = "8080"


@mutation("ports")
def health_is_served_nowhere(m):
    m.get("ConfigMap", "worker")["data"]["HEALTH_PORT"] = "0"


@mutation("ports")
def the_program_listens_on_loopback(m):
    m.get("ConfigMap", "mayfly")["data"]["BIND"] = "127.0.0.1"


@mutation("kinds")
def jobs_without_a_worker(m):
    m.get("ConfigMap", "gateway")["data"]["KINDS"] = "echo,thumbnail,webhook,mail"


@mutation("kinds")
def a_worker_of_jobs_that_nobody_may_submit(m):
    m.get("ConfigMap", "gateway")["data"]["KINDS"] = "echo,thumbnail"


@mutation("kinds")
def a_worker_that_the_sources_know_nothing_of(m):
    echo = copy.deepcopy(m.workload("worker-echo").object)
    echo["metadata"]["name"] = "worker-mail"
    m.objects.append(echo)


@mutation("memory")
def the_history_does_not_fit(m):
    m.get("ConfigMap", "gateway")["data"]["HISTORY_BYTES"] = "536870912"


@mutation("memory")
def pictures_do_not_fit(m):
    env(m, "worker-thumbnail", "THUMBNAIL_MEMORY_MIB")["value"] = "512"


@mutation("true-cache")
def the_cache_writes_to_disk(m):
    command = m.workload("valkey").container["command"]
    command[-1] = command[-1].replace('--save "" ', "")


@mutation("true-cache")
def the_cache_needs_no_password(m):
    command = m.workload("valkey").container["command"]
    command[-1] = command[-1].replace("requirepass", "# requirepass")
    command[-1] = "\n".join(line for line in command[-1].splitlines() if "requirepass" not in line)


@mutation("true-cache")
def the_server_is_not_the_first_process(m):
    command = m.workload("valkey").container["command"]
    command[-1] = command[-1].replace("exec ", "")


@mutation("parts")
def a_pod_that_no_policy_knows(m):
    del m.workload("gc").template["metadata"]["labels"]["app.kubernetes.io/component"]


@mutation("secret-files")
def secrets_for_another_group(m):
    del m.workload("gateway").pod["securityContext"]["fsGroup"]


@mutation("needed-settings")
def the_collector_of_garbage_has_no_command(m):
    del m.workload("gc").container["args"]


@mutation("needed-settings")
def as_many_connections_as_on_a_big_machine(m):
    del m.get("ConfigMap", "gateway")["data"]["MAX_CONNECTIONS"]


@mutation("true-cache")
def the_caches_folder_is_not_mounted(m):
    m.workload("valkey").container["volumeMounts"][0]["mountPath"] = "/var/lib/valkey"


@mutation("autoscaling")
def scaling_at_full_load(m):
    m.get("HorizontalPodAutoscaler", "gateway")["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] = 100


@mutation("true-cache")
def liveness_asks_the_kernel(m):
    m.workload("valkey").container["livenessProbe"] = {"tcpSocket": {"port": 6379}, "periodSeconds": 20, "timeoutSeconds": 5}


@mutation("labelled")
def an_object_that_nobody_finds_again(m):
    del m.get("PodDisruptionBudget", "gateway")["metadata"]["labels"]["app.kubernetes.io/part-of"]


@mutation("fits-small-nodes")
def gateways_for_big_nodes(m):
    m.workload("gateway").container["resources"] |= {
        "requests": {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "64Mi"},
        "limits": {"cpu": "2", "memory": "512Mi", "ephemeral-storage": "256Mi"},
    }
