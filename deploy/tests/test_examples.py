"""deploy/examples: objects that Kubernetes takes, configurations that Weir takes, and a secret that SOPS opens."""

import json
import os
import pathlib
import subprocess
import sys

import chart
import kubernetes
import pytest
import yaml
from places import EXAMPLES

NO_OBJECTS = ("values.yaml", "-values.yaml", ".sops.yaml")
MANIFESTS = [p for p in sorted(EXAMPLES.rglob("*.yaml")) if not p.name.endswith(NO_OBJECTS)]
VALUES = sorted(EXAMPLES.glob("*/values.yaml"))
SECRETS = EXAMPLES / "homelab" / "secrets"


def label(path):
    return str(path.relative_to(EXAMPLES))


@pytest.mark.parametrize("path", MANIFESTS, ids=label)
def test_manifests(path):
    objects = [doc for doc in yaml.safe_load_all(path.read_text()) if doc]
    for one in objects:
        one.pop("sops", None)  # what SOPS adds and the plugin takes away
    kubernetes.check([one for one in objects if not one["apiVersion"].startswith("kustomize.")])


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("kustomization.yaml")), ids=label)
def test_kustomizations_name_files_that_are_there(path):
    assert all((path.parent / name).is_file() for name in yaml.safe_load(path.read_text())["resources"])


@pytest.mark.parametrize("path", VALUES, ids=label)
def test_weir_takes_the_configuration(weir, path):
    done = subprocess.run(
        [weir, "check", "--strict", path], capture_output=True, text=True, env=SET, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr


SET = {"LITELLM_MASTER_KEY": "sk-x", "OPENAI_API_KEY": "sk-x", "DATABASE_URL": "postgresql://a@b/c"}
# What AWS and Azure put into a pod whose service account has a role.
SET |= {"AWS_ROLE_ARN": "arn:aws:iam::1:role/weir", "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token"}
SET |= {"AZURE_CLIENT_ID": "x", "AZURE_TENANT_ID": "x", "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token"}


def sops(*arguments, cwd=SECRETS):
    program = pathlib.Path(sys.executable).parent / "sops"
    key = str(SECRETS / "throwaway.agekey")
    environment = {**os.environ, "SOPS_AGE_KEY_FILE": key, "SOPS_DISABLE_VERSION_CHECK": "1"}
    return subprocess.run(
        [program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_secret_opens_and_has_what_the_values_ask_for():
    done = sops("--decrypt", "secrets.yaml")
    assert done.returncode == 0, done.stderr
    secret = yaml.safe_load(done.stdout)
    kubernetes.check([secret])
    values = yaml.safe_load((EXAMPLES / "homelab" / "values.yaml").read_text())
    asked = {values["masterkeySecretKey"], values["db"]["secret"]["usernameKey"], values["db"]["secret"]["passwordKey"]}
    assert secret["metadata"]["name"] == values["db"]["secret"]["name"] and asked <= set(secret["stringData"])


def test_a_secret_of_ones_own_is_encrypted_and_opened(guide_secret, tmp_path):
    """Step 1 of the guide, word for word, with the rules of the example."""
    clear = yaml.safe_load(guide_secret)
    (tmp_path / ".sops.yaml").write_text((SECRETS / ".sops.yaml").read_text())
    (tmp_path / "secrets.yaml").write_text(guide_secret)
    done = sops("--encrypt", "--in-place", "secrets.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    sealed = yaml.safe_load((tmp_path / "secrets.yaml").read_text())
    assert sealed["metadata"] == clear["metadata"]
    assert all(value.startswith("ENC[") for value in sealed["stringData"].values())
    assert yaml.safe_load(sops("--decrypt", "secrets.yaml", cwd=tmp_path).stdout) == clear


def test_nothing_of_the_secret_is_in_clear():
    secret = yaml.safe_load((SECRETS / "secrets.yaml").read_text())
    assert all(value.startswith("ENC[AES256_GCM,") for value in secret["stringData"].values())


def test_a_changed_secret_is_refused(tmp_path):
    text = (SECRETS / "secrets.yaml").read_text().replace("name: litellm-secrets", "name: other")
    (tmp_path / "secrets.yaml").write_text(text)
    assert "MAC mismatch" in sops("--decrypt", "secrets.yaml", cwd=tmp_path).stderr


def test_the_keycloak_client_leads_back_to_the_proxy():
    client = json.loads((EXAMPLES / "sso" / "keycloak-client.json").read_text())
    proxy = yaml.safe_load((EXAMPLES / "sso" / "oauth2-proxy-values.yaml").read_text())
    assert client["clientId"] == proxy["config"]["clientID"]
    back = proxy["extraArgs"]["redirect-url"]
    assert any(back.startswith(uri.rstrip("*")) for uri in client["redirectUris"])


    # Keycloak refuses a sign-in without what the client is set to want.
    assert proxy["extraArgs"]["code-challenge-method"] == client["attributes"]["pkce.code.challenge.method"]
    # Which is where `sub` comes from since Keycloak 25.
    assert "basic" in client["defaultClientScopes"]


def test_weir_believes_the_proxy():
    layers = [EXAMPLES / "homelab" / "values.yaml", EXAMPLES / "sso" / "weir-values.yaml"]
    values = chart.merged(*(yaml.safe_load(path.read_text()) for path in layers))
    assert chart.findings(values) == []
    config = chart.config(chart.manifests(values))
    assert config["general_settings"]["enable_oauth2_proxy_auth"] is True
    assert config["general_settings"]["master_key"] == "os.environ/LITELLM_MASTER_KEY"
    assert config["weir_settings"]["identity_proxies"] == ["10.42.0.0/16"]


@pytest.mark.parametrize("name", ["homelab", "aws"])
def test_secrets_come_before_the_gateway(name):
    """As Applications of their own: the migration job is a PreSync hook, before all waves of its Application."""
    waves = {}
    for path in (EXAMPLES / name / "argocd").glob("*.yaml"):
        app = yaml.safe_load(path.read_text())
        waves[app["metadata"]["name"]] = int(app["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
    assert waves["litellm-secrets"] < waves["litellm"]
