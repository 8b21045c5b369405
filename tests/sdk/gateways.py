"""Starts gateways with a configuration."""

import contextlib
import os
import pathlib
import subprocess
import time
import urllib.request

API_KEY = "tp-api-key-of-the-sdk-tests-0123456789"
ADMIN_TOKEN = "admin-token-of-the-sdk-tests"


@contextlib.contextmanager
def serving(folder, config):
    """A gateway with this configuration, by its address, while the block runs."""
    (folder / "config.toml").write_text(config)
    address = folder / "address"
    env = {
        "PATH": os.environ["PATH"],
        "TROUPE_API_KEY": API_KEY,
        "TROUPE_ADMIN_TOKEN": ADMIN_TOKEN,
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
