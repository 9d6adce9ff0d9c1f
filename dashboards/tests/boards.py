"""Reading what Grafana reads: panels, their queries, variables."""

import json
import re

from known import DASHBOARDS

PROMETHEUS = ("operations.json", "team.json", "models.json")
SQL = ("finance-postgres.json",)


def load(name):
    return json.loads((DASHBOARDS / name).read_text())


def panels(dashboard):
    """All panels, those of closed rows too, without the rows themselves."""
    for item in dashboard["panels"]:
        if item["type"] == "row":
            yield from item["panels"]
        else:
            yield item


def targets(dashboard):
    """(panel, target) of every query."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield panel, target


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def legend_labels(target):
    return set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))


def fill(query, values):
    """Variables as Grafana writes them: $name, ${name}, ${name:format}. The longest name first, as in $__range_s."""
    for name in sorted(values, key=len, reverse=True):
        query = re.sub(rf"\$\{{{name}(:\w+)?\}}|\${name}(?!\w)", lambda _, value=values[name]: str(value), query)
    return query
