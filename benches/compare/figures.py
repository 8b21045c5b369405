"""Arithmetic on the measured runs: medians over the rounds, ratios between targets, shares of late samples.

`results[scenario][target]` is the list of runs, one for each round, as `scenarios.measure` returns them.
"""

import statistics


def middle(results, scenario, target, *keys):
    """The median over the rounds of `run[key][key]…`, or None where there is none."""
    values = [_dig(run, keys) for run in results.get(scenario, {}).get(target, [])]
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def ratio(results, scenario, target, base, key, base_key=None):
    """The median of the rounds' ratios. What disturbs a round as a whole so leaves no trace."""
    pairs = zip(results.get(scenario, {}).get(target, []), results.get(scenario, {}).get(base, []))
    ratios = [run[key] / other[base_key or key] for run, other in pairs if run[key] and other[base_key or key]]
    return statistics.median(ratios) if ratios else None


def added(results, scenario, target, base, *keys):
    """The median of the rounds' differences."""
    pairs = zip(results.get(scenario, {}).get(target, []), results.get(scenario, {}).get(base, []))
    differences = [_dig(run, keys) - _dig(other, keys) for run, other in pairs]
    return statistics.median(differences) if differences else None


def largest(results, scenario, target, key):
    values = [run.get(key) for run in results.get(scenario, {}).get(target, [])]
    return max((value for value in values if value is not None), default=None)


def spread(results, scenario, target, key):
    """Half the distance of the extremes, as a share of the median."""
    values = [run[key] for run in results.get(scenario, {}).get(target, []) if run[key]]
    return (max(values) - min(values)) / 2 / statistics.median(values) if len(values) > 1 else None


def late_share(results, scenario, target, base, times, limit_us):
    """The share of samples that came more than `limit_us` after the base's median, less what the base has of them."""
    usual = middle(results, scenario, base, times, "p50")
    if usual is None or not results[scenario].get(target):
        return None
    late, base_late = (
        _share_over(results[scenario][name], times, usual + limit_us) for name in (target, base))
    return max(0.0, late - base_late)


def _share_over(runs, times, limit_us):
    buckets = [bucket for run in runs for bucket in run[times]["buckets"]]
    total = sum(count for _, count in buckets)
    return sum(count for middle_us, count in buckets if middle_us > limit_us) / total if total else 0.0


def _dig(run, keys):
    for key in keys:
        run = run.get(key) if run is not None else None
    return run
