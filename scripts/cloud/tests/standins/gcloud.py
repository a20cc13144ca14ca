"""A gcloud that knows the commands of the recipes, and nothing else."""

import json
import re
from pathlib import Path

from .world import Program, Refused, expect, must

gcloud = Program()
PROJECT, NUMBER = "shop-project", "4711"
MEMBERS = {"flatten": "bindings[].members", "format": "csv[no-heading](bindings.role,bindings.members)"}
NAMES = "value(name.basename())"


def in_project(flags):
    must(flags.get("project") == PROJECT, f"PERMISSION_DENIED: project {flags.get('project')}")


def enabled(state, service):
    must(f"{service}.googleapis.com" in state["services"], f"SERVICE_DISABLED: {service}")
    # Google switches a service on here and there, one server after the other.
    if state["early_services"].get(service):
        state["early_services"][service] -= 1
        raise Refused(f"PERMISSION_DENIED: {service}.googleapis.com has not been used in project {NUMBER} before or it is disabled. If you enabled it recently, wait a few minutes")


def members(state, flags, resource):
    for name, value in MEMBERS.items():
        expect(flags[name], value)
    return "\n".join(f"{role},{member}" for role, member in state["policies"].get(resource, []))


def bind(state, flags, resource):
    member, role = flags["member"], flags["role"]
    if member.startswith("serviceAccount:service-"):
        must(member == f"serviceAccount:service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com" and state["identities"], f"{member} does not exist")
    elif member.startswith("serviceAccount:"):
        must(member.removeprefix("serviceAccount:") in state["accounts"], f"{member} does not exist")
        # Google tells its other services of a new account only after a while.
        if state["early_grants"]:
            state["early_grants"] -= 1
            raise Refused(f"service account {member} does not exist (yet)")
    else:
        pool = f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/{PROJECT}.svc.id.goog/subject/ns/"
        must(re.fullmatch(re.escape(pool) + r"[a-z-]+/sa/[a-z-]+", member), f"{member} is no principal")
        must(state["clusters"], "Identity Pool does not exist")
    if role.startswith("projects/"):
        must(role.split("/")[-1] in state["roles"], f"role {role} does not exist")
    policy = state["policies"].setdefault(resource, [])
    if [role, member] not in policy:
        policy.append([role, member])


# --- Services, projects, accounts


@gcloud.reads("", "version")
def version(state, words, flags):
    return "Google Cloud SDK 528.0.0"


@gcloud.reads("services list", "enabled project format")
def services(state, words, flags):
    in_project(flags)
    expect(flags["format"], "value(config.name)")
    return "\n".join(state["services"])


@gcloud.changes("services enable", "project")
def enable(state, words, flags):
    in_project(flags)
    new = {*words} - {*state["services"]}
    state["early_services"] |= {service.split(".")[0]: state["early_answers"] for service in new}
    state["services"] = sorted({*state["services"], *words})


@gcloud.changes("beta services identity create", "service project")
def identity(state, words, flags):
    in_project(flags)
    expect(flags["service"], "pubsub.googleapis.com")
    state["identities"] = ["pubsub"]


@gcloud.reads("projects describe", "format")
def project(state, words, flags):
    must(words == [PROJECT], "NOT_FOUND")
    expect(flags["format"], "value(projectNumber)")
    return NUMBER


@gcloud.reads("projects get-iam-policy", "project flatten format")
def project_policy(state, words, flags):
    in_project(flags)
    enabled(state, "cloudresourcemanager")
    return members(state, flags, "project")


@gcloud.changes("projects add-iam-policy-binding", "member role condition")
def project_bind(state, words, flags):
    expect(flags["condition"], "None")
    bind(state, flags, "project")


@gcloud.changes("projects remove-iam-policy-binding", "member role condition")
def project_unbind(state, words, flags):
    expect(flags["condition"], "None")
    state["policies"]["project"].remove([flags["role"], flags["member"]])


@gcloud.reads("auth list", "filter format")
def account(state, words, flags):
    expect(flags["format"], "value(account)")
    return "somebody@example.com"


@gcloud.changes("auth configure-docker")
def configure_docker(state, words, flags):
    config = Path(flags["call"].docker_config)
    config.mkdir(exist_ok=True)
    (config / "config.json").write_text(json.dumps({"credHelpers": {words[0]: "gcloud"}}))


@gcloud.reads("billing projects describe", "format")
def billing(state, words, flags):
    expect(flags["format"], "value(billingEnabled)")
    return "True"


