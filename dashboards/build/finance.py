"""Finance: exact amounts from the ledger, over the views that carry LiteLLM's names (PostgreSQL).

Days are UTC. The Daily views are small; only "Single requests" reads entries, and only when somebody opens it.
"""

from grafana import GREEN, RED, YELLOW, Column, Dashboard, Row
from grafana import days, pie, query_variable, report, stat

SOURCE = "grafana-postgresql-datasource"
UTC = "AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
PERIOD = f'"date" BETWEEN to_char($__timeFrom()::timestamptz {UTC} AND to_char($__timeTo()::timestamptz {UTC}'
EVERYTHING = '"LiteLLM_DailyUserSpend"'
TEAMS = '"LiteLLM_DailyTeamSpend"'
CHOSEN = "team_id IN (${team:sqlstring})"
DAY = """("date" || 'T00:00:00Z')::timestamptz AS "time\""""
TOKENS = "SUM(prompt_tokens + completion_tokens)"
SHARE_SPENT = [GREEN, (0.75, YELLOW), (0.9, RED)]

MONEY = [
    Column("Spend", "", "currencyUSD", 2),
    Column("Share", "", "percentunit", 1, as_gauge=True),
    Column("Per 1K tokens", "", "currencyUSD", 4),
    Column("Requests", "", "locale", 0),
    Column("Failed", "", "locale", 0),
    Column("Tokens", "", "short", 1),
]
BUDGET = [
    Column("Spent", "", "currencyUSD", 2),
    Column("Budget", "", "currencyUSD", 2),
    Column("Left", "", "currencyUSD", 2),
    Column("Share spent", "", "percentunit", 0, SHARE_SPENT, as_gauge=True),
    Column("Resets", "", "dateTimeAsIso"),
]

TEAM_VARIABLE = query_variable(
    "team",
    "Teams",
    'For the row "Chosen teams" and what follows it.',
    'SELECT COALESCE(team_alias, team_id) AS __text, team_id AS __value FROM "LiteLLM_TeamTable" ORDER BY 1',
    SOURCE,
    several=True,
)


def totals(group, source, where=PERIOD, join=""):
    """A report's query: one line per group, which is SQL with `AS "Title"`."""
    return f"""SELECT {group},
    SUM(d.spend) AS "Spend",
    SUM(d.spend) / NULLIF(SUM(SUM(d.spend)) OVER (), 0) AS "Share",
    1000 * SUM(d.spend) / NULLIF({TOKENS}, 0) AS "Per 1K tokens",
    SUM(api_requests) AS "Requests",
    SUM(failed_requests) AS "Failed",
    {TOKENS} AS "Tokens"
FROM {source} d{join}
WHERE {where}
GROUP BY 1
ORDER BY 2 DESC"""


def number(value):
    return f"SELECT {value} FROM {EVERYTHING} WHERE {PERIOD}"


# Keys without a team are in the sums of all, but in those of no team.
BY_TEAM = f"""WITH team AS (
    SELECT team_id, SUM(spend) AS spend, SUM(api_requests) AS requests, SUM(failed_requests) AS failed,
        {TOKENS} AS tokens
    FROM {TEAMS} WHERE {PERIOD} GROUP BY 1
), whole AS (
    SELECT SUM(spend) AS spend, SUM(api_requests) AS requests, SUM(failed_requests) AS failed, {TOKENS} AS tokens
    FROM {EVERYTHING} WHERE {PERIOD}
), line AS (
    SELECT COALESCE(t.team_alias, team.team_id) AS name, team.spend, team.requests, team.failed, team.tokens
    FROM team LEFT JOIN "LiteLLM_TeamTable" t ON t.team_id = team.team_id
    UNION ALL
    SELECT '(no team)', w.spend - COALESCE(SUM(team.spend), 0), w.requests - COALESCE(SUM(team.requests), 0),
        w.failed - COALESCE(SUM(team.failed), 0), w.tokens - COALESCE(SUM(team.tokens), 0)
    FROM whole w LEFT JOIN team ON true
    GROUP BY w.spend, w.requests, w.failed, w.tokens
)
"""

OVERVIEW = [
    stat("Spend", number("SUM(spend)"), "Dollars booked in the days of the time range.", "currencyUSD", decimals=2),
    stat(
        "Spend per day",
        number('SUM(spend) / COUNT(DISTINCT "date")'),
        "Of the days on which something was spent.",
        "currencyUSD",
        decimals=2,
    ),
    stat("Requests", number("SUM(api_requests)"), "Failed ones included.", "locale", decimals=0),
    stat(
        "Failed",
        number("SUM(failed_requests) / NULLIF(SUM(api_requests), 0)::float"),
        "Share of requests that failed. They cost nothing, unless an answer broke off in the middle.",
        "percentunit",
        decimals=2,
    ),
    stat("Tokens", number(TOKENS), "Input and output.", decimals=1),
    stat(
        "Per 1K tokens",
        number(f"1000 * SUM(spend) / NULLIF({TOKENS}, 0)"),
        "What a thousand tokens cost on average. Rising: dearer models, or longer answers.",
        "currencyUSD",
        decimals=4,
    ),
]

