"""Renders the chart with Helm's own engine and finds things in what comes out."""

import base64
import functools

import helm_python
import yaml
from helm_python.chart import Chart, lint
from places import CHART

NOTES = "weir/templates/NOTES.txt"


@functools.cache
def chart():
    return Chart.load(CHART)


def texts(values=None, name="litellm", namespace="litellm"):
    return chart().render(values or {}, name=name, namespace=namespace)


def notes(values=None, **where):
    return texts(values, **where)[NOTES]


def manifests(values=None, **where):
    """Every object, in a fixed order."""
    rendered = sorted(texts(values, **where).items())
    return [doc for path, text in rendered if path != NOTES for doc in yaml.safe_load_all(text) if doc]


def find(objects, kind, name=None):
    found = [o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} of {kind} {name or ''}"
    return found[0]


def kinds(objects):
    return {o["kind"] for o in objects}


def names(objects):
    return {(o["kind"], o["metadata"]["name"]) for o in objects}


def pod(objects, kind="Deployment", name=None):
    return find(objects, kind, name or ("litellm" if kind == "Deployment" else None))["spec"]["template"]["spec"]


def env(container):
    """NAME: value, or (secret, key)."""
    found = {}
    for entry in container["env"]:
        assert entry["name"] not in found, f"{entry['name']} twice"
        secret = entry.get("valueFrom", {}).get("secretKeyRef")
        found[entry["name"]] = (secret["name"], secret["key"]) if secret else entry.get("value")
    return found


def config(objects):
    return yaml.safe_load(find(objects, "ConfigMap", "litellm-config")["data"]["config.yaml"])


def secret(objects, name):
    return {key: base64.b64decode(value).decode() for key, value in find(objects, "Secret", name)["data"].items()}


def refused(values):
    """Why Helm does not take the values; None when it does."""
    try:
        texts(values)
    except helm_python.HelmError as error:
        return str(error)
    return None


def findings(values=None):
    """What `helm lint --strict` says, but for the icon that it misses."""
    report = lint(CHART, values or {}, strict=True)
    messages = [m["error"] for m in report["messages"] if m["error"] != "icon is recommended"]
    return messages + report["errors"]


def with_value(path, value):
    """{"a": {"b": value}} of "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def merged(*layers):
    result = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], value) if both else value
    return result
