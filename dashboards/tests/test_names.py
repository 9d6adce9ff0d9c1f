"""No panel and no alert asks for a metric or a label that does not exist."""

import boards
import pytest
import yaml
from known import CODE, DASHBOARDS, KNOWN, LITELLM, PLANNED, SCRAPE_LABELS, metric_of, names, parsed, unknown, uses

# What dashboards and alerts ask for and the code does not show yet. A metric that has come goes from here, a new one of
# Weir's own from planned_metrics.tsv too; when this is empty, both may go.
MISSING = {
    *PLANNED,
}


def alerts():
    groups = yaml.safe_load((DASHBOARDS / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries():
    """(where, query), of panels and alerts."""
    for name in boards.PROMETHEUS:
        for panel, target in boards.targets(boards.load(name)):
            yield f"{name}: {panel['title']}", target["expr"]
    for rule in alerts():
        yield f"alerts.yaml: {rule['alert']}", rule["expr"]


def test_every_metric_and_label_exists():
    assert [f"{where}: {fault}" for where, query in queries() for fault in unknown(query)] == []


@pytest.mark.parametrize("name", boards.PROMETHEUS)
def test_legends_show_labels_that_the_answer_has(name):
    for panel, target in boards.targets(boards.load(name)):
        use = uses(parsed(target["expr"]))
        for series in use.series:
            wrong = boards.legend_labels(target) - set(metric_of(series).labels) - SCRAPE_LABELS - use.made
            assert not wrong, (panel["title"], wrong)


def test_variables_ask_for_what_exists():
    for name in boards.PROMETHEUS:
        for variable in boards.variables(boards.load(name)).values():
            if variable["type"] == "query":
                asked = variable["query"]["query"]
                inner = asked.removeprefix("query_result(").removeprefix("label_values(").removesuffix(")")
                assert list(unknown(inner.removesuffix(", job"))) == [], asked


def test_the_list_of_what_the_code_lacks_is_exact():
    used = {metric for _, query in queries() for metric in names(query)}
    lacking = used - set(CODE)
    assert lacking - MISSING == set(), "asked for, but the code does not show it"
    assert MISSING - lacking == set(), "has come, or is not asked for: take it off MISSING (and planned_metrics.tsv)"


def test_the_code_gives_litellms_metrics_litellms_labels():
    """All of its metrics, so that boards that were made for it fill. An additional label would not harm a query; one that
    lacks makes panels empty."""
    assert LITELLM.keys() - CODE.keys() == set()
    for name in LITELLM:
        assert set(LITELLM[name].labels) <= set(CODE[name].labels), name
        assert LITELLM[name].type == CODE[name].type, name


def test_unknown_names_are_found():
    assert list(unknown("sum(rate(litellm_spend_total[5m]))")) == ["no metric litellm_spend_total"]
    assert list(unknown("sum by (colour) (litellm_spend_metric_total)")) == [
        "litellm_spend_metric_total has no label colour"
    ]
    assert list(unknown('litellm_overhead_latency_metric_bucket{team="a", le="1"}')) == [
        "litellm_overhead_latency_metric has no label team"
    ]
    assert list(unknown("litellm_spend_metric_total and on (team, route) litellm_tokens_total")) == [
        "litellm_spend_metric_total has no label route",
        "litellm_tokens_total has no label route",
    ]
    assert "weir_open_exchanges" in KNOWN
