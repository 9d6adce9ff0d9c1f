"""Which metrics there are, and which of them a query asks for.

CODE       what Weir shows today, read from the table in core/src/metrics.rs, and what every process shows
LITELLM    LiteLLM 1.81's metrics, litellm_metrics.tsv
PLANNED    Weir's own that the dashboards ask for and the code does not have yet, planned_metrics.tsv
"""

import csv
import dataclasses
import pathlib
import re

import promql_parser

HERE = pathlib.Path(__file__).resolve().parent
DASHBOARDS = HERE.parent
TABLE = DASHBOARDS.parent / "core" / "src" / "metrics.rs"
TYPES = {"Counter": "counter", "Money": "counter", "Gauge": "gauge", "Histogram": "histogram"}
OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
RELABEL = {"label_replace": slice(3, 4), "label_join": slice(3, None)}  # which arguments are labels that they read
SCRAPE_LABELS = {"job", "instance"}  # Prometheus puts them to everything


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str
    type: str
    labels: tuple


# --- tables ---


def read_code():
    """The rows of TABLE in the Rust source: row("name", Kind, &["label", …], …)."""
    text = TABLE.read_text()
    for name, kind, labels in re.findall(r'\brow\(\s*"(\w+)",\s*(\w+),\s*&\[([^\]]*)\]', text):
        yield Metric(name, TYPES[kind], tuple(re.findall(r'"(\w+)"', labels)))


def read_tsv(name):
    with open(HERE / name, newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            yield Metric(row["name"], row["type"], tuple(filter(None, row["labels"].split(","))))


def table(rows):
    return {row.name: row for row in rows}


LITELLM = table(read_tsv("litellm_metrics.tsv"))
PLANNED = table(read_tsv("planned_metrics.tsv"))
CODE = table(read_code()) | {name: row for name, row in LITELLM.items() if name.startswith("process_")}
KNOWN = PLANNED | LITELLM | CODE


def metric_of(series):
    """The metric that a series in a query belongs to: x of x_bucket."""
    base = re.sub(r"_(bucket|sum|count)$", "", series)
    found = KNOWN.get(base)
    return found if found and found.type == "histogram" else KNOWN.get(series)


# --- queries ---


def plain(query):
    """PromQL without Grafana's variables."""
    for name, value in {"$__rate_interval": "5m", "$__range_s": "3600", "$__range": "1h", "$__interval": "1m"}.items():
        query = query.replace(name, value)
    return query


def parsed(query):
    return promql_parser.parse(plain(query))


@dataclasses.dataclass
class Use:
    """What one part of a query touches: `wanted` are pairs of a series and a label that it has to have."""

    series: set = dataclasses.field(default_factory=set)
    made: set = dataclasses.field(default_factory=set)  # labels that label_replace makes
    wanted: set = dataclasses.field(default_factory=set)

    def join(self, other):
        self.series |= other.series
        self.made |= other.made
        self.wanted |= other.wanted
        return self

    def want(self, labels):
        self.wanted |= {(series, label) for series in self.series for label in labels if label not in self.made}


def children(node):
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        child = getattr(node, name, None)
        if child is not None:
            yield child
    yield from getattr(node, "args", None) or ()


def selectors(node):
    """Every selector of a parsed query: (series, its matchers as text)."""
    if type(node).__name__ == "VectorSelector":
        yield node.name, {f"{m.name}{OPERATORS[str(m.op)]}{m.value}" for m in node.matchers.matchers}
    for child in children(node):
        yield from selectors(child)


def uses(node):
    """Series and labels of a parsed query; labels of `by` and `on` must be had by everything below them."""
    kind = type(node).__name__
    use = Use()
    if kind == "VectorSelector":
        use.series.add(node.name)
        use.want(matcher.name for matcher in node.matchers.matchers)
        return use
    for child in children(node):
        use.join(uses(child))
    if kind == "Call" and node.func.name in RELABEL:
        use.want(argument.val for argument in node.args[RELABEL[node.func.name]] if argument.val)
        use.made.add(node.args[1].val)
    use.want(grouping(kind, node))
    return use


def grouping(kind, node):
    modifier = getattr(node, "modifier", None)
    if kind == "AggregateExpr" and modifier is not None:
        return modifier.labels
    if kind == "BinaryExpr" and modifier is not None and modifier.matching is not None:
        return modifier.matching.labels
    return ()


def unknown(query):
    """What a query asks for that does not exist, in words."""
    for series, label in sorted(uses(parsed(query)).wanted | {(s, "job") for s in uses(parsed(query)).series}):
        metric = metric_of(series)
        allowed = SCRAPE_LABELS | ({"le"} if series.endswith("_bucket") else set())
        if metric is None:
            if series != "up":
                yield f"no metric {series}"
        elif label not in allowed and label not in metric.labels:
            yield f"{metric.name} has no label {label}"


def names(query):
    """The metrics that a query asks for."""
    found = {metric_of(series) for series in uses(parsed(query)).series}
    return {metric.name for metric in found if metric}
