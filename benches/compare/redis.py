"""A Redis in several states of health, and Troupe that counts every request over it."""

import collections
import contextlib
import dataclasses
import pathlib
import signal
import socket
import subprocess
import sys
import time

from . import scenarios, targets

SLOW_WAY = pathlib.Path(__file__).resolve().parent / "slow_way.py"
NEVER_REACHED = 1_000_000_000
# how often a second of load is sent until Troupe has noticed the new state; two are never counted
LEAST_SECONDS = 2
MOST_SECONDS = 20

# what Troupe says in its log; the last of them is how it sees its Redis
SHARED = "rate limits are shared between nodes"
FAILED_ONCE = "rate limits are counted by this node alone"
BREAKER_OPEN = "redis is left alone"
SEEN_AS = {
    "alive": SHARED,
    "slow": SHARED,
    "late": BREAKER_OPEN,
    "paused": BREAKER_OPEN,
    "stopped": BREAKER_OPEN,
}


class Redis:
    """A Redis of our own. Its address stays the same in all states; nothing runs yet."""

    def __init__(self, directory):
        self.program = targets.program("redis-server")
        self.directory = directory
        self.address, self.far_address = targets.free_address(), targets.free_address()
        self.state, self.running = "stopped", []

    def become(self, state):
        """Goes from alive to the state, or from any to alive."""
        if state == self.state:
            return
        if state == "paused":
            self.running[0].send_signal(signal.SIGSTOP)
        else:
            self.stop()
            if state == "alive":
                self._serve(self.address)
            elif state in scenarios.DELAY_MS:
                self._serve(self.far_address)
                delay = scenarios.DELAY_MS[state]
                self._run(self.address, [sys.executable, SLOW_WAY, self.address, self.far_address, delay])
        self.state = state

    def stop(self):
        """Ends it at once, as a crash would."""
        for process in self.running:
            process.kill()
            process.wait()
        self.running.clear()
        self.state = "stopped"

    def _serve(self, address):
        host, port = address.split(":")
        self._run(address, [self.program, "--bind", host, "--port", port, "--save", "", "--appendonly", "no"])

    def _run(self, address, command):
        process = subprocess.Popen(list(map(str, command)), cwd=self.directory, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.running.append(process)
        deadline = time.monotonic() + targets.START_SECONDS
        while not answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise targets.Unavailable(f"nothing answers at {address} as redis would: {command}")
            time.sleep(0.02)


def answers(address):
    """Whether a Redis answers there."""
    host, port = address.split(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=2) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(64) == b"+PONG\r\n"
    return False


def start_troupe(binary, upstream, redis, directory):
    """Troupe with a limit per minute that is counted over that Redis, and that nobody reaches."""
    return targets.start_troupe(binary, upstream, scenarios.MODELS, directory, "troupe-redis", {
        "TROUPE__STORAGE__KV_URL": f"redis://{redis.address}",
        "TROUPE__LIMITS__REQUESTS_PER_MINUTE": str(NEVER_REACHED),
    })


@dataclasses.dataclass(frozen=True)
class State:
    """Troupe while its Redis is in one of the states."""

    name: str
    redis: Redis
    troupe: targets.Target


def measure(load, scenario, state, upstream, seconds):
    """`scenarios.measure` once Troupe has noticed the state. Redis is well before, and what fails from there on counts."""
    failures = collections.Counter()
    for name in dict.fromkeys(["alive", state.name]):
        state.redis.become(name)
        failures.update(_until_noticed(load, scenario, state.troupe, name))
    run = scenarios.measure(load, scenario, state.troupe, upstream, seconds)
    failures.update(run["failures"])
    return run | {"failures": dict(failures)}


def _until_noticed(load, scenario, troupe, state):
    """Goes on with the load until Troupe sees its Redis as it is; returns what failed meanwhile."""
    failures = collections.Counter()
    for second in range(1, MOST_SECONDS + 1):
        failures.update(scenarios.drive(load, scenario, troupe, seconds=1)["failures"])
        if second >= LEAST_SECONDS and last_said(troupe.log.read_text(errors="replace")) == SEEN_AS[state]:
            return failures
    return failures + collections.Counter([f"not noticed within {MOST_SECONDS} s that Redis is {state}"])


def last_said(log):
    """How Troupe sees its Redis."""
    said = max((SHARED, FAILED_ONCE, BREAKER_OPEN), key=log.rfind)
    return said if said in log else None
