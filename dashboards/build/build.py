#!/usr/bin/env python3
"""Writes the dashboards from their sources beside this file: build.py [FOLDER]. Python's standard library only."""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import finance  # noqa: E402  (found through the line above, as are the others)
import models  # noqa: E402
import operations  # noqa: E402
import team  # noqa: E402
from grafana import as_json  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parents[1]
DASHBOARDS = {
    "operations.json": operations.DASHBOARD,
    "team.json": team.DASHBOARD,
    "models.json": models.DASHBOARD,
    "finance-postgres.json": finance.DASHBOARD,
}


def text_of(dashboard):
    return json.dumps(as_json(dashboard), indent=2, ensure_ascii=False) + "\n"


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for name, dashboard in DASHBOARDS.items():
        (folder / name).write_text(text_of(dashboard))


if __name__ == "__main__":
    main()