CHARGEBACK = [
    report(
        "By team",
        BY_TEAM + """SELECT name AS "Team", spend AS "Spend", spend / NULLIF(SUM(spend) OVER (), 0) AS "Share",
    1000 * spend / NULLIF(tokens, 0) AS "Per 1K tokens", requests AS "Requests", failed AS "Failed", tokens AS "Tokens"
FROM line WHERE requests > 0 ORDER BY 2 DESC""",
        MONEY,
        "The bill: one line per team, and what keys without a team spent. The sum is the spend above. Export it as "
        "CSV: panel menu, Inspect, Data.",
        "Spend",
        width=16,
        height=10,
    ),
    pie(
        "Distribution by team",
        BY_TEAM + 'SELECT name AS "Team", spend AS "Spend" FROM line WHERE spend > 0 ORDER BY 2 DESC LIMIT 12',
        "",
        "The twelve dearest teams.",
        "currencyUSD",
        height=10,
        rows=True,
    ),
    report(
        "By month",
        f"""SELECT left(d."date", 7) AS "Month", COALESCE(t.team_alias, d.team_id) AS "Team",
    SUM(d.spend) AS "Spend", SUM(api_requests) AS "Requests", {TOKENS} AS "Tokens"
FROM {TEAMS} d LEFT JOIN "LiteLLM_TeamTable" t ON t.team_id = d.team_id
WHERE d."date" >= to_char(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '11 months', 'YYYY-MM-DD')
GROUP BY 1, 2
ORDER BY 1 DESC, 3 DESC""",
        MONEY,
        "The last twelve months, whatever the time range; the present one is not over.",
        "Month",
        width=12,
    ),
    report(
        "By organization",
        totals(
            """COALESCE(NULLIF(o.organization_alias, ''), d.organization_id) AS "Organization\"""",
            '"LiteLLM_DailyOrganizationSpend"',
            join=' LEFT JOIN "LiteLLM_OrganizationTable" o ON o.organization_id = d.organization_id',
        ),
        MONEY,
        "Keys and teams that belong to an organization.",
        "Spend",
        width=12,
    ),
]

TIME = [
    days(
        "Spend per day by team",
        f"""SELECT {DAY}, COALESCE(t.team_alias, d.team_id) AS metric, SUM(d.spend) AS value
FROM {TEAMS} d LEFT JOIN "LiteLLM_TeamTable" t ON t.team_id = d.team_id
WHERE {PERIOD}
GROUP BY 1, 2
ORDER BY 1""",
        "Without the keys that have no team.",
    ),
    days(
        "Spend per day by model",
        f"""SELECT {DAY}, model AS metric, SUM(spend) AS value
FROM {EVERYTHING}
WHERE {PERIOD} AND model <> ''
GROUP BY 1, 2
ORDER BY 1""",
        "A step that is not in the number of requests is a change of model or of prompts.",
    ),
]

BREAKDOWN = [
    report("By model", totals('model AS "Model"', EVERYTHING), MONEY, "The provider's models.", "Spend", width=14),
    pie(
        "By provider",
        f"""SELECT custom_llm_provider AS "Provider", SUM(spend) AS "Spend"
FROM {EVERYTHING} WHERE {PERIOD} GROUP BY 1 HAVING SUM(spend) > 0 ORDER BY 2 DESC""",
        "",
        "To be compared with the providers' invoices.",
        "currencyUSD",
        width=10,
        height=9,
        rows=True,
    ),
    report(
        "By user",
        totals(
            """COALESCE(NULLIF(u.user_email, ''), NULLIF(u.user_alias, ''), NULLIF(d.user_id, ''), '(no user)') AS "User\"""",
            EVERYTHING,
            join=' LEFT JOIN "LiteLLM_UserTable" u ON u.user_id = d.user_id',
        ),
        MONEY,
        "People whose keys were used; keys without one are in one line.",
        "Spend",
        width=12,
    ),
    report(
        "By tag",
        totals('tag AS "Tag"', '"LiteLLM_DailyTagSpend"'),
        MONEY,
        "A request counts for each of its tags, so the sum may be more than the spend.",
        "Spend",
        width=12,
    ),
    report(
        "By customer",
        totals(
            """COALESCE(NULLIF(e.alias, ''), d.end_user_id) AS "Customer\"""",
            '"LiteLLM_DailyEndUserSpend"',
            join=' LEFT JOIN "LiteLLM_EndUserTable" e ON e.user_id = d.end_user_id',
        ),
        MONEY,
        'End users that requests name ("user").',
        "Spend",
        width=12,
    ),
    report(
        "By route",
        totals('endpoint AS "Route"', EVERYTHING),
        MONEY,
        "Chat, Responses, Messages, embeddings, images and so on.",
        "Spend",
        width=12,
    ),
]

