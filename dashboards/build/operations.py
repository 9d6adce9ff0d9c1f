"""Operations & FinOps: for those who run the gateway, and for those who pay for it."""

import metrics as m
from grafana import GREEN, GREY, RED, YELLOW, Column, Dashboard, Row
from grafana import bars, linked, lines, painted, pie, query_variable, stat, table
from promql import by, increase, key_called, known, or_zero, per_second, quantile, select, share, team_called, top

JOB_VARIABLE = query_variable(
    "job",
    "Job",
    "The scrape jobs of Weir, as Prometheus calls them: one for each installation.",
    "label_values(weir_open_exchanges, job)",
    "prometheus",
    several=True,
)
SHARE_OF_FAILURES = [GREEN, (0.01, YELLOW), (0.05, RED)]
SHARE_LEFT = [RED, (0.1, YELLOW), (0.25, GREEN)]
MINUTES = "60 * "
HOURS = "3600 * "


def quantiles(metric, *matchers):
    """Three lines of a latency."""
    return [(quantile(q, metric, "", *matchers), name) for q, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))]


# Each replica tells what it last saw. The lowest rest is the newest while money is spent.
def left(metric, labels):
    return by("min", labels, f"{select(metric, known(labels))} < Inf")


TEAM = "team, team_alias"
KEY = "hashed_api_key, api_key_alias"
DEPLOYMENT = "model_id, litellm_model_name"


def budget_table(title, labels, named, metrics, about, links=()):
    """`metrics` tell what is left, the budget, and the hours to its reset."""
    left_over, highest, hours = metrics
    rest, whole = left(left_over, labels), by("max", labels, f"{select(highest, known(labels))} > 0")
    cells = [
        Column("Left", named(rest), "currencyUSD", 2),
        Column("Budget", named(whole), "currencyUSD", 2),
        Column("Share left", named(f"{rest} / {whole}"), "percentunit", 0, SHARE_LEFT, as_gauge=True),
        Column("Resets in", named(by("min", labels, select(hours, known(labels)))), "h", 1),
    ]
    columns = {"name": title.split(" budgets")[0], labels.split(",")[0]: "Id"}
    return table(title, columns, cells, about, "Share left", width=12, empty="No budgets", links=links, ascending=True)


OVERVIEW = [
    stat(
        "Requests",
        increase(m.REQUESTS, ""),
        "Requests that clients sent in the time range, whatever came of them. None at all: look at the ingress, and "
        "whether Prometheus scrapes Weir (Status, Targets).",
        "locale",
        decimals=0,
    ),
    stat(
        "Spend",
        increase(m.SPEND, ""),
        "US dollars in the time range, from the tokens that providers reported and the price list. For a bill take "
        "the finance dashboard: it reads the ledger, where nothing is extrapolated.",
        "currencyUSD",
    ),
    stat("Tokens", increase(m.TOKENS, ""), "Input and output tokens in the time range.", decimals=1),
    stat(
        "Error rate",
        share(increase(m.FAILED, ""), increase(m.REQUESTS, "")),
        "Share of requests whose client got no success, its own mistakes and refused budgets included. Above 1 %: see "
        '"Failures by cause" below for whether it is a provider, a key or a client.',
        "percentunit",
        SHARE_OF_FAILURES,
        decimals=2,
    ),
    stat(
        "Deployments out",
        or_zero(f"count({by('max', DEPLOYMENT, select(m.STATE, known(DEPLOYMENT)))} == 2)"),
        'Deployments that at least one replica has cooled down now. More than 0: the panel "Deployment health" of '
        "Model comparison names them; check the provider's status page and the credentials.",
        levels=[GREEN, (1, RED)],
        decimals=0,
    ),
    stat(
        "Replicas",
        f"count({select('weir_open_exchanges')})",
        "Processes of Weir that Prometheus reaches now. Fewer than you deployed: look at the missing one's log and "
        "readiness.",
        decimals=0,
    ),
]

