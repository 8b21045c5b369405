"""A running gateway and simulator for the tests of one session.

TROUPE_BIN and SIMULATOR_BIN name the two binaries.
"""

import json
import os
import pathlib
import subprocess
import time
import urllib.request

import openai
import pytest

API_KEY = "tp-api-key-of-the-sdk-tests-0123456789"

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
    folder = tmp_path_factory.mktemp("troupe")
    config = CONFIG.format(upstream=upstream)
    for name, model in FAULTS.items():
        config += FAULTY.format(name=name, model=model, upstream=upstream)
    (folder / "config.toml").write_text(config)
    address = folder / "address"
    env = {
        "PATH": os.environ["PATH"],
        "TROUPE_API_KEY": API_KEY,
        "TROUPE_ADMIN_TOKEN": "admin-token-of-the-sdk-tests",
        "TROUPE_ADMIN_PASSWORD": "correct-horse-battery-staple",
        "TROUPE_ADDR_FILE": str(address),
    }
    # the process stands in another folder, so a relative path would not be found
    binary = pathlib.Path(os.environ["TROUPE_BIN"]).resolve()
    with open(folder / "log", "w", encoding="utf-8") as log:
        with subprocess.Popen([binary, "serve"], cwd=folder, env=env, stdout=log, stderr=log) as process:
            try:
                yield ready(process, address, folder / "log")
            finally:
                process.kill()


def ready(process, address, log):
    """Waits until the gateway is ready and returns its address."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            found = address.read_text().strip()
            with urllib.request.urlopen(f"http://{found}/health/ready", timeout=5) as answer:
                if answer.status == 200:
                    return found
        except (OSError, ValueError):
            pass
        time.sleep(0.02)
    raise AssertionError("the gateway did not become ready:\n" + log.read_text())


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
