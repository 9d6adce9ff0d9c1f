"""The JSON against the types of npm's @grafana/schema, with tsc."""

import json
import shutil
import subprocess

import boards
import pytest
from known import HERE

TYPES = HERE / "types"
OUT = TYPES / "out"  # ignored by git


@pytest.fixture(scope="module")
def tsc(needs):
    program = TYPES / "node_modules" / ".bin" / "tsc"
    return needs(
        program.exists() and shutil.which("node") and program,
        "Grafana's types are not installed: run scripts/setup.sh dashboards",
    )


def check(tsc, dashboards):
    """What tsc says; in TypeScript, because JSON modules lose what is a literal."""
    OUT.mkdir(exist_ok=True)
    text = "import type { Checked } from '../dashboard';\n"
    for at, dashboard in enumerate(dashboards):
        text += f"export const d{at}: Checked = {json.dumps(dashboard, indent=2)};\n"
    (OUT / "dashboards.ts").write_text(text)
    return subprocess.run([tsc, "-p", "."], cwd=TYPES, capture_output=True, text=True, timeout=100, check=False).stdout


def test_dashboards_are_of_grafanas_types(tsc):
    assert check(tsc, [boards.load(name) for name in boards.PROMETHEUS + boards.SQL]) == ""


def test_the_types_find_mistakes(tsc):
    """In a panel's kind, in an option of one kind, in a member of an enum."""
    wrong = []
    for change in (
        lambda panel: panel.update(type="graph"),
        lambda panel: panel["options"].update(pieType="donut"),
        lambda panel: panel["options"].update(colorMode="loud"),
        lambda panel: panel["fieldConfig"]["defaults"].update(units="s"),
    ):
        dashboard = boards.load("operations.json")
        change(next(panel for panel in boards.panels(dashboard) if panel["type"] == "stat"))
        wrong.append(dashboard)
    said = check(tsc, wrong)
    assert [word for word in ('"graph"', '"pieType"', '"loud"', '"units"') if word not in said] == [], said
