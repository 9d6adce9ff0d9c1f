"""Every query of the finance dashboard on the views that the migrations make, as the user that README.md sets up."""

import datetime
import os
import re
import subprocess

import pytest
import sql
from known import DASHBOARDS, HERE

MIGRATIONS = sorted((DASHBOARDS.parent / "migrations" / "postgres").glob("*.sql"))
MIGRATED = "CREATE SCHEMA weir; SET search_path TO weir, public;" + "".join(path.read_text() for path in MIGRATIONS)
DAY = datetime.timedelta(days=1)
DAILY = 4 * 0.75  # dollars: each of four keys, see sample.sql


def grants():
    """The SQL of README.md, for a test's own names: roles are of the whole server."""
    text = (DASHBOARDS / "README.md").read_text()
    return re.search(r"```sql\n(CREATE ROLE grafana.*?)```", text, re.DOTALL)[1]


@pytest.fixture(scope="module")
def database(needs):
    """As Grafana's user, in a database with the ledger's tables and some data."""
    server = needs(sql.server() and sql.program() and sql.server(), "no PostgreSQL for tests (WEIR_TEST_POSTGRES_URL)")
    name = f"dashboards_{os.getpid()}"
    sql.Database(server).run(f"CREATE DATABASE {name};")
    owner = sql.Database(sql.of_database(server, name))
    try:
        owner.run(MIGRATED)
        owner.run((HERE / "sample.sql").read_text())
        owner.run(re.sub(r"\bgrafana\b", name, grants()))
        yield sql.Database(sql.of_database(server, name, user=name))
    finally:
        sql.Database(server).run(f"DROP DATABASE {name} WITH (FORCE); DROP ROLE IF EXISTS {name};")


@pytest.fixture(scope="module")
def answers(database):
    """title -> rows, for the last ten days"""
    now = datetime.datetime.now(datetime.timezone.utc)
    start = (now - 9 * DAY).replace(hour=0)
    return {panel["title"]: rows for panel, rows in sql.answers(database, start.isoformat(), now.isoformat())}


def test_every_query_has_an_answer(answers):
    assert [title for title, rows in answers.items() if not rows or all(v == "" for v in rows[0].values())] == []


def test_the_bill_adds_up(answers):
    whole = float(*answers["Spend"][0].values())
    assert whole == pytest.approx(10 * DAILY)
    lines = {row["Team"]: float(row["Spend"]) for row in answers["By team"]}
    assert lines == pytest.approx({"engineering": 15.0, "it's research": 7.5, "(no team)": 7.5})
    for title in ("By model", "By user", "By route", "By provider", "Distribution by team"):
        assert sum(float(row["Spend"]) for row in answers[title]) == pytest.approx(whole), title
    assert sum(float(row["Share"]) for row in answers["By team"]) == pytest.approx(1)


def test_keys_of_the_chosen_teams_have_names(answers):
    names = {row["Key"] for row in answers["By API key"]}
    assert names == {"cline", "sk-...bbbb", "gone"}


def test_lines_are_in_order_of_time(answers):
    for title in ("Spend per day by team", "Spend per day by model", "Spend per day by API key"):
        times = [row["time"] for row in answers[title]]
        assert times == sorted(times) and len(set(times)) == 10, title


def test_budgets_are_of_the_present_period(answers):
    team = answers["Team budgets"][0]
    assert (team["Team"], float(team["Spent"]), float(team["Left"])) == ("engineering", 30, 70)
    assert float(answers["API key budgets"][0]["Share spent"]) == pytest.approx(0.25)


def test_grafanas_user_can_only_read_the_views(database):
    for forbidden in (
        "SELECT * FROM weir.virtual_key",
        'SELECT * FROM litellm."LiteLLM_Config"',
        "DELETE FROM weir.team",
        "CREATE TABLE litellm.x (a int)",
    ):
        with pytest.raises(RuntimeError, match="permission denied|read-only transaction"):
            database.run(forbidden)


def test_the_user_of_compose_reads_and_does_not_write(needs):
    """deploy/compose makes it before there is a ledger."""
    server = needs(sql.server() and sql.program() and sql.server(), "no PostgreSQL for tests (WEIR_TEST_POSTGRES_URL)")
    name = f"compose_{os.getpid()}"
    script = (DASHBOARDS.parent / "deploy" / "compose" / "postgres" / "grafana.sh").read_text()
    url = sql.of_database(server, name)
    set_by_image = {"POSTGRES_USER": sql.user(server), "POSTGRES_PASSWORD": "it's one", "POSTGRES_DB": url}
    sql.Database(server).run(f"CREATE DATABASE {name};")
    owner = sql.Database(url)
    try:
        renamed = re.sub(r"\bgrafana\b", name, script)
        subprocess.run(["bash", "-c", renamed], env={**os.environ, **set_by_image}, check=True, timeout=60)
        owner.run(MIGRATED)
        owner.run((HERE / "sample.sql").read_text())
        grafana = sql.Database(sql.of_database(server, name, user=name))
        assert grafana.rows('SELECT count(*) AS teams FROM "LiteLLM_TeamTable"')[0]["teams"] != "0"
        with pytest.raises(RuntimeError, match="read-only transaction"):
            grafana.run("CREATE TABLE weir.another (id text);")
    finally:
        sql.Database(server).run(f"DROP DATABASE {name} WITH (FORCE); DROP ROLE IF EXISTS {name};")
