"""Compose, systemd, Dockerfiles and the bill of materials: what can be seen without their engines."""

import json
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from places import DEPLOY, ROOT

COMPOSE = DEPLOY / "compose"
STACK = yaml.safe_load((COMPOSE / "compose.yaml").read_text())


# --- compose ---


def test_compose_mounts_files_that_are_there():
    for name, service in STACK["services"].items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert source in STACK["volumes"] or (COMPOSE / source).exists(), f"{name}: {source}"


def test_compose_opens_ports_on_the_loopback_only():
    ports = [port for service in STACK["services"].values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_asks_for_what_the_example_names():
    text = (COMPOSE / "compose.yaml").read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+):[?-]", text)) - {"WEIR_IMAGE"}
    named = set(re.findall(r"^([A-Z_]+)=", (COMPOSE / ".env.example").read_text(), re.MULTILINE))
    assert asked == named


def test_compose_and_keycloak_name_the_same_client():
    environment = STACK["services"]["weir"]["environment"]
    realm = json.loads((COMPOSE / "keycloak-realm.json").read_text())
    (client,) = realm["clients"]
    assert environment["GENERIC_CLIENT_SECRET"] == client["secret"]
    assert f"GENERIC_CLIENT_ID={client['clientId']} in .env" in (COMPOSE / "compose.yaml").read_text()
    endpoints = [value for name, value in environment.items() if name.endswith("_ENDPOINT")]
    assert len(endpoints) == 3 and all(f"/realms/{realm['realm']}/protocol/" in url for url in endpoints)
    # Browsers come back to where they are let back to, and tokens name who made them as browsers know it.
    assert any(environment["PROXY_BASE_URL"] == uri.removesuffix("/*") for uri in client["redirectUris"])
    published = STACK["services"]["keycloak"]["environment"]["KC_HOSTNAME"]
    assert environment["GENERIC_AUTHORIZATION_ENDPOINT"].startswith(f"{published}/")


def test_compose_waits_long_enough_for_streams():
    assert STACK["services"]["weir"]["stop_grace_period"] == "11m"


def test_weir_takes_the_configuration(weir):
    env = {"LITELLM_MASTER_KEY": "sk-x", "OPENAI_API_KEY": "sk-x"}
    done = subprocess.run(
        [weir, "check", "--strict", COMPOSE / "config.yaml"],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_prometheus_takes_its_configuration(needs, tmp_path):
    promtool = needs(shutil.which("promtool"), "promtool is not installed: run scripts/setup.sh dashboards")
    shutil.copy(COMPOSE / "prometheus.yml", tmp_path)
    shutil.copy(ROOT / "dashboards" / "alerts.yaml", tmp_path)
    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# --- systemd ---


def test_the_unit_is_one(needs, tmp_path):
    analyze = needs(shutil.which("systemd-analyze"), "systemd is not installed: run scripts/setup.sh deploy")
    text = (DEPLOY / "systemd" / "weir.service").read_text()
    assert "TimeoutStopSec=660" in text
    # Who takes over is no child of who is replaced, and says itself that it is the one to watch.
    assert "Type=notify\nNotifyAccess=all" in text and "weir upgrade --config /etc/weir/config.yaml --pid $MAINPID" in text
    # It wants the programs to be there.
    unit = tmp_path / "weir.service"
    unit.write_text(text.replace("/usr/local/bin/weir", "/bin/true").replace("/bin/kill", "/bin/true"))
    done = subprocess.run(
        [analyze, "verify", "--man=no", unit], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr


# --- image ---


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.binary"])
def test_images_run_as_nobody_and_start_weir(name):
    text = (DEPLOY / "docker" / name).read_text()
    assert "USER 65532:65532" in text and 'ENTRYPOINT ["weir"]' in text and "WORKDIR /app" in text


def test_a_build_copies_files_that_are_there():
    text = "".join((DEPLOY / "docker" / name).read_text() for name in ("Dockerfile", "build.sh"))
    for path in re.findall(r"(?:deploy|scripts)/[\w./-]+\.sh", text):
        assert (ROOT / path).is_file(), path


def test_the_chart_the_binary_and_the_image_have_one_version():
    chart = yaml.safe_load((DEPLOY / "helm" / "weir" / "Chart.yaml").read_text())
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    assert chart["appVersion"] == version


# --- bill of materials ---


def bill():
    done = subprocess.run([sys.executable, DEPLOY / "sbom" / "sbom.py"], capture_output=True, check=True, timeout=60)
    return done.stdout


def p38_the_bill_names_every_package_once():
    packages = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    told = json.loads(bill())
    refs = [one["bom-ref"] for one in told["components"]] + [told["metadata"]["component"]["bom-ref"]]
    assert len(refs) == len(set(refs)) == len(packages)
    assert {need for one in told["dependencies"] for need in one["dependsOn"]} <= set(refs)


def test_the_bill_is_the_same_every_time():
    assert bill() == bill()


# --- sizes ---


def test_sizes_are_those_of_the_latest_report():
    """What SCALING.md calls measured stands in the bench's report, and what it reckons follows from that."""
    newest = max((ROOT / "bench" / "reports").glob("*-standard.md"))
    said = (DEPLOY / "SCALING.md").read_text()
    assert f"**Measured**: `bench/reports/{newest.name}`" in said
    # Of each case: microseconds of CPU, MiB in the end and at most.
    row = r"^## (\S+)\n.*?^\| weir-governed \| ([0-9.]+) .*?\| (\d+) / (\d+) \| \d+ \|"
    measured = {case: rest for case, *rest in re.findall(row, newest.read_text(), re.MULTILINE | re.DOTALL)}
    shown = re.findall(r"^\| (?:chat|stream).* \| ([0-9.]+) (µs|ms) \| ([0-9,]+) \|$", said, re.MULTILINE)
    for case, (number, unit, a_second) in zip(SIZED, shown, strict=True):
        cpu = float(measured[case][0])
        digits = len(number.partition(".")[2])
        assert round(cpu / (1000 if unit == "ms" else 1), digits) == float(number), case
        assert int(a_second.replace(",", "")) == pytest.approx(500_000 / cpu, rel=0.02), case
    _, resident, most = measured["chat-1k"]
    assert f"{resident} MiB with requests of 1 KB, {most} MiB at most" in said


# In the order of the table.
SIZED = ("chat-1k", "chat-30k", "chat-300k", "sse-64", "sse-paced")


def test_the_chart_and_the_command_line_have_one_schema():
    """weir check --helm-values reads the chart's own file, so nothing of it may be missing from the image's build."""
    ignored = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text().split()
    assert "deploy" not in ignored and "deploy/helm" not in ignored
