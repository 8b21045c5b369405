"""Arithmetic on the measured runs: medians over the rounds, ratios between targets, shares of late samples.

`results[scenario][target]` is the list of runs, one for each round, as `scenarios.measure` returns them. A run in which
an answer was wrong measures nothing and is left out. What is not there at all gives None.
"""

import statistics


def middle(results, scenario, target, *keys):
    """The median over the rounds of `run[key][key]…`."""
    values = [_dig(run, keys) for run in _clean(results, scenario, target)]
    return _median(value for value in values if value is not None)


def ratio(results, scenario, target, base, key):
    """The median of the rounds' ratios. What disturbs a whole round so leaves no trace."""
    pairs = _rounds(results, scenario, target, base)
    return _median(run[key] / other[key] for run, other in pairs if run[key] and other[key])


def ratio_of_scenarios(results, scenario, base, target, key):
    """The ratio of a target's medians in two scenarios: what the one costs beyond the other."""
    measured, usual = (middle(results, name, target, key) for name in (scenario, base))
    return measured / usual if measured and usual else None


def added(results, scenario, target, base, *keys):
    """The median of the rounds' differences."""
    return _median(_dig(run, keys) - _dig(other, keys) for run, other in _rounds(results, scenario, target, base))


def largest(results, scenario, target, key):
    """The worst of the rounds."""
    values = [run.get(key) for run in _clean(results, scenario, target)]
    return max((value for value in values if value is not None), default=None)


def spread(results, scenario, target, key):
    """Half the distance of the extremes, as a share of the median."""
    values = [run[key] for run in _clean(results, scenario, target) if run[key]]
    return (max(values) - min(values)) / 2 / statistics.median(values) if len(values) > 1 else None


def late_share(results, scenario, target, base, times, limit_us):
    """The share of samples that came more than `limit_us` after the base's median, less the base's own share."""
    usual = middle(results, scenario, base, times, "p50")
    runs = _clean(results, scenario, target)
    if usual is None or not runs:
        return None
    late = _share_over(runs, times, usual + limit_us)
    return max(0.0, late - _share_over(_clean(results, scenario, base), times, usual + limit_us))


def merged_share(results, scenario, target):
    """The share of events that were read in one piece with the event before: what a target, or the upstream, has
    merged costs it less, so CPU per event is compared between like and like only where these shares are alike."""
    runs = _clean(results, scenario, target)
    return 1 - _share_over(runs, "event_gap_us", 0.0) if runs else None


def _share_over(runs, times, limit_us):
    buckets = [bucket for run in runs for bucket in run[times]["buckets"]]
    total = sum(count for _, count in buckets)
    return sum(count for middle_us, count in buckets if middle_us > limit_us) / total if total else 0.0


def _rounds(results, scenario, target, base):
    """The clean runs of both targets, round by round."""
    runs_of = results.get(scenario, {})
    pairs = zip(runs_of.get(target, []), runs_of.get(base, []))
    return [(run, other) for run, other in pairs if _is_clean(run) and _is_clean(other)]


def _clean(results, scenario, target):
    return [run for run in results.get(scenario, {}).get(target, []) if _is_clean(run)]


def _is_clean(run):
    return run["answers"] > 0 and not run["failures"]


def _median(values):
    values = list(values)
    return statistics.median(values) if values else None


def _dig(run, keys):
    for key in keys:
        run = run.get(key) if run is not None else None
    return run
