"""Team view: one team's money and requests, to be shared with its lead. Every query is about the chosen team."""

import metrics as m
from grafana import RED, Column, Dashboard, Row
from grafana import bars, gauge, lines, painted, query_variable, stat, table
from operations import HOURS, JOB_VARIABLE, KEY, MINUTES, SHARE_LEFT, SHARE_OF_FAILURES, left, quantiles
from promql import RANGE, by, increase, key_called, known, per_second, quantile, select, share, team_called

TEAM = 'team="$team"'
# Keys' budgets have no label for the team: the keys are those that the team's requests came with.
TEAM_KEYS = f"group by (hashed_api_key) (last_over_time({select(m.ANSWERED, TEAM)}[{RANGE}]))"

# The id filters, so that a renamed team keeps its history; the alias is what people read.
USED = select(m.ANSWERED, 'team!~"None|other"')
TEAM_VARIABLE = query_variable(
    "team",
    "Team",
    "Teams that made requests in the time range.",
    f"query_result({team_called(f'group by (team, team_alias) (last_over_time({USED}[{RANGE}]))')})",
    "prometheus",
    regex='/name="(?<text>[^"]+)".*[ ,]team="(?<value>[^"]+)"/',
)


def of_team_keys(vector):
    return f"{vector} and on (hashed_api_key) {TEAM_KEYS}"


LEFT = f"min({select(m.TEAM_LEFT, TEAM)} < Inf)"
WHOLE = f"max({select(m.TEAM_MAX, TEAM)} > 0)"
HOURS_LEFT = f"min({select(m.TEAM_HOURS, TEAM)})"

OVERVIEW = [
    stat(
        "Spend",
        increase(m.SPEND, "", TEAM),
        "US dollars in the time range. The budget counts its own period, which may be another.",
        "currencyUSD",
    ),
    stat(
        "Requests",
        increase(m.REQUESTS, "", TEAM),
        "Requests with the team's keys in the time range, failed ones included.",
        "locale",
        decimals=0,
    ),
    stat("Tokens", increase(m.TOKENS, "", TEAM), "Input and output tokens in the time range.", decimals=1),
    stat(
        "Error rate",
        share(increase(m.FAILED, "", TEAM), increase(m.REQUESTS, "", TEAM)),
        'Share of the team\'s requests that got no success. "Failures by cause" below says why: 400 and 404 are for '
        "the team to mend, 429 are limits, 5xx are for those who run the gateway.",
        "percentunit",
        SHARE_OF_FAILURES,
        decimals=2,
    ),
    stat(
        "Budget left",
        LEFT,
        "Dollars left of the present period. At 0 requests are refused until the reset.",
        "currencyUSD",
        empty="No budget",
    ),
    stat("Budget resets in", HOURS_LEFT, "Time until the budget is whole again.", "h", decimals=1, empty="Never"),
]

BUDGET = [
    gauge(
        "Budget left",
        f"{LEFT} / {WHOLE}",
        "Share of the budget that is left of the present period. Low early: see below which key and model spend it, "
        "or ask for more.",
        "percentunit",
        SHARE_LEFT,
        empty="No budget",
    ),
    [
        stat("Budget", WHOLE, "Dollars for each period.", "currencyUSD", empty="No budget"),
        stat(
            "Lasts at this pace",
            f"{LEFT} / ({increase(m.SPEND, '', TEAM)} / ($__range_s / 3600) > 0)",
            'How long the rest of the budget lasts if the team goes on as in the time range. Shorter than "Budget '
            'resets in": slow down, choose a cheaper model, or ask for more.',
            "h",
            decimals=1,
            empty="-",
        ),
    ],
    lines(
        "Spend against budget",
        [(f"{WHOLE} - {LEFT}", "spent"), (WHOLE, "budget")],
        "What was spent of each period's budget. It falls to 0 at a reset; when it touches the budget, requests are "
        "refused. Extend the line: does it arrive before the reset?",
        "currencyUSD",
        width=14,
        overrides=[painted("budget", RED)],
    ),
]

