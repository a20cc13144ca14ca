"""Topics and subscriptions are those that the bus counts on, and nobody may do more with them than it has to."""

import re

from place import REPOSITORY

TOPOLOGY = (REPOSITORY / "crates/bus/src/topology.rs").read_text()
NAMES = (REPOSITORY / "crates/bus/src/names.rs").read_text()
ADMIN = (REPOSITORY / "crates/bus/src/admin.rs").read_text()
# What is deployed by default, and the crates that it takes.
KINDS = re.search(r"^KINDS=(.*)$", (REPOSITORY / "deploy.env.example").read_text(), re.MULTILINE)[1].split(",")
CRATES = {main.parts[-3] for main in REPOSITORY.glob("crates/worker-*/src/main.rs")} - {"worker-dead-letter"}


def one(pattern, text):
    found = re.findall(pattern, text)
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]


def rights(site):
    """Who has which role on what."""
    found = {}
    for resource, policy in site.state["policies"].items():
        for role, member in policy:
            who = member.split("/")[-1] if member.startswith("principal:") else member.split(":")[1].split("@")[0]
            found.setdefault(who, set()).add(f"{role.split('/')[-1].removeprefix('pubsub.')} {resource}")
    return found


def worker(*kinds, prefix="mayfly-"):
    """What a worker may: tell what becomes of its jobs, hear of their ends, and its own kinds' jobs; nobody else's."""
    everybody = {"mayflyInstance project", f"publisher topics/{prefix}events", f"publisher topics/{prefix}dead-letter"}
    everybody |= {f"publisher topics/{prefix}control", f"mayflyListener topics/{prefix}control"}
    return everybody | {right for kind in kinds for right in (f"publisher topics/{prefix}jobs-{kind}", f"subscriber subscriptions/{prefix}jobs-{kind}-worker")}


def kinds_in(crate):
    """The kinds that a crate's jobs declare: its binary runs all of them, or they could not be deployed."""
    sources = [path.read_text() for path in (REPOSITORY / "crates" / crate / "src").glob("*.rs")]
    return [kind for source in sources for kind in re.findall(r"^ +const KIND: &'static str = \"([a-z0-9-]+)\";", source, re.MULTILINE)]


def test_parameters_are_those_of_the_bus(deployed):
    retention = int(one(r"const RETENTION: Duration = Duration::from_mins\((\d+)\);", TOPOLOGY)) * 60
    hours, days = one(r"const BACKLOG: Duration = Duration::from_hours\((\d+) \* (\d+)\);", TOPOLOGY)
    attempts = one(r"const ATTEMPTS: u32 = (\d+);", TOPOLOGY)
    least, most = one(r"const BACKOFF: .* = \(Duration::from_millis\((\d+)\), Duration::from_secs\((\d+)\)\);", TOPOLOGY)
    deadline = one(r"\.set_ack_deadline_seconds\((\d+)\)", ADMIN)
    assert set(deployed.state["topics"].values()) == {f"{retention}s"}
    shared = [deadline, f"{int(hours) * int(days) * 3600}s", "", f"{int(least) / 1000:.3f}s", f"{most}s"]
    for name, (topic, *columns, letters, count) in deployed.state["subscriptions"].items():
        assert columns == shared, name
        assert (letters, count) == (("mayfly-dead-letter", attempts) if "-jobs-" in topic else ("", "")), name


def test_names_are_those_of_the_bus(deployed):
    topics = {name.replace("{kind}", kind) for name in re.findall(r'self\.topic\(&?(?:format!\()?"([a-z{}-]+)"', NAMES) for kind in KINDS}
    assert set(deployed.state["topics"]) == {f"mayfly-{name}" for name in topics}
    subscriptions = {name.replace("{kind}", kind) for name in re.findall(r'self\.subscription\(&?(?:format!\()?"([a-z{}-]+)"', NAMES) for kind in KINDS}
    assert set(deployed.state["subscriptions"]) == {f"mayfly-{name}" for name in subscriptions}


def test_kinds_and_prefix_are_settings(rendering_site):
    site = rendering_site
    site.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", KINDS="thumbnail,webhook", PROVE_KIND="thumbnail", TOPIC_PREFIX="shop-")
    site.succeed("deploy")
    assert sorted(site.state["topics"]) == ["shop-control", "shop-dead-letter", "shop-events", "shop-jobs-thumbnail", "shop-jobs-webhook"]
    assert site.state["subscriptions"]["shop-jobs-webhook-worker"][0] == "shop-jobs-webhook"
    assert "Deployment/worker-thumbnail" in site.state["objects"] and "Deployment/worker-echo" not in site.state["objects"]


def test_a_kind_without_manifests_is_not_deployed(rendering_site):
    rendering_site.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", KINDS="echo,greet")
    assert "greet" in rendering_site.refuse("deploy").errors
    assert rendering_site.commands(changes=True) == [], "better told before anything is made"
    assert "greet" in rendering_site.refuse("deploy", DRY_RUN="1").errors


