"""Debian's Chromium against a running gateway, whose upstreams are the simulator.

TROUPE_BIN and SIMULATOR_BIN name the two binaries, NODE_MODULES the folder with axe-core, SCREENSHOTS where pictures of
the pages go, CHROMIUM the browser where it is not the usual one.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import urllib.request

import pytest
from playwright.sync_api import expect, sync_playwright

sys.path.append(str(pathlib.Path(__file__).parent.parent / "sdk"))

from gateways import API_KEY, serving  # noqa: E402

ADMIN = {"username": "admin", "password": "correct-horse-battery-staple"}

CONFIG = """
[server]
listen = "127.0.0.1:{port}"

[supervision]
fault_injection = true

[[provider]]
name = "demo"
kind = "demo"
tokens = ["demo"]

[[provider]]
name = "slow"
kind = "modelscope"
base_url = "{upstream}/modelscope/v1"
tokens = ["token-of-the-slow-one"]
options = {{ poll_ms = 700 }}

[[provider]]
name = "large"
kind = "gitee"
base_url = "{upstream}/gitee/v1"
tokens = ["token-of-the-large-one"]

[[provider]]
name = "strict"
kind = "openai"
base_url = "{upstream}/v1"
tokens = ["token-of-the-strict-one"]
models = [{{ id = "sim-policy", type = "text2image" }}]

[[provider]]
name = "weary"
kind = "openai"
base_url = "{upstream}/v1"
tokens = ["token-of-the-weary-one"]
models = [{{ id = "sim-status-429-after-50", type = "text2image" }}]
"""

# a busy machine draws slowly
PATIENCE_MS = 20_000

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Gateway:
    """A gateway that can be stopped and started again, with what it has stored."""

    def __init__(self, folder, upstream):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.folder = folder
        self.config = CONFIG.format(port=port, upstream=upstream)
        self.url = f"http://127.0.0.1:{port}"
        self.running = contextlib.ExitStack()

    def start(self):
        (self.folder / "address").unlink(missing_ok=True)
        self.running.enter_context(serving(self.folder, self.config))

    def stop(self):
        self.running.close()

    def api(self, method, path, body=None, key=API_KEY):
        """Calls the API with a key, or with the admin's token."""
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def empty(self):
        """Takes everything away that was made."""
        while tasks := self.api("GET", "/api/v1/tasks?limit=100")["items"]:
            for task in tasks:
                self.api("DELETE", f"/api/v1/task/{task['task_id']}")


@pytest.fixture(scope="session")
def upstream():
    """The simulator's address."""
    command = [os.environ["SIMULATOR_BIN"], "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield "http://" + process.stdout.readline().split()[-1]
        process.kill()


@pytest.fixture(scope="session")
def served(upstream, tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("troupe"), upstream)
    gateway.start()
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(served):
    """The gateway, with nothing made yet."""
    served.empty()
    return served


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        binary = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=binary, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, served):
    """Opens a page as somebody new would: `visit("/studio", width=390)`. What a script or the browser complains of
    fails the test, but for connections that tests break on purpose."""
    contexts, complaints = [], []

    def open_page(path, width=1280, height=800, **options):
        options.setdefault("locale", "en-US")
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.goto(served.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    expected = ("Failed to load resource", "WebSocket connection to")
    assert [text for text in complaints if not text.startswith(expected)] == []


def enter(page):
    """Signs in at the studio's door."""
    page.fill("#key", API_KEY)
    page.press("#key", "Enter")
    page.wait_for_selector("#runs[aria-busy=false]", state="attached")
    return page


@pytest.fixture
def studio(visit, gateway):
    """Opens the studio, signed in, where nothing was made yet."""
    return lambda **options: enter(visit("/studio", **options))
