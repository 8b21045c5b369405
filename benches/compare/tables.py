"""The report in Markdown."""

from . import figures
from .figures import middle
from .scenarios import DELAY_MS, KV, PICTURES, REDIS_STATES


def report(results, memory, verdicts):
    """The whole report. `results[scenario][target]` are runs, `memory[target]` is PSS in KiB by moment."""
    redis = _redis(results)
    results = {name: runs for name, runs in results.items() if name != KV.name}
    targets = [name for name in ("direct", "nginx", "troupe") if any(name in runs for runs in results.values()) or name in memory]
    streams = [name for name in results if any(run["events"] for runs in results[name].values() for run in runs)]
    plain = [name for name in results if name not in streams]
    parts = [
        ("CPU µs per request (direct: the simulator's own)", _cpu(results, results, targets, "cpu_us_per_answer")),
        ("CPU µs per streamed event", _cpu(results, streams, targets, "cpu_us_per_event")),
        ("CPU µs per MiB of picture", _cpu_per_mib(results, targets)),
        ("Answers a second (in brackets: of direct)", _throughput(results, targets)),
        ("Latency, µs, p50 / p99 (+: p50 over direct)", _times(results, plain, targets, "latency_us")),
        ("First byte of a stream, µs, p50 / p99 (+: p50 over direct)", _times(results, streams, targets, "first_byte_us")),
        ("Whole stream, µs, p50 / p99 (+: p50 over direct)", _times(results, streams, targets, "latency_us")),
        ("From one event to the next, µs, p50 / p99 (+: p50 over direct)", _times(results, streams, targets, "event_gap_us")),
        ("Events read in one piece with the one before (each costs a target less than one sent alone)",
         _merged(results, streams, targets)),
        (f"Troupe with Redis out of order, {KV.rate} requests a second", redis),
        ("Memory, MiB PSS", _memory(results, memory, targets)),
        ("Noise: half the spread of CPU per request; cores that others used", _noise(results, targets)),
        ("What must hold", _verdicts(verdicts)),
    ]
    return "\n".join(f"## {title}\n\n{table}\n" for title, table in parts if table)


def faults(results):
    """What was wrong with the answers, a line each. A run with faults measures nothing."""
    lines = []
    for scenario, runs_of in results.items():
        for target, runs in runs_of.items():
            for number, run in enumerate(runs, 1):
                lines += [f"{scenario}, {target}, round {number}: {count} × {text}" for text, count in run["failures"].items()]
                if not run["answers"]:
                    lines.append(f"{scenario}, {target}, round {number}: no answer at all")
        lines += _differences(scenario, runs_of)
    return lines


def _differences(scenario, runs_of):
    """Targets whose answers are not what the upstream sent.

    A gateway that asks for the usage of streams gets `"usage":null` in each event, which is why sizes may differ a
    little.
    """
    sizes = {}
    for target, runs in runs_of.items():
        answers = sum(run["answers"] for run in runs)
        if answers:
            sizes[target] = [sum(run[key] for run in runs) / answers for key in ("events", "body_bytes")]
    if "direct" not in sizes:
        return []
    events, size = sizes["direct"]
    return [
        f"{scenario}, {target}: answers of {other_size:.0f} bytes and {other_events:.1f} events; direct has {size:.0f} and {events:.1f}"
        for target, (other_events, other_size) in sizes.items()
        if abs(other_events - events) > 0.01 or abs(other_size - size) > 0.06 * size
    ]


def _cpu(results, scenarios, targets, key):
    ratios = [(a, b) for a in targets for b in targets if (a, b) in (("nginx", "direct"), ("troupe", "direct"), ("troupe", "nginx"))]
    rows = [
        [scenario, *(number(middle(results, scenario, target, key)) for target in targets),
         *(times_over(figures.ratio(results, scenario, a, b, key)) for a, b in ratios)]
        for scenario in scenarios
    ]
    return table(["scenario", *targets, *(f"{a}/{b}" for a, b in ratios)], rows)


