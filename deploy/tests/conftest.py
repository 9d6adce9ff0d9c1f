"""deploy/ without a cluster: the real Helm engine, the schemas of Kubernetes, SOPS."""

import os
import pathlib
import shutil
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
def guide(needs):
    """The two values files of the deployment guide, word for word."""
    import guide as reader

    return needs(reader.values_files(), f"the guide is not in {reader.FOLDER}: set WEIR_SHARED")


@pytest.fixture(scope="session")
def guide_secret(needs):
    """The plain Secret of the guide's first step."""
    import guide as reader

    return needs(reader.secret(), f"the guide is not in {reader.FOLDER}: set WEIR_SHARED")


@pytest.fixture(scope="session")
def weir(needs):
    """The binary, where one is built."""
    program = os.environ.get("WEIR_BIN")
    return needs(program and shutil.which(program), "no binary: set WEIR_BIN, as scripts/test.sh does")
