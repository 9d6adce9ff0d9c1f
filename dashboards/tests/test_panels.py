"""Rules that every panel keeps."""

import itertools
import re

import boards
import pytest
from known import children, metric_of, parsed, selectors, uses

ALL = boards.PROMETHEUS + boards.SQL
SOURCES = dict.fromkeys(boards.PROMETHEUS, "prometheus") | dict.fromkeys(boards.SQL, "grafana-postgresql-datasource")
REMOVED = {"graph", "singlestat", "table-old", "heatmap-old", "grafana-piechart-panel", "grafana-worldmap-panel"}
RANGES = {
    "operations.json": "now-24h",
    "team.json": "now-7d",
    "models.json": "now-7d",
    "finance-postgres.json": "now/M",
}


@pytest.fixture(params=ALL)
def name(request):
    return request.param


@pytest.fixture
def dashboard(name):
    return boards.load(name)


def of_prometheus():
    for name in boards.PROMETHEUS:
        for panel, target in boards.targets(boards.load(name)):
            yield name, panel, target


def test_no_panel_of_a_kind_that_grafana_has_removed(dashboard):
    assert not REMOVED & {panel["type"] for panel in boards.panels(dashboard)}


def test_default_time_range(name, dashboard):
    assert dashboard["time"] == {"from": RANGES[name], "to": "now"}


def test_can_be_imported_and_provisioned(dashboard):
    """An id belongs to one Grafana, and a sidecar does not fill in __inputs."""
    assert dashboard["id"] is None and "__inputs" not in dashboard
    assert re.fullmatch(r"weir-[a-z]+", dashboard["uid"])


def test_data_source_is_a_variable(name, dashboard):
    variable = boards.variables(dashboard)["datasource"]
    assert (variable["type"], variable["query"]) == ("datasource", SOURCES[name])
    wanted = {"type": SOURCES[name], "uid": "${datasource}"}
    asked = [
        variable.get("datasource") for variable in boards.variables(dashboard).values() if variable["type"] == "query"
    ]
    asked += [panel["datasource"] for panel in boards.panels(dashboard)]
    asked += [target["datasource"] for _, target in boards.targets(dashboard)]
    assert all(source == wanted for source in asked)


def test_only_known_variables(dashboard):
    own = {"__range", "__range_s", "__rate_interval", "__interval", "__timeFrom", "__timeTo"}
    known = own | set(boards.variables(dashboard))
    for panel, target in boards.targets(dashboard):
        query = target.get("expr") or target["rawSql"]
        used = set(re.findall(r"\$\{?(\w+)", query.replace('"$1"', "")))
        assert used <= known, f"{panel['title']}: {used - known}"