USAGE = [
    bars(
        "Spend by model",
        f"sort_desc({increase(m.SPEND, 'model', TEAM)})",
        "{{model}}",
        "Dollars in the time range. Model comparison tells which one does the same for less.",
        "currencyUSD",
    ),
    bars(
        "Spend by API key",
        key_called(f"topk(15, {increase(m.SPEND, KEY, TEAM)})"),
        "{{name}}",
        "Dollars in the time range, the fifteen dearest keys. One without an alias goes by the beginning of its hash.",
        "currencyUSD",
    ),
    lines(
        "Spend per hour by model",
        [(HOURS + per_second(m.SPEND, "model", TEAM), "{{model}}")],
        "Dollars per hour at the pace of each moment.",
        "currencyUSD",
        width=8,
        stacked=True,
    ),
    lines(
        "Requests by model",
        [(MINUTES + per_second(m.ANSWERED, "model", TEAM), "{{model}}")],
        "Answered requests per minute, by the model that answered.",
        stacked=True,
    ),
    lines(
        "Tokens",
        [(MINUTES + per_second(m.INPUT, "", TEAM), "input"), (MINUTES + per_second(m.OUTPUT, "", TEAM), "output")],
        "Tokens per minute. Output tokens cost several times what input tokens do.",
        stacked=True,
    ),
]

PERFORMANCE = [
    lines(
        "Latency",
        quantiles(m.LATENCY, TEAM),
        "Seconds from a request's first byte to the end of its answer. Longer answers take longer.",
        "s",
    ),
    lines(
        "Time to first token",
        quantiles(m.FIRST_TOKEN, TEAM),
        "Seconds until a stream's first token: what people feel. Empty if the team does not stream.",
        "s",
    ),
    lines(
        "Error rate",
        [(share(per_second(m.FAILED, "", TEAM), per_second(m.REQUESTS, "", TEAM)), "errors")],
        "Share of the team's requests that failed.",
        "percentunit",
        levels=SHARE_OF_FAILURES,
    ),
    lines(
        "Failures by cause",
        [
            (
                per_second(m.FAILED, "exception_status, exception_class", TEAM),
                "{{exception_status}} {{exception_class}}",
            )
        ],
        "Requests per second that failed, by status and class. 400 or 404: mend the request; 401 or 403: the key; "
        "429: a limit, wait and try again; 5xx: tell those who run the gateway.",
        "reqps",
    ),
]

KEYS = [
    table(
        "API keys",
        {"name": "Key", "hashed_api_key": "Hash"},
        [
            Column("Requests", key_called(increase(m.REQUESTS, KEY, TEAM)), "locale", 0),
            Column(
                "Error rate",
                key_called(share(increase(m.FAILED, KEY, TEAM), increase(m.REQUESTS, KEY, TEAM), KEY)),
                "percentunit",
                2,
                SHARE_OF_FAILURES,
            ),
            Column("Tokens", key_called(increase(m.TOKENS, KEY, TEAM)), decimals=1),
            Column("Spend", key_called(increase(m.SPEND, KEY, TEAM)), "currencyUSD", 2),
            Column("p95 latency", key_called(quantile(0.95, m.LATENCY, KEY, TEAM, window=RANGE)), "s", 2),
            Column("Budget left", key_called(of_team_keys(left(m.KEY_LEFT, KEY))), "currencyUSD", 2),
            Column("Resets in", key_called(of_team_keys(by("min", KEY, select(m.KEY_HOURS, known(KEY))))), "h", 1),
        ],
        "One line per key of the team that was used in the time range. A key that nobody knows: block it with "
        "/key/block.",
        "Spend",
    ),
]

DASHBOARD = Dashboard(
    uid="weir-team",
    title="Weir: Team view",
    about="One team: what it spends, what is left of its budget, how well it is served. The address holds the team.",
    since="now-7d",
    source="prometheus",
    variables=[JOB_VARIABLE, TEAM_VARIABLE],
    rows=[
        Row("Team overview", OVERVIEW),
        Row("Budget", BUDGET),
        Row("Spend & usage", USAGE),
        Row("Performance", PERFORMANCE),
        Row("API keys", KEYS),
    ],
)