OPERATIONS = [
    lines(
        "Request rate by status",
        [(per_second(m.REQUESTS, "status_code"), "{{status_code}}")],
        "Requests per second by the status that the client got. Growing 429: a limit of a key, team or provider; 5xx: "
        "providers or Weir itself.",
        "reqps",
        stacked=True,
    ),
    lines(
        "Request latency",
        quantiles(m.LATENCY),
        "Seconds from a request's first byte to the end of its answer, successes only. Long answers take long: "
        "compare with time to first token before blaming a provider.",
        "s",
    ),
    lines(
        "Time to first token",
        quantiles(m.FIRST_TOKEN),
        "Seconds until a stream's first token. This is what people feel. When it rises for one model only, its "
        "provider is slow: Model comparison shows which.",
        "s",
        width=8,
    ),
    lines(
        "Provider calls: success and failure",
        [(or_zero(per_second(m.ATTEMPTS_OK, "")), "success"), (or_zero(per_second(m.ATTEMPTS_FAILED, "")), "failure")],
        "Calls to providers, each retry counted. Failures here without failures at clients mean that retries and "
        "fallbacks do their work, and cost time.",
        "reqps",
        width=8,
        overrides=[painted("success", GREEN), painted("failure", RED)],
    ),
    lines(
        "Overhead and queue",
        [
            (quantile(0.5, m.OVERHEAD, ""), "overhead p50"),
            (quantile(0.99, m.OVERHEAD, ""), "overhead p99"),
            (quantile(0.99, m.QUEUE, ""), "queue p99"),
        ],
        "Seconds that Weir adds to the provider's own, and that requests wait before they are begun. Milliseconds are "
        'normal; more means that the machine lacks CPU: see "CPU" below, add a replica.',
        "s",
        width=8,
    ),
    lines(
        "Failures by cause",
        [(per_second(m.FAILED, "exception_status, exception_class"), "{{exception_status}} {{exception_class}}")],
        "Requests per second that failed, by status and class. A provider's name in front of the class means that it "
        "said so; without one the refusal is Weir's: key, budget, limit, or an unknown model.",
        "reqps",
    ),
    lines(
        "Error rate by requested model",
        [
            (
                share(
                    per_second(m.FAILED, "requested_model"),
                    per_second(m.REQUESTS, "requested_model"),
                    "requested_model",
                ),
                "{{requested_model}}",
            )
        ],
        "Share of requests that failed, by the model that the client asked for. One line up: that model's "
        "deployments; all up: Weir, the network or the database.",
        "percentunit",
        levels=SHARE_OF_FAILURES,
    ),
]

FINOPS = [
    lines(
        "Spend per hour by model",
        [(HOURS + per_second(m.SPEND, "model"), "{{model}}")],
        "Dollars per hour at the pace of each moment. A step up without more requests is a dearer model or longer "
        "prompts.",
        "currencyUSD",
        stacked=True,
    ),
    lines(
        "Spend per hour by API key",
        [
            (HOURS + key_called(top(10, m.SPEND, KEY)), "{{name}}"),
        ],
        "The ten keys that spent most in the time range; those without an alias go by the beginning of their hash. A key "
        "that runs away: give it a budget, or block it.",
        "currencyUSD",
        stacked=True,
    ),
    bars(
        "Spend by API key",
        key_called(f"topk(15, {increase(m.SPEND, KEY)})"),
        "{{name}}",
        "Dollars in the time range, the fifteen dearest keys.",
        "currencyUSD",
    ),
    bars(
        "Spend by model",
        f"topk(15, {increase(m.SPEND, 'model')})",
        "{{model}}",
        "Dollars in the time range, the fifteen dearest models. Model comparison tells what a token of each costs.",
        "currencyUSD",
    ),
    pie(
        "Spend distribution by team",
        team_called(f"topk(12, {increase(m.SPEND, TEAM)} > 0)"),
        "{{name}}",
        'Who spends: the twelve dearest teams. "None" is spend of keys without a team: give those keys one, or it '
        "cannot be charged to anybody.",
        "currencyUSD",
    ),
    lines(
        "Token usage",
        [(MINUTES + per_second(m.INPUT, ""), "input"), (MINUTES + per_second(m.OUTPUT, ""), "output")],
        "Tokens per minute. Input far above output: long prompts, where prompt caching pays.",
        stacked=True,
    ),
    lines(
        "Tokens by model",
        [(MINUTES + per_second(m.TOKENS, "model"), "{{model}}")],
        "Tokens per minute, input and output, by model.",
        stacked=True,
    ),
]

