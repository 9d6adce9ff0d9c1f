"""What is committed is what the sources make."""

import subprocess
import sys

import boards
import pytest
from known import DASHBOARDS


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    subprocess.run([sys.executable, DASHBOARDS / "build" / "build.py", folder], check=True)
    return folder


@pytest.mark.parametrize("name", boards.PROMETHEUS + boards.SQL)
def test_json_is_what_the_source_makes(built, name):
    same = (built / name).read_text() == (DASHBOARDS / name).read_text()
    assert same, f"{name} is not what its source makes: run dashboards/build/build.py"


def test_every_json_has_a_source(built):
    committed = {path.name for path in DASHBOARDS.glob("*.json")}
    assert committed == {path.name for path in built.iterdir()} == set(boards.PROMETHEUS + boards.SQL)


@pytest.mark.parametrize("name", boards.PROMETHEUS + boards.SQL)
def test_fits_into_a_configmap(name):
    """`kubectl apply` keeps a copy in an annotation, which may have 256 KiB."""
    assert (DASHBOARDS / name).stat().st_size < 200 * 1024
