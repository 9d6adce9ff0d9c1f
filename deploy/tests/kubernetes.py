"""Objects against the schemas of Kubernetes, as `kubernetes-validate --strict` does it."""

import functools
import json

import kubernetes_validate
from kubernetes_validate.utils import SchemaNotFoundError

VERSIONS = [f"1.{minor}" for minor in range(25, 38)]
EDGES = (VERSIONS[0], VERSIONS[-1])
# Kinds of others, of which Kubernetes has no schema: what must be there at least.
FOREIGN = {
    "ServiceMonitor": ("monitoring.coreos.com/v1", {"selector", "endpoints"}),
    "PrometheusRule": ("monitoring.coreos.com/v1", {"groups"}),
    "ScaledObject": ("keda.sh/v1alpha1", {"scaleTargetRef", "triggers"}),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", {"parentRefs", "rules"}),
    "Application": ("argoproj.io/v1alpha1", {"project", "destination"}),
    "ExternalSecret": ("external-secrets.io/v1", {"secretStoreRef", "target"}),
    "SecretProviderClass": ("secrets-store.csi.x-k8s.io/v1", {"provider", "parameters"}),
}


def check(objects, versions=VERSIONS):
    for one in objects:
        if one["kind"] in FOREIGN:
            check_foreign(one)
            continue
        for version in versions:
            check_one(json.dumps(one, sort_keys=True), version)


@functools.cache
def check_one(text, version):
    """The same object comes out of many values: once is enough."""
    one = json.loads(text)
    try:
        kubernetes_validate.validate(one, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        where = ".".join(str(step) for step in error.path)
        raise AssertionError(f"{one['kind']} {one['metadata']['name']}, {version}: {where}: {error.message}") from None
    except SchemaNotFoundError as error:
        raise AssertionError(error.message) from None


def check_foreign(one):
    version, fields = FOREIGN[one["kind"]]
    assert one["apiVersion"] == version
    assert fields <= set(one["spec"]), f"{one['kind']} {one['metadata']['name']}: {fields - set(one['spec'])}"
