"""Memory limits against what settings allow a process to fill; the cache, which is nothing but memory."""

import re

from problem import rule

from .quantities import quantity


def megabytes(text):
    found = re.search(r"--maxmemory (\d+)mb", text)
    return int(found[1]) * 2**20 if found else 0


@rule
def memory(manifests, code):
    """What a process may fill by its settings fits into its limit, with room for the rest."""
    for workload in manifests.workloads("Deployment"):
        limit = quantity(workload.container.get("resources", {}).get("limits", {}).get("memory")) or 0
        told = manifests.environment(workload)
        known = code.settings(workload.service) if workload.service in code.services else {}
        fills = [int(told.get(name, known[name])) * unit for name, unit in {"HISTORY_BYTES": 1, "THUMBNAIL_MEMORY_MIB": 2**20, "PUBSUB_EMULATOR_MEMORY_MB": 2**20}.items() if name in known]
        if workload.labels.get("app.kubernetes.io/component") == "cache":
            fills.append(megabytes(" ".join(workload.container.get("command", []))))
            if not fills[-1]:
                yield workload, "has no --maxmemory, so it grows until it is killed"
        if sum(fills) * 1.5 > limit:
            yield workload, f"may fill {sum(fills) / 2**20:.0f} MiB, of which its limit {limit / 2**20:.0f} MiB must be one and a half times"


@rule
def true_cache(manifests, _):
    """Nothing on disk, least used first, a password, and SIGTERM for the server itself."""
    wanted = ["exec valkey-server", '--save ""', "--appendonly no", "--maxmemory-policy allkeys-lru", "--protected-mode yes", "requirepass", "redis-password"]
    for workload in manifests.component("cache"):
        command = " ".join(workload.container.get("command", []))
        if workload.container.get("command", [])[:2] != ["sh", "-ec"]:
            yield workload, "its command is for a shell that stops at the first error"
        alive = workload.container.get("livenessProbe", {}).get("exec", {}).get("command", [])
        if alive[:2] != ["sh", "-c"] or "valkey-cli ping" not in alive[-1]:
            yield workload, "its liveness does not ask the server, whose port the kernel keeps open by itself"
        for part in wanted:
            if part not in command:
                yield workload, f"its command lacks `{part}`"
        if "/data" not in [mount["mountPath"] for mount in workload.container.get("volumeMounts", [])] or "--dir /data" not in command:
            yield workload, "its folder is none that it can write to"
        if any("persistentVolumeClaim" in volume for volume in workload.pod.get("volumes", [])):
            yield workload, "keeps its data"


@rule
def one_cache(manifests, _):
    """Two caches behind one name would each have half of what was said."""
    for workload in manifests.component("cache"):
        if workload.spec.get("replicas") != 1 or workload.spec.get("strategy", {}).get("type") != "Recreate":
            yield workload, "must be one, and go before the next one comes: replicas 1, strategy Recreate"
