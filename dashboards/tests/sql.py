"""The finance dashboard's SQL on a real PostgreSQL: macros and variables as Grafana fills them in."""

import csv
import io
import os
import re
import shutil
import subprocess

import boards


class Database:
    """By psql, which comes with the server."""

    def __init__(self, url):
        self.url = url

    def run(self, sql):
        command = [program(), "--no-psqlrc", "--csv", "--quiet", "--set=ON_ERROR_STOP=1", self.url]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def rows(self, sql):
        return list(csv.DictReader(io.StringIO(self.run(sql))))


def program():
    return shutil.which("psql")


def server():
    """Where tests may make databases, see scripts/services.sh."""
    return os.environ.get("WEIR_TEST_POSTGRES_URL")


def of_database(url, name, user=None):
    """The URL of another database of the same server, for another user."""
    base = re.sub(r"/[^/]*$", f"/{name}", url)
    return re.sub(r"//[^@]+@", f"//{user}@", base) if user else base


def user(url):
    return re.search(r"//([^:@/]+)", url)[1]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def options(database, variable):
    return [row["__value"] for row in database.rows(variable["query"])]


def filled(query, values, start, end):
    """`values` is name -> list; times are texts, ISO 8601."""
    query = query.replace("$__timeFrom()", quoted(start)).replace("$__timeTo()", quoted(end))
    for name, chosen in values.items():
        query = query.replace(f"${{{name}:sqlstring}}", ",".join(map(quoted, chosen)))
    return query


def answers(database, start, end):
    """(panel, rows) of every panel of the finance dashboard."""
    dashboard = boards.load("finance-postgres.json")
    variables = boards.variables(dashboard).values()
    values = {v["name"]: options(database, v) for v in variables if v["type"] == "query"}
    for panel, target in boards.targets(dashboard):
        yield panel, database.rows(filled(target["rawSql"], values, start, end))
