#!/usr/bin/env python3
"""Runs every query of every panel on a Prometheus, as Grafana would, and tells which fail or have no answer.

    check_queries.py --prometheus http://127.0.0.1:9090 [--since SECONDS] [--scrape SECONDS] [--allow FILE.tsv]

Variables take the values that their own queries find. One that holds a single value at a time (the team) is tried with
each of them: a panel must have an answer for one at least. An answer that is nothing but NaN is no answer.
The file of --allow has the columns dashboard, panel, query (its letter) and reason: those may be empty.
"""

import argparse
import csv
import dataclasses
import itertools
import re
import sys
import time

import boards
from prometheus import Prometheus, QueryError

POINTS = 60


@dataclasses.dataclass(frozen=True)
class Window:
    """The time range of the dashboard, and how often Prometheus scrapes."""

    start: float
    end: float
    scrape: float

    def values(self):
        """What Grafana's own variables stand for, by its rules."""
        length = int(self.end - self.start)
        interval = max(1, length // POINTS, int(self.scrape))
        rate = max(interval + self.scrape, 4 * self.scrape)
        own = {"__range": f"{length}s", "__range_s": length, "__range_ms": length * 1000}
        return own | {"__interval": f"{interval}s", "__rate_interval": f"{int(rate)}s"}

    @property
    def step(self):
        return max(1, (self.end - self.start) / POINTS)


@dataclasses.dataclass(frozen=True)
class Fault:
    dashboard: str
    panel: str
    letter: str
    query: str
    reason: str

    @property
    def where(self):
        return (self.dashboard, self.panel, self.letter)

    def __str__(self):
        return f"{self.dashboard}: {self.panel} [{self.letter}]: {self.reason}\n    {self.query}"


# --- variables ---


def shown(labels, value):
    """A series as text, as Grafana gives it to a variable's regex."""
    name = labels.get("__name__", "")
    pairs = ", ".join(f'{label}="{text}"' for label, text in sorted(labels.items()) if label != "__name__")
    return f"{name}{{{pairs}}} {value}"


def options(prometheus, variable, values, window):
    """The values of a variable."""
    query = boards.fill(variable["query"]["query"], values)
    if said := re.fullmatch(r"label_values\((.+), *(\w+)\)", query):
        return prometheus.label_values(said[2], said[1])
    inner = re.fullmatch(r"query_result\((.+)\)", query)[1]
    texts = [shown(labels, value) for labels, value in prometheus.instant(inner, window.end)]
    pattern = re.compile(variable["regex"].strip("/").replace("(?<", "(?P<"))
    return sorted(match["value"] for match in map(pattern.search, texts) if match)


def choices(prometheus, dashboard, window):
    """Values of all variables, once for every choice that a reader has."""
    fixed, single = window.values(), {}
    for name, variable in boards.variables(dashboard).items():
        if variable["type"] != "query":
            continue
        found = options(prometheus, variable, fixed, window)
        if not found:
            raise QueryError(f"variable {name} has no values")
        if variable["multi"]:
            fixed[name] = "(" + "|".join(map(re.escape, found)) + ")"
        else:
            single[name] = found
    for chosen in itertools.product(*single.values()):
        yield fixed | dict(zip(single, chosen))


# --- queries ---


def answer(prometheus, target, values, window):
    query = boards.fill(target["expr"], values)
    if target["instant"]:
        return prometheus.instant(query, window.end)
    return prometheus.through(query, window.start, window.end, window.step)


def check_target(prometheus, target, chosen, window):
    """The reason why it is at fault, or nothing."""
    try:
        if any(answer(prometheus, target, values, window) for values in chosen):
            return None
        return "no answer"
    except QueryError as error:
        return str(error)


def check(prometheus, name, window):
    """The faults of one dashboard."""
    dashboard = boards.load(name)
    try:
        chosen = list(choices(prometheus, dashboard, window))
    except QueryError as error:
        return [Fault(name, "-", "-", "", str(error))]
    faults = []
    for panel, target in boards.targets(dashboard):
        reason = check_target(prometheus, target, chosen, window)
        if reason:
            shown_query = boards.fill(target["expr"], chosen[0])
            faults.append(Fault(name, panel["title"], target["refId"], shown_query, reason))
    return faults


def check_all(prometheus, window, allowed=()):
    """The faults of all dashboards; an empty answer is none where it is allowed."""
    faults = [fault for name in boards.PROMETHEUS for fault in check(prometheus, name, window)]
    return [fault for fault in faults if fault.reason != "no answer" or fault.where not in allowed]


def read_allowed(path):
    """(dashboard, panel, query) -> reason"""
    with open(path, newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    assert all(row["reason"] for row in rows), f"{path}: an exception without a reason"
    return {(row["dashboard"], row["panel"], row["query"]): row["reason"] for row in rows}


def main():
    parser = argparse.ArgumentParser(description="Runs every query of every panel on a Prometheus.")
    parser.add_argument("--prometheus", required=True, metavar="URL")
    parser.add_argument("--since", type=float, default=3600, metavar="SECONDS")
    parser.add_argument("--scrape", type=float, default=15, metavar="SECONDS")
    parser.add_argument("--allow", metavar="FILE")
    given = parser.parse_args()
    now = time.time()
    window = Window(now - given.since, now, given.scrape)
    allowed = read_allowed(given.allow) if given.allow else {}
    faults = check_all(Prometheus(given.prometheus), window, allowed)
    for fault in faults:
        print(fault)
    count = sum(1 for name in boards.PROMETHEUS for _ in boards.targets(boards.load(name)))
    print(f"{count} queries, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
