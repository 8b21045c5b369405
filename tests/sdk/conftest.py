"""Running gateways and a simulator for the tests of one session.

TROUPE_BIN and SIMULATOR_BIN name the two binaries, NODE_MODULES the folder of the JavaScript packages.
"""

import json
import os
import subprocess
import time
import urllib.request

import openai
import pytest

import pairs
from gateways import API_KEY, serving

# a provider for each behaviour that cools tokens, so that no test meets another's cooldown
CONFIG = """
[server]
listen = "127.0.0.1:0"

[[provider]]
name = "acme"
kind = "openai"
base_url = "{upstream}"
tokens = ["sk-upstream-token-a"]
models = ["gpt-4o", "text-embedding-3-small", "dall-e-3", "gpt-image-1", "sim-stream-20", "sim-status-400",
          "sim-policy", "sim-cut-after-3"]
"""

FAULTY = """
[[provider]]
name = "{name}"
kind = "openai"
base_url = "{upstream}"
tokens = ["sk-upstream-token-of-{name}"]
models = ["{model}"]
pool = {{ max_wait_ms = 0 }}
timeouts = {{ first_byte_ms = 500 }}
"""

FAULTS = {
    "limited": "sim-status-429-after-9",
    "broken": "sim-status-500",
    "busy": "sim-status-503",
    "silent": "sim-hang",
}


@pytest.fixture(scope="session")
def upstream():
    """The simulator's base URL."""
    command = [os.environ["SIMULATOR_BIN"], "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        yield "http://" + line.split()[-1] + "/v1"
        process.kill()


@pytest.fixture(scope="session")
def gateway(upstream, tmp_path_factory):
    """The gateway's address."""
    config = CONFIG.format(upstream=upstream)
    for name, model in FAULTS.items():
        config += FAULTY.format(name=name, model=model, upstream=upstream)
    with serving(tmp_path_factory.mktemp("troupe"), config) as address:
        yield address


@pytest.fixture(scope="session")
def pairs_gateway(upstream, tmp_path_factory):
    """The address of the gateway with a provider of each kind."""
    with serving(tmp_path_factory.mktemp("pairs"), pairs.config(upstream)) as address:
        yield address


@pytest.fixture
def client(gateway):
    """The official client, without its own retries."""
    with openai.OpenAI(base_url=f"http://{gateway}/v1", api_key=API_KEY, max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
def simulator(upstream):
    """Gives orders to the simulator: `simulator("script", {...})`, `simulator("stats")`."""

    def order(what, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        url = upstream.removesuffix("/v1") + "/_sim/" + what
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=5) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    return order


@pytest.fixture
def cancelled(simulator):
    """Waits until one more client has left the simulator than when the test began."""
    before = simulator("stats")["cancelled"]

    def wait():
        deadline = time.monotonic() + 10
        while simulator("stats")["cancelled"] == before:
            assert time.monotonic() < deadline, "the upstream call went on without a client"
            time.sleep(0.02)

    return wait
