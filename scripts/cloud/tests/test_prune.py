"""What manifests no longer have goes, when nothing needs it any more; what is not ours stays."""

from place import SETTINGS

OURS = {"Ingress/mayfly", "ManagedCertificate/mayfly", "FrontendConfig/mayfly", "BackendConfig/gateway"}
THEIRS = {"Gateway/mayfly", "GCPBackendPolicy/gateway", "HealthCheckPolicy/gateway"}


def objects(site, *kinds):
    return {key for key in site.state["objects"] if key.split("/")[0] in kinds}


def deletions(site):
    return [command for command in site.commands(changes=True) if command.startswith("kubectl delete")]


def order(site, *starts):
    commands = site.commands()
    return [max(number for number, command in enumerate(commands) if command.startswith(start)) for start in starts]


def test_another_overlay_takes_over_the_address(rendering_site):
    site = rendering_site
    site.succeed("deploy")
    assert site.state["objects"].keys() >= OURS
    site.forget_calls()
    site.settings(**SETTINGS, OVERLAY="gke-gateway")
    site.succeed("deploy")
    assert not site.state["objects"].keys() & OURS and site.state["objects"].keys() >= THEIRS
    # A rollout waits for its load balancer, which waits for the address.
    places = order(site, "kubectl apply", "kubectl delete ", "kubectl rollout status")
    assert places == sorted(places)
    site.settings(**SETTINGS)
    site.succeed("deploy")
    assert not site.state["objects"].keys() & THEIRS and site.state["objects"].keys() >= OURS


def test_a_kind_and_a_cache_that_moved_go_after_the_rollout(rendering_site):
    site = rendering_site
    site.succeed("deploy")
    site.forget_calls()
    site.settings(**SETTINGS, KINDS="echo", COMPONENTS="memorystore", REDIS_ADDRESS="10.0.0.3")
    site.succeed("deploy")
    deployments = objects(site, "Deployment")
    assert deployments == {f"Deployment/{name}" for name in ("gateway", "worker-echo", "worker-dead-letter")}
    assert not {"Service/valkey", "HorizontalPodAutoscaler/worker-webhook", "NetworkPolicy/worker-webhook"} & site.state["objects"].keys()
    assert "Service/gateway" in site.state["objects"] and site.secrets, "what is still there stays"
    places = order(site, "kubectl apply", "kubectl rollout status", "kubectl delete ")
    assert places == sorted(places)


def test_nothing_of_others_is_touched(rendering_site):
    site = rendering_site
    site.succeed("deploy")
    others = {"Deployment/theirs": "", "ConfigMap/theirs": "shop", "Ingress/theirs": "", "Service/theirs": "shop"}
    site.state["objects"] |= others
    site.settings(**SETTINGS, KINDS="echo")
    site.succeed("deploy")
    assert others.items() <= site.state["objects"].items()
    assert all("--namespace=mayfly" in command and "theirs" not in command for command in deletions(site)) and deletions(site)


def test_settings_that_a_pod_may_still_start_with_stay(deployed):
    deployed.state["objects"] |= {"ConfigMap/gateway-old": "mayfly", "ConfigMap/gateway-oldest": "mayfly"}
    deployed.state["config_maps_read"] = ["gateway-old", "mayfly-old"]
    deployed.succeed("deploy")
    assert objects(deployed, "ConfigMap") == {"ConfigMap/gateway-old"}
    assert deletions(deployed) == ["kubectl delete configmap/gateway-oldest --namespace=mayfly --ignore-not-found --timeout=20m"]


def test_a_rollout_that_does_not_come_up_keeps_what_was_there(rendering_site):
    site = rendering_site
    site.succeed("deploy")
    site.settings(**SETTINGS, KINDS="echo", COMPONENTS="memorystore", REDIS_ADDRESS="10.0.0.3")
    site.world.break_matching = "rollout status"
    site.refuse("deploy")
    assert "Deployment/valkey" in site.state["objects"] and not deletions(site)


def test_a_rollback_prunes_as_well_and_keeps_all_that_it_needs(deployed):
    deployed.state["objects"]["Deployment/worker-gone"] = "mayfly"
    before = objects(deployed, "Deployment") - {"Deployment/worker-gone"}
    deployed.succeed("rollback", deployed.state["namespaces"]["mayfly"]["mayfly/releases"])
    assert objects(deployed, "Deployment") == before