@gcloud.reads("iam service-accounts list", "project format")
def accounts(state, words, flags):
    in_project(flags)
    enabled(state, "iam")
    expect(flags["format"], "value(email)")
    return "\n".join(state["accounts"])


@gcloud.changes("iam service-accounts create", "project display-name")
def create_account(state, words, flags):
    enabled(state, "iam")
    email = f"{words[0]}@{PROJECT}.iam.gserviceaccount.com"
    must(email not in state["accounts"], "ALREADY_EXISTS")
    state["accounts"].append(email)


@gcloud.changes("iam service-accounts delete", "project")
def delete_account(state, words, flags):
    state["accounts"].remove(words[0])


@gcloud.reads("iam roles list", "project filter format")
def roles(state, words, flags):
    expect(flags["format"], "value(name)")
    return "\n".join(name for role in state["roles"] if (name := f"projects/{PROJECT}/roles/{role}") == flags["filter"].removeprefix("name="))


@gcloud.reads("iam roles describe", "project format")
def role(state, words, flags):
    expect(flags["format"], "value(includedPermissions)")
    return ";".join(state["roles"][words[0]])


@gcloud.changes("iam roles create", "project permissions title stage")
def create_role(state, words, flags):
    must(words[0] not in state["roles"], "ALREADY_EXISTS")
    state["roles"][words[0]] = flags["permissions"].split(",")


@gcloud.changes("iam roles update", "project permissions")
def update_role(state, words, flags):
    must(words[0] in state["roles"], "NOT_FOUND")
    state["roles"][words[0]] = flags["permissions"].split(",")


# --- Cluster and network

MACHINE = (
    "project location machine-type image-type disk-type disk-size service-account workload-metadata shielded-secure-boot shielded-integrity-monitoring "
    "enable-autorepair enable-autoupgrade max-surge-upgrade max-unavailable-upgrade spot num-nodes enable-autoscaling total-min-nodes total-max-nodes location-policy"
)


@gcloud.reads("container clusters list", "project location filter format")
def clusters(state, words, flags):
    in_project(flags)
    enabled(state, "container")
    expect(flags["format"], "value(status)", "value(status,currentMasterVersion)")
    cluster = state["clusters"].get(flags["filter"].removeprefix("name="))
    if cluster:
        cluster["looks"] -= 1
        was = cluster["status"] = state["cluster_status"] or ("PROVISIONING" if cluster["looks"] > 0 else "RUNNING")
        return was if flags["format"] == "value(status)" else f"{was}\t1.36.1-gke.1000"


@gcloud.changes(
    "container clusters create",
    MACHINE + " release-channel addons autoscaling-profile hpa-profile enable-ip-alias enable-dataplane-v2 gateway-api workload-pool "
    "enable-managed-prometheus monitoring logging enable-private-nodes enable-dns-access no-enable-ip-access "
    "no-enable-insecure-kubelet-readonly-port no-enable-insecure-binding-system-authenticated no-enable-insecure-binding-system-unauthenticated "
    "security-posture workload-vulnerability-scanning network subnetwork",
)
def create_cluster(state, words, flags):
    in_project(flags)
    enabled(state, "container")
    must(words[0] not in state["clusters"], "ALREADY_EXISTS")
    must(state["private_access"].get(flags["subnetwork"]), "machines without addresses would never become ready")
    must(flags["service-account"] in state["accounts"], "the machines' service account does not exist")
    state["clusters"][words[0]] = {"status": "PROVISIONING", "looks": 3, "location": flags["location"], "spot": bool(flags.get("spot")), "nodes": flags["num-nodes"]}
    state["pools"][words[0]] = ["default-pool"]
    # It runs before GKE's controllers are through.
    state["crd_rounds"] = 2


@gcloud.changes("container clusters delete", "project location")
def delete_cluster(state, words, flags):
    must(words[0] in state["clusters"], "NOT_FOUND")
    del state["clusters"][words[0]], state["pools"][words[0]]
    for kind in ("secrets", "objects", "namespaces", "pods"):
        state[kind] = {}


@gcloud.changes("container clusters get-credentials", "project location dns-endpoint")
def credentials(state, words, flags):
    cluster = state["clusters"].get(words[0])
    must(cluster and cluster["location"] == flags["location"], "NOT_FOUND")
    Path(flags["call"].kubeconfig).write_text(f"current-context: gke_{PROJECT}_{flags['location']}_{words[0]}\n")


@gcloud.reads("container node-pools list", "cluster project location format")
def pools(state, words, flags):
    expect(flags["format"], "csv[no-heading](name,status)")
    must(state["clusters"], "NOT_FOUND")
    return "\n".join(f"{name},{state['pool_status'].get(name, 'RUNNING')}" for name in state["pools"][flags["cluster"]])


