"""The recipes beside `deploy`, all through the justfile."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from place import REPOSITORY, git

NAMED = ["doctor", "cluster-create", "cluster-delete", "ip-create", "pubsub-setup", "secrets-create", "build", "push", "deploy", "status", "logs",
         "rollback", "pods-gc", "cost", "drill", "destroy", "prove"]  # fmt: skip
TOOLS = Path(sys.executable).parent


def test_every_recipe_is_there_with_a_word_about_it():
    listed = subprocess.run([TOOLS / "just", "--list", "--unsorted"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for recipe in NAMED:
        assert re.search(rf"^    {recipe}\b.*# \S", listed, re.MULTILINE), recipe


@pytest.mark.parametrize("recipe", [recipe for recipe in NAMED if recipe not in ("cluster-delete", "destroy", "rollback")])
def test_every_recipe_runs_on_what_is_deployed_and_breaks_nothing(deployed, recipe):
    before = deployed.lasting()
    deployed.succeed("just", recipe)
    assert deployed.lasting() == before


def test_justfile_and_scripts_are_in_form():
    subprocess.run([TOOLS / "just", "--fmt", "--check"], cwd=REPOSITORY, check=True)
    scripts = [path for path in (REPOSITORY / "scripts/cloud").rglob("*") if path.is_file() and b"bash" in path.read_bytes().split(b"\n")[0] or path.suffix == ".sh"]
    assert len(scripts) > 20
    checked = subprocess.run([TOOLS / "shellcheck", "--external-sources", *scripts], cwd=REPOSITORY, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_a_failure_ends_with_one_line_that_names_the_recipe(site):
    for recipe in ("ip-create", "cluster-create"):
        site.world.break_matching = "services list"
        result = site.refuse("just", recipe)
        assert result.last_error.endswith(f"`gcloud services list` failed with code 1. Next: mend that and run `just {recipe}`, which goes on where this ended")


# --- Rollback


def test_rollback_goes_to_the_release_before_and_back(deployed):
    old = deployed.state["namespaces"]["mayfly"]["mayfly/releases"]
    digests = (deployed.root / "target/deployments/deploy/images.env").read_text()
    git(deployed.root, "commit", "--quiet", "--allow-empty", "--message=Something new")
    deployed.succeed("deploy")
    assert (deployed.root / "target/deployments/deploy/images.env").read_text() != digests
    built = len(deployed.state["built"])
    deployed.succeed("just", "rollback")
    assert (deployed.root / "target/deployments/deploy/images.env").read_text() == digests
    assert deployed.state["namespaces"]["mayfly"]["mayfly/releases"].split()[0] == old
    assert len(deployed.state["built"]) == built, "it takes what was pushed"
    deployed.succeed("just", "rollback")
    assert deployed.state["namespaces"]["mayfly"]["mayfly/releases"].split()[1] == old


def test_rollback_to_a_commit_by_name(deployed):
    tag = deployed.state["namespaces"]["mayfly"]["mayfly/releases"]
    deployed.succeed("just", "rollback", tag)
    result = deployed.refuse("rollback", "0123456789ab")
    assert "no image of gateway for commit 0123456789ab" in result.last_error
    assert deployed.state["namespaces"]["mayfly"]["mayfly/releases"] == tag


def test_without_a_release_before_it_says_so(deployed):
    assert "there is no release before this one" in deployed.refuse("rollback").last_error


# --- Pods, logs, status


def test_pods_gc_forgets_what_failed_and_nothing_else(deployed):
    deployed.state["pods"] |= {"gateway-old": {"node": "node-b", "phase": "Failed"}, "worker-echo-old": {"node": "node-b", "phase": "Failed"}}
    running = [name for name, pod in deployed.state["pods"].items() if pod["phase"] == "Running"]
    deployed.succeed("just", "pods-gc")
    assert list(deployed.state["pods"]) == running


def test_logs_of_a_service_by_its_own_selector(deployed):
    deployed.succeed("just", "logs", "worker-echo", "--since=1h")
    assert deployed.commands()[-1] == "kubectl logs --namespace=mayfly --selector=app.kubernetes.io/name=worker-echo --prefix --max-log-requests=50 --since=1h"
    assert "NotFound: nonsense" in deployed.refuse("logs", "nonsense").errors


@pytest.mark.parametrize("recipe", ["status", "doctor", "logs", "cost"])
def test_what_only_looks_changes_nothing(deployed, recipe):
    deployed.succeed("just", recipe)
    assert deployed.commands(changes=True) == []


def test_a_fresh_clone_finds_its_way_to_the_cluster(deployed):
    shutil.rmtree(deployed.root / "target")
    deployed.succeed("just", "status")
    assert [command.split(" --")[0] for command in deployed.commands(changes=True)] == ["gcloud container clusters get-credentials mayfly"]


# --- Proof


def test_the_proof_submits_a_kind_that_is_deployed(deployed):
    """By default echo, of which no setting needs to speak."""
    deployed.succeed("just", "prove")
    assert "--env=PROVE_KIND=echo " in deployed.commands()[-3]
    payload = '{"url":"https://shop.test/a b.jpg"}'
    deployed.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", PROVE_KIND="thumbnail", PROVE_PAYLOAD=payload)
    result = deployed.succeed("just", "prove")
    proof = next(call for call in reversed(deployed.world.calls) if call.program == "docker")
    assert proof.argv[2:4] == ["--env=PROVE_KIND=thumbnail", f"--env=PROVE_PAYLOAD={payload}"]
    assert f"--env='PROVE_PAYLOAD={payload}'" in result.output, "it can be pasted"


def test_a_proof_of_a_kind_that_nobody_takes_fails(deployed):
    del deployed.state["objects"]["Deployment/worker-echo"]
    assert "no worker takes echo" in deployed.refuse("prove").errors


@pytest.mark.parametrize("recipe", ["prove", "drill"])
def test_the_proof_brings_a_users_token_without_showing_it(deployed, recipe):
    (deployed.root.parent / "token").write_text("eyJ-a-users-token\n")
    deployed.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", PROVE_TOKEN_FILE=deployed.root.parent / "token")
    deployed.succeed("just", recipe)
    proofs = [call for call in deployed.world.calls if call.command.startswith("docker run")]
    assert proofs and all("--env=PROVE_TOKEN" in call.argv and "PROVE_TOKEN=eyJ-a-users-token" in call.environment for call in proofs)
    others = [call for call in deployed.world.calls if call not in proofs]
    assert not any("users-token" in call.environment for call in others) and not any("users-token" in call.command for call in deployed.world.calls)
    assert not any("users-token" in text for text in deployed.spoken)


# --- Drill


def test_drill_kills_one_machine_and_watches_clients(deployed):
    result = deployed.succeed("just", "drill")
    changes = deployed.commands(changes=True)
    assert changes[0] == "kubectl cordon node-a" and changes[-1] == "kubectl uncordon node-a"
    doomed = changes[1].split(" --")[0].split()[3:] + [word for word in changes[1].split() if re.fullmatch(r"[a-z-]+-1", word)]
    assert "--grace-period=15 --wait=false" in changes[1] and len(doomed) == 6, "each service has two pods, on two machines"
    assert "90 accepted, 0 refused, 0 unanswered, 0 lost, 0 ended twice" in result.output
    runs = [command for command in deployed.commands() if "docker run" in command]
    assert [run.split("203.0.113.7 ")[1] for run in runs] == ["--hold-s 1", "--drill --hold-s 90", "--hold-s 40"]
    assert deployed.commands().index(runs[1]) < deployed.commands().index(changes[1]), "the client is there before the pods go"


def test_drill_fails_when_a_client_was_let_down_and_still_uncordons(deployed):
    deployed.state["proofs"] = [True, False]
    result = deployed.refuse("drill")
    assert "the client did not get all that it was promised" in result.last_error
    assert deployed.state["cordoned"] == [] and deployed.commands()[-1] == "kubectl uncordon node-a"


def test_drill_of_a_whole_machine_prepares_nothing(deployed):
    result = deployed.succeed("just", "drill", "--machine")
    assert deployed.commands(changes=True) == ["gcloud compute instances simulate-maintenance-event node-a --zone=us-central1-c --project=shop-project"]
    assert "Machine node-a goes, and with it 6 pods" in result.output and "90 accepted" in result.output
    assert {pod["phase"] for pod in deployed.state["pods"].values() if pod["node"] == "node-a"} == {"Failed"}


def test_drill_of_a_whole_machine_wants_one_that_google_preempts(deployed):
    assert "node-b is no Spot machine" in deployed.refuse("drill", "--machine", "node-b").last_error
    assert deployed.commands(changes=True) == []


def test_drill_names_a_machine_without_pods(deployed):
    assert "no pod of ours runs on machine node-z" in deployed.refuse("drill", "node-z").last_error


# --- Clusters of other shapes


def create(site, **settings):
    site.settings(PROJECT="shop-project", **settings)
    site.succeed("just", "cluster-create")
    return [command for command in site.commands(changes=True) if re.search("clusters create|node-pools create|routers", command)]


def test_all_on_spot_has_no_taint_or_the_systems_own_pods_would_find_no_room(site):
    (cluster,) = create(site)
    assert " --spot " in cluster and "taint" not in cluster


def test_with_a_machine_that_stays_the_spot_machines_are_a_tainted_pool(site):
    cluster, pool = create(site, ON_DEMAND_NODES="1")
    assert "--spot" not in cluster and "--num-nodes=1 " in cluster and "autoscaling " not in cluster
    assert "node-pools create spot" in pool and " --spot " in pool and "--node-taints=cloud.google.com/gke-spot=true:NoSchedule" in pool


def test_a_network_of_your_own_lets_its_machines_reach_google(site):
    commands = create(site, NETWORK="shop", SUBNETWORK="shop-machines", NAT="true")
    assert " --network=shop --subnetwork=shop-machines " in commands[0] and "--network=shop " in commands[1]
    assert site.state["private_access"] == {"shop-machines": True}


def test_not_on_spot_at_all(site):
    (cluster,) = create(site, SPOT="false")
    assert "spot" not in cluster and "--total-max-nodes=9" in cluster


def test_a_way_out_for_webhooks(site):
    commands = create(site, NAT="true")
    assert len(commands) == 3
    site.forget_calls()
    site.succeed("cluster-create")
    assert site.commands(changes=True) == []


# --- Endings


def test_destroy_asks_for_the_projects_name(deployed):
    before = deployed.lasting()
    for answer in ("", "yes\n", "mayfly\n"):
        result = deployed.refuse("destroy", answer=answer)
        assert "you did not type shop-project, so nothing was deleted" in result.last_error
    assert deployed.lasting() == before and deployed.commands(changes=True) == []


@pytest.mark.parametrize("overlay", ["gke", "gke-gateway"])
def test_destroy_leaves_nothing_but_the_roles(rendering_site, overlay):
    site = rendering_site
    site.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", OVERLAY=overlay, NAT="true")
    site.succeed("deploy")
    site.state["subscriptions"]["mayfly-events-gateway-7f"] = ["mayfly-events", "10", "600s", "86400s", "", "", "", ""]
    site.state["topics"]["somebody-elses"] = "600s"
    site.succeed("just", "destroy", answer="shop-project\n")
    left = {key: value for key, value in site.lasting().items() if value and not isinstance(value, (int, bool))}
    assert left.keys() - {"dns", "quotas"} == {"services", "identities", "roles", "topics", "policies", "private_access", "external_metrics"} and left["topics"] == {"somebody-elses": "600s"}
    assert not any(left["policies"].values())


def test_the_load_balancer_goes_before_the_cluster_that_would_take_it_down(deployed):
    deployed.succeed("destroy", answer="shop-project\n")
    commands = [command.split(" --")[0] for command in deployed.commands(changes=True)]
    assert commands.index("kubectl delete namespace mayfly") < commands.index("gcloud container clusters delete mayfly") < commands.index("gcloud compute addresses delete mayfly")


def test_destroy_goes_on_wherever_it_ended(deployed):
    total = 0
    for number in range(1, 40):
        deployed.world.break_at = len(deployed.commands(changes=True)) + 2
        result = deployed.run("destroy", answer="shop-project\n")
        if result.code == 0:
            break
        assert result.code == 70 and "`just destroy`" in result.last_error
        total = number
    assert total > 5
    deployed.mend()
    deployed.succeed("destroy", answer="shop-project\n")
    assert not deployed.state["topics"] and not deployed.state["clusters"] and not deployed.state["accounts"]


def test_cluster_delete_keeps_topics_images_and_address(deployed):
    assert "nothing was deleted" in deployed.refuse("cluster-delete", answer="no\n").last_error
    deployed.succeed("just", "cluster-delete", answer="mayfly\n")
    assert not deployed.state["clusters"] and deployed.state["topics"] and deployed.state["addresses"] and deployed.state["repositories"]
    deployed.succeed("deploy")
    assert deployed.state["objects"]


def test_destroy_of_one_of_several_leaves_what_the_others_share(deployed):
    deployed.state["namespaces"]["shard-b"] = {}
    deployed.state["policies"]["project"].append(["roles/pubsub.viewer", "principal://iam.googleapis.com/projects/4711/locations/global/workloadIdentityPools/shop-project.svc.id.goog/subject/ns/shard-b/sa/gateway"])
    assert "you did not type mayfly" in deployed.refuse("destroy", answer="shop-project\n").last_error
    result = deployed.succeed("destroy", answer="mayfly\n")
    assert "Cluster and images stay, since others live there: shard-b." in result.output
    state = deployed.state
    assert state["clusters"] and state["repositories"]["mayfly"] and state["accounts"] and list(state["namespaces"]) == ["shard-b"]
    assert not state["topics"] and not state["addresses"]
    assert [member.split("/")[-1] for role, member in state["policies"]["project"]] == ["serviceAccount:mayfly-nodes@shop-project.iam.gserviceaccount.com", "gateway"]


def test_cluster_delete_says_who_else_goes(deployed):
    deployed.state["namespaces"]["shard-b"] = {}
    assert "With it go these other installations: shard-b." in deployed.refuse("cluster-delete", answer="no\n").output
    deployed.succeed("cluster-delete", answer="mayfly\n")
    assert [command.split(" --")[0] for command in deployed.commands(changes=True)][:2] == ["kubectl delete namespace mayfly", "kubectl delete namespace shard-b"]


def test_a_cluster_that_never_ran_can_be_deleted(deployed):
    deployed.state["cluster_status"] = "ERROR"
    deployed.succeed("cluster-delete", answer="mayfly\n")
    assert not deployed.state["clusters"] and not [command for command in deployed.commands() if command.startswith("kubectl")]


def test_destroy_takes_the_right_of_the_adapter_with_it(rendering_site):
    rendering_site.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", COMPONENTS="backlog-scaling")
    rendering_site.succeed("deploy")
    assert "custom-metrics" in str(rendering_site.state["policies"]["project"])
    rendering_site.succeed("destroy", answer="shop-project\n")
    assert rendering_site.state["policies"]["project"] == []


# --- Doctor


def test_doctor_has_nothing_to_say_about_what_is_deployed(deployed):
    result = deployed.succeed("just", "doctor")
    for words in ("gcloud understands every command of a deployment", "signed in as somebody@example.com", "billing is on", "CPUS: 24 free, 18 for 9 + 0 machines", "allocatable", "timeout 86400 s"):
        assert words in result.output, words
    assert result.output.rstrip().endswith("== Nothing is lacking")


def test_doctor_of_an_empty_project_says_what_deploy_will_do(site):
    result = site.succeed("doctor")
    assert "service container is off; `just deploy` switches it on" in result.output and "there is no cluster mayfly yet" in result.output


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("auth list", "nobody is signed in. Next: gcloud auth login"),
        ("^gcloud projects describe", "project shop-project cannot be seen"),
        ("billing", "has no billing account"),
        ("docker info", "docker's server does not answer"),
        ("get nodes", "the cluster's machines cannot be seen"),
    ],
)
def test_doctor_names_each_lack_and_goes_on(deployed, broken, words):
    deployed.world.break_matching = broken
    result = deployed.refuse("doctor")
    assert words in result.output and "things that are lacking (above): 1" in result.last_error
    assert "== Way in" in result.output


def test_doctor_reads_quotas_against_the_settings(deployed):
    deployed.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", NODES_MAX="20")
    assert "LACK  CPUS: 24 free, and 20 + 0 machines take up to 40" in deployed.refuse("doctor").output


@pytest.mark.parametrize(
    ("quotas", "words"),
    [
        ({"CPUS_ALL_REGIONS": "12.0,0.0"}, "LACK  CPUS_ALL_REGIONS: 12 free, and 9 + 0 machines take up to 18"),
        ({"CPUS_ALL_REGIONS": "32.0,0.0", "PREEMPTIBLE_CPUS": "16.0,0.0"}, "LACK  PREEMPTIBLE_CPUS: 16 free, and 9 Spot machines take up to 18"),
    ],
)
def test_doctor_reads_quotas_that_others_forget(deployed, quotas, words):
    deployed.state["quotas"] = quotas
    assert words in deployed.refuse("doctor").output


def test_a_quota_for_spot_machines_that_was_never_granted_does_not_count(deployed):
    deployed.state["quotas"]["PREEMPTIBLE_CPUS"] = "0.0,0.0"
    assert "PREEMPTIBLE_CPUS" not in deployed.succeed("doctor").output


@pytest.mark.parametrize(
    ("dns", "words"),
    [
        ({"A": "198.51.100.1"}, "LACK  the A record of jobs.shop.test is 198.51.100.1. Next: make it 203.0.113.7"),
        ({"A": "203.0.113.7\n198.51.100.1"}, "LACK  the A record of jobs.shop.test is 198.51.100.1 203.0.113.7"),
        ({"A": "203.0.113.7", "AAAA": "2001:db8::1"}, "LACK  jobs.shop.test has an AAAA record, 2001:db8::1"),
    ],
)
def test_doctor_compares_dns_with_the_address(deployed, dns, words):
    deployed.state["dns"] = dns
    assert words in deployed.refuse("doctor").output


def test_doctor_finds_dns_in_order_or_not_there_yet(deployed):
    deployed.state["dns"] = {"A": "elsewhere.shop.test.\n203.0.113.7"}
    assert "ok    DNS says so" in deployed.succeed("doctor").output
    deployed.state["dns"] = {}
    assert "note  DNS has no A record of jobs.shop.test yet" in deployed.succeed("doctor").output


def test_doctor_tells_of_a_subnet_that_does_not_reach_google(deployed):
    assert "ok    machines in subnet default reach" in deployed.succeed("doctor").output
    deployed.state["private_access"] = {}
    assert "note  machines in subnet default do not reach" in deployed.succeed("doctor").output


def test_doctor_tells_of_a_load_balancer_that_cuts_websockets(deployed):
    deployed.state["backend_timeout"] = 30
    assert "cuts websockets after 30 s" in deployed.succeed("doctor").output


def test_doctor_tells_of_a_gcloud_that_is_too_old(deployed):
    deployed.state["gcloud_without_spot"] = True
    assert "this gcloud does not understand: unrecognized arguments: --spot. Next: gcloud components update" in deployed.refuse("doctor").output


@pytest.mark.parametrize("answer", ["", "False"])
def test_backlog_scaling_without_an_adapter_is_told(rendering_site, answer):
    rendering_site.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", COMPONENTS="backlog-scaling")
    rendering_site.state["external_metrics"] = answer
    assert "note: nothing answers for external metrics" in rendering_site.succeed("deploy").output
    assert "LACK  nothing answers for external metrics" in rendering_site.refuse("doctor").output
    rendering_site.state["external_metrics"] = "True"
    assert "external metrics are answered for" in rendering_site.succeed("doctor").output


def test_old_images_are_deleted_and_only_the_systems_own_figures_are_kept(deployed, first_deployment):
    assert deployed.state["cleanup"] == {"mayfly": ["keep-recent", "delete-old"]}
    _, first = first_deployment
    assert " --monitoring=SYSTEM " in next(command for command in first.commands() if "clusters create" in command)
