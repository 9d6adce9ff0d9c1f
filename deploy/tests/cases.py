"""Values that the chart is rendered with."""

import yaml
from places import CHART, EXAMPLES

OLLAMA = {"to": [{"ipBlock": {"cidr": "192.168.0.92/32"}}], "ports": [{"port": 11434}]}

# All that can be on at once.
EVERYTHING = {
    "numWorkers": 4,
    "image": {"repository": "registry.example.com/weir", "tag": "0.1.0-debug", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "serviceAccount": {"create": True, "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/weir"}},
    "deploymentAnnotations": {"a": "b"},
    "deploymentLabels": {"team": "platform"},
    "podAnnotations": {"prometheus.io/scrape": "true"},
    "podLabels": {"sidecar": "none"},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "resources": {"requests": {"cpu": "500m", "memory": "512Mi"}},
    "nodeSelector": {"pool": "llm"},
    "tolerations": [{"key": "llm", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "volumes": [{"name": "ca", "configMap": {"name": "company-ca"}}],
    "volumeMounts": [{"name": "ca", "mountPath": "/etc/ssl/company"}],
    "lifecycle": {"postStart": {"httpGet": {"path": "/health/liveliness", "port": "http"}}},
    "extraContainers": [{"name": "beside", "image": "busybox:1.37"}],
    "extraInitContainers": [{"name": "before", "image": "busybox:1.37"}],
    "environmentSecrets": ["providers"],
    "environmentConfigMaps": ["settings"],
    "envVars": {
        "SSL_CERT_FILE": "/etc/ssl/company/ca.pem",
        "REQUEST_TIMEOUT": 1000000,
        "JSON_LOGS": True,
        "DOCS_URL": "",
    },
    "extraEnvVars": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
    "service": {"type": "LoadBalancer", "annotations": {"a": "b"}, "loadBalancerClass": "internal", "nodePort": 30400},
    "separateHealthApp": True,
    "ingress": {"enabled": True, "labels": {"a": "b"}, "tls": [{"secretName": "tls", "hosts": ["api.example.local"]}]},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}], "hostnames": ["weir.example.com"]},
    "masterkey": "sk-example",
    "postgresql": {"auth": {"password": "example", "postgres-password": "example"}},
    "redis": {"enabled": True, "auth": {"password": "example"}},
    "autoscaling": {
        "enabled": True,
        "targetMemoryUtilizationPercentage": 70,
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}},
    },
    "pdb": {"enabled": True, "minAvailable": "50%"},
    "serviceMonitor": {"enabled": True, "relabelings": [{"action": "labeldrop", "regex": "pod"}]},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "persistence": {"enabled": True, "storageClass": "fast"},
    "networkPolicy": {"enabled": True, "from": [{"namespaceSelector": {}}], "egress": [OLLAMA]},
    "extraResources": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}, "data": {"a": "b"}}],
    "proxy_config": {"litellm_settings": {"callbacks": ["prometheus"], "request_timeout": 1000000}},
}

KEDA = {
    "keda": {
        "enabled": True,
        "maxReplicas": 20,
        "fallback": {"failureThreshold": 3, "replicas": 4},
        "triggers": [
            {
                "type": "prometheus",
                "metadata": {
                    "serverAddress": "http://prometheus.monitoring:9090",
                    "query": 'sum(weir_open_exchanges{namespace="litellm"})',
                    "threshold": "200",
                },
            }
        ],
    }
}

# What another value needs before it may be turned on.
NEEDED = {
    "keda.enabled": KEDA,
    "httpRoute.enabled": {"httpRoute": {"parentRefs": [{"name": "gateway"}]}},
    "proxyConfigMap.create": {"proxyConfigMap": {"name": "own"}},
}

EXISTING = {"db": {"useExisting": True, "endpoint": "db.example.com", "secret": {"name": "db"}}}


def defaults():
    return yaml.safe_load((CHART / "values.yaml").read_text())


def leaves(tree, path=""):
    """(a.b, value) of everything that is no map."""
    for key, value in tree.items():
        below = f"{path}{key}"
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{below}.")
        else:
            yield below, value


def booleans():
    # Pod security contexts are Kubernetes' own fields.
    return [path for path, value in leaves(defaults()) if isinstance(value, bool) and "ecurityContext" not in path]


def examples():
    return {path.parent.name: yaml.safe_load(path.read_text()) for path in sorted(EXAMPLES.glob("*/values.yaml"))}