def test_everybody_may_do_what_it_has_to_and_no_more(deployed):
    jobs = [f"mayfly-jobs-{kind}" for kind in KINDS]
    assert kinds_in("worker-echo") == ["echo"] and {"worker-echo", "worker-thumbnail", "worker-webhook"} <= CRATES
    assert rights(deployed) == {
        "gateway": {"mayflyInstance project", "publisher topics/mayfly-events", "mayflyListener topics/mayfly-events", "publisher topics/mayfly-control"}
        | {f"publisher topics/{topic}" for topic in jobs},
        **{crate: worker(*kinds_in(crate)) for crate in CRATES},
        "worker-dead-letter": {"publisher topics/mayfly-events", "subscriber subscriptions/mayfly-dead-letter-worker"},
        "gc": {"mayflyCollector project"},
        "service-4711": {"publisher topics/mayfly-dead-letter"} | {f"subscriber subscriptions/{topic}-worker" for topic in jobs},
        "mayfly-nodes": {"container.defaultNodeServiceAccount project", "artifactregistry.reader repositories/mayfly"},
    }
    assert deployed.state["roles"] == {
        "mayflyInstance": [f"pubsub.subscriptions.{verb}" for verb in ("consume", "create", "delete", "get", "update")],
        "mayflyListener": ["pubsub.topics.attachSubscription"],
        "mayflyCollector": ["pubsub.subscriptions.delete", "pubsub.subscriptions.list"],
    }


def test_kinds_of_one_crate_share_its_account(site):
    sources = site.root / "crates/worker-echo/src"
    (sources / "mail.rs").write_text("impl Job for Mail {\n    const KIND: &'static str = \"mail\";\n}\n")
    (sources / "main.rs").write_text("worker.register::<Echo>(()).register::<Mail>(())\n")
    site.settings(PROJECT="shop-project", KINDS="echo,mail,webhook", TOPIC_PREFIX="shop-")
    for recipe in ("apis-enable", "cluster-create", "pubsub-setup"):
        site.succeed(recipe)
    found = rights(site)
    assert found["worker-echo"] == worker("echo", "mail", prefix="shop-")
    assert found["worker-webhook"] == worker("webhook", prefix="shop-")
    assert "worker-thumbnail" not in found


def test_a_kind_that_nobody_runs_is_granted_nothing(deployed):
    before = deployed.state["policies"]["project"][:]
    deployed.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", KINDS="echo,mail")
    assert "KINDS names mail, and no worker crate has such a job; there are echo, thumbnail, webhook" in deployed.refuse("pubsub-grant").last_error
    assert deployed.state["policies"]["project"] == before


def test_components_bring_their_rights(deployed):
    deployed.settings(PROJECT="shop-project", DOMAIN="jobs.shop.test", COMPONENTS="backlog-scaling,opentelemetry")
    before = deployed.state["policies"]["project"][:]
    deployed.succeed("pubsub-setup")
    added = [(role, member.split("/subject/")[1]) for role, member in deployed.state["policies"]["project"] if [role, member] not in before]
    assert added == [("roles/monitoring.viewer", "ns/custom-metrics/sa/custom-metrics-stackdriver-adapter"), ("roles/cloudtrace.agent", "ns/mayfly/sa/otel-collector")]


def test_no_key_is_made(deployed, first_deployment):
    _, first = first_deployment
    assert not [command for command in first.commands() if "keys create" in command or "iam.gke.io" in command]


def test_what_was_changed_by_hand_is_put_right(deployed):
    reference = deployed.lasting()
    deployed.state["topics"]["mayfly-events"] = "86400s"
    deployed.state["subscriptions"]["mayfly-jobs-echo-worker"][1] = "600"
    deployed.state["subscriptions"]["mayfly-dead-letter-archive"][3] = "86400s"
    deployed.state["roles"]["mayflyCollector"].append("pubsub.topics.delete")
    deployed.succeed("pubsub-setup")
    assert deployed.lasting() == reference
    assert len(deployed.commands(changes=True)) == 4


def test_a_subscription_whose_topic_was_deleted_is_made_again(deployed):
    reference = deployed.lasting()
    del deployed.state["topics"]["mayfly-jobs-echo"], deployed.state["policies"]["topics/mayfly-jobs-echo"]
    deployed.state["subscriptions"]["mayfly-jobs-echo-worker"][0] = "_deleted-topic_"
    deployed.succeed("pubsub-setup")
    assert deployed.lasting() == reference


def test_a_subscription_on_another_topic_is_named_and_left_alone(deployed):
    deployed.state["subscriptions"]["mayfly-jobs-echo-worker"][0] = "mayfly-jobs-webhook"
    result = deployed.refuse("just", "pubsub-setup")
    assert "subscription mayfly-jobs-echo-worker hangs on topic mayfly-jobs-webhook, not on mayfly-jobs-echo" in result.last_error
    assert deployed.commands(changes=True) == []


def test_without_a_cluster_it_says_what_comes_first(site):
    site.succeed("apis-enable")
    assert "run `just cluster-create`" in site.refuse("pubsub-setup").last_error
