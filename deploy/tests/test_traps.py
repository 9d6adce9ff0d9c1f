"""What goes wrong with LiteLLM's chart, or would with this one."""

import chart
import pytest
from cases import EXISTING

SECRET_KEYS = {
    "DATABASE_USERNAME": ("litellm-secrets", "DATABASE_USERNAME"),
    "PROXY_MASTER_KEY": ("litellm-secrets", "LITELLM_MASTER_KEY"),
}


# --- taking LiteLLM's place ---


def test_a_switch_changes_images_and_not_names(guide):
    objects = chart.manifests(guide["homelab"])
    assert {("Deployment", "litellm"), ("Service", "litellm"), ("ConfigMap", "litellm-config")} <= chart.names(objects)
    assert ("ServiceMonitor", "litellm") in chart.names(objects)
    selector = {"app.kubernetes.io/name": "litellm", "app.kubernetes.io/instance": "litellm"}
    assert chart.find(objects, "Deployment")["spec"]["selector"]["matchLabels"] == selector
    assert chart.find(objects, "Service", "litellm")["spec"]["selector"] == selector
    assert chart.pod(objects)["containers"][0]["name"] == "litellm"


@pytest.mark.parametrize(
    ("release", "values", "name"),
    [
        ("litellm", {}, "litellm"),
        ("my-litellm", {}, "my-litellm"),
        ("gateway", {"nameOverride": "litellm"}, "gateway-litellm"),
        ("gateway", {}, "gateway-weir"),
        ("weir", {}, "weir"),
        ("weir", {"fullnameOverride": "litellm"}, "litellm"),
    ],
)
def test_names(release, values, name):
    objects = chart.manifests(values, name=release)
    deployments = [o for o in objects if o["kind"] == "Deployment"]
    assert [d["metadata"]["name"] for d in deployments] == [name]
    label = deployments[0]["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]
    assert label == ("litellm" if "litellm" in release or "nameOverride" in values else "weir")


def test_litellms_image_is_not_run(guide):
    objects = chart.manifests(guide["homelab"])
    images = {c["image"] for c in chart.pod(objects)["containers"]}
    assert images == {"weir:0.1.0"}
    assert "image.repository is LiteLLM's" in chart.notes(guide["homelab"])
    mine = chart.manifests(chart.merged(guide["homelab"], {"image": {"repository": "r.example/weir", "tag": "1"}}))
    assert chart.pod(mine)["containers"][0]["image"] == "r.example/weir:1"


def test_the_service_finds_the_gateways_pods_only():
    objects = chart.manifests(chart.merged({"redis": {"enabled": True}}, {"migrationJob": {"enabled": True}}))
    objects += chart.manifests(EXISTING)
    selector = chart.find(chart.manifests(), "Service", "litellm")["spec"]["selector"].items()
    for one in objects:
        template = one["spec"]["template"] if one["kind"] in ("Deployment", "StatefulSet", "Job") else one
        if one["kind"] in ("Deployment", "StatefulSet", "Job", "Pod") and one["metadata"]["name"] != "litellm":
            assert not selector <= template["metadata"]["labels"].items(), one["metadata"]["name"]


# --- database ---


def test_use_existing_wins_over_the_bundled_one(guide):
    for values in (*guide.values(), EXISTING, chart.merged(EXISTING, {"postgresql": {"enabled": True}})):
        objects = chart.manifests(values)
        assert "StatefulSet" not in chart.kinds(objects)
        env = chart.env(chart.pod(objects)["containers"][0])
        assert env["DATABASE_HOST"] == values["db"]["endpoint"]


def test_the_homelabs_environment(guide):
    container = chart.pod(chart.manifests(guide["homelab"]))["containers"][0]
    env = chart.env(container)
    assert {name: env[name] for name in SECRET_KEYS} == SECRET_KEYS
    assert container["envFrom"] == [{"secretRef": {"name": "litellm-secrets"}}]
    # Empty beats the one of the Secret, and means: made of the parts.
    assert env["DATABASE_URL"] == "" and env["DATABASE_NAME"] == "litellm"


def test_a_url_of_ones_own_is_kept():
    url = "postgresql://$(DATABASE_USERNAME):$(DATABASE_PASSWORD)@$(DATABASE_HOST)/$(DATABASE_NAME)?sslmode=require"
    env = chart.env(chart.pod(chart.manifests(chart.merged(EXISTING, {"db": {"url": url}})))["containers"][0])
    assert env["DATABASE_URL"] == url
    # $(NAME) is replaced only by variables that stand before.
    assert list(env).index("DATABASE_URL") > max(
        list(env).index(n) for n in ("DATABASE_USERNAME", "DATABASE_HOST", "DATABASE_NAME")
    )


def test_what_the_operator_sets_wins_and_stands_once():
    url = "postgresql://other"
    values = chart.merged(
        EXISTING,
        {"envVars": {"LITELLM_LOG": "DEBUG", "DATABASE_URL": url}, "extraEnvVars": [{"name": "PORT", "value": "4001"}]},
    )
    objects = chart.manifests(values)
    env = chart.env(chart.pod(objects)["containers"][0])  # asserts that no name is there twice
    assert (env["LITELLM_LOG"], env["DATABASE_URL"], env["PORT"]) == ("DEBUG", url, "4001")
    assert chart.env(chart.pod(objects, "Job")["containers"][0])["DATABASE_URL"] == url


def test_a_log_level_may_come_from_a_secret():
    objects = chart.manifests({"logLevel": "", "environmentSecrets": ["own"]})
    assert "LITELLM_LOG" not in chart.env(chart.pod(objects)["containers"][0])


def test_a_variable_without_a_value_is_empty():
    objects = chart.manifests({"envVars": {"DOCS_URL": None, "A": "b"}})
    env = chart.env(chart.pod(objects)["containers"][0])
    assert (env["DOCS_URL"], env["A"]) == ("", "b")


def test_postgresql_enabled_false_is_honoured():
    objects = chart.manifests({"postgresql": {"enabled": False}})
    assert "StatefulSet" not in chart.kinds(objects)
    assert "DATABASE_HOST" not in chart.env(chart.pod(objects)["containers"][0])
    assert "the ledger is a file" in chart.notes({"postgresql": {"enabled": False}})


def p32_migrations_come_before_the_pods():
    job = chart.find(chart.manifests(EXISTING), "Job")
    assert job["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "PreSync"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"] == ["migrate"]
    helm = chart.merged(EXISTING, {"migrationJob": {"hooks": {"helm": {"enabled": True}}}})
    annotations = chart.find(chart.manifests(helm), "Job")["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "pre-install,pre-upgrade" and annotations["helm.sh/hook-weight"] == "1"


def test_a_hook_needs_nothing_of_the_release():
    """What the release makes is not there when the job runs for the first time."""
    values = chart.merged(EXISTING, {"serviceAccount": {"create": True}, "environmentSecrets": ["own"]})
    objects = chart.manifests(values)
    made = {name for kind, name in chart.names(objects) if kind in ("Secret", "ConfigMap", "ServiceAccount")}
    spec = chart.pod(objects, "Job")
    used = {spec["serviceAccountName"]}
    used |= {value[0] for value in chart.env(spec["containers"][0]).values() if isinstance(value, tuple)}
    assert made and not made & used


def test_the_job_has_the_pods_database():
    objects = chart.manifests(chart.merged(EXISTING, {"envVars": {"A": "b"}, "environmentSecrets": ["own"]}))
    pod, job = (chart.pod(objects, kind)["containers"][0] for kind in ("Deployment", "Job"))
    assert chart.env(job).items() <= chart.env(pod).items()
    assert job["envFrom"] == pod["envFrom"]


def test_the_bundled_database_has_no_job_before_it():
    assert "Job" not in chart.kinds(chart.manifests())


def test_a_schema_that_is_not_to_be_touched():
    objects = chart.manifests(chart.merged(EXISTING, {"migrationJob": {"disableSchemaUpdate": True}}))
    assert "Job" not in chart.kinds(objects)
    assert chart.env(chart.pod(objects)["containers"][0])["DISABLE_SCHEMA_UPDATE"] == "true"


# --- keys, configuration, stopping ---


def test_a_given_master_key_is_taken():
    assert chart.secret(chart.manifests({"masterkey": "sk-mine"}), "litellm-masterkey") == {"masterkey": "sk-mine"}
    assert "Secret" not in chart.kinds(chart.manifests(chart.merged(EXISTING, {"masterkeySecretName": "own"})))


def test_a_made_master_key_begins_with_sk():
    assert chart.secret(chart.manifests(), "litellm-masterkey")["masterkey"].startswith("sk-")


def test_a_platform_may_choose_the_user():
    values = {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}}
    context = chart.pod(chart.manifests(values))["securityContext"]
    assert context == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def checksum(values):
    return chart.find(chart.manifests(values), "Deployment")["spec"]["template"]["metadata"]["annotations"][
        "checksum/config"
    ]


def test_a_new_configuration_replaces_the_pods():
    one, two = ({"proxy_config": {"model_list": [{"model_name": name}]}} for name in "ab")
    assert checksum(one) != checksum(two)
    # What is made at random must not: every rendering would replace all pods.
    assert checksum(one) == checksum(one)


def test_a_configuration_can_be_reloaded_in_place():
    spec = chart.find(chart.manifests({"configReload": True}), "Deployment")["spec"]["template"]
    assert "annotations" not in spec["metadata"]
    mount = spec["spec"]["containers"][0]["volumeMounts"][0]
    assert mount == {"name": "weir-config", "mountPath": "/etc/litellm"}


def test_numbers_stay_what_they_are():
    prices = {"input_cost_per_token": 0.0000025, "max_tokens": 1000000}
    values = {"proxy_config": {"model_list": [{"model_name": "a", "model_info": prices}]}, "envVars": {"N": 1000000}}
    objects = chart.manifests(values)
    assert chart.config(objects)["model_list"][0]["model_info"] == prices
    assert chart.env(chart.pod(objects)["containers"][0])["N"] == "1000000"


@pytest.mark.parametrize(
    ("values", "delay", "grace"),
    [
        ({}, "5s", "630s"),
        ({"terminationGracePeriodSeconds": 90}, "5s", "60s"),
        ({"terminationGracePeriodSeconds": 10, "drainDelaySeconds": 30}, "30s", "1s"),
        ({"proxy_config": {"weir_settings": {"grace_period": "20s"}}}, "5s", "20s"),
    ],
)
def p33_weir_stops_within_the_pods_grace(values, delay, grace):
    settings = chart.config(chart.manifests(values))["weir_settings"]
    assert settings == {"drain_delay": delay, "grace_period": grace}


def test_a_volume_for_one_pod_is_not_shared_by_two():
    assert chart.find(chart.manifests({"persistence": {"enabled": True}}), "Deployment")["spec"]["strategy"] == {
        "type": "Recreate"
    }
    one = {"persistence": {"enabled": True}}
    assert "volume that one node has" in chart.notes({**one, "replicaCount": 2})
    assert "volume that one node has" not in chart.notes(one)
    many = {"persistence": {"enabled": True, "accessModes": ["ReadWriteMany"]}}
    assert chart.find(chart.manifests(many), "Deployment")["spec"]["strategy"]["type"] == "RollingUpdate"


@pytest.mark.parametrize("path", ["/tmp", "/var/lib/weir/"])
def test_a_volume_of_ones_own_takes_the_charts_place(path):
    """Values for LiteLLM bring a volume for /tmp along; one path or one name twice is refused by Kubernetes."""
    own = {"volumes": [{"name": "tmp", "emptyDir": {}}], "volumeMounts": [{"name": "tmp", "mountPath": path}]}
    spec = chart.pod(chart.manifests(own))
    volumes = [volume["name"] for volume in spec["volumes"]]
    mounts = spec["containers"][0]["volumeMounts"]
    paths = [mount["mountPath"].rstrip("/") for mount in mounts]
    assert "tmp" in volumes and len(set(volumes)) == len(volumes)
    assert path.rstrip("/") in paths and len(set(paths)) == len(paths)
    assert {mount["name"] for mount in mounts} == set(volumes)


def test_a_shell_before_the_stop_is_told_of():
    lifecycle = {"preStop": {"exec": {"command": ["/bin/sh", "-c", "sleep 10"]}}}
    assert "the image has no shell" in chart.notes({"lifecycle": lifecycle})
    assert "shell" not in chart.notes({"lifecycle": {"preStop": {"sleep": {"seconds": 10}}}})


def p38_pods_are_not_root_and_write_nowhere_else():
    objects = chart.manifests(EXISTING)
    for kind in ("Deployment", "Job"):
        spec = chart.pod(objects, kind, None if kind == "Job" else "litellm")
        assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["seccompProfile"] == {
            "type": "RuntimeDefault"
        }
        assert all(c["securityContext"]["readOnlyRootFilesystem"] for c in spec["containers"])
        assert all(c["securityContext"]["capabilities"] == {"drop": ["ALL"]} for c in spec["containers"])


# --- monitoring, ingress, scaling ---


def test_the_guides_scrape(guide):
    endpoint = chart.find(chart.manifests(guide["homelab"]), "ServiceMonitor")["spec"]["endpoints"][0]
    assert endpoint == {
        "port": "http",
        "path": "/metrics/",
        "scheme": "http",
        "interval": "30s",
        "scrapeTimeout": "10s",
    }
    assert "will answer 404" not in chart.notes(guide["homelab"])
    assert "will answer 404" in chart.notes({"serviceMonitor": {"enabled": True}})


def test_a_token_for_the_scrape():
    own = {"bearerTokenSecret": {"name": "own", "key": "token", "optional": True}}
    objects = chart.manifests({"serviceMonitor": {"enabled": True, **own}})
    (endpoint,) = chart.find(objects, "ServiceMonitor")["spec"]["endpoints"]
    assert endpoint["bearerTokenSecret"] == own["bearerTokenSecret"]
    made = chart.manifests({"serviceMonitor": {"enabled": True, "secret": {"create": True, "value": "of-the-proxy"}}})
    asked = chart.find(made, "ServiceMonitor")["spec"]["endpoints"][0]["bearerTokenSecret"]
    assert chart.secret(made, asked["name"])[asked["key"]] == "of-the-proxy"


def test_probes_can_have_a_port_of_their_own():
    container = chart.pod(chart.manifests({"separateHealthApp": True}))["containers"][0]
    assert [p["name"] for p in container["ports"]] == ["http", "health"]
    assert all(
        container[probe]["httpGet"]["port"] == "health" for probe in ("livenessProbe", "readinessProbe", "startupProbe")
    )
    assert chart.env(container)["SEPARATE_HEALTH_PORT"] == "8081"


def test_ingresses_do_not_cut_streams(guide):
    alb = chart.find(chart.manifests(guide["aws"]), "Ingress")["metadata"]["annotations"]
    assert alb["alb.ingress.kubernetes.io/load-balancer-attributes"] == "idle_timeout.timeout_seconds=600"
    assert alb["alb.ingress.kubernetes.io/scheme"] == "internal"
    nginx = {"ingress": {"enabled": True, "annotations": {"nginx.ingress.kubernetes.io/proxy-read-timeout": "60"}}}
    annotations = chart.find(chart.manifests(nginx), "Ingress")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "60"
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "off"
    off = chart.merged(nginx, {"ingress": {"annotations": None, "defaultAnnotations": False}})
    assert "annotations" not in chart.find(chart.manifests(off), "Ingress")["metadata"]


@pytest.mark.parametrize(
    ("values", "budget"),
    [
        ({}, {"maxUnavailable": 1}),
        ({"maxUnavailable": 2}, {"maxUnavailable": 2}),
        ({"minAvailable": "50%", "maxUnavailable": 2}, {"minAvailable": "50%"}),
        ({"minAvailable": 0}, {"minAvailable": 0}),
    ],
)
def test_disruption_budgets(values, budget):
    spec = chart.find(chart.manifests({"pdb": {"enabled": True, **values}}), "PodDisruptionBudget")["spec"]
    assert budget == {key: value for key, value in spec.items() if key != "selector"}


def test_what_would_do_nothing_is_refused():
    assert "keda.triggers" in chart.refused({"keda": {"enabled": True}})
    assert "httpRoute.parentRefs" in chart.refused({"httpRoute": {"enabled": True}})


def test_alerts_keep_what_prometheus_fills_in():
    rules = chart.find(chart.manifests({"prometheusRule": {"enabled": True}}), "PrometheusRule")
    assert "{{ $labels.instance }}" in str(rules)


def test_dashboards_are_whole():
    import json

    from places import ROOT

    values = {"dashboards": {"enabled": True, "finance": True}}
    boards = [o for o in chart.manifests(values) if "dashboard" in o["metadata"]["name"]]
    assert len(boards) == 4
    for board in boards:
        ((name, text),) = board["data"].items()
        assert json.loads(text) == json.loads((ROOT / "dashboards" / name.removeprefix("weir-")).read_text())
