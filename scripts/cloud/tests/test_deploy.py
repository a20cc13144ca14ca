"""`just deploy`: from nothing to an address that answers, again and again, and on from wherever it ended."""

import re

import pytest

from place import SETTINGS, git

ORDER = [
    "gcloud meta lint-gcloud-commands",
    "gcloud services enable",
    "gcloud compute addresses create mayfly",
    "gcloud iam service-accounts create mayfly-nodes",
    "gcloud container clusters create mayfly",
    "gcloud container clusters get-credentials mayfly",
    "gcloud pubsub topics create mayfly-dead-letter",
    "gcloud pubsub topics create mayfly-jobs-echo",
    "gcloud pubsub subscriptions create mayfly-jobs-echo-worker",
    "gcloud iam roles create mayflyInstance",
    "gcloud beta services identity create",
    "gcloud pubsub subscriptions add-iam-policy-binding mayfly-jobs-webhook-worker",
    "kubectl apply --filename=-",
    "kubectl create --namespace=mayfly --filename=-",
    "docker build",
    "gcloud artifacts repositories create mayfly",
    "gcloud auth configure-docker us-central1-docker.pkg.dev",
    "docker push us-central1-docker.pkg.dev/shop-project/mayfly/gateway:",
    "docker pull --platform=linux/amd64 docker.io/valkey/valkey",
    "docker push us-central1-docker.pkg.dev/shop-project/mayfly/valkey:",
    "kubectl apply --filename=target/deployments/deploy/mayfly.yaml",
    "kubectl rollout status deployment.apps/gateway",
    "kubectl annotate namespace mayfly",
    "kubectl get managedcertificates",
    "docker run --rm",
    "gcloud compute backend-services describe k8s1-1a2b3c4d-mayfly-gateway-80-5e6f7a8b",
]
APPLY = "kubectl apply --filename=target/deployments/deploy/mayfly.yaml"


def first(commands, start):
    return next(number for number, command in enumerate(commands) if command.startswith(start))


def test_one_command_leads_from_an_empty_project_to_an_address_that_answers(site):
    result = site.succeed("just", "deploy")
    commands = site.commands()
    places = [first(commands, start) for start in ORDER]
    assert places == sorted(places), sorted(ORDER, key=lambda start: first(commands, start))
    assert result.output.rstrip().endswith("== https://jobs.shop.test answers")
    assert "prove https://jobs.shop.test --address 203.0.113.7 --hold-s 40" in commands[first(commands, "docker run")]


ALL = "memorystore,cloud-armor,backlog-scaling,opentelemetry"


@pytest.mark.parametrize(
    "settings",
    [{"NAMESPACE": "shop"}, {"OVERLAY": "gke-gateway", "COMPONENTS": ALL, "REDIS_ADDRESS": "10.0.0.9", "SECURITY_POLICY": "shop", "SSL_POLICY": "shop", "CERTIFICATE_MAP": "shop"}],
    ids=["gke", "gke-gateway with all components"],
)
def test_the_real_manifests_are_applied_by_digest(rendering_site, settings):
    rendering_site.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", **settings)
    rendering_site.succeed("deploy")
    manifest = (rendering_site.root / "target/deployments/deploy/mayfly.yaml").read_text()
    images = re.findall(r"image: \"?([^\s\"]+)", manifest)
    ours = [image for image in images if image.startswith("us-central1-docker.pkg.dev/shop-project/mayfly/")]
    assert {"gateway", "worker-echo", "worker-thumbnail", "worker-webhook", "worker-dead-letter"} <= {re.split("[/@]", image)[-2] for image in ours}
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", image) for image in ours), images
    granted = {member.split("/")[-1] for policy in rendering_site.state["policies"].values() for _, member in policy if member.startswith("principal:")}
    asked = set(re.findall(r"serviceAccountName: ([a-z-]+)", manifest)) - {"valkey"}
    assert asked == granted - {"custom-metrics-stackdriver-adapter"}, "whoever runs has rights, and nobody else"
    mounted = set(re.findall(r"- key: ([a-z-]+)\n\s+path:", manifest))
    assert mounted <= rendering_site.secrets.keys(), "every secret that is mounted was made"


