"""Dashboards and alerts, without Grafana: against Grafana's types, a real Prometheus and a real PostgreSQL."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture(scope="session")
def needs():
    """needs(there, reason): without it the test is skipped, or fails with CI=true."""

    def check(there, reason):
        if there:
            return there
        if os.environ.get("CI") in ("true", "1"):
            pytest.fail(reason)
        pytest.skip(reason)

    return check


@pytest.fixture(scope="session")
def promtool(needs):
    import prometheus

    return needs(prometheus.program("promtool"), "promtool is not installed: run scripts/setup.sh dashboards")
