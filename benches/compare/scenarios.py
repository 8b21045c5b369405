"""What the targets are put through, and one measured run of it."""

import dataclasses
import json
import subprocess
import time

from . import awake, processes

# Work behind the last answer (records on their way to the database) belongs to the run.
SETTLE_SECONDS = 0.5
OVERTIME_SECONDS = 60
STREAMING_SECONDS = 2

SIDE_BY_SIDE = ("direct", "nginx", "troupe")
ONLY_TROUPE = ("troupe",)
# by how much a Redis that is not well delays each answer: within storage.kv_timeout_ms, and past it
DELAY_MS = {"slow": 50, "late": 500}
REDIS_STATES = ("alive", *DELAY_MS, "paused", "stopped")


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One kind of load. Without a rate the loop is closed. `stagger_ms` spreads the starts of paced streams over their
    length; `hold` opens all streams at once, and measures memory while they are open. `targets` are those that can be
    asked so. `mib` is the size of the picture in an answer. `awake` keeps the cores from falling asleep meanwhile."""

    name: str
    path: str
    body: dict
    connections: int
    rate: int = 0
    events: int = 0
    stagger_ms: int = 0
    hold: bool = False
    targets: tuple = SIDE_BY_SIDE
    mib: int = 0
    awake: bool = False

    @property
    def stream(self):
        return self.events > 0


INSTRUCTIONS = "You are a helpful assistant that answers briefly and to the point."
QUESTION = {"role": "user", "content": "What does a lighthouse keeper do all day, and who pays for the oil?"}


def _chat(model, **more):
    messages = [{"role": "system", "content": INSTRUCTIONS}, QUESTION]
    return {"model": model, "messages": messages, "temperature": 0.7, "max_tokens": 256, **more}


def _messages(model, **more):
    """The same as Claude's clients ask it."""
    return {"model": model, "system": INSTRUCTIONS, "messages": [QUESTION], "temperature": 0.7, "max_tokens": 256, **more}


CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
IMAGE = {"model": "sim-image-1m", "prompt": "a lighthouse at dusk", "n": 1, "response_format": "b64_json"}
STORED_IMAGE = {"model": "sim/sim-image-1m", "prompt": "a lighthouse at dusk"}
# 1,536 numbers are about 18 KiB of JSON
EMBEDDING = {"model": "text-embedding-3-small", "input": "a lighthouse at dusk", "dimensions": 1536}

# Troupe alone, each request counted over a Redis; the targets are the states that this is in
KV = Scenario("kv_r500", CHAT, _chat("sim-1k"), 64, rate=500, targets=REDIS_STATES)

# The order matters: memory is looked at before large answers have passed.
SCENARIOS = [
    Scenario("stream_1000", CHAT, _chat("sim-stream-10x1000ms", stream=True), 1000, events=10, hold=True),
    Scenario("chat_c64", CHAT, _chat("sim-1k"), 64),
    Scenario("chat_r1000", CHAT, _chat("sim-1k"), 64, rate=1000),
    Scenario("chat_r1000_awake", CHAT, _chat("sim-1k"), 64, rate=1000, awake=True),
    Scenario("stream_c16", CHAT, _chat("sim-stream-64x0ms", stream=True), 16, events=64),
    Scenario("messages_stream_c16", MESSAGES, _messages("sim-stream-64x0ms", stream=True), 16, events=64,
             targets=ONLY_TROUPE),
    Scenario("stream_paced", CHAT, _chat("sim-stream-64x20ms", stream=True), 64, events=64, stagger_ms=1280),
    Scenario("messages_stream_paced", MESSAGES, _messages("sim-stream-64x20ms", stream=True), 64, events=64,
             stagger_ms=1280, targets=ONLY_TROUPE),
    Scenario("embed_c64", "/v1/embeddings", EMBEDDING, 64),
    Scenario("image_c4", "/v1/images/generations", IMAGE, 4, mib=1),
    # fetched, looked into, freed of what is not picture, stored, and answered by a link
    Scenario("stored_image_c4", "/api/v1/generate", STORED_IMAGE, 4, targets=ONLY_TROUPE, mib=1),
    KV,
]
# bare names only: a provider's name before them is for the gateway
MODELS = sorted({scenario.body["model"].removeprefix("sim/") for scenario in SCENARIOS})
PICTURES = {scenario.name: scenario.mib for scenario in SCENARIOS if scenario.mib}
CHAT_C64 = next(scenario for scenario in SCENARIOS if scenario.name == "chat_c64")


def measure(load, scenario, target, upstream, seconds):
    """One run of a scenario; returns the generator's report with the target's CPU time (and memory, for `hold`)."""
    length = ["--hold"] if scenario.hold else ["--seconds", str(seconds)]
    limit = seconds + OVERTIME_SECONDS
    before_pss = target.pss_kib() if scenario.hold else None
    with awake.cores(scenario.awake, limit) as keepers:
        before = _Clocks(target, upstream, keepers)
        with _start(load, scenario, target, length, limit) as process:
            first_line = process.stdout.readline()
            open_pss = _pss_of_open_streams(target) if first_line == "open\n" else None
            report = _report(first_line, process)
        time.sleep(SETTLE_SECONDS)
        run = before.until_now(report)
    if open_pss:
        run["kib_per_stream"] = (open_pss - before_pss) / scenario.connections
    return run


def _pss_of_open_streams(target):
    """The larger of the figures at the first byte and with the streams under way."""
    first = target.pss_kib()
    time.sleep(STREAMING_SECONDS)
    return max(first, target.pss_kib())


def drive(load, scenario, target, **length):
    """So many `requests` or `seconds`, for warming up and for watching memory; returns the generator's report."""
    [(unit, count)] = length.items()
    with _start(load, scenario, target, [f"--{unit}", str(count)], 600) as process:
        return _report(process.stdout.readline(), process)


def _start(load, scenario, target, length, timeout):
    command = [
        load, "--url", target.url, "--path", scenario.path, "--body", json.dumps(scenario.body),
        "--header", f"authorization: Bearer {target.key}", "--connections", str(scenario.connections),
        "--timeout", str(timeout), *length,
    ]
    if scenario.rate:
        command += ["--rate", str(scenario.rate)]
    if scenario.stagger_ms:
        command += ["--stagger-ms", str(scenario.stagger_ms)]
    if scenario.stream:
        command += ["--stream", "--expect-events", str(scenario.events)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _report(first_line, process):
    line = process.stdout.readline() if first_line == "open\n" else first_line
    if not line:
        raise RuntimeError(f"the load generator ended without a report (exit code {process.wait()})")
    return json.loads(line)


class _Clocks:
    """CPU clocks at the start of a run."""

    def __init__(self, target, upstream, keepers):
        self.target, self.upstream, self.keepers = target, upstream, keepers
        self.start = self._read()

    def _read(self):
        own = self.target.cpu_us()
        upstream = 0 if self.target is self.upstream else self.upstream.cpu_us()
        bench = processes.children_cpu_us() + processes.cpu_us(self.keepers)
        return own, upstream, bench, processes.machine_cpu_us(), time.monotonic()

    def until_now(self, report):
        own, upstream, bench, machine, wall = (end - start for end, start in zip(self._read(), self.start))
        return report | {
            "cpu_us_per_answer": own / max(report["answers"], 1),
            "cpu_us_per_event": own / report["events"] if report["events"] else None,
            "cores": own / 1e6 / wall,
            # what ran beside us: the run is worth less, the more that is
            "foreign_cores": max(0.0, (machine - own - upstream - bench) / 1e6 / wall),
        }