def test_every_panel_says_what_it_is(dashboard):
    for panel in boards.panels(dashboard):
        assert len(panel["title"]) > 2 and panel["description"].endswith((".", "?")), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_panels_do_not_overlap(dashboard):
    places = []
    for item in dashboard["panels"]:
        places.append(item["gridPos"])
        if item["type"] == "row":
            assert all(inner["gridPos"]["y"] > item["gridPos"]["y"] for inner in item["panels"])
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for a, b in itertools.combinations(places, 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        apart = apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert apart, (a, b)


def test_ids_are_unique(dashboard):
    ids = [item["id"] for item in dashboard["panels"]]
    ids += [panel["id"] for item in dashboard["panels"] if item["type"] == "row" for panel in item["panels"]]
    assert len(ids) == len(set(ids))


def test_letters_are_unique_in_a_panel(dashboard):
    for panel in boards.panels(dashboard):
        letters = [target["refId"] for target in panel["targets"]]
        assert len(letters) == len(set(letters))


# --- PromQL ---


def test_lines_look_back_by_the_rate_interval_and_numbers_over_the_range():
    for name, panel, target in of_prometheus():
        windows = set(re.findall(r"\[(.+?)\](?! @ end)", target["expr"]))
        if target["instant"]:
            assert windows <= {"$__range"}, (name, panel["title"])
        else:
            assert windows <= {"$__rate_interval"}, (name, panel["title"])


def calls(node, outer=()):
    """(name of a function, names of what stands around it, node), for every call."""
    kind = type(node).__name__
    name = node.func.name if kind == "Call" else ""
    if name:
        yield name, outer, node
    inside = (*outer, name or (str(node.op) if kind == "AggregateExpr" else ""))
    for child in children(node):
        yield from calls(child, inside)


def test_rates_are_taken_of_counters_and_before_sums():
    for name, panel, target in of_prometheus():
        for function, _, node in calls(parsed(target["expr"])):
            if function in ("rate", "increase"):
                argument = node.args[0]
                assert type(argument).__name__ == "MatrixSelector", (name, panel["title"])
                metric = metric_of(argument.vector_selector.name)
                assert metric.type in ("counter", "histogram"), (name, panel["title"], metric)


def test_gauges_are_not_read_as_counters_nor_counters_as_gauges():
    """A bare counter in a panel is a line that only rises."""
    for name, panel, target in of_prometheus():
        query = parsed(target["expr"])
        rated = {
            node.args[0].vector_selector.name
            for function, _, node in calls(query)
            if function in ("rate", "increase", "last_over_time")
        }
        for series in uses(query).series - rated:
            assert metric_of(series).type == "gauge", (name, panel["title"], series)


def test_quantiles_are_of_buckets_summed_by_their_bounds():
    for name, panel, target in of_prometheus():
        for function, _, node in calls(parsed(target["expr"])):
            if function == "histogram_quantile":
                inner = node.args[1]
                assert type(inner).__name__ == "AggregateExpr" and "le" in inner.modifier.labels, (name, panel["title"])
                assert all(series.endswith("_bucket") for series in uses(inner).series)


def test_tables_and_columns_have_instant_queries_in_table_format():
    for name, panel, target in of_prometheus():
        if panel["type"] in ("table", "barchart"):
            assert target["instant"] and target["format"] == "table", (name, panel["title"])


def test_columns_of_a_table_are_all_named():
    for name, panel, _ in of_prometheus():
        if panel["type"] == "table":
            renamed = panel["transformations"][-1]["options"]["renameByName"]
            values = {column for column in renamed if column.startswith("Value #")}
            assert values == {f"Value #{target['refId']}" for target in panel["targets"]}, (name, panel["title"])
            assert panel["options"]["sortBy"][0]["displayName"] in renamed.values(), (name, panel["title"])


def test_every_selector_is_of_the_chosen_jobs():
    for name, panel, target in of_prometheus():
        for series, matchers in selectors(parsed(target["expr"])):
            assert "job=~$job" in matchers, (name, panel["title"], series)


def test_the_team_selector_filters_every_panel_of_the_team_view():
    """What has no label for the team is joined to the keys that the team's requests came with."""
    for panel, target in boards.targets(boards.load("team.json")):
        for series, matchers in selectors(parsed(target["expr"])):
            if "team" in metric_of(series).labels:
                assert "team=$team" in matchers, (panel["title"], series)
            else:
                assert "and on (hashed_api_key) group by (hashed_api_key)" in target["expr"], (panel["title"], series)


def test_gauges_of_all_that_there_is_no_room_for_are_left_out():
    """Counted together they are a sum; a gauge would show what the last of them was."""
    for name, panel, target in of_prometheus():
        for series, matchers in selectors(parsed(target["expr"])):
            metric = metric_of(series)
            if metric.type == "gauge" and metric.labels:
                named = {f"{label}!=other" for label in metric.labels} | {"team=$team"}
                assert named & matchers, (name, panel["title"], series)


# --- SQL ---


def test_sql_is_for_the_chosen_days_or_says_so():
    for panel, target in boards.targets(boards.load("finance-postgres.json")):
        timed = "$__timeFrom()" in target["rawSql"]
        said = re.search(r"whatever the time range|not of the time range|The same for the keys", panel["description"])
        assert timed or said, panel["title"]


def test_sql_quotes_what_is_case_sensitive():
    for panel, target in boards.targets(boards.load("finance-postgres.json")):
        assert not re.search(r'(?<!")LiteLLM_', target["rawSql"]), panel["title"]
