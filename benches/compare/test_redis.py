"""Tests of what goes before a run with a Redis that is not well."""

import contextlib
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
import unittest
from unittest import mock

from . import redis, scenarios, targets


class Noticing(unittest.TestCase):
    """Load and Redis are played; the log is Troupe's."""

    def measured(self, state, log):
        """The failures of a run whose log says this, and what became of Redis."""
        became = []
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "log"
            path.write_text(log)
            server = types.SimpleNamespace(become=became.append)
            state = redis.State(state, server, types.SimpleNamespace(log=path))
            sent, found = {"failures": {"status 500": 1}}, {"failures": {"status 500": 3, "status 502": 1}}
            with mock.patch.object(scenarios, "drive", return_value=sent), \
                    mock.patch.object(scenarios, "measure", return_value=found):
                run = redis.measure("load", scenarios.KV, state, None, 5)
        return run["failures"], became

    def test_redis_is_well_before_and_every_failure_counts(self):
        failures, became = self.measured("slow", redis.SHARED)
        self.assertEqual(became, ["alive", "slow"])
        # two seconds in either state, then the run
        self.assertEqual(failures, {"status 500": 2 + 2 + 3, "status 502": 1})
        self.assertEqual(self.measured("alive", redis.SHARED)[1], ["alive"])

    def test_a_state_that_is_not_noticed_is_a_fault(self):
        failures, _ = self.measured("paused", redis.SHARED)
        self.assertIn("not noticed within 20 s that Redis is paused", failures)
        self.assertNotIn("not noticed within 20 s that Redis is alive", failures)

    def test_the_last_word_of_the_log_counts(self):
        self.assertIsNone(redis.last_said("listening\n"))
        said = f"{redis.SHARED}\n{redis.FAILED_ONCE}: no answer\n"
        self.assertEqual(redis.last_said(said), redis.FAILED_ONCE)
        said += f"{redis.BREAKER_OPEN} until it answers a ping\n"
        self.assertEqual(redis.last_said(said), redis.BREAKER_OPEN)
        self.assertEqual(redis.last_said(f"{said}redis answers again\n{redis.SHARED}\n"), redis.SHARED)


class SlowWay(unittest.TestCase):
    def test_every_answer_comes_late(self):
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            answering = threading.Thread(target=answer_pings, args=[server])
            answering.start()
            stack.callback(answering.join)
            stack.callback(server.shutdown, socket.SHUT_RDWR)
            far, near = f"127.0.0.1:{server.getsockname()[1]}", targets.free_address()
            way = stack.enter_context(subprocess.Popen([sys.executable, redis.SLOW_WAY, near, far, "150"]))
            stack.callback(way.kill)
            deadline = time.monotonic() + 20
            while not redis.answers(near):
                self.assertLess(time.monotonic(), deadline, "the way does not come about")
                time.sleep(0.01)
            began = time.monotonic()
            self.assertTrue(redis.answers(near))
            self.assertGreaterEqual(time.monotonic() - began, 0.15)


def answer_pings(server):
    """Until the server is shut down."""
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.recv(64)
                connection.sendall(b"+PONG\r\n")


if __name__ == "__main__":
    unittest.main()
