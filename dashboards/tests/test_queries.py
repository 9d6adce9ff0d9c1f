"""Every query of every panel on a real Prometheus, which scrapes an exporter with all metrics."""

import subprocess
import sys
import time

import boards
import check_queries
import exporter
import prometheus
import pytest
from known import HERE

SCRAPES = 12  # a second each; a rate needs two, the rate interval is four
REPLICAS = 2


@pytest.fixture(scope="module")
def running(needs):
    """Prometheus and the window in which it scraped."""
    needs(prometheus.program("prometheus"), "Prometheus is not installed: run scripts/setup.sh dashboards")
    servers = [exporter.serve() for _ in range(REPLICAS)]
    with prometheus.started([f"127.0.0.1:{server.server_port}" for server in servers]) as found:
        start = time.time()
        prometheus.wait_until(
            "scraping", lambda: len(found.instant(f"count_over_time(up[1h]) >= {SCRAPES}", time.time())) == REPLICAS, 60
        )
        yield found, check_queries.Window(start, time.time(), 1)
    for server in servers:
        server.shutdown()


@pytest.mark.parametrize("name", boards.PROMETHEUS)
def test_every_query_has_an_answer(running, name):
    found, window = running
    faults = check_queries.check(found, name, window)
    assert faults == [], "\n".join(map(str, faults))


def test_the_scrapes_are_well_formed(running):
    found, _ = running
    assert [target["lastError"] for target in found.ask("targets")["activeTargets"]] == [""] * REPLICAS


def test_the_program_says_the_same(running):
    found, window = running
    since = str(time.time() - window.start)
    command = [sys.executable, HERE / "check_queries.py", "--prometheus", found.url, "--since", since, "--scrape", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1].split(", ")[-1]) == (0, "0 faults"), done.stdout + done.stderr


def with_query(monkeypatch, query):
    """operations.json with this as its first query."""
    dashboard = boards.load("operations.json")
    next(boards.targets(dashboard))[1]["expr"] = query
    monkeypatch.setattr(boards, "load", lambda name: dashboard)


@pytest.mark.parametrize(
    "query, reason",
    [
        ("sum(rate(no_such_metric[$__range]))", "no answer"),
        ("0 * litellm_spend_metric_total / 0", "no answer"),
        ("sum(rate(litellm_spend_metric_total))", "expected type range vector"),
        ("sum(litellm_spend_metric_total", "unclosed left parenthesis"),
    ],
)
def test_faults_are_found(running, monkeypatch, query, reason):
    found, window = running
    with_query(monkeypatch, query)
    faults = check_queries.check(found, "operations.json", window)
    assert [fault.where for fault in faults] == [("operations.json", "Requests", "A")]
    assert reason in faults[0].reason


def test_an_empty_answer_may_be_allowed_but_not_an_error(running, monkeypatch):
    found, window = running
    monkeypatch.setattr(boards, "PROMETHEUS", ("operations.json",))
    allowed = {("operations.json", "Requests", "A"): "nobody asked yet"}
    with_query(monkeypatch, "no_such_metric")
    assert len(check_queries.check_all(found, window)) == 1
    assert check_queries.check_all(found, window, allowed) == []
    with_query(monkeypatch, "sum(")
    assert len(check_queries.check_all(found, window, allowed)) == 1


def test_variables_take_the_values_that_grafana_would_show(running):
    found, window = running
    chosen = list(check_queries.choices(found, boards.load("team.json"), window))
    assert {values["job"] for values in chosen} == {"(weir)"}
    assert {values["team"] for values in chosen} == set(exporter.TEAMS) - {"None"}


def test_the_team_view_is_about_one_team(running):
    """The spend of the teams adds up to what keys with a team spent."""
    found, window = running
    dashboard = boards.load("team.json")
    query = next(target["expr"] for panel, target in boards.targets(dashboard) if panel["title"] == "Spend")
    values = list(check_queries.choices(found, dashboard, window))
    of_each = [found.instant(boards.fill(query, chosen), window.end)[0][1] for chosen in values]
    whole = 'sum(increase(litellm_spend_metric_total{team!="None"}[$__range]))'
    assert sum(of_each) == pytest.approx(found.instant(boards.fill(whole, values[0]), window.end)[0][1])
    assert len(set(of_each)) == len(of_each)


def labels_of(found, window, name, title):
    dashboard = boards.load(name)
    values = next(check_queries.choices(found, dashboard, window))
    query = next(target["expr"] for panel, target in boards.targets(dashboard) if panel["title"] == title)
    return {labels["name"] for labels, _ in found.instant(boards.fill(query, values), window.end)}


def test_teams_and_keys_without_an_alias_go_by_the_beginning_of_their_ids(running):
    found, window = running
    teams = labels_of(found, window, "operations.json", "Spend distribution by team")
    assert teams == {"engineering", "research", "support", "44444444-ddd", "None"}
    keys = labels_of(found, window, "operations.json", "Spend by API key")
    aliases = {alias for alias, *_ in exporter.KEYS}
    assert keys >= aliases - {"None"} and len(keys) == len(aliases)
    assert [len(key) for key in keys - aliases] == [12]


def test_shares_are_between_nothing_and_all(running):
    found, window = running
    for name in boards.PROMETHEUS:
        dashboard = boards.load(name)
        for values in check_queries.choices(found, dashboard, window):
            for panel, target in boards.targets(dashboard):
                if panel["fieldConfig"]["defaults"]["unit"] == "percentunit" and target["instant"]:
                    for _, value in found.instant(boards.fill(target["expr"], values), window.end):
                        assert 0 <= value <= 1, (name, panel["title"], value)