@gcloud.changes("container node-pools create", MACHINE + " cluster node-taints")
def create_pool(state, words, flags):
    expect(flags["node-taints"], "cloud.google.com/gke-spot=true:NoSchedule")
    must(words[0] not in state["pools"][flags["cluster"]], "ALREADY_EXISTS")
    state["pools"][flags["cluster"]].append(words[0])


@gcloud.reads("compute networks subnets describe", "region project format")
def subnet(state, words, flags):
    enabled(state, "compute")
    expect(flags["format"], "value(privateIpGoogleAccess)")
    return str(state["private_access"].get(words[0], False))


@gcloud.changes("compute networks subnets update", "region project enable-private-ip-google-access")
def update_subnet(state, words, flags):
    state["private_access"][words[0]] = True


@gcloud.reads("compute addresses list", "project global filter format")
def addresses(state, words, flags):
    enabled(state, "compute")
    expect(flags["format"], "value(address)")
    return state["addresses"].get(flags["filter"].removeprefix("name="))


@gcloud.changes("compute addresses create", "project global ip-version")
def create_address(state, words, flags):
    must(words[0] not in state["addresses"], "ALREADY_EXISTS")
    state["addresses"][words[0]] = "203.0.113.7"


@gcloud.changes("compute addresses delete", "project global")
def delete_address(state, words, flags):
    del state["addresses"][words[0]]


@gcloud.reads("compute routers list", "project filter format")
def routers(state, words, flags):
    expect(flags["format"], "value(name)")
    return "\n".join(state["routers"])


@gcloud.changes("compute routers create", "network project region")
def create_router(state, words, flags):
    must(words[0] not in state["routers"], "ALREADY_EXISTS")
    state["routers"][words[0]] = []


@gcloud.changes("compute routers delete", "project region")
def delete_router(state, words, flags):
    del state["routers"][words[0]]


@gcloud.reads("compute routers nats list", "router project region format")
def nats(state, words, flags):
    expect(flags["format"], "value(name)")
    return "\n".join(state["routers"][flags["router"]])


@gcloud.changes("compute routers nats create", "router project region auto-allocate-nat-external-ips nat-all-subnet-ip-ranges")
def create_nat(state, words, flags):
    must(not state["routers"][flags["router"]], "ALREADY_EXISTS")
    state["routers"][flags["router"]].append(words[0])


@gcloud.reads("compute regions describe", "project flatten format")
def quotas(state, words, flags):
    expect(flags["flatten"], "quotas[]")
    expect(flags["format"], "csv[no-heading](quotas.metric,quotas.limit,quotas.usage)")
    return "\n".join(f"{metric},{numbers}" for metric, numbers in state["quotas"].items() if metric != "CPUS_ALL_REGIONS") + "\nCPUS,24.0,0.0\nSSD_TOTAL_GB,500.0,0.0\nINSTANCES,24.0,0.0"


@gcloud.changes("compute instances simulate-maintenance-event", "zone project")
def preempt(state, words, flags):
    expect(flags["zone"], "us-central1-c")
    for name in [name for name, pod in state["pods"].items() if pod["node"] == words[0]]:
        # It stays as an object, and its Deployment makes another one.
        state["pods"][name]["phase"] = "Failed"
        state["pods"][f"{name}x"] = {"node": "node-c", "phase": "Running"}


@gcloud.reads("compute project-info describe", "project flatten format")
def project_quotas(state, words, flags):
    expect(flags["flatten"] + flags["format"], "quotas[]csv[no-heading](quotas.metric,quotas.limit,quotas.usage)")
    return f"CPUS_ALL_REGIONS,{state['quotas']['CPUS_ALL_REGIONS']}"


@gcloud.reads("compute backend-services describe", "global project format")
def backend(state, words, flags):
    expect(flags["format"], "value(timeoutSec)")
    must(words == ["k8s1-1a2b3c4d-mayfly-gateway-80-5e6f7a8b"] or words == ["gkegw1-1a2b-mayfly-gateway-80-5e6f"], f"NOT_FOUND {words}")
    return str(state["backend_timeout"])


# --- Certificates for a Gateway


@gcloud.reads("certificate-manager certificates list", "project format")
def certificates(state, words, flags):
    enabled(state, "certificatemanager")
    expect(flags["format"], NAMES)
    return "\n".join(state["certificates"])


