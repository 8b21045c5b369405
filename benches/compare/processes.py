"""What the kernel says about a process and its children: CPU time and memory."""

import os

TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


def tree(pid):
    """The process and all its living descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(int(entry))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry))
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        found.append(parent)
        waiting += children.get(parent, [])
    return found


def cpu_us(pids):
    """User and system time of the processes so far, in µs; the kernel counts in ticks of 10 ms. What ended
    children of them used is part of it."""
    return sum(_cpu_ticks(pid) for pid in pids) * TICK_US


def pss_kib(pids):
    """Memory of the processes, in KiB; pages that several share are counted by their share."""
    return sum(_pss(pid) for pid in pids)


def children_cpu_us():
    """CPU time of this process and of its children that have ended, in µs."""
    times = os.times()
    return sum(times[:4]) * 1e6


def machine_cpu_us():
    """CPU time that the whole machine has used so far, in µs, without idling and waiting for disks."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) * TICK_US


def _stat(pid):
    """The fields of /proc/PID/stat from the state on, or nothing if the process has ended."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _cpu_ticks(pid):
    fields = _stat(pid)
    return sum(map(int, fields[11:15])) if fields else 0


def _pss(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0
