"""What a process tree has used: CPU time from /proc/PID/stat, memory, and instructions where perf can count them."""

import functools
import os
import re
import signal
import subprocess

_tick = 1 / os.sysconf("SC_CLK_TCK")


def seconds_of(pids):
    """utime + stime of the processes, ended threads and waited-for children included. Steps of 10 ms."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(word) for word in fields[11:15])
    return total * _tick


def resident_of(pids):
    """Resident bytes of the processes; pages that they share are counted once for each."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/status") as status:
                found = re.search(r"VmRSS:\s+(\d+) kB", status.read())
            total += int(found[1]) * 1024 if found else 0
        except OSError:
            continue
    return total


@functools.cache
def can_count_instructions():
    """Virtual machines often have no counters for it."""
    try:
        done = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", "true"], capture_output=True, text=True)
        return done.returncode == 0 and "not supported" not in done.stderr
    except FileNotFoundError:
        return False


class Meter:
    """`with Meter(program) as used:` then `used.seconds`, and `used.instructions` or None."""

    def __init__(self, program):
        self.program = program
        self.seconds = 0
        self.instructions = None
        self._perf = None

    def __enter__(self):
        self._pids = self.program.tree()
        if can_count_instructions():
            self._perf = subprocess.Popen(
                ["perf", "stat", "-x,", "-e", "instructions", "-p", ",".join(map(str, self._pids))],
                stderr=subprocess.PIPE, text=True)
        self._before = seconds_of(self._pids)
        return self

    def __exit__(self, *_):
        self.seconds = seconds_of(set(self._pids) | set(self.program.tree())) - self._before
        if self._perf:
            self._perf.send_signal(signal.SIGINT)
            counted = self._perf.communicate(timeout=10)[1].split(",")[0]
            self.instructions = int(counted) if counted.isdigit() else None
