"""Cores that do not fall asleep while something is measured. As a program: one of them. Arguments: which core, seconds.

A virtual core without work is handed back to the host. It returns when the host has time for it, its caches full of
what others did meanwhile: between requests a millisecond apart that costs more than the requests, and differs from hour
to hour. A process of the idle class on each core keeps it; any other process takes the core from it at once.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import sys


@contextlib.contextmanager
def cores(wanted, seconds):
    """The processes that keep the cores awake, for `seconds` at most should nobody end them; none where not `wanted`."""
    keepers = []
    try:
        for core in sorted(os.sched_getaffinity(0)) if wanted else []:
            keepers.append(subprocess.Popen([sys.executable, __file__, str(core), str(int(seconds))]))
        yield [keeper.pid for keeper in keepers]
        if any(keeper.poll() is not None for keeper in keepers):
            raise RuntimeError("a core was not kept awake: its process ended before the run did")
    finally:
        for keeper in keepers:
            keeper.terminate()
            keeper.wait()


def keep(core, seconds):
    os.sched_setaffinity(0, {core})
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    signal.alarm(seconds)
    # a loop without end in a few instructions: one in Python's own would fill the caches
    any(itertools.repeat(False))


if __name__ == "__main__":
    keep(int(sys.argv[1]), int(sys.argv[2]))