def _cpu_per_mib(results, targets):
    rows = []
    for scenario in (name for name in results if name in PICTURES):
        cpu = [middle(results, scenario, target, "cpu_us_per_answer") for target in targets]
        mib = PICTURES[scenario]
        rows.append([scenario, *(number(None if us is None else us / mib) for us in cpu)])
    return table(["scenario", *targets], rows)


def _throughput(results, targets):
    key = "answers_per_second"
    rows = []
    for scenario in results:
        cells = [scenario]
        for target in targets:
            share = figures.ratio(results, scenario, target, "direct", key)
            cells.append(number(middle(results, scenario, target, key)) + (f" ({share:.3f})" if share else ""))
        rows.append(cells)
    return table(["scenario", *targets], rows)


def _times(results, scenarios, targets, times):
    rows = []
    for scenario in scenarios:
        cells = [scenario]
        for target in targets:
            p50, p99 = (middle(results, scenario, target, times, q) for q in ("p50", "p99"))
            over = figures.added(results, scenario, target, "direct", times, "p50") if target != "direct" else None
            cells.append(f"{number(p50)} / {number(p99)}" + (f" ({over:+,.0f})" if over is not None else ""))
        rows.append(cells)
    return table(["scenario", *targets], rows)


def _redis(results):
    rows = []
    for state in REDIS_STATES:
        if state not in results.get(KV.name, {}):
            continue
        delay = f", each answer {DELAY_MS[state]} ms late" if state in DELAY_MS else ""
        over = figures.added(results, KV.name, state, "alive", "latency_us", "p99") if state != "alive" else None
        rows.append([
            state + delay,
            *(number(middle(results, KV.name, state, "latency_us", quantile)) for quantile in ("p50", "p99")),
            "—" if over is None else f"{over:+,.0f}",
            number(middle(results, KV.name, state, "cpu_us_per_answer")),
            number(figures.largest(results, KV.name, state, "foreign_cores")),
        ])
    return table(["Redis", "p50, µs", "p99, µs", "p99 over alive, µs", "CPU µs per request", "cores that others used"], rows)


def _merged(results, scenarios, targets):
    rows = []
    for scenario in scenarios:
        shares = [figures.merged_share(results, scenario, target) for target in targets]
        rows.append([scenario, *("—" if share is None else f"{share:.0%}" for share in shares)])
    return table(["scenario", *targets], rows)


def _memory(results, memory, targets):
    moments = [
        ("started", "before the first request"),
        ("near_idle", "near idle, after 20,000 requests"),
        ("after_200k", "after 200,000 more"),
    ]
    rows = [
        [label, *(number(_mib(memory.get(target, {}).get(moment))) for target in targets)]
        for moment, label in moments if any(moment in figures_of for figures_of in memory.values())
    ]
    if "stream_1000" in results:
        kib = [figures.largest(results, "stream_1000", target, "kib_per_stream") for target in targets]
        rows.append(["KiB per open stream, 1,000 open", *map(number, kib)])
    return table(["moment", *targets], rows)


def _noise(results, targets):
    rows = []
    for scenario in results:
        spreads = [figures.spread(results, scenario, target, "cpu_us_per_answer") for target in targets]
        foreign = [figures.largest(results, scenario, target, "foreign_cores") for target in targets]
        cells = [
            ("—" if spread is None else f"±{spread:.0%}") + ("" if others is None else f"; {others:.2f}")
            for spread, others in zip(spreads, foreign)
        ]
        rows.append([scenario, *cells])
    return table(["scenario", *targets], rows)


def _verdicts(verdicts):
    rows = [[v.what, f"≤ {v.bar:g} {v.unit}", number(v.measured), v.word] for v in verdicts]
    return table(["what", "bar", "measured", "verdict"], rows)


def table(head, rows):
    """A Markdown table, or nothing where there are no rows."""
    if not rows:
        return ""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value):
    """Three significant digits, whole above a hundred."""
    if value is None:
        return "—"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def times_over(value):
    return "—" if value is None else f"{value:.2f}×"


def _mib(kib):
    return None if kib is None else kib / 1024
