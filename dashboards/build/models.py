"""Model comparison: which model to use. By the provider's model, as spend and tokens are counted."""

import metrics as m
from grafana import GREEN, RED, YELLOW, Column, Dashboard, Row
from grafana import bars, columns, lines, pie, states, table
from operations import HOURS, JOB_VARIABLE, SHARE_OF_FAILURES
from promql import RANGE, by, increase, known, per_second, quantile, rename, select, share

UPSTREAM = "litellm_model_name"
# Calls for models that do not exist have no upstream model.
KNOWN = f'{UPSTREAM}!~"|None"'
SUCCESS = [RED, (0.95, YELLOW), (0.99, GREEN)]
COST_PER_1K = f"1000 * {increase(m.SPEND, 'model')} / ({increase(m.TOKENS, 'model')} > 0)"


def success_rate(ask):
    return f"1 - {share(ask(m.ATTEMPTS_FAILED, UPSTREAM, KNOWN), ask(m.ATTEMPTS, UPSTREAM, KNOWN), UPSTREAM)}"


def whole_range(q, metric, label):
    return quantile(q, metric, label, window=RANGE)


OVERVIEW = [
    bars(
        "Cost per 1K tokens",
        f"sort({COST_PER_1K})",
        "{{model}}",
        "Dollars for a thousand tokens as this traffic mixes input and output, cheapest first. It differs from the "
        "price list: long prompts are cheap, long answers dear. 0: served free, or without a known price.",
        "currencyUSD",
        decimals=4,
    ),
    bars(
        "Median latency",
        f"sort({whole_range(0.5, m.LATENCY, 'model')})",
        "{{model}}",
        "Half of the requests were answered in full within this time; fastest first. Long answers make a model look "
        'slow: see "Latency per output token".',
        "s",
        decimals=2,
    ),
    bars(
        "Success rate",
        f"sort_desc({success_rate(increase)})",
        f"{{{{{UPSTREAM}}}}}",
        "Share of the calls to the provider that succeeded, each retry counted. Below 99 %: give the model a "
        "fallback.",
        "percentunit",
        levels=SUCCESS,
        high=1,
        decimals=2,
    ),
]

LATENCIES = [
    lines(
        "P95 latency",
        [(quantile(0.95, m.LATENCY, "model"), "{{model}}")],
        "Nineteen of twenty requests were answered in full within this time. Set client timeouts above it.",
        "s",
    ),
    lines(
        "Time to first token, P95",
        [(quantile(0.95, m.FIRST_TOKEN, "model"), "{{model}}")],
        "Of streams: what people feel in a chat. Models that think first are slow here by design.",
        "s",
    ),
    lines(
        "Latency per output token, median",
        [(quantile(0.5, m.PER_TOKEN, UPSTREAM), f"{{{{{UPSTREAM}}}}}")],
        "Seconds for each token of the answer: compares speed whatever the length of answers.",
        "s",
    ),
    columns(
        "P50 against P99",
        [(whole_range(0.5, m.LATENCY, "model"), "p50"), (whole_range(0.99, m.LATENCY, "model"), "p99")],
        "model",
        "The usual and the rare over the time range. Far apart: answers of very different length, or a provider that "
        "stalls at times.",
        "s",
    ),
]

COST = [
    lines(
        "Spend per hour",
        [(HOURS + per_second(m.SPEND, "model"), "{{model}}")],
        "Dollars per hour at the pace of each moment.",
        "currencyUSD",
        stacked=True,
    ),
    pie(
        "Requests",
        f"topk(12, {increase(m.ANSWERED, 'model')} > 0)",
        "{{model}}",
        "How answered requests spread over the models, the twelve most used.",
        width=6,
    ),
    pie(
        "Tokens",
        f"topk(12, {increase(m.TOKENS, 'model')} > 0)",
        "{{model}}",
        "How tokens spread over the models. A larger part here than of requests: long prompts or answers.",
        width=6,
    ),
]

RELIABILITY = [
    lines(
        "Error rate",
        [
            (
                share(
                    per_second(m.ATTEMPTS_FAILED, UPSTREAM, KNOWN), per_second(m.ATTEMPTS, UPSTREAM, KNOWN), UPSTREAM
                ),
                f"{{{{{UPSTREAM}}}}}",
            )
        ],
        "Share of the calls to each model that failed. Compare with the provider's status page.",
        "percentunit",
        levels=SHARE_OF_FAILURES,
    ),
    states(
        "Deployment health",
        by("max", f"model_id, {UPSTREAM}, api_provider", select(m.STATE, known("model_id"))),
        f"{{{{{UPSTREAM}}}}} ({{{{api_provider}}}})",
        "What each deployment was like, as its worst replica saw it. Cooled down: it gets no requests for a while "
        "after too many failures. Red for long: check the provider, the credentials and the quota.",
        {0: ("healthy", GREEN), 1: ("failing", YELLOW), 2: ("cooled down", RED)},
    ),
    lines(
        "Fallbacks",
        [
            (per_second(m.FALLBACKS_OK, "requested_model, fallback_model"), "{{requested_model}} → {{fallback_model}}"),
            (
                per_second(m.FALLBACKS_FAILED, "requested_model, fallback_model"),
                "{{requested_model}} → {{fallback_model}} failed",
            ),
        ],
        "Requests per second that another model was asked to answer, because the first could not. It may cost more: "
        "watch spend. Failed ones reach the client as errors: add another fallback.",
        "reqps",
    ),
    lines(
        "Cooldowns",
        [
            (
                by("sum", f"{UPSTREAM}, exception_status", f"increase({select(m.COOLED)}[$__rate_interval])"),
                f"{{{{{UPSTREAM}}}}} after {{{{exception_status}}}}",
            )
        ],
        "How often deployments were taken out, and the status that was the last straw. 429: ask the provider for more "
        "quota; 401: renew the credentials; 5xx: the provider's fault.",
    ),
]


def as_model(vector):
    return rename(vector, UPSTREAM, "model")


SUMMARY = [
    table(
        "All models",
        {"model": "Model"},
        [
            Column("Requests", increase(m.ANSWERED, "model"), "locale", 0),
            Column("Spend", increase(m.SPEND, "model"), "currencyUSD", 2),
            Column("Cost per 1K tokens", COST_PER_1K, "currencyUSD", 4),
            Column("Tokens", increase(m.TOKENS, "model"), decimals=1),
            Column("Success rate", by("sum", "model", as_model(success_rate(increase))), "percentunit", 2, SUCCESS),
            Column("Median latency", whole_range(0.5, m.LATENCY, "model"), "s", 2),
            Column("P95 latency", whole_range(0.95, m.LATENCY, "model"), "s", 2),
            Column("Median to first token", whole_range(0.5, m.FIRST_TOKEN, "model"), "s", 2),
            Column("P95 to first token", whole_range(0.95, m.FIRST_TOKEN, "model"), "s", 2),
        ],
        "Every model that was used in the time range. Click a column to sort by what matters to you.",
        "Requests",
        height=12,
    ),
]

DASHBOARD = Dashboard(
    uid="weir-models",
    title="Weir: Model comparison",
    about="Models side by side: what they cost, how fast and how reliable they are. For choosing one.",
    since="now-7d",
    source="prometheus",
    variables=[JOB_VARIABLE],
    rows=[
        Row("Overview", OVERVIEW),
        Row("Latency", LATENCIES),
        Row("Cost & usage", COST),
        Row("Reliability", RELIABILITY),
        Row("Summary", SUMMARY),
    ],
)
