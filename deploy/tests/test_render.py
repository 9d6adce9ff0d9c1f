"""Every way to render the chart gives objects that Kubernetes takes."""

import subprocess

import another
import cases
import chart
import helm_python.chart
import kubernetes
import pytest
from places import CHART


def test_defaults():
    objects = chart.manifests()
    kubernetes.check(objects)
    assert chart.kinds(objects) == {"ConfigMap", "Deployment", "Pod", "Secret", "Service", "StatefulSet"}


def test_the_guides_values_word_for_word(guide):
    assert set(guide) == {"homelab", "aws"}
    for values in guide.values():
        assert chart.findings(values) == []
        kubernetes.check(chart.manifests(values))


@pytest.mark.parametrize("name", cases.examples())
def test_the_examples_values(name):
    values = cases.examples()[name]
    assert chart.findings(values) == []
    assert "does not know" not in chart.notes(values) and "do nothing" not in chart.notes(values)
    kubernetes.check(chart.manifests(values))


@pytest.mark.parametrize("path", cases.booleans())
def test_every_boolean_flipped(path):
    usual = dict(cases.leaves(cases.defaults()))[path]
    flipped = chart.merged(another.FIXED, cases.NEEDED.get(path, {}), chart.with_value(path, not usual))
    kubernetes.check(chart.manifests(flipped))
    # The same beside a database of one's own, where the migration job is.
    kubernetes.check(chart.manifests(chart.merged(cases.EXISTING, flipped)))


@pytest.mark.parametrize("path", [path for path in another.paths() if path not in another.SHOWN_NOWHERE])
def test_every_value_shows(path):
    """None is taken and forgotten: another value makes other objects."""
    there = another.within(path)
    usual, other = chart.texts(there), chart.texts(another.another(path, there))
    shows = [name for name in usual if name != chart.NOTES and usual[name] != other[name]]
    assert shows, path


def test_what_shows_nowhere_is_told_or_refused():
    assert set(another.SHOWN_NOWHERE) <= set(another.paths())
    told = chart.notes({"db": {"useStackgresOperator": True}, "postgresql": {"architecture": "replication"}})
    assert "db.useStackgresOperator does nothing" in told
    assert "postgresql.architecture is replication, and this chart runs one pod of it" in told
    told = chart.notes({"redis": {"enabled": True, "architecture": "replication"}})
    assert "redis.architecture is replication" in told
    assert "architecture" not in chart.notes({"redis": {"enabled": True}})


def test_everything_on():
    objects = chart.manifests(cases.EVERYTHING)
    kubernetes.check(objects)
    wanted = {"HorizontalPodAutoscaler", "HTTPRoute", "Ingress", "NetworkPolicy", "PersistentVolumeClaim"}
    wanted |= {"PodDisruptionBudget", "PrometheusRule", "ServiceAccount", "ServiceMonitor", "StatefulSet"}
    assert wanted <= chart.kinds(objects)


def test_keda():
    objects = chart.manifests(cases.KEDA)
    kubernetes.check(objects)
    assert "replicas" not in chart.find(objects, "Deployment")["spec"]
    assert "ScaledObject" not in chart.kinds(chart.manifests(chart.merged(cases.KEDA, cases.EVERYTHING)))


def test_lint_has_nothing_to_say():
    for values in ({}, cases.EVERYTHING, cases.KEDA, cases.EXISTING):
        assert chart.findings(values) == []


def test_no_object_twice():
    for values in ({}, cases.EVERYTHING, cases.EXISTING):
        objects = chart.manifests(values)
        assert len(chart.names(objects)) == len(objects)


def test_long_names_fit():
    objects = chart.manifests(cases.EVERYTHING, name="a" * 53)
    assert all(len(o["metadata"]["name"]) <= 63 for o in objects if o["kind"] in ("Service", "Deployment"))


@pytest.mark.parametrize("path", [path for path, value in cases.leaves(cases.defaults()) if value in ({}, [], "")])
def test_what_is_empty_may_be_left_empty(path):
    """`annotations:` with nothing behind it is null, and Helm then takes the key away."""
    nothing = chart.with_value(path, None)
    top = path.split(".")[0]
    for values in (
        nothing,
        chart.merged({top: {"enabled": True}} if "." in path else {}, cases.NEEDED.get(f"{top}.enabled", {}), nothing),
    ):
        if "httpRoute.parentRefs" != path and "keda.triggers" != path:
            kubernetes.check(chart.manifests(values), kubernetes.EDGES)


def test_a_packaged_chart_is_whole(tmp_path):
    """The schema, dashboards and alerts are links in the repository, and files in the package."""
    values = {
        "dashboards": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "masterkey": "sk-x",
        "db": {"deployStandalone": False},
    }
    with helm_python.chart.Chart.load(helm_python.chart.package(CHART, destination=tmp_path)) as packaged:
        assert packaged.render(values, name="litellm", namespace="litellm") == chart.texts(values)
    names = subprocess.run(
        ["tar", "-tf", *tmp_path.glob("*.tgz")], capture_output=True, text=True, check=True, timeout=60
    )
    assert "weir/files/operations.json" in names.stdout.split()


@pytest.mark.parametrize("values", [{}, cases.EVERYTHING, cases.EXISTING], ids=["defaults", "everything", "existing"])
def test_weir_takes_the_configuration(weir, tmp_path, values):
    path = tmp_path / "config.yaml"
    path.write_text(chart.find(chart.manifests(values), "ConfigMap", "litellm-config")["data"]["config.yaml"])
    env = {"PROXY_MASTER_KEY": "sk-x"}
    done = subprocess.run(
        [weir, "check", "--strict", path], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
