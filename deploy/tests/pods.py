"""Rendered pods as processes of this machine: their arguments, environment, files and probes."""

import base64
import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

import chart


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, seconds, message):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return
        time.sleep(0.05)
    raise AssertionError(f"{message}: not within {seconds} s")


class Cluster:
    """Objects of a rendering, and the Secrets that were there before. `names`: of its Services, where they are here."""

    def __init__(self, weir, objects, secrets, folder, names=None):
        self.weir, self.objects, self.folder = weir, objects, pathlib.Path(folder)
        self.names = names or {}
        self.secrets = dict(secrets)
        for one in objects:
            if one["kind"] == "Secret":
                self.secrets[one["metadata"]["name"]] = {
                    k: base64.b64decode(v).decode() for k, v in one["data"].items()
                }

    def environment(self, container, mounts):
        env = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}
        places = {**mounts, **self.names}
        for source in container.get("envFrom", []):
            env |= self.secrets[source["secretRef"]["name"]]
        for name, value in chart.env(container).items():
            env[name] = self.secrets[value[0]][value[1]] if isinstance(value, tuple) else placed(value, places)
        return env

    def job(self):
        """Runs the migration job to its end."""
        container = chart.pod(self.objects, "Job")["containers"][0]
        command = [self.weir, *container["args"]]
        return subprocess.run(
            command,
            env=self.environment(container, {}),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @contextlib.contextmanager
    def pod(self, name="pod", port=None):
        pod = Pod(self, self.folder / name, port)
        try:
            yield pod
        finally:
            pod.kill()


def placed(value, places):
    """A path of the pod or a name of the cluster, where it is here."""
    for inside, outside in places.items():
        value = value.replace(inside, str(outside))
    return value


class Pod:
    def __init__(self, cluster, folder, port):
        self.spec = chart.pod(cluster.objects)
        self.container = self.spec["containers"][0]
        folder.mkdir()
        config = folder / "config.yaml"
        config.write_text(chart.find(cluster.objects, "ConfigMap", "litellm-config")["data"]["config.yaml"])
        mounts = {"/etc/litellm/config.yaml": config, "/var/lib/weir": folder / "data"}
        env = cluster.environment(self.container, mounts)
        self.key = env.get("LITELLM_MASTER_KEY") or env["PROXY_MASTER_KEY"]
        self.port = port or int(env["PORT"])
        env["PORT"] = str(self.port)
        self.log = folder / "log"
        arguments = [placed(one, mounts) for one in self.container["args"]]
        with self.log.open("w") as log:
            self.process = subprocess.Popen([cluster.weir, *arguments], env=env, cwd=folder, stdout=log, stderr=log)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def request(self, path, body=None, timeout=20):
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        return urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=timeout)

    def probe(self, name):
        probe = self.container[name]
        try:
            with self.request(probe["httpGet"]["path"], timeout=probe["timeoutSeconds"]) as answer:
                return 200 <= answer.status < 400
        except OSError:
            return False

    def start(self):
        """As the kubelet: the startup probe, in the time that it gives; then the others."""
        probe = self.container["startupProbe"]
        wait_for(
            lambda: self.probe("startupProbe") or self.process.poll() is not None,
            probe["periodSeconds"] * probe["failureThreshold"],
            "startup",
        )
        assert self.process.poll() is None, self.log.read_text()
        assert self.probe("livenessProbe") and self.probe("readinessProbe")
        return self

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        """Within the pod's grace period, or the kubelet would kill it."""
        return self.process.wait(self.spec["terminationGracePeriodSeconds"])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