BUDGETS = [
    budget_table(
        "Team budgets",
        TEAM,
        team_called,
        (m.TEAM_LEFT, m.TEAM_MAX, m.TEAM_HOURS),
        "What each team with a budget has left of its present period. At 0 its requests are refused until the reset: "
        "raise max_budget with /team/update, or tell the team.",
        links=[linked("Team", "Team view", "/d/weir-team?var-team=${__data.fields.Id}&${datasource:queryparam}")],
    ),
    budget_table(
        "API key budgets",
        KEY,
        key_called,
        (m.KEY_LEFT, m.KEY_MAX, m.KEY_HOURS),
        "What each key with a budget has left of its present period. At 0 its requests are refused until the reset: "
        "raise max_budget with /key/update.",
    ),
    lines(
        "Team budgets: the ten with least left",
        [(team_called(f"bottomk(10, {left(m.TEAM_LEFT, TEAM)})"), "{{name}}")],
        "Dollars left at each moment. A line that falls steeply reaches 0 before its reset: ask the team what runs.",
        "currencyUSD",
    ),
    lines(
        "API key budgets: the ten with least left",
        [(key_called(f"bottomk(10, {left(m.KEY_LEFT, KEY)})"), "{{name}}")],
        "Dollars left at each moment, by key.",
        "currencyUSD",
    ),
]


def hit_rate():
    hits, misses = or_zero(increase(m.CACHE_HITS, "")), or_zero(increase(m.CACHE_MISSES, ""))
    return f"{hits} / ({hits} + {misses} > 0)"


CACHE = [
    stat(
        "Cache hit rate",
        hit_rate(),
        "Share of the requests that asked the cache and were answered by it. No data: caching is off. Near 0: the "
        "prompts differ each time (dates, ids), or the lifetime is too short.",
        "percentunit",
        width=4,
        decimals=1,
        empty="Cache off",
    ),
    lines(
        "Cache hits and misses",
        [(or_zero(per_second(m.CACHE_HITS, "")), "hits"), (or_zero(per_second(m.CACHE_MISSES, "")), "misses")],
        "Requests per second that asked the cache.",
        "reqps",
        width=10,
        stacked=True,
        overrides=[painted("hits", GREEN), painted("misses", GREY)],
    ),
    lines(
        "Cached tokens by model",
        [(MINUTES + per_second(m.CACHED_TOKENS, "model"), "{{model}}")],
        "Tokens per minute that came from the cache instead of a provider, and so cost nothing.",
        width=10,
        stacked=True,
    ),
]