def test_images_are_named_after_the_commit_and_written_down_by_digest(deployed):
    lines = (deployed.root / "target/deployments/deploy/images.env").read_text().splitlines()
    assert len(lines) == 7
    assert all(re.fullmatch(r"([a-z-]+)=us-central1-docker\.pkg\.dev/shop-project/mayfly/\1@sha256:[0-9a-f]{64}", line) for line in lines), lines
    tags = {image.split(":")[1] for image in deployed.state["repositories"]["mayfly"] if not image.startswith("valkey")}
    assert len(tags) == 1 and re.fullmatch("[0-9a-f]{12}", tags.pop())


def test_a_second_deployment_of_the_same_commit_creates_nothing(deployed):
    before = deployed.lasting()
    deployed.succeed("deploy")
    assert deployed.commands(changes=True) == [APPLY], "only that nothing is applied again would be a guess"
    assert deployed.lasting() == before


def test_another_commit_is_built_pushed_and_noted(deployed):
    old = set(deployed.state["repositories"]["mayfly"])
    (deployed.root / "new.txt").write_text("new")
    git(deployed.root, "add", "--all")
    git(deployed.root, "commit", "--quiet", "--message=Something new")
    deployed.succeed("deploy")
    changes = [command.split(" --")[0] for command in deployed.commands(changes=True)]
    assert changes.count("docker build") == 6 and len(set(deployed.state["repositories"]["mayfly"]) - old) == 6
    assert not any("valkey" in command or "create" in command for command in changes), "the cache's image is there already"
    assert len(deployed.state["namespaces"]["mayfly"]["mayfly/releases"].split()) == 2


def test_it_goes_on_wherever_it_ended(small_site, change, uninterrupted):
    """Each change fails once before it took effect, and once after, when its answer is lost."""
    site = small_site
    site.world.break_matching = re.escape(change)
    for site.world.break_after in (False, True):
        result = site.refuse("deploy")
        assert result.errors.count("Next:") == 1 and "`just deploy`" in result.last_error, result.errors
        gist = re.split(r" -| us-central1-docker", change)[0]
        assert gist in result.last_error and ("failed with code 1" in result.last_error or "failed eight times" in result.last_error)
    site.mend()
    site.succeed("deploy")
    assert site.lasting() == uninterrupted
    assert site.secrets.keys() == {"redis-password", "redis-url", "session-secret", "webhook-secret"}


def test_what_an_uninterrupted_deployment_leaves(uninterrupted):
    state = uninterrupted
    assert state["clusters"]["mayfly"]["status"] == "RUNNING" and state["addresses"] == {"mayfly": "203.0.113.7"}
    assert sorted(state["topics"]) == ["mayfly-control", "mayfly-dead-letter", "mayfly-events", "mayfly-jobs-echo"]
    assert sorted(state["subscriptions"]) == ["mayfly-dead-letter-archive", "mayfly-dead-letter-worker", "mayfly-jobs-echo-worker"]
    assert {name: len(policy) for name, policy in state["policies"].items()} == {
        "project": 4, "topics/mayfly-events": 4, "topics/mayfly-control": 3, "topics/mayfly-dead-letter": 2, "topics/mayfly-jobs-echo": 2,
        "subscriptions/mayfly-jobs-echo-worker": 2, "subscriptions/mayfly-dead-letter-worker": 1, "repositories/mayfly": 1,
    }  # fmt: skip
    assert len(state["repositories"]["mayfly"]) == 4
    assert "Deployment/gateway" in state["objects"]


@pytest.mark.parametrize("when", ["rollout status deployment.apps/gateway", "get managedcertificates", "docker run", "backend-services describe"])
def test_what_only_asks_may_fail_as_well(deployed, when):
    deployed.world.break_matching = when
    result = deployed.refuse("just", "deploy")
    assert result.errors.count("Next:") == 1 and "`just deploy`" in result.last_error
    deployed.mend()
    deployed.succeed("deploy")


def test_a_question_without_an_answer_is_not_taken_for_no(deployed):
    """Or everything would be created again whenever Google is slow."""
    deployed.world.break_matching = "topics list"
    deployed.refuse("deploy")
    assert not [command for command in deployed.commands(changes=True) if "create" in command]


