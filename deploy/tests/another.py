"""For every value of the chart another one, and what has to be there before it shows."""

import cases
from chart import merged, with_value

# What has to be there before a value is looked at, by the beginning of its path. The longest one counts.
WITHIN = {
    "autoscaling.": {"autoscaling": {"enabled": True}},
    "dashboards.": {"dashboards": {"enabled": True}},
    "db.": cases.EXISTING,
    "db.useExisting": {},
    "db.deployStandalone": {},
    "httpRoute.": {"httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}]}},
    "ingress.": {"ingress": {"enabled": True}},
    "keda.": cases.KEDA,
    "migrationJob.": cases.EXISTING,
    "migrationJob.hooks.helm.weight": merged(cases.EXISTING, {"migrationJob": {"hooks": {"helm": {"enabled": True}}}}),
    "networkPolicy.": {"networkPolicy": {"enabled": True}},
    "pdb.": {"pdb": {"enabled": True}},
    "persistence.": {"persistence": {"enabled": True}},
    "persistence.emptyDirSizeLimit": {},
    "prometheusRule.": {"prometheusRule": {"enabled": True}},
    "proxyConfigMap.": {"proxyConfigMap": {"create": False, "name": "own"}},
    "redis.": {"redis": {"enabled": True}},
    "separateHealthPort": {"separateHealthApp": True},
    "service.loadBalancerClass": {"service": {"type": "LoadBalancer"}},
    "service.nodePort": {"service": {"type": "NodePort"}},
    "serviceAccount.annotations": {"serviceAccount": {"create": True}},
    "serviceMonitor.": {"serviceMonitor": {"enabled": True}},
    "serviceMonitor.secret.": {"serviceMonitor": {"enabled": True, "secret": {"create": True, "value": "t"}}},
}
# Else every rendering has others.
FIXED = {
    "masterkey": "sk-fixed",
    "postgresql": {"auth": {"password": "fixed", "postgres-password": "fixed"}},
    "redis": {"auth": {"password": "fixed"}},
}
# Where not any value of its type will do.
OTHERS = {
    "image.pullPolicy": "Always",
    "service.type": "NodePort",
    "ingress.hosts": [{"host": "other.example", "paths": [{"path": "/"}]}],
    "topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    "httpRoute.matches": [{"path": {"type": "PathPrefix", "value": "/other"}}],
    "keda.fallback": {"replicas": 9},
    "masterkeySecretKey": "other",
    "serviceMonitor.interval": "7s",
    "serviceMonitor.scrapeTimeout": "7s",
    **dict.fromkeys(
        ("livenessProbe.path", "readinessProbe.path", "startupProbe.path", "serviceMonitor.path"), "/other"
    ),
    **dict.fromkeys(("numWorkers", "service.nodePort", "autoscaling.targetMemoryUtilizationPercentage"), 30_007),
    **dict.fromkeys(("pdb.minAvailable", "pdb.maxUnavailable"), 7),
    **dict.fromkeys(("masterkey", "listen", "service.loadBalancerClass"), "other"),
    **dict.fromkeys(
        ("environmentSecrets", "environmentConfigMaps", "httpRoute.hostnames", "persistence.accessModes"), ["other"]
    ),
    **dict.fromkeys(("serviceMonitor.namespaceSelector.matchNames", "command", "args"), ["other"]),
}
# Values that no manifest shows, and why.
SHOWN_NOWHERE = {
    "db.useStackgresOperator": "there is nothing behind it in LiteLLM's chart either; the notes say so",
    "postgresql.architecture": "one pod is all that there is; the notes say so",
    "redis.architecture": "one pod is all that there is; the notes say so",
    "migrationJob.retries": "weir migrate waits for the database by itself",
    "strictValues": "refuses keys that nobody knows, see test_schema.py",
}


def paths():
    """Below these three it is Kubernetes' or Weir's matter, and passed on as it is."""
    passed = ("proxy_config.", "podSecurityContext.", "securityContext.")
    return [path for path, _ in cases.leaves(cases.defaults()) if not path.startswith(passed)]


def within(path):
    """Values beside which this one counts."""
    beginnings = [head for head in WITHIN if path == head or (head.endswith(".") and path.startswith(head))]
    return merged(FIXED, WITHIN[max(beginnings, key=len)] if beginnings else {})


def another(path, there):
    """`there` with another value at `path`."""
    if path in OTHERS:
        return merged(there, with_value(path, OTHERS[path]))
    usual = dict(cases.leaves(merged(cases.defaults(), there)))[path]
    return merged(there, with_value(path, other(usual)))


def other(usual):
    """One of the same type."""
    if isinstance(usual, bool):
        return not usual
    if isinstance(usual, int):
        return usual + 1
    return {dict: {"other": "x"}, list: [{"name": "other"}]}.get(type(usual), "other")
