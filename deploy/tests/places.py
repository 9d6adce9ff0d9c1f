"""Where things are."""

import os
import pathlib

TESTS = pathlib.Path(__file__).resolve().parent
DEPLOY = TESTS.parent
ROOT = DEPLOY.parent
CHART = DEPLOY / "helm" / "weir"
EXAMPLES = DEPLOY / "examples"
GOLDEN = TESTS / "golden"
SHARED = pathlib.Path(os.environ.get("WEIR_SHARED") or ROOT.parent / "shared")
