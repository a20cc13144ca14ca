"""Mistakes in pods: security, resources, probes, images, placement."""

from . import mutation


def deployment(manifests, name="gateway"):
    return manifests.workload(name)


@mutation("restricted-namespace")
def the_namespace_enforces_baseline(m):
    m.get("Namespace", "mayfly")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = "baseline"


@mutation("one-namespace")
def an_object_is_in_the_default_namespace(m):
    m.get("PodDisruptionBudget", "gateway")["metadata"]["namespace"] = "default"


@mutation("restricted-pod")
def a_pod_may_run_as_root(m):
    deployment(m).pod["securityContext"]["runAsNonRoot"] = False


@mutation("restricted-pod")
def a_pod_has_no_seccomp_profile(m):
    del deployment(m).pod["securityContext"]["seccompProfile"]


@mutation("restricted-pod")
def privileges_may_escalate(m):
    del deployment(m).container["securityContext"]["allowPrivilegeEscalation"]


@mutation("restricted-pod")
def a_capability_is_added(m):
    deployment(m).container["securityContext"]["capabilities"]["add"] = ["NET_ADMIN"]


@mutation("restricted-pod")
def a_pod_uses_the_hosts_network(m):
    deployment(m).pod["hostNetwork"] = True


@mutation("restricted-pod")
def a_pod_mounts_the_host(m):
    deployment(m).pod["volumes"].append({"name": "host", "hostPath": {"path": "/var/log"}})


@mutation("read-only-root")
def the_root_can_be_written(m):
    deployment(m, "worker-thumbnail").container["securityContext"]["readOnlyRootFilesystem"] = False


@mutation("high-user")
def a_user_of_the_node(m):
    deployment(m).pod["securityContext"]["runAsUser"] = 999


@mutation("no-kubernetes-token")
def a_token_is_mounted(m):
    del deployment(m, "worker-echo").pod["automountServiceAccountToken"]


@mutation("no-kubernetes-token")
def an_account_hands_out_tokens(m):
    m.get("ServiceAccount", "worker-echo")["automountServiceAccountToken"] = True


@mutation("no-service-links")
def services_fill_the_environment(m):
    del deployment(m).pod["enableServiceLinks"]


@mutation("one-container")
def a_sidecar_escapes_the_checks(m):
    deployment(m).pod["containers"].append({"name": "proxy", "image": "proxy"})


@mutation("image-by-digest")
def an_image_by_tag(m):
    deployment(m).container["image"] = "us-central1-docker.pkg.dev/example-project/mayfly/gateway:latest"


@mutation("image-by-digest", "local")
def a_laptops_image_by_latest(m):
    deployment(m).container["image"] = "mayfly/gateway:latest"


@mutation("image-pull")
def an_image_is_pulled_if_not_present(m):
    deployment(m).container["imagePullPolicy"] = "IfNotPresent"


@mutation("resources")
def no_ephemeral_storage(m):
    del deployment(m).container["resources"]["limits"]["ephemeral-storage"]


@mutation("resources")
def no_memory_limit(m):
    del deployment(m).container["resources"]["limits"]["memory"]


@mutation("resources")
def a_cpu_limit_below_its_request(m):
    deployment(m).container["resources"]["limits"]["cpu"] = "50m"


@mutation("resources")
def a_cpu_limit_that_throttles(m):
    deployment(m).container["resources"]["limits"]["cpu"] = "100m"


@mutation("schema")
def a_typo_in_a_field(m):
    deployment(m).container["readynessProbe"] = deployment(m).container.pop("readinessProbe")


@mutation("schema")
def a_number_as_text(m):
    deployment(m).pod["terminationGracePeriodSeconds"] = "30"


@mutation("schema")
def a_field_one_level_too_high(m):
    deployment(m).spec["serviceAccountName"] = "gateway"


@mutation("probes")
def a_probe_at_a_port_name_that_is_not_there(m):
    deployment(m).container["readinessProbe"]["httpGet"]["port"] = "htpp"


@mutation("probes")
def liveness_is_readiness(m):
    deployment(m).container["livenessProbe"] = deployment(m).container["readinessProbe"]


@mutation("probes")
def no_startup_probe(m):
    del deployment(m, "worker-webhook").container["startupProbe"]


@mutation("probes")
def liveness_has_no_patience(m):
    deployment(m).container["livenessProbe"] |= {"periodSeconds": 3, "failureThreshold": 1}


@mutation("probe-paths")
def readiness_at_the_load_balancers_path(m):
    deployment(m).container["readinessProbe"]["httpGet"]["path"] = "/lbz"


@mutation("probe-paths")
def liveness_at_the_seeds_path(m):
    deployment(m).container["livenessProbe"]["httpGet"]["path"] = "/health"


@mutation("writable-is-bounded")
def a_volume_without_a_bound(m):
    deployment(m, "valkey").pod["volumes"][0]["emptyDir"] = {}


@mutation("batch-is-bounded")
def a_job_may_hang_for_ever(m):
    del m.get("CronJob", "gc")["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"]


@mutation("batch-is-bounded")
def a_job_beside_itself(m):
    m.get("CronJob", "gc")["spec"]["concurrencyPolicy"] = "Allow"


@mutation("batch-is-bounded")
def a_job_restarts_always(m):
    m.workload("gc").pod["restartPolicy"] = "Always"


@mutation("spot")
def a_missing_toleration(m):
    del deployment(m, "worker-echo").pod["tolerations"]


@mutation("spot")
def a_toleration_of_another_taint(m):
    deployment(m).pod["tolerations"][0]["key"] = "cloud.google.com/gke-preemptible"


@mutation("spot")
def spot_is_required(m):
    affinity = deployment(m).pod["affinity"]["nodeAffinity"]
    terms = [{"matchExpressions": affinity["preferredDuringSchedulingIgnoredDuringExecution"][0]["preference"]["matchExpressions"]}]
    affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": terms}


@mutation("spot")
def spot_by_node_selector(m):
    deployment(m).pod["nodeSelector"] = {"cloud.google.com/gke-spot": "true"}


@mutation("spot", "gke+on-demand-cache")
def the_on_demand_cache_tolerates_spot(m):
    deployment(m, "valkey").pod["tolerations"] = deployment(m).pod["tolerations"]


@mutation("spread")
def no_spread_over_zones(m):
    deployment(m).pod["topologySpreadConstraints"].pop()


@mutation("spread")
def a_spread_that_counts_nobody(m):
    deployment(m).pod["topologySpreadConstraints"][0]["labelSelector"] = {"matchLabels": {"app": "gateway"}}


@mutation("hard-spread")
def a_hard_spread_over_nodes(m):
    deployment(m).pod["topologySpreadConstraints"][0]["whenUnsatisfiable"] = "DoNotSchedule"


@mutation("hard-spread")
def a_hard_spread_over_zones_that_counts_tainted_nodes(m):
    constraint = deployment(m).pod["topologySpreadConstraints"][1]
    constraint["whenUnsatisfiable"] = "DoNotSchedule"
    del constraint["nodeTaintsPolicy"]


@mutation("anti-affinity")
def no_anti_affinity(m):
    del deployment(m).pod["affinity"]["podAntiAffinity"]


@mutation("anti-affinity")
def anti_affinity_to_everybody(m):
    del deployment(m).pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"]["matchLabelKeys"]


@mutation("probes")
def no_patience_at_the_start(m):
    del deployment(m).container["startupProbe"]["failureThreshold"]


@mutation("probes")
def readiness_notices_after_minutes(m):
    deployment(m).container["readinessProbe"]["failureThreshold"] = 30