@gcloud.changes("certificate-manager certificates create", "domains project")
def create_certificate(state, words, flags):
    must(words[0] not in state["certificates"], "ALREADY_EXISTS")
    state["certificates"][words[0]] = flags["domains"]


@gcloud.changes("certificate-manager certificates delete", "project")
def delete_certificate(state, words, flags):
    must(not any(words[0] in entries for entries in state["maps"].values()), "in use")
    del state["certificates"][words[0]]


@gcloud.reads("certificate-manager certificates describe", "project format")
def certificate(state, words, flags):
    must(words[0] in state["certificates"], "NOT_FOUND")
    expect(flags["format"], "value(managed.state,managed.authorizationAttemptInfo[].failureReason)")
    state["certificate_rounds"] -= 1
    return "ACTIVE" if state["certificate_rounds"] < 0 else "PROVISIONING\tCONFIG"


@gcloud.reads("certificate-manager maps list", "project format")
def maps(state, words, flags):
    expect(flags["format"], NAMES)
    return "\n".join(state["maps"])


@gcloud.changes("certificate-manager maps create", "project")
def create_map(state, words, flags):
    must(words[0] not in state["maps"], "ALREADY_EXISTS")
    state["maps"][words[0]] = {}


@gcloud.changes("certificate-manager maps delete", "project")
def delete_map(state, words, flags):
    must(not state["maps"][words[0]], "it has entries")
    del state["maps"][words[0]]


@gcloud.reads("certificate-manager maps entries list", "map project format")
def entries(state, words, flags):
    expect(flags["format"], NAMES)
    return "\n".join(state["maps"][flags["map"]])


@gcloud.changes("certificate-manager maps entries create", "map certificates hostname project")
def create_entry(state, words, flags):
    must(flags["certificates"] in state["certificates"], "NOT_FOUND")
    entries = state["maps"][flags["map"]]
    must(words[0] not in entries and flags["hostname"] not in entries.values(), "ALREADY_EXISTS")
    entries[words[0]] = flags["hostname"]


@gcloud.changes("certificate-manager maps entries delete", "map project")
def delete_entry(state, words, flags):
    del state["maps"][flags["map"]][words[0]]


# --- Pub/Sub

DURATIONS = {"10m": "600s", "7d": "604800s", "100ms": "0.100s", "1s": "1s", "never": ""}
SHARED = "ack-deadline message-retention-duration expiration-period min-retry-delay max-retry-delay dead-letter-topic max-delivery-attempts project"


@gcloud.reads("pubsub topics list", "project format")
def topics(state, words, flags):
    enabled(state, "pubsub")
    expect(flags["format"], NAMES, "csv[no-heading](name.basename(),messageRetentionDuration)")
    return "\n".join(name if flags["format"] == NAMES else f"{name},{retention}" for name, retention in state["topics"].items())


@gcloud.changes("pubsub topics create", "message-retention-duration project")
def create_topic(state, words, flags):
    must(words[0] not in state["topics"], "ALREADY_EXISTS")
    state["topics"][words[0]] = DURATIONS[flags["message-retention-duration"]]


@gcloud.changes("pubsub topics update", "message-retention-duration project")
def update_topic(state, words, flags):
    must(words[0] in state["topics"], "NOT_FOUND")
    state["topics"][words[0]] = DURATIONS[flags["message-retention-duration"]]


@gcloud.changes("pubsub topics delete", "project")
def delete_topic(state, words, flags):
    del state["topics"][words[0]]
    state["policies"].pop(f"topics/{words[0]}", None)
    for subscription in state["subscriptions"].values():
        if subscription[0] == words[0]:
            subscription[0] = "_deleted-topic_"


@gcloud.reads("pubsub subscriptions list", "project format")
def subscriptions(state, words, flags):
    brief = "csv[no-heading](name.basename(),topic.basename())"
    full = (
        "csv[no-heading](name.basename(),topic.basename(),ackDeadlineSeconds,messageRetentionDuration,expirationPolicy.ttl,retryPolicy.minimumBackoff,"
        "retryPolicy.maximumBackoff,deadLetterPolicy.deadLetterTopic.basename(),deadLetterPolicy.maxDeliveryAttempts)"
    )
    expect(flags["format"], brief, full)
    return "\n".join(",".join([name, *(columns[:1] if flags["format"] == brief else columns)]) for name, columns in state["subscriptions"].items())


