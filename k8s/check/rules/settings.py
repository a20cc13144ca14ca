"""What pods are told is what their programs listen to."""

import re

from manifests import label, without_hash
from problem import rule

SECRET_WORDS = ("SECRET", "PASSWORD", "TOKEN", "REDIS_URL")


@rule
def known_settings(manifests, code):
    """A variable that the program does not know is a typo, or a setting that is gone."""
    for workload in manifests.workloads():
        if workload.service not in code.services:
            continue
        for variable in manifests.environment(workload):
            if not code.knows(workload.service, variable):
                yield workload, f"is told {variable}, which {workload.service} --help does not list"


@rule
def no_duplicate_settings(manifests, _):
    for workload in manifests.workloads():
        names = [entry["name"] for entry in workload.container.get("env", [])]
        for source in workload.container.get("envFrom", []):
            config = manifests.find("ConfigMap", source.get("configMapRef", {}).get("name", ""))
            names += list((config or {}).get("data", {}))
        for name in {name for name in names if names.count(name) > 1}:
            yield workload, f"is told {name} twice"


@rule
def secrets_are_files(manifests, _):
    """An environment is shown by `describe`, inherited by children and found in dumps; a file is none of these."""
    for workload in manifests.workloads():
        for source in workload.container.get("envFrom", []):
            if "secretRef" in source:
                yield workload, "has a whole Secret in its environment"
        for entry in workload.container.get("env", []):
            if (entry.get("valueFrom") or {}).get("secretKeyRef"):
                yield workload, f"has a Secret in {entry['name']}"
        for variable in manifests.environment(workload):
            if any(word in variable for word in SECRET_WORDS) and not variable.endswith("_FILE"):
                yield workload, f"{variable} is a secret in plain sight"
    for config in manifests.of("ConfigMap"):
        if "redis://:" in str(config.get("data")) or "whsec_" in str(config.get("data")):
            yield label(config), "holds a secret"
    if manifests.on_google and manifests.of("Secret"):
        yield "Secret", "does not belong into manifests"


@rule
def secret_files(manifests, _):
    """A file that a `…_FILE` names and that is not mounted keeps the process from starting."""
    for workload in manifests.workloads():
        files = set(mounted_files(workload))
        named = {value for variable, value in manifests.environment(workload).items() if variable.endswith("_FILE")}
        for path in named - files:
            yield workload, f"{path} is not mounted"
        read = set(re.findall(r"/run/secrets/[\w./-]+", " ".join(workload.container.get("command", []))))
        for path in read - files:
            yield workload, f"{path} is not mounted"
        for path in files - named - read:
            yield workload, f"{path} is mounted, and nothing reads it"
        if files and workload.pod.get("securityContext", {}).get("fsGroup") != workload.pod.get("securityContext", {}).get("runAsGroup"):
            yield workload, "without its group as fsGroup it may not read its secrets"
    for workload in manifests.workloads():
        for volume in workload.pod.get("volumes", []):
            if "secret" in volume and volume["secret"].get("defaultMode") != 0o440:
                yield workload, f"volume {volume['name']} is readable by more than its group"


def mounted_files(workload):
    """Paths of the Secrets' keys in a container."""
    for mount in workload.container.get("volumeMounts", []):
        volume = next((volume for volume in workload.pod.get("volumes", []) if volume["name"] == mount["name"]), {})
        for item in volume.get("secret", {}).get("items", []):
            yield f"{mount['mountPath']}/{item['path']}"


@rule
def needed_settings(manifests, _):
    """Without these a process runs, and does not do what it is for."""
    needed = {
        "gateway": {"GOOGLE_CLOUD_PROJECT", "TOPIC_PREFIX", "BIND", "PORT", "KINDS", "SESSION_SECRET_FILE", "REDIS_URL_FILE", "DRAIN_BUDGET_MS", "LOG_FORMAT", "MAX_CONNECTIONS"},
        "worker": {"GOOGLE_CLOUD_PROJECT", "TOPIC_PREFIX", "BIND", "HEALTH_PORT", "REDIS_URL_FILE", "DRAIN_BUDGET_MS", "LOG_FORMAT"},
        "operator": {"GOOGLE_CLOUD_PROJECT", "TOPIC_PREFIX"},
    }
    for component, variables in needed.items():
        for workload in manifests.component(component):
            told = manifests.environment(workload)
            missing = variables - set(told)
            if workload.service == "worker-webhook":
                missing |= {"WEBHOOK_SECRET_FILE"} - set(told)
            if not manifests.on_google:
                missing |= {"PUBSUB_EMULATOR_HOST"} - set(told)
            elif "PUBSUB_EMULATOR_HOST" in told or "PUBSUB_ENSURE_TOPOLOGY" in told:
                yield workload, "is told of an emulator, or to make topics, which it may not"
            if missing:
                yield workload, f"is not told {sorted(missing)}"
            if component == "operator" and workload.container.get("args") != ["gc"]:
                yield workload, "without its command it would be the whole system in one process"
            elif component != "operator" and (workload.container.get("args") or workload.container.get("command")):
                yield workload, "is told by its environment, not by arguments"


@rule
def hashed_config(manifests, _):
    """Without the hash a changed setting rolls nothing, and a rollback brings no old setting back."""
    for config in manifests.of("ConfigMap"):
        name = config["metadata"]["name"]
        if without_hash(name) == name:
            yield label(config), "has no hash in its name"