def test_a_tree_that_differs_from_its_commit_is_refused_before_anything_is_done(site):
    (site.root / "scripts/cloud/prices.csv").write_text("changed")
    for recipe in ("deploy", "push"):
        result = site.refuse(recipe)
        assert "scripts/cloud/prices.csv" in result.errors and "commit or stash" in result.last_error
    assert site.commands() == []


def test_untracked_files_count_since_they_would_be_built(site):
    (site.root / "crates/stray.rs").touch()
    assert "crates/stray.rs" in site.refuse("push").errors


def test_rights_of_a_new_account_may_take_a_while(site):
    site.state["early_grants"] = 3
    result = site.succeed("deploy")
    assert "not yet (3 of 8)" in result.output


def test_a_service_may_take_minutes_to_be_on(site):
    site.state["early_answers"] = 12
    result = site.succeed("deploy")
    assert "the service is not on everywhere yet (12 of 20)" in result.output


def test_a_service_that_stays_off_is_a_failure(site):
    site.state["early_answers"] = 20
    result = site.refuse("deploy")
    assert "has not been used in project 4711" in result.errors and "`gcloud compute addresses list` failed with code 1" in result.last_error


def test_a_new_cluster_may_take_minutes_to_know_all_kinds(site):
    site.world.break_matching = "kubectl create"
    site.refuse("deploy")
    site.mend()
    site.state["crd_rounds"] = 20
    result = site.succeed("deploy")
    assert "it does not know yet: backendconfigs.cloud.google.com" in result.output and "after 4 min: the cluster knows all kinds of objects" in result.output
    assert not any(call.broken for call in site.world.calls if call.command == APPLY)


def test_the_first_rollout_may_take_longer_than_its_progress_deadline(site):
    site.state["rollout_rounds"] = 40
    result = site.succeed("deploy")
    assert "available: gateway /2" in result.output and "after 9 min: available: gateway 2/2" in result.output


def test_a_first_rollout_that_never_comes_up_is_a_failure(site):
    site.state["rollout_rounds"] = 1000
    assert "does not come up" in site.refuse("deploy").last_error


def test_a_later_rollout_has_the_old_pods_to_serve_and_is_judged_at_once(deployed):
    deployed.state["rollout_rounds"] = 10
    assert "does not come up" in deployed.refuse("deploy").last_error
    assert not [command for command in deployed.commands() if "availableReplicas" in command]


def test_a_cluster_that_is_still_being_made_is_waited_for(site):
    site.world.break_matching = "clusters create"
    site.world.break_after = True
    site.refuse("deploy")
    site.mend()
    result = site.succeed("deploy")
    assert "the cluster is PROVISIONING" in result.output and "the cluster is RUNNING" in result.output
    assert len([command for command in site.commands(changes=True) if "clusters create" in command]) == 1


@pytest.mark.parametrize("status", ["ERROR", "DEGRADED", "STOPPING"])
def test_a_cluster_that_will_not_come_is_not_waited_for(deployed, status):
    deployed.state["cluster_status"] = status
    result = deployed.refuse("deploy")
    assert f"the cluster mayfly is in state {status}" in result.last_error and "`just deploy`" in result.last_error
    assert len([command for command in deployed.commands() if "clusters list" in command]) == 2


def test_a_cluster_that_google_is_changing_is_waited_for(deployed):
    deployed.state["cluster_status"] = "RECONCILING"
    assert "the cluster does not run after 30 minutes" in deployed.refuse("deploy").last_error


def test_machines_that_will_not_come_are_not_waited_for(site):
    site.settings(**SETTINGS, ON_DEMAND_NODES="1")
    site.state["pool_status"] = {"spot": "ERROR"}
    assert "the machines of pool spot are in state ERROR" in site.refuse("deploy").last_error
    site.state["pool_status"] = {"spot": "PROVISIONING"}
    assert "some machines are not there after 30 minutes" in site.refuse("deploy").last_error
    site.state["pool_status"] = {"spot": "RUNNING_WITH_ERROR"}
    site.succeed("deploy")


