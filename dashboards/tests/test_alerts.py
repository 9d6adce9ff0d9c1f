"""alerts.yaml with promtool: its syntax, and each alert with series that fire it and series that do not."""

import subprocess

import yaml
from known import DASHBOARDS, HERE
from test_names import alerts


def run(promtool, *arguments):
    done = subprocess.run([promtool, *arguments], cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rules_are_valid(promtool):
    assert f"{len(alerts())} rules found" in run(promtool, "check", "rules", DASHBOARDS / "alerts.yaml")


def test_alerts_fire_when_they_should_and_only_then(promtool):
    assert "SUCCESS" in run(promtool, "test", "rules", HERE / "alerts_test.yaml")


def test_every_alert_is_tested():
    tests = yaml.safe_load((HERE / "alerts_test.yaml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert {rule["alert"] for rule in alerts()} == fired


def test_every_alert_says_how_bad_it_is_and_what_to_do():
    for rule in alerts():
        assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
