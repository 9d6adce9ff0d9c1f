"""The rendered Deployment and Job, run here beside a real PostgreSQL: start, probes, stop, replacement under load."""

import concurrent.futures
import json
import os
import subprocess
import threading
import time
import urllib.parse
import uuid

import chart
import pods
import pytest
from upstream import upstream

# Weir makes the address of its parts: any character may be in the password.
PASSWORD = "p@ss/w:rd%#"


@pytest.fixture
def database(needs):
    """Host, port, user, name of an empty database."""
    url = urllib.parse.urlsplit(
        needs(os.environ.get("WEIR_TEST_POSTGRES_URL"), "no PostgreSQL: run scripts/test.sh deploy")
    )
    name = f"deploy_{uuid.uuid4().hex}"
    sql(url.geturl(), f"CREATE DATABASE {name}")
    yield {
        "host": url.hostname,
        "port": url.port,
        "user": url.username,
        "name": name,
        "url": url._replace(path=f"/{name}").geturl(),
    }
    sql(url.geturl(), f"DROP DATABASE {name} WITH (FORCE)")


def sql(url, text):
    return subprocess.run(
        ["psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", text],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


@pytest.fixture
def cluster(weir, database, tmp_path):
    with upstream() as api_base:
        slow = {
            "model_name": "slow",
            "litellm_params": {"model": "openai/slow", "api_base": api_base, "api_key": "sk-x"},
        }
        values = {
            "listen": "127.0.0.1",
            "service": {"port": pods.free_port()},
            "drainDelaySeconds": 2,
            "terminationGracePeriodSeconds": 60,
            "db": {
                "useExisting": True,
                "endpoint": database["host"],
                "database": database["name"],
                "secret": {
                    "name": "litellm-secrets",
                    "usernameKey": "DATABASE_USERNAME",
                    "passwordKey": "DATABASE_PASSWORD",
                },
            },
            "envVars": {"DATABASE_PORT": database["port"]},
            "environmentSecrets": ["litellm-secrets"],
            "proxy_config": {
                "model_list": [slow],
                "litellm_settings": {"callbacks": ["prometheus"]},
                "general_settings": {
                    "master_key": "os.environ/LITELLM_MASTER_KEY",
                    "database_url": "os.environ/DATABASE_URL",
                },
            },
        }
        # As in the guide the Secret has an address of its own, which db.* beats.
        there = {
            "DATABASE_USERNAME": database["user"],
            "DATABASE_PASSWORD": PASSWORD,
            "DATABASE_URL": "postgresql://nowhere.invalid/x",
        }
        yield pods.Cluster(weir, chart.manifests(values), {"litellm-secrets": there}, tmp_path)


def chat(pod, stream=False, model="slow"):
    body = json.dumps({"model": model, "stream": stream, "messages": [{"role": "user", "content": "Hello"}]}).encode()
    return pod.request("/v1/chat/completions", body)


def booked(database):
    return int(sql(database["url"], "SELECT count(*) FROM weir.spend_entry"))


def p32_the_job_then_a_pod(cluster, database):
    done = cluster.job()
    assert done.returncode == 0, done.stderr
    assert booked(database) == 0  # the tables are there before the pod is
    with cluster.pod() as pod:
        pod.start()
        with chat(pod) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"] == "Hello"
        with pod.request("/health/readiness") as answer:
            assert json.load(answer)["db"] == "connected"
        with pod.request("/metrics/") as answer:
            assert b"litellm_proxy_total_requests_metric_total" in answer.read()


def p32_the_bundled_postgres_of_the_rendered_secret(weir, database, tmp_path):
    """With the chart's own values: the database is set up as the StatefulSet would be, by what was rendered."""
    user = f"bundled_{uuid.uuid4().hex}"
    values = {
        "listen": "127.0.0.1",
        "service": {"port": pods.free_port()},
        "postgresql": {"auth": {"username": user, "database": database["name"]}},
        "envVars": {"DATABASE_PORT": database["port"]},
    }
    objects = chart.manifests(values)
    server = chart.find(objects, "StatefulSet")
    told = chart.env(server["spec"]["template"]["spec"]["containers"][0])
    secret, key = told["POSTGRES_PASSWORD"]
    password = chart.secret(objects, secret)[key]
    role = f"CREATE ROLE {told['POSTGRES_USER']} LOGIN PASSWORD '{password}'"
    sql(database["url"], f"{role}; ALTER DATABASE {told['POSTGRES_DB']} OWNER TO {told['POSTGRES_USER']}")
    names = {server["spec"]["serviceName"]: database["host"]}
    try:
        with pods.Cluster(weir, objects, {}, tmp_path, names).pod() as pod:
            pod.start()
            with chat(pod, model="demo") as answer:
                assert json.load(answer)["choices"][0]["message"]["content"] == "Hello from Weir."
            with pod.request("/health/readiness") as answer:
                assert json.load(answer)["db"] == "connected"
        owner = "SELECT tableowner FROM pg_tables WHERE schemaname = 'weir' AND tablename = 'virtual_key'"
        assert sql(database["url"], owner) == user
    finally:
        sql(database["url"], f"REASSIGN OWNED BY {user} TO CURRENT_USER; DROP OWNED BY {user}; DROP ROLE {user}")


@pytest.mark.parametrize(
    ("name", "models"), [("homelab", {"qwen-local"}), ("aws", {"claude-3-sonnet", "gpt-4-turbo"})]
)
def p32_the_guides_values_run_as_they_stand(weir, guide, database, tmp_path, name, models):
    """Only where database and port are is said anew."""
    there = {"endpoint": database["host"], "database": database["name"]}
    here = {"listen": "127.0.0.1", "service": {"port": pods.free_port()}, "db": there}
    values = chart.merged(guide[name], here, {"envVars": {"DATABASE_PORT": database["port"]}})
    keys = values["db"]["secret"]
    secret = {
        keys["usernameKey"]: database["user"],
        keys["passwordKey"]: PASSWORD,
        "DATABASE_URL": "postgresql://litellm:your-secure-password@nowhere.invalid:5432/litellm",
        "LITELLM_MASTER_KEY": "sk-your-master-key-here",
    }
    objects = chart.manifests(values)
    cluster = pods.Cluster(weir, objects, {keys["name"]: secret}, tmp_path)
    if "Job" in chart.kinds(objects):
        done = cluster.job()
        assert done.returncode == 0, done.stderr
    with cluster.pod() as pod:
        pod.start()
        with pod.request("/health/readiness") as answer:
            told = json.load(answer)
        assert (told["status"], told["db"], told["litellm_version"]) == ("connected", "connected", "1.81.0")
        with pod.request("/v1/models") as answer:
            assert {model["id"] for model in json.load(answer)["data"]} == models


def p33_a_pod_that_is_told_to_stop_ends_its_streams_and_loses_nothing(cluster, database):
    with cluster.pod() as pod:
        pod.start()
        with chat(pod, stream=True) as answer:
            first = answer.readline()
            pod.terminate()
            pods.wait_for(lambda: not pod.probe("readinessProbe"), 5, "readiness is off")
            rest = answer.read()
        assert b"word0" in first and b"word9" in rest and b"data: [DONE]" in rest
        assert pod.wait() == 0
    assert booked(database) == 1


def p33_pods_are_replaced_one_by_one_and_no_request_fails(cluster):
    """As a rolling update: a new pod, once it is ready the old one goes; a Service sends to those that are ready."""
    with Service() as service:
        old = [service.add(cluster, f"old-{n}") for n in range(3)]
        load = service.load(threads=4)
        for number, pod in enumerate(old):
            service.add(cluster, f"new-{number}")
            pod.terminate()
            assert pod.wait() == 0
        failures, done = load()
    assert failures == [] and done > 100


class Service:
    """Sends to the pods whose readiness probe answers, looked at twice a second: four times faster than they drain."""

    def __enter__(self):
        self.pods, self.ready, self.stopped = [], [], threading.Event()
        self.prober = threading.Thread(target=self.watch, daemon=True)
        self.prober.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for pod in self.pods:
            pod.kill()
        self.prober.join()

    def add(self, cluster, name):
        pod = pods.Pod(cluster, cluster.folder / name, pods.free_port()).start()
        self.pods.append(pod)
        pods.wait_for(lambda: pod in self.ready, 10, f"{name} is in the Service")
        return pod

    def watch(self):
        while not self.stopped.is_set():
            self.ready = [pod for pod in list(self.pods) if pod.process.poll() is None and pod.probe("readinessProbe")]
            time.sleep(0.5)

    def load(self, threads):
        """Starts it; the answer ends it and tells what failed and how many were done."""
        end, failures, counts = threading.Event(), [], []

        def ask(start):
            number = start
            while not (end.is_set() or self.stopped.is_set()):
                ready = self.ready
                try:
                    with chat(ready[number % len(ready)]) as answer:
                        answer.read()
                except OSError as error:
                    failures.append(str(error))
                number += 1
                time.sleep(0.02)
            counts.append(number - start)

        pool = concurrent.futures.ThreadPoolExecutor(threads)
        running = [pool.submit(ask, n) for n in range(threads)]

        def stop():
            end.set()
            for one in running:
                one.result()
            pool.shutdown()
            return failures, sum(counts)

        return stop
