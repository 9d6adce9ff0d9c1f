"""A real Prometheus: one of its own for a test, and its query API."""

import contextlib
import json
import math
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

START_SECONDS = 30
CONFIG = """
global: {scrape_interval: %(scrape)ss, scrape_timeout: %(scrape)ss}
scrape_configs:
  - job_name: weir
    metrics_path: %(path)s
    static_configs: [{targets: %(targets)s}]
"""
# The loopback needs no proxy.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class QueryError(Exception):
    """What Prometheus says to a query that it cannot answer."""


class Prometheus:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def ask(self, path, **form):
        """The `data` of an answer of its API."""
        body = urllib.parse.urlencode(form, doseq=True).encode() if form else None
        try:
            with OPENER.open(f"{self.url}/api/v1/{path}", body, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            with contextlib.suppress(ValueError, KeyError):
                text = json.loads(text)["error"]
            raise QueryError(f"{error.code} {text}") from None

    def instant(self, query, at):
        """[(labels, value)] that are numbers."""
        answer = self.ask("query", query=query, time=at)
        if answer["resultType"] == "scalar":
            answer["result"] = [{"metric": {}, "value": answer["result"]}]
        found = [(series["metric"], float(series["value"][1])) for series in answer["result"]]
        return [(labels, value) for labels, value in found if not math.isnan(value)]

    def through(self, query, start, end, step):
        """[(labels, values)] of the series that have a number somewhere."""
        answer = self.ask("query_range", query=query, start=start, end=end, step=step)
        found = [(s["metric"], [float(v) for _, v in s["values"]]) for s in answer["result"]]
        return [(labels, values) for labels, values in found if not all(map(math.isnan, values))]

    def label_values(self, label, metric):
        path = f"label/{label}/values?" + urllib.parse.urlencode({"match[]": metric})
        return self.ask(path)


def program(name):
    """Debian's package prometheus has both, prometheus and promtool."""
    return shutil.which(name)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, ready, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.1)
    raise TimeoutError(f"{what} took longer than {seconds} seconds")


def answers(url):
    try:
        with OPENER.open(url, timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def started(targets, path="/metrics", scrape=1):
    """A Prometheus that scrapes the targets (host:port), on a free port, with a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="weir-prometheus.") as folder:
        folder = pathlib.Path(folder)
        config = CONFIG % {"scrape": scrape, "path": path, "targets": json.dumps(targets)}
        (folder / "prometheus.yml").write_text(config)
        port = free_port()
        command = [
            program("prometheus"),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
        ]
        command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        with open(folder / "log", "w") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={"PATH": os.environ["PATH"]})
        url = f"http://127.0.0.1:{port}"
        try:
            try:
                wait_until("Prometheus", lambda: child.poll() is not None or answers(f"{url}/-/ready"), START_SECONDS)
                assert child.poll() is None, "it ended"
            except (TimeoutError, AssertionError) as error:
                raise RuntimeError(f"Prometheus did not start: {error}\n{(folder / 'log').read_text()}") from error
            yield Prometheus(url)
        finally:
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
