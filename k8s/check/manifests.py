"""Rendered manifests, with the questions that rules ask of them."""

import copy
import json
from dataclasses import dataclass

import yaml

# What keeps pods running, and where each has its pod template.
TEMPLATES = {
    "Deployment": lambda spec: spec["template"],
    "CronJob": lambda spec: spec["jobTemplate"]["spec"]["template"],
}


@dataclass(frozen=True)
class Workload:
    """A Deployment or CronJob, by what its pods are."""

    object: dict

    @property
    def kind(self):
        return self.object["kind"]

    @property
    def name(self):
        return self.object["metadata"]["name"]

    @property
    def spec(self):
        return self.object["spec"]

    @property
    def template(self):
        return TEMPLATES[self.kind](self.spec)

    @property
    def pod(self):
        return self.template["spec"]

    @property
    def labels(self):
        return self.template.get("metadata", {}).get("labels", {})

    @property
    def container(self):
        """Every pod here has one; the rule `one-container` sees to it."""
        return self.pod["containers"][0]

    @property
    def image(self):
        return self.container.get("image", "")

    @property
    def service(self):
        """Which of our services this is: the last part of the image's name, without tag and digest."""
        return self.image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]

    def ports(self):
        return {port.get("name"): port["containerPort"] for port in self.container.get("ports", [])}

    def port(self, reference):
        """The number behind a port's name or number, if the container has it."""
        ports = self.ports()
        return ports.get(reference) if isinstance(reference, str) else reference if reference in ports.values() else None

    def __str__(self):
        return f"{self.kind}/{self.name}"


class Manifests:
    """All objects of one variant."""

    def __init__(self, objects, overlay):
        self.objects = objects
        self.overlay = overlay

    @classmethod
    def parse(cls, text, overlay):
        return cls([document for document in yaml.safe_load_all(text) if document], overlay)

    def copy(self):
        return Manifests(copy.deepcopy(self.objects), self.overlay)

    @property
    def on_google(self):
        return self.overlay != "local"

    def of(self, *kinds):
        return [item for item in self.objects if item.get("kind") in kinds]

    def find(self, kind, name):
        """One object by its name, generated hashes aside; None if there is none."""
        named = [item for item in self.of(kind) if item["metadata"]["name"] == name]
        return named[0] if named else next((item for item in self.of(kind) if without_hash(item["metadata"]["name"]) == name), None)

    def get(self, kind, name):
        found = self.find(kind, name)
        assert found is not None, f"there is no {kind}/{name}"
        return found

    def workloads(self, *kinds):
        return [Workload(item) for item in self.of(*(kinds or TEMPLATES))]

    def workload(self, name):
        return next(workload for workload in self.workloads() if workload.name == name)

    def component(self, *components):
        """Workloads by the part they play: gateway, worker, cache, operator…"""
        return [workload for workload in self.workloads() if workload.labels.get("app.kubernetes.io/component") in components]

    def selected(self, selector):
        return [workload for workload in self.workloads() if matches(selector, workload.labels)]

    def environment(self, workload):
        """A container's variables with their values, from ConfigMaps and from itself; what cannot be found is left out."""
        values = {}
        for source in workload.container.get("envFrom", []):
            config = self.find("ConfigMap", source.get("configMapRef", {}).get("name", ""))
            values |= config.get("data", {}) if config else {}
        values |= {entry["name"]: entry["value"] for entry in workload.container.get("env", []) if "value" in entry}
        return values


def without_hash(name):
    """What kustomize's generators append to names."""
    base, _, suffix = name.rpartition("-")
    return base if base and len(suffix) == 10 else name


def matches(selector, labels):
    """Whether a label selector takes these labels; an empty one takes all."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or []:
        value, values = labels.get(expression["key"]), expression.get("values", [])
        fits = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": expression["key"] in labels,
            "DoesNotExist": expression["key"] not in labels,
        }
        if not fits.get(expression["operator"], False):
            return False
    return True


def label(item):
    return f"{item.get('kind')}/{item.get('metadata', {}).get('name')}"


def annotations(item):
    return item["metadata"].get("annotations") or {}


def from_json(text):
    """What a JSON annotation says; None if it is no JSON object."""
    try:
        value = json.loads(text)
    except (TypeError, ValueError):
        return None
    return value if isinstance(value, dict) else None
