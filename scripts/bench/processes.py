"""Programs that the bench starts: each bounded in time, its words kept, and ended by process id whatever happens."""

import atexit
import os
import signal
import socket
import subprocess
import tempfile
import time

_running = []


class Failed(Exception):
    """Something that a section needs did not work; the section is left out with this reason."""


def free_port(address="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class Program:
    """A server in a session of its own. `log` is a file with what it writes."""

    def __init__(self, name, command, log=None, environment=None, prefix=()):
        self.name = name
        self.log = log or tempfile.mktemp(prefix=f"bench-{os.getpid()}-", suffix=".log")
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [*prefix, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=environment, start_new_session=True)
        _running.append(self)

    @property
    def pid(self):
        return self.process.pid

    def tree(self):
        """The process and all that descend from it."""
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/children") as children:
                        waiting += [int(word) for word in children.read().split()]
            except OSError:
                pass
        return found

    def wait_for_port(self, port, address="127.0.0.1", seconds=20):
        self.wait_until(lambda: _connects(address, port), seconds)
        return self

    def wait_until(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed(f"{self.name} did not start: {self.last_words()}")
            time.sleep(0.02)

    def last_words(self):
        try:
            with open(self.log, errors="replace") as log:
                return " | ".join(log.read().strip().splitlines()[-5:])
        except OSError:
            return ""

    def stop(self, how=signal.SIGTERM, patience=5):
        """Asks to end, then makes it end; the whole tree."""
        if self in _running:
            _running.remove(self)
        pids = self.tree() if self.process.poll() is None else []
        if pids:
            self.process.send_signal(how)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                pass
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        if self.log.startswith(tempfile.gettempdir()) and f"bench-{os.getpid()}-" in self.log:
            try:
                os.unlink(self.log)
            except FileNotFoundError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _connects(address, port):
    try:
        socket.create_connection((address, port), 1).close()
        return True
    except OSError:
        return False


def run(command, seconds=120, **options):
    """A command to its end; its standard output as text."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, **options)
    except FileNotFoundError:
        raise Failed(f"there is no program {command[0]}")
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} took more than {seconds} s")
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise Failed(f"{' '.join(map(str, command[:3]))} failed: {' | '.join(words[-3:])}")
    return done.stdout


def stop_all():
    for program in list(reversed(_running)):
        program.stop(patience=2)


atexit.register(stop_all)