HEALTH = [
    lines(
        "Exchanges in progress",
        [(by("sum", "instance", select("weir_open_exchanges")), "{{instance}}")],
        "Requests under way in each replica. Level while traffic rises: the load balancer does not spread.",
        width=8,
    ),
    lines(
        "Bytes in flight",
        [(by("sum", "instance", select("weir_inflight_bytes")), "{{instance}}")],
        "Request and response bytes that a replica holds in memory. Near its limit new requests are shed with 503.",
        "bytes",
        width=8,
    ),
    lines(
        "Requests shed",
        [(or_zero(per_second("weir_shed_requests_total", "reason"), label="reason"), "{{reason}}")],
        "Requests per second refused because a bound was reached, by which. Anything but 0: raise that bound, or add"
        " a replica.",
        "reqps",
        width=8,
    ),
    lines(
        "Journal",
        [
            (by("max", "instance", select("weir_journal_bytes")), "{{instance}}"),
            (by("min", "", select("weir_journal_max_bytes")), "limit"),
        ],
        "Bytes of spend that each replica keeps until the ledger has it. Growing: the ledger does not take it. At the "
        "limit requests are refused, because nothing is served unbooked.",
        "bytes",
        width=8,
        overrides=[painted("limit", RED)],
    ),
    lines(
        "Journal lag",
        [(by("max", "instance", select("weir_journal_lag_seconds")), "{{instance}}")],
        'Age of the oldest entry that the ledger does not have yet. Seconds are normal; minutes: see "Ledger".',
        "s",
        width=8,
        levels=[GREEN, (60, YELLOW), (300, RED)],
    ),
    lines(
        "Entries in the journal",
        [
            (by("sum", "", select("weir_journal_waiting_entries")), "waiting for the ledger"),
            (by("sum", "", select("weir_journal_open_exchanges")), "begun, not ended"),
        ],
        'Waiting entries drain within a second or two. "Begun" follows the exchanges in progress; far above them, a '
        "replica died and its journal waits to be adopted.",
        width=8,
    ),
    lines(
        "Ledger: time of a write",
        [
            (quantile(0.5, "weir_ledger_write_seconds", ""), "p50"),
            (quantile(0.99, "weir_ledger_write_seconds", ""), "p99"),
        ],
        "Seconds that one batch of entries takes in the database. Rising: look at its locks, disk and connections.",
        "s",
        width=8,
    ),
    lines(
        "Ledger: failures",
        [(or_zero(per_second("weir_ledger_failures_total", "operation"), label="operation"), "{{operation}}")],
        "Failed statements per second, by what they were for. Not 0: the database is away or refuses; Weir serves "
        "what it has leased and cached meanwhile.",
        "ops",
        width=8,
    ),
    lines(
        "Budget leases",
        [
            (by("sum", "", select("weir_lease_unspent_dollars")), "leased, not spent"),
            (by("sum", "", select("weir_lease_held_dollars")), "held by requests under way"),
        ],
        "Dollars of budgets that replicas have taken from the ledger in advance, and what of it is held. Far more "
        "leased than held near the end of a budget: another replica has to wait for its recall.",
        "currencyUSD",
        width=8,
    ),
    lines(
        "Leases waited for",
        [(or_zero(per_second("weir_lease_waits_total", "")), "waits")],
        "Requests per second that had to ask the ledger before they could go on. Normal near the end of a budget "
        "only.",
        "reqps",
        width=8,
    ),
    lines(
        "Requests without a price",
        [(or_zero(per_second("weir_unpriced_requests_total", "model"), label="model"), "{{model}}")],
        "Requests per second to models that the price list does not know: they are booked with 0 dollars. Give the "
        "model input_cost_per_token and output_cost_per_token in its model_info.",
        "reqps",
        width=8,
    ),
    lines(
        "Callbacks",
        [
            (
                or_zero(per_second(m.CALLBACK_FAILURES, "callback_name"), label="callback_name"),
                "{{callback_name}} failed",
            ),
            (
                or_zero(per_second("weir_callback_dropped_total", "callback_name"), label="callback_name"),
                "{{callback_name}} dropped",
            ),
        ],
        "Records per second that a callback's receiver did not take, and that were dropped because its queue was "
        "full. Requests are not delayed by it; records are lost.",
        "ops",
        width=8,
    ),
    lines(
        "Not told and not written",
        [
            (or_zero(per_second("weir_alerts_dropped_total", "")), "alerts"),
            (or_zero(per_second("weir_log_lines_dropped_total", "")), "lines of the log"),
            (or_zero(per_second("weir_mirrors_dropped_total", "")), "mirrors"),
        ],
        "Alerts, access lines and copies for silent models that were dropped, because whoever takes them is too slow.",
        "ops",
        width=8,
    ),
    lines(
        "Memory",
        [(by("max", "instance", select("process_resident_memory_bytes")), "{{instance}}")],
        "Resident memory of each replica. Growing without more traffic: report it.",
        "bytes",
        width=6,
    ),
    lines(
        "CPU",
        [(per_second("process_cpu_seconds_total", "instance"), "{{instance}}")],
        "Cores that each replica uses. At its limit latency rises: add a replica.",
        width=6,
    ),
    lines(
        "Open files",
        [(by("max", "instance", f"{select('process_open_fds')} / {select('process_max_fds')}"), "{{instance}}")],
        "Share of the open files that a replica may have. Each connection is one. Above 80 %: raise the limit "
        "(ulimit -n).",
        "percentunit",
        width=6,
        levels=[GREEN, (0.8, RED)],
    ),
    lines(
        "Metric series",
        [(by("max", "instance", select("weir_metric_series")), "{{instance}}")],
        "Series that a replica shows. At their limit (metrics_max_series) what is new is counted together, with labels "
        'that say "other": fewer wished labels, or a higher limit.',
        width=6,
    ),
]

DASHBOARD = Dashboard(
    uid="weir-operations",
    title="Weir: Operations & FinOps",
    about="All teams and models: requests, latency, failures, money, budgets, cache, and the gateway's own health.",
    since="now-24h",
    source="prometheus",
    variables=[JOB_VARIABLE],
    rows=[
        Row("Overview", OVERVIEW),
        Row("Operations", OPERATIONS),
        Row("FinOps", FINOPS),
        Row("Budgets", BUDGETS),
        Row("Cache & efficiency", CACHE),
        Row("Weir's health", HEALTH),
    ],
)