CHOSEN_TEAMS = [
    report(
        "By API key",
        totals(
            """COALESCE(k.key_alias, k.key_name, left(d.api_key, 12)) AS "Key\"""",
            TEAMS,
            f"{PERIOD} AND d.{CHOSEN}",
            ' LEFT JOIN "LiteLLM_VerificationToken" k ON k.token = d.api_key',
        ),
        MONEY,
        "Keys of the chosen teams. A deleted key goes by the beginning of its hash.",
        "Spend",
        width=12,
    ),
    report(
        "By model of the chosen teams",
        totals('model AS "Model"', TEAMS, f"{PERIOD} AND {CHOSEN}"),
        MONEY,
        "What the chosen teams use.",
        "Spend",
        width=12,
    ),
    days(
        "Spend per day by API key",
        f"""SELECT {DAY}, COALESCE(k.key_alias, k.key_name, left(d.api_key, 12)) AS metric, SUM(d.spend) AS value
FROM {TEAMS} d LEFT JOIN "LiteLLM_VerificationToken" k ON k.token = d.api_key
WHERE {PERIOD} AND d.{CHOSEN}
GROUP BY 1, 2
ORDER BY 1""",
        "Keys of the chosen teams.",
        width=24,
    ),
]


def budgets(name, source, where):
    return f"""SELECT {name}, spend AS "Spent", max_budget AS "Budget", max_budget - spend AS "Left",
    spend / NULLIF(max_budget, 0) AS "Share spent", budget_duration AS "Period",
    budget_reset_at AT TIME ZONE 'UTC' AS "Resets"
FROM {source}
WHERE max_budget IS NOT NULL{where}
ORDER BY 5 DESC NULLS LAST"""


BUDGETS = [
    report(
        "Team budgets",
        budgets('COALESCE(team_alias, team_id) AS "Team"', '"LiteLLM_TeamTable"', f" AND {CHOSEN}"),
        BUDGET,
        "What the chosen teams have spent of their present periods, now: not of the time range.",
        "Share spent",
        width=12,
    ),
    report(
        "API key budgets",
        budgets(
            'COALESCE(key_alias, key_name) AS "Key"',
            '"LiteLLM_VerificationToken"',
            " AND team_id IN (${team:sqlstring})",
        ),
        BUDGET,
        "The same for the keys of the chosen teams.",
        "Share spent",
        width=12,
    ),
]

REQUESTS = [
    report(
        "Dearest requests",
        """SELECT "startTime" AT TIME ZONE 'UTC' AS "Time", COALESCE(t.team_alias, l.team_id) AS "Team",
    l.metadata ->> 'user_api_key_alias' AS "Key", l.model AS "Model", l.spend AS "Spend",
    l.prompt_tokens AS "Input", l.completion_tokens AS "Output", l.status AS "Status", l.request_id AS "Request"
FROM "LiteLLM_SpendLogs" l LEFT JOIN "LiteLLM_TeamTable" t ON t.team_id = l.team_id
WHERE l."startTime" >= $__timeFrom()::timestamptz AT TIME ZONE 'UTC'
    AND l."startTime" < $__timeTo()::timestamptz AT TIME ZONE 'UTC'
    AND l.team_id IN (${team:sqlstring})
ORDER BY l.spend DESC
LIMIT 50""",
        [Column("Spend", "", "currencyUSD", 4), Column("Time", "", "dateTimeAsIso")],
        "The fifty dearest of the chosen teams. Reads every entry of the chosen teams: choose few teams.",
        "Spend",
    ),
]

DASHBOARD = Dashboard(
    uid="weir-finance",
    title="Weir: Finance",
    about="Exact amounts from the ledger: who is charged what. For PostgreSQL; days are UTC.",
    since="now/M",
    source=SOURCE,
    variables=[TEAM_VARIABLE],
    rows=[
        Row("Overview", OVERVIEW),
        Row("Chargeback", CHARGEBACK),
        Row("Over time", TIME),
        Row("Breakdown", BREAKDOWN),
        Row("Chosen teams", CHOSEN_TEAMS),
        Row("Budgets", BUDGETS),
        Row("Single requests", REQUESTS, collapsed=True),
    ],
    refresh="",
)
