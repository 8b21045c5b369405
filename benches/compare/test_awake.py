"""Tests of the processes that keep the cores awake."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from . import awake

PATIENCE_SECONDS = 20


def wait_for(what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what():
        if time.monotonic() > deadline:
            raise AssertionError("not in time")
        time.sleep(0.01)


class Cores(unittest.TestCase):
    def test_each_core_has_one_that_yields_to_all_others(self):
        with awake.cores(True, 60) as keepers:
            wait_for(lambda: all(os.sched_getscheduler(pid) == os.SCHED_IDLE for pid in keepers))
            self.assertEqual([os.sched_getaffinity(pid) for pid in keepers], [{core} for core in sorted(os.sched_getaffinity(0))])
        for pid in keepers:
            self.assertFalse(pathlib.Path(f"/proc/{pid}").exists())

    def test_none_where_none_is_wanted(self):
        with awake.cores(False, 60) as keepers:
            self.assertEqual(keepers, [])

    def test_a_run_whose_core_fell_asleep_counts_for_nothing(self):
        with self.assertRaises(RuntimeError), awake.cores(True, 60) as keepers:
            os.kill(keepers[0], signal.SIGKILL)
            os.waitid(os.P_PID, keepers[0], os.WEXITED | os.WNOWAIT)

    def test_one_that_is_forgotten_ends_by_itself(self):
        core = min(os.sched_getaffinity(0))
        ended = subprocess.run([sys.executable, awake.__file__, str(core), "1"], timeout=PATIENCE_SECONDS)
        self.assertEqual(ended.returncode, -signal.SIGALRM)


if __name__ == "__main__":
    unittest.main()