def test_a_gcloud_that_lacks_a_flag_is_told_before_the_cluster_is_begun(site):
    site.state["gcloud_without_spot"] = True
    result = site.refuse("deploy")
    assert "does not understand: unrecognized arguments: --spot" in result.last_error
    assert not site.state["accounts"] and not site.state["clusters"]


def test_a_gcloud_without_beta_commands_is_told_before_anything_is_made(site):
    site.state["gcloud_without_beta"] = True
    result = site.refuse("deploy")
    assert "does not understand: Invalid choice: 'beta'" in result.last_error and "`gcloud components install beta`" in result.last_error
    assert site.commands(changes=True) == []
    site.state["gcloud_without_beta"] = False
    site.succeed("deploy")


def test_the_certificate_is_waited_for_and_shown(deployed):
    deployed.state["certificate_rounds"] = 12
    result = deployed.succeed("deploy")
    assert "after 0 min: the certificate is Provisioning (FailedNotVisible)" in result.output
    assert "after 3 min: the certificate is Active" in result.output


def test_after_twenty_minutes_without_a_certificate_it_says_which_record_to_set(deployed):
    deployed.state["certificate_rounds"] = 81
    result = deployed.refuse("deploy")
    assert "A record of jobs.shop.test is 203.0.113.7" in result.last_error and "`just deploy`, which goes on waiting" in result.last_error
    assert len([command for command in deployed.commands() if "get managedcertificates" in command]) == 80
    assert "== https://jobs.shop.test answers" in deployed.succeed("deploy").output


def test_a_load_balancer_that_needs_some_minutes_more_is_asked_again(deployed):
    deployed.state["proofs"] = [False] * 8
    result = deployed.succeed("deploy")
    assert "not yet: ERROR: page: connection refused" in result.output and "after 2 min: it holds" in result.output


def test_what_never_holds_is_a_failure(deployed):
    deployed.state["proofs"] = [False] * 100
    result = deployed.refuse("deploy")
    assert "page: connection refused" in result.errors and "does not do what it should" in result.last_error


def test_a_load_balancer_that_cuts_websockets_is_a_failure(deployed):
    deployed.state["backend_timeout"] = 30
    result = deployed.refuse("deploy")
    assert "cuts websockets after 30 s" in result.last_error
    assert "answers" not in result.output


def test_what_preempted_machines_left_behind_does_not_fail_a_rollout(deployed):
    deployed.state["pods"]["gateway-old"] = {"node": "node-b", "phase": "Failed"}
    deployed.succeed("deploy")
    assert "1 more are what machines left behind" in deployed.succeed("status").output


def test_a_gateway_gets_its_map_of_certificates_and_is_read_back_by_its_own_name(rendering_site):
    site = rendering_site
    site.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", OVERLAY="gke-gateway")
    site.state["backend_timeout"] = 90
    result = site.succeed("deploy")
    assert list(site.state["maps"]["mayfly"].values()) == ["jobs.shop.test"] and "certificatemanager.googleapis.com" in site.state["services"]
    assert "backend service gkegw1-1a2b-mayfly-gateway-80-5e6f: timeout 90 s" in result.output
    site.forget_calls()
    site.succeed("deploy")
    assert site.commands(changes=True) == [APPLY]


def test_another_domain_gets_a_certificate_of_its_own_before_the_old_one_goes(rendering_site):
    site = rendering_site
    site.settings(**SETTINGS, OVERLAY="gke-gateway")
    site.state["certificates"]["mayfly-of-others"] = "shop.test"
    site.succeed("deploy")
    old = set(site.state["certificates"]) - {"mayfly-of-others"}
    site.settings(**SETTINGS | {"DOMAIN": "work.shop.test"}, OVERLAY="gke-gateway")
    site.state["certificate_rounds"] = 5
    site.succeed("deploy")
    assert sorted(site.state["certificates"].values()) == ["shop.test", "work.shop.test"]
    assert list(site.state["maps"]["mayfly"].values()) == ["work.shop.test"] and not old & set(site.state["certificates"])
    commands = site.commands()
    waited = max(number for number, command in enumerate(commands) if "certificates describe" in command)
    assert waited < min(number for number, command in enumerate(commands) if "entries delete" in command)
