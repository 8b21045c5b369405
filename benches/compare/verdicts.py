"""The bars that Troupe has to clear, and whether it does."""

import dataclasses

from . import figures
from .scenarios import KV, REDIS_STATES

HELD_BACK_US = 30_000
# a stall of the network stack hits every stream; one sample in two hundred is the machine's own
HELD_BACK_SHARE = 0.005


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A bar and the figure that is held against it; `measured` is None where the run has not got it."""

    what: str
    bar: float
    measured: float | None
    unit: str

    @property
    def word(self):
        if self.measured is None:
            return "not measured"
        return "holds" if self.measured <= self.bar else "MISSED"


def verdicts(results, memory):
    """All bars. `memory` is what `tables.memory_table` shows: KiB by target and moment."""
    troupe = memory.get("troupe", {})
    kib = figures.largest(results, "stream_1000", "troupe", "kib_per_stream")
    image = figures.ratio(results, "image_c4", "troupe", "nginx", "cpu_us_per_answer")
    return [
        Verdict("chat_c64: CPU per request, of nginx's", 3.5,
                figures.ratio(results, "chat_c64", "troupe", "nginx", "cpu_us_per_answer"), "×"),
        # in stream_c16 a relay that lags merges events, which are then cheaper; paced events come one by one everywhere
        *(Verdict(f"{scenario}: CPU per event, of the simulator's own", 1.7,
                  figures.ratio(results, scenario, "troupe", "direct", "cpu_us_per_event"), "×")
          for scenario in ("stream_c16", "stream_paced")),
        # the same stream of the same upstream, passed through and converted
        *(Verdict(f"messages_{scenario}: CPU per request, of {scenario}'s", 1.6,
                  figures.ratio_of_scenarios(results, f"messages_{scenario}", scenario, "troupe", "cpu_us_per_answer"), "×")
          for scenario in ("stream_c16", "stream_paced")),
        # with the cores awake it is the gateway's share; without, also what the host of a virtual machine adds to it
        *(Verdict(f"{scenario}: p50 over direct", 120,
                  figures.added(results, scenario, "troupe", "direct", "latency_us", "p50"), "µs")
          for scenario in ("chat_r1000", "chat_r1000_awake")),
        Verdict("image_c4: CPU per request, of nginx's", 0.5, image, "×"),
        Verdict("near-idle PSS", 25, _mib(troupe.get("near_idle")), "MiB"),
        Verdict("PSS per open stream, 1,000 open", 50, kib, "KiB"),
        Verdict("PSS over 200,000 requests, change", 2, _change_mib(troupe), "MiB"),
        *(_held_back(results, *which) for which in [
            ("stream_paced", "first_byte_us", "first bytes"),
            ("stream_paced", "event_gap_us", "gaps between events"),
            ("stream_c16", "first_byte_us", "first bytes"),
            ("stream_c16", "latency_us", "whole streams"),
        ]),
        *(Verdict(f"{KV.name}: p99 with Redis {state}, over that with it alive", 5_000,
                  figures.added(results, KV.name, state, "alive", "latency_us", "p99"), "µs")
          for state in REDIS_STATES if state != "alive"),
    ]


def _held_back(results, scenario, times, name):
    share = figures.late_share(results, scenario, "troupe", "direct", times, HELD_BACK_US)
    percent = None if share is None else share * 100
    return Verdict(f"{scenario}: {name} over 30 ms later than direct", HELD_BACK_SHARE * 100, percent, "%")


def _mib(kib):
    return None if kib is None else kib / 1024


def _change_mib(moments):
    if "after_200k" not in moments:
        return None
    return abs(moments["after_200k"] - moments["near_idle"]) / 1024
