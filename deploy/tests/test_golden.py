"""What is rendered, as reviewed. BLESS=1 rewrites it: read the diff before committing."""

import os
import re

import cases
import chart
import pytest
import yaml
from places import GOLDEN

# Made anew at every rendering without a cluster.
RANDOM = re.compile(r"^(  (?:masterkey|password|postgres-password|redis-password): ).*$", re.MULTILINE)
CASES = {"defaults": {}, "everything": cases.EVERYTHING, "keda": cases.KEDA, "existing": cases.EXISTING}


class Plain(yaml.SafeDumper):
    """Texts of several lines as they are, to be read in a diff."""


def lines(dumper, text):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Plain.add_representer(str, lines)


def rendered(values):
    objects = [shortened(one) for one in chart.manifests(values)]
    text = yaml.dump_all(objects, Dumper=Plain, sort_keys=False, width=120)
    return text if "masterkey" in values else RANDOM.sub(r"\1made at random", text)


def shortened(one):
    """Alerts and dashboards have goldens of their own, which are themselves."""
    if one["kind"] == "PrometheusRule":
        return {**one, "spec": "dashboards/alerts.yaml"}
    if "-dashboard-" in one["metadata"]["name"]:
        return {**one, "data": list(one["data"])}
    return one


def compare(name, values):
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("BLESS") == "1":
        path.write_text(rendered(values))
    assert path.exists() and rendered(values) == path.read_text(), f"{path.name} differs: BLESS=1, and read the diff"


@pytest.mark.parametrize("name", CASES)
def test_golden(name):
    compare(name, CASES[name])


@pytest.mark.parametrize("name", cases.examples())
def test_golden_of_an_example(name):
    compare(f"example-{name}", cases.examples()[name])


@pytest.mark.parametrize("name", ["homelab", "aws"])
def test_golden_of_the_guide(guide, name):
    compare(f"guide-{name}", guide[name])


def test_no_golden_is_left_over():
    wanted = {*CASES, *(f"example-{name}" for name in cases.examples()), "guide-homelab", "guide-aws"}
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == wanted
