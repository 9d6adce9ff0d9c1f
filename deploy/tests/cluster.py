"""As much of a Kubernetes API as Helm's dry run on a server reads: what there is, and some Secrets. Loopback only."""

import base64
import contextlib
import http.server
import json
import threading

import yaml
from helm_python.config import Config
from places import CHART

GROUPS = {
    "v1": [("secrets", "Secret"), ("configmaps", "ConfigMap"), ("services", "Service"), ("pods", "Pod")],
    "apps/v1": [("deployments", "Deployment"), ("statefulsets", "StatefulSet")],
}


def resources(version):
    listed = [
        {"name": plural, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get", "list", "create"]}
        for plural, kind in GROUPS[version]
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": listed}


def group(name, version):
    one = {"groupVersion": f"{name}/{version}", "version": version}
    return {"name": name, "versions": [one], "preferredVersion": one}


def openapi(version):
    """That the server checks fields by itself: then Helm does not want the schemas."""
    group_name, _, version_name = version.rpartition("/")
    paths = {}
    for plural, kind in GROUPS[version]:
        patch = {
            "x-kubernetes-group-version-kind": {"group": group_name, "version": version_name, "kind": kind},
            "parameters": [{"name": "fieldValidation", "in": "query"}],
        }
        paths[f"/{plural}/{{name}}"] = {"patch": patch}
    return {"openapi": "3.0.0", "info": {"title": "", "version": ""}, "paths": paths}


FIXED = {
    "/openapi/v3": {
        "paths": {
            "api/v1": {"serverRelativeURL": "/openapi/v3/api/v1"},
            "apis/apps/v1": {"serverRelativeURL": "/openapi/v3/apis/apps/v1"},
        }
    },
    "/openapi/v3/api/v1": openapi("v1"),
    "/openapi/v3/apis/apps/v1": openapi("apps/v1"),
    "/version": {"major": "1", "minor": "36", "gitVersion": "v1.36.0"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group("apps", "v1")]},
    "/api/v1": resources("v1"),
    "/apis/apps/v1": resources("apps/v1"),
}
MISSING = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


def secret(name, data):
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    owner = {
        "name": name,
        "namespace": "litellm",
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "litellm", "meta.helm.sh/release-namespace": "litellm"},
    }
    return {"kind": "Secret", "apiVersion": "v1", "metadata": owner, "data": encoded}


@contextlib.contextmanager
def cluster(secrets):
    """secrets: name -> {key: text}. Gives the text of a kubeconfig."""
    known = dict(FIXED)
    for name, data in secrets.items():
        known[f"/api/v1/namespaces/litellm/secrets/{name}"] = secret(name, data)

    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            path = self.path.split("?")[0]
            body = json.dumps(known.get(path, MISSING)).encode()
            self.send_response(200 if path in known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
                "users": [{"name": "test", "user": {}}],
            }
        )
    finally:
        server.shutdown()
        server.server_close()


def installed(secrets, values=None):
    """What `helm install --dry-run=server` would send."""
    with cluster(secrets) as kubeconfig:
        with Config(kubeconfig_content=kubeconfig, namespace="litellm", storage_driver="memory") as helm:
            release = helm.install(
                str(CHART), "litellm", values or {}, namespace="litellm", dry_run="server", timeout=20
            )
    return [doc for doc in yaml.safe_load_all(release["manifest"]) if doc]