def columns(state, topic, flags):
    letters = flags.get("dead-letter-topic", "")
    must(not letters or letters in state["topics"], "the dead-letter topic does not exist")
    durations = [DURATIONS[flags[name]] for name in ("message-retention-duration", "expiration-period", "min-retry-delay", "max-retry-delay")]
    return [topic, flags["ack-deadline"], *durations, letters, flags.get("max-delivery-attempts", "")]


@gcloud.changes("pubsub subscriptions create", SHARED + " topic")
def create_subscription(state, words, flags):
    must(words[0] not in state["subscriptions"], "ALREADY_EXISTS")
    must(flags["topic"] in state["topics"], "the topic does not exist")
    state["subscriptions"][words[0]] = columns(state, flags["topic"], flags)


@gcloud.changes("pubsub subscriptions update", SHARED)
def update_subscription(state, words, flags):
    state["subscriptions"][words[0]] = columns(state, state["subscriptions"][words[0]][0], flags)


@gcloud.changes("pubsub subscriptions delete", "project")
def delete_subscription(state, words, flags):
    for name in words:
        del state["subscriptions"][name]
        state["policies"].pop(f"subscriptions/{name}", None)


def register_policies(collection):
    @gcloud.reads(f"pubsub {collection} get-iam-policy", "project flatten format")
    def policy(state, words, flags):
        must(words[0] in state[collection], "NOT_FOUND")
        return members(state, flags, f"{collection}/{words[0]}")

    @gcloud.changes(f"pubsub {collection} add-iam-policy-binding", "project member role")
    def add(state, words, flags):
        must(words[0] in state[collection], "NOT_FOUND")
        bind(state, flags, f"{collection}/{words[0]}")


register_policies("topics")
register_policies("subscriptions")


# --- Artifact Registry


@gcloud.reads("artifacts repositories list", "project location format")
def repositories(state, words, flags):
    enabled(state, "artifactregistry")
    expect(flags["format"], NAMES)
    return "\n".join(state["repositories"])


@gcloud.changes("artifacts repositories create", "repository-format location project")
def create_repository(state, words, flags):
    expect(flags["repository-format"], "docker")
    must(words[0] not in state["repositories"], "ALREADY_EXISTS")
    state["repositories"][words[0]] = {}


@gcloud.reads("artifacts repositories list-cleanup-policies", "location project format")
def cleanup_policies(state, words, flags):
    expect(flags["format"], "value(name)")
    must(words[0] in state["repositories"], "NOT_FOUND")
    return "\n".join(state["cleanup"].get(words[0], []))


@gcloud.changes("artifacts repositories set-cleanup-policies", "policy no-dry-run location project")
def set_cleanup_policies(state, words, flags):
    must(words[0] in state["repositories"], "NOT_FOUND")
    policies = json.loads(Path(flags["call"].folder, flags["policy"]).read_text())
    state["cleanup"][words[0]] = [policy["name"] for policy in policies]


@gcloud.changes("artifacts repositories delete", "location project")
def delete_repository(state, words, flags):
    del state["repositories"][words[0]]
    state["cleanup"].pop(words[0], None)
    state["policies"].pop(f"repositories/{words[0]}", None)


@gcloud.reads("artifacts repositories get-iam-policy", "location project flatten format")
def repository_policy(state, words, flags):
    must(words[0] in state["repositories"], "NOT_FOUND")
    return members(state, flags, f"repositories/{words[0]}")


@gcloud.changes("artifacts repositories add-iam-policy-binding", "location project member role")
def repository_bind(state, words, flags):
    must(words[0] in state["repositories"], "NOT_FOUND")
    bind(state, flags, f"repositories/{words[0]}")


@gcloud.reads("artifacts docker images list", "project include-tags format")
def images(state, words, flags):
    expect(flags["format"], "value(package,version,tags)")
    repository = words[0].split("/")[-1]
    must(repository in state["repositories"], "NOT_FOUND")
    return "\n".join(f"{words[0]}/{image}\tsha256:{digest}\tolder;{tag}" for key, digest in state["repositories"][repository].items() for image, tag in [key.split(":")])


# --- gcloud's judgement of commands


@gcloud.reads("meta lint-gcloud-commands", "commands-file")
def lint(state, words, flags):
    answers = []
    for command in json.loads(Path(flags["commands-file"]).read_text()):
        message = None
        if "--spot" in command["command_string"] and state["gcloud_without_spot"]:
            message = "unrecognized arguments: --spot \n\nTo search the help text"
        if "gcloud beta" in command["command_string"] and state["gcloud_without_beta"]:
            message = "Invalid choice: 'beta'"
        answers.append({"command_string": command["command_string"], "error_message": message, "success": not message})
    return json.dumps(answers)
