"""Every query of every panel on a real Prometheus, which scrapes a real Weir under mixed traffic.

What the code does not show yet (MISSING in test_names.py) may be empty; other exceptions are in ALLOWED, with reasons.
"""

import contextlib
import itertools
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boards
import check_queries
import prometheus
import pytest
from known import DASHBOARDS, names
from test_names import MISSING

sys.path.insert(0, str(DASHBOARDS.parent / "tests" / "sdk"))
import rig  # noqa: E402  (found through the line above)

SECONDS = 14  # of traffic; Prometheus scrapes every second
CONFIG = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_base: "%(mock)s/v1", api_key: sk-upstream}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: "%(mock)s", api_key: sk-upstream}
  - model_name: unpriced
    litellm_params: {model: openai/nobody-knows-what-this-costs, api_base: "%(mock)s/v1", api_key: sk-upstream}
  - model_name: broken
    litellm_params: {model: openai/gpt-4o-mini, api_base: "http://127.0.0.1:9/v1", api_key: sk-upstream}
  - model_name: broken-too
    litellm_params: {model: openai/gpt-4.1, api_base: "http://127.0.0.1:9/v1", api_key: sk-upstream}
  - model_name: half-broken  # one of two deployments, so that it can be cooled down
    litellm_params: {model: openai/gpt-4.1-mini, api_base: "%(mock)s/v1", api_key: sk-upstream}
  - model_name: half-broken
    litellm_params: {model: openai/gpt-4.1-nano, api_base: "%(mock)s/v1", api_key: sk-upstream}
  - model_name: dead
    litellm_params: {model: openai/gpt-3.5-turbo, api_base: "http://127.0.0.1:9/v1", api_key: sk-upstream}
litellm_settings:
  callbacks: [prometheus]
  num_retries: 0
  cache: true
  cache_params: {type: local}
router_settings:
  cooldown_time: 2
  fallbacks: [{broken: [gpt-4o]}, {broken-too: [dead]}]
general_settings:
  master_key: os.environ/LITELLM_MASTER_KEY
"""
REQUESTS = [  # model, what it is asked (a number comes behind it, so that the cache does not know it), as a stream
    ("gpt-4o", "hello", False),
    ("gpt-4o", "hello", True),
    ("claude", "hello", False),
    ("claude", "hello __sleep=0.05", True),
    ("unpriced", "hello", False),
    ("broken", "hello", False),
    ("broken-too", "hello", False),
    ("half-broken", "hello __errif=gpt-4.1-mini:500", False),
    ("gpt-4o", "hello __err=500", False),
    ("claude", "hello __err=429", False),
]
SAME = ("gpt-4o", "the same again", False)  # answered from the cache
# (dashboard, panel, query) -> why it may be empty here
ALLOWED = {}


class Caller:
    def __init__(self, url, key):
        self.url, self.key = url, key

    def post(self, path, body):
        """The answer's text; a refusal is an answer too."""
        head = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), head)
        try:
            with prometheus.OPENER.open(request, timeout=20) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def make(self, path, **body):
        return json.loads(self.post(path, body))

    def chat(self, model, text, stream):
        message = {"role": "user", "content": text}
        return self.post("/v1/chat/completions", {"model": model, "messages": [message], "stream": stream})


def callers(url):
    """Two teams with budgets, two keys each, and a key without a team."""
    admin = Caller(url, rig.MASTER_KEY)
    for alias in ("engineering", "research"):
        team = admin.make("/team/new", team_alias=alias, max_budget=100, budget_duration="30d")["team_id"]
        for name in ("one", "two"):
            key = admin.make(
                "/key/generate", team_id=team, key_alias=f"{alias}-{name}", max_budget=50, budget_duration="7d"
            )
            yield Caller(url, key["key"])
    yield Caller(url, admin.make("/key/generate", key_alias="alone")["key"])


def not_built():
    try:
        rig.program("WEIR_BIN", "weir"), rig.program("WEIR_BENCH_BIN", "weir-bench")
    except FileNotFoundError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def gateway(folder):
    with rig.mock_provider(folder) as mock, rig.weir(CONFIG % {"mock": mock}, folder) as url:
        yield url


@pytest.fixture(scope="module")
def scraped(needs, tmp_path_factory):
    """The page of metrics after the traffic, the Prometheus that scraped it, and the window."""
    needs(prometheus.program("prometheus"), "Prometheus is not installed: run scripts/setup.sh dashboards")
    needs(not not_built(), not_built())
    with gateway(tmp_path_factory.mktemp("weir")) as url:
        with prometheus.started([url.removeprefix("http://")]) as found:
            who = list(callers(url))
            start, number = time.time(), itertools.count()
            while time.time() < start + SECONDS:
                for caller in who:
                    caller.chat(*SAME)
                    for model, text, stream in REQUESTS:
                        caller.chat(model, f"{text} {next(number)}", stream)
            with prometheus.OPENER.open(f"{url}/metrics", timeout=10) as answer:
                page = answer.read().decode()
            time.sleep(1.5)  # one more scrape
            yield page, found, check_queries.Window(start, time.time(), 1)


@pytest.mark.parametrize("name", boards.PROMETHEUS)
def p39_every_query_has_an_answer(scraped, name):
    _, found, window = scraped
    queries = {(panel["title"], t["refId"]): t["expr"] for panel, t in boards.targets(boards.load(name))}
    faults = check_queries.check(found, name, window)
    empty = {fault.where for fault in faults if fault.reason == "no answer"}
    excused = {where for where in empty if where in ALLOWED or names(queries[where[1:]]) & MISSING}
    rest = [fault for fault in faults if fault.where not in excused]
    assert rest == [], "\n".join(map(str, rest))
    assert {where for where in ALLOWED if where[0] == name} <= empty, "has an answer by now: take it off ALLOWED"


def test_what_is_missing_is_not_there(scraped):
    page, _, _ = scraped
    shown = set(re.findall(r"^# TYPE (\w+)", page, re.MULTILINE))
    assert shown & MISSING == set()


def test_promtool_finds_the_metrics_clean(scraped, promtool):
    """But for hours, which LiteLLM's names say."""
    page, _, _ = scraped
    done = subprocess.run(
        [promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=30, check=False
    )
    found = (done.stdout + done.stderr).splitlines()
    assert [line for line in found if not re.match(r"litellm_\w+_budget_remaining_hours_metric .*hours", line)] == []


def test_increments_are_what_was_spent(scraped):
    """The dashboards' spend is that of the teams' keys and the one without."""
    _, found, window = scraped
    rows = found.instant("sum by (team) (litellm_spend_metric_total)", window.end)
    assert len(rows) == 3 and all(value > 0 for _, value in rows)
