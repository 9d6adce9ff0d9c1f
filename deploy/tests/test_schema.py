"""values.schema.json: wrong types are refused, unknown keys are told, and it knows what values.yaml has."""

import json

import cases
import chart
import pytest
from places import CHART

SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def wrong(value):
    """Something of another type."""
    if isinstance(value, bool) or isinstance(value, (list, dict)):
        return "text"
    return ["list"]


# Below these it is Kubernetes' or Weir's matter.
NOT_OURS = ("proxy_config.", "podSecurityContext.", "securityContext.")
OURS = [path for path, _ in cases.leaves(cases.defaults()) if not path.startswith(NOT_OURS)]


@pytest.mark.parametrize("path", OURS)
def test_a_wrong_type_is_refused(path):
    value = dict(cases.leaves(cases.defaults()))[path]
    assert chart.refused(chart.with_value(path, wrong(value))), path


def test_numbers_are_no_text():
    for path, value in [
        ("replicaCount", "2"),
        ("service.port", 0),
        ("pdb.minAvailable", "half"),
        ("serviceMonitor.interval", "often"),
    ]:
        assert chart.refused(chart.with_value(path, value)), path


def below(schema, path=""):
    for key, one in schema.get("properties", {}).items():
        one = SCHEMA["definitions"].get(one.get("$ref", "").rpartition("/")[2], one)
        yield f"{path}{key}"
        yield from below(one, f"{path}{key}.")


def keys(tree, path=""):
    for key, value in tree.items():
        yield f"{path}{key}"
        if isinstance(value, dict):
            yield from keys(value, f"{path}{key}.")


def test_the_schema_knows_what_the_values_have_and_nothing_else():
    free = ("proxy_config.", "podSecurityContext.", "securityContext.", "dashboards.labels.")
    there = {key for key in keys(cases.defaults()) if not key.startswith(free)}
    assert set(below(SCHEMA)) - {"global"} == there


def test_unknown_keys_are_told_with_the_nearest():
    notes = chart.notes(
        {"db": {"useExising": True}, "replicas": 2, "proxyConfig": {}, "zzz": 1, "startupProbe": {"failureTreshold": 2}}
    )
    assert "db.useExising (did you mean useExisting?)" in notes
    assert "replicas (did you mean replicaCount?)" in notes
    assert "proxyConfig (did you mean proxy_config?)" in notes
    assert "startupProbe.failureTreshold (did you mean failureThreshold?)" in notes
    assert "    zzz\n" in notes + "\n"


def test_unknown_keys_fail_where_that_is_wished():
    why = chart.refused({"strictValues": True, "ingres": {}})
    assert "ingres (did you mean ingress?)" in why
    assert chart.refused({"strictValues": True}) is None


def test_known_values_say_nothing(guide):
    for values in (*guide.values(), cases.EVERYTHING, cases.KEDA, {}):
        assert "does not know" not in chart.notes(values)


# Names of litellm-helm 0.1.837 and of the charts up to 1.81.3.
LITELLM = """
replicaCount numWorkers image.repository image.pullPolicy image.tag imagePullSecrets nameOverride fullnameOverride
serviceAccount.create serviceAccount.automount serviceAccount.annotations serviceAccount.name deploymentAnnotations
deploymentLabels podAnnotations podLabels deploymentMinReadySeconds strategy terminationGracePeriodSeconds
topologySpreadConstraints podSecurityContext securityContext environmentSecrets environmentConfigMaps service.type
service.port service.annotations service.loadBalancerClass service.nodePort separateHealthApp separateHealthPort
livenessProbe.path livenessProbe.initialDelaySeconds livenessProbe.periodSeconds livenessProbe.timeoutSeconds
livenessProbe.successThreshold livenessProbe.failureThreshold readinessProbe.path readinessProbe.initialDelaySeconds
readinessProbe.periodSeconds readinessProbe.timeoutSeconds readinessProbe.successThreshold
readinessProbe.failureThreshold startupProbe.path startupProbe.initialDelaySeconds startupProbe.periodSeconds
startupProbe.timeoutSeconds startupProbe.successThreshold startupProbe.failureThreshold ingress.enabled ingress.className
ingress.labels ingress.annotations ingress.hosts ingress.tls masterkey masterkeySecretName masterkeySecretKey
proxyConfigMap.create proxyConfigMap.name proxyConfigMap.key proxy_config resources nodeSelector tolerations affinity
autoscaling.enabled autoscaling.minReplicas autoscaling.maxReplicas autoscaling.targetCPUUtilizationPercentage
autoscaling.targetMemoryUtilizationPercentage keda.enabled keda.minReplicas keda.maxReplicas keda.pollingInterval
keda.cooldownPeriod keda.fallback keda.restoreToOriginalReplicaCount keda.scaledObject.annotations keda.triggers
keda.behavior volumes volumeMounts lifecycle extraContainers extraInitContainers command args listen db.useExisting
db.endpoint db.database db.url db.secret.name db.secret.usernameKey db.secret.passwordKey db.secret.endpointKey
db.useStackgresOperator db.deployStandalone postgresql.architecture postgresql.auth.username postgresql.auth.database
postgresql.auth.password postgresql.auth.postgres-password redis.enabled redis.architecture migrationJob.enabled
migrationJob.retries migrationJob.backoffLimit migrationJob.disableSchemaUpdate migrationJob.annotations
migrationJob.ttlSecondsAfterFinished migrationJob.resources migrationJob.extraContainers
migrationJob.extraInitContainers migrationJob.hooks.argocd.enabled migrationJob.hooks.helm.enabled
migrationJob.hooks.helm.weight migrationJob.serviceAccountName logLevel envVars extraEnvVars extraResources pdb.enabled
pdb.minAvailable pdb.maxUnavailable pdb.annotations pdb.labels serviceMonitor.enabled serviceMonitor.labels
serviceMonitor.annotations serviceMonitor.interval serviceMonitor.scrapeTimeout serviceMonitor.relabelings
serviceMonitor.namespaceSelector.matchNames serviceMonitor.bearerTokenSecret serviceMonitor.secret
""".split()


@pytest.mark.parametrize("name", [*LITELLM, "serviceMonitor.path", "postgresql.enabled"])
def test_litellms_keys_and_the_guides_are_there(name):
    assert name in set(below(SCHEMA))
