"""Webhooks, checked with the reference library of Standard Webhooks."""

import http.server
import json
import queue
import threading
import urllib.request

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from gateways import API_KEY, serving

CONFIG = """
[server]
listen = "127.0.0.1:0"

[egress]
allow_hosts = ["127.0.0.1"]
"""


@pytest.fixture
def receiver():
    """A server that takes every message: its URL, and the queue of headers and bodies."""
    got = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            got.put((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", got
        server.shutdown()


@pytest.fixture
def post(tmp_path):
    """Posts to a gateway whose jobs may be told to this machine."""
    with serving(tmp_path, CONFIG) as address:

        def post(path, body):
            headers = {"authorization": f"Bearer {API_KEY}", "content-type": "application/json"}
            request = urllib.request.Request(f"http://{address}{path}", json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)

        yield post


def order(**more):
    return {"model": "demo/demo-image", "prompt": "a red fox", "size": "64x64", "async": True, **more}


def test_deliveries_verify(post, receiver):
    url, got = receiver
    endpoint = post("/v1/webhooks", {"url": url})
    job = post("/v1/images/generations", order())
    headers, body = got.get(timeout=20)
    event = Webhook(endpoint["secret"]).verify(body, headers)
    assert event["type"] == "job.completed"
    assert (event["data"]["id"], event["data"]["status"]) == (job["id"], "completed")
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(body + b" ", headers)


def test_both_secrets_verify_after_a_rotation(post, receiver):
    url, got = receiver
    secrets = [post("/v1/webhooks/secret/rotate", {})["secret"] for _ in range(2)]
    post("/v1/images/generations", order(webhook_url=url))
    headers, body = got.get(timeout=20)
    for secret in secrets:
        assert Webhook(secret).verify(body, headers)["type"] == "job.completed"
