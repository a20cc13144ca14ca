"""Schemas: Kubernetes' own kinds for every version that GKE offers, and ours for Google's."""

import functools
import json
from pathlib import Path

import jsonschema
from kubernetes_validate.utils import schema_contents
from referencing import Registry, Resource

from manifests import label
from problem import Problem

VERSIONS = ["1.33", "1.34", "1.35", "1.36"]
OURS = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "schemas").glob("*.json")}
# `kubernetes-validate` goes by the first part of a group, for which networking.gke.io is the same as networking.k8s.io.
GROUPS = {"", "apps", "batch", "autoscaling", "policy", "networking.k8s.io"}


@functools.cache
def definitions(version):
    return Resource.from_contents(schema_contents(f"kubernetes-json-schema/v{version}.0-local-strict/_definitions.json", version))


@functools.cache
def kubernetes_schema(version, kind, api_version):
    """The validator of one of Kubernetes' kinds; None if that version has no such kind."""
    group, _, number = api_version.rpartition("/")
    if group not in GROUPS:
        return None
    name = "-".join(part for part in (kind.lower(), group.split(".")[0], number) if part)
    try:
        schema = schema_contents(f"kubernetes-json-schema/v{version}.0-local-strict/{name}.json", version)
    except FileNotFoundError:
        return None
    registry = definitions(version) @ (Resource.from_contents(schema) @ Registry())
    return jsonschema.Draft202012Validator(schema, registry=registry)


@functools.cache
def our_schema(kind, api_version):
    schema = OURS.get(kind)
    return jsonschema.Draft202012Validator(schema) if schema and schema["properties"]["apiVersion"]["const"] == api_version else None


@functools.cache
def judged(text, version):
    """What is wrong with one object, given as JSON so that what was judged once is remembered."""
    item = json.loads(text)
    kind, api_version = item.get("kind", ""), item.get("apiVersion", "")
    validator = kubernetes_schema(version, kind, api_version) or our_schema(kind, api_version)
    if validator is None:
        return [Problem("schema", label(item), f"Kubernetes {version} and k8s/check/schemas know no {api_version} {kind}")]
    return [Problem("schema", label(item), f"{error.json_path}: {error.message[:200]} (Kubernetes {version})") for error in validator.iter_errors(item)]


def problems(manifests, versions=tuple(VERSIONS)):
    return [found for item in manifests.objects for version in versions for found in judged(json.dumps(item, sort_keys=True), version)]
