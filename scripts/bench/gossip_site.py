"""A cluster of processes on the loopback of a network namespace of its own, for bench.gossip:

unshare --net python3 -m bench.gossip_site edgenode|serf COUNT IDLE_SECONDS ROUNDS FOLDER

Prints one JSON object: bytes a second and node while idle, seconds until everybody knows a new member, seconds until
everybody calls a killed one dead. All bytes on the loopback count, headers included; nothing asks while it is idle.
"""

import base64
import json
import os
import re
import signal
import sys
import time

from . import servers
from .client import get
from .processes import Failed, Program, run


class Nodes:
    """The node; what each believes is read from its /api/v1/status."""

    def __init__(self, folder):
        self.folder, self.members = folder, {}
        self.edgenode = os.environ["EDGENODE"]

    def start(self, number):
        folder, port = f"{self.folder}/{number}", 20000 + number
        configuration = servers.write(f"{folder}/node.toml", f"""
[node]
data_dir = "{folder}/data"
listen = ["127.0.0.1:{port}"]
[go]
upstreams = "off"
[cluster]
listen = "127.0.0.1:{21000 + number}"
""")
        first = f"{self.folder}/1/node.toml"
        if number == 1:
            run([self.edgenode, "cluster", "init", "--config", configuration])
        else:
            token = run([self.edgenode, "cluster", "invite", "--config", first])
            run([self.edgenode, "join", "-", "--config", configuration], input=token)
        begin = time.monotonic()
        program = Program(f"node {number}", [self.edgenode, "run", "--config", configuration], f"{folder}/log")
        program.port = port
        self.members[number] = program
        return begin

    def states(self, number):
        try:
            status = json.loads(get(self.members[number].port, "/api/v1/status", seconds=5)[2])
        except (OSError, ValueError):
            return []
        return [peer["state"] for peer in status["node"].get("peers") or []]

    def alive(self, number):
        return self.states(number).count("alive")

    def dead(self, number):
        return sum(state not in ("alive", "suspect") for state in self.states(number))


class Serf:
    """serf with its lan profile, encrypted; what each believes is read from its log."""

    def __init__(self, folder):
        self.folder, self.members = folder, {}
        self.key = base64.b64encode(os.urandom(32)).decode()

    def start(self, number):
        os.makedirs(self.folder, exist_ok=True)
        join = ["-join=127.0.0.1:21001"] if number > 1 else []
        begin = time.monotonic()
        self.members[number] = Program(f"serf {number}", [
            servers.needed("serf"), "agent", f"-node=n{number}", f"-bind=127.0.0.1:{21000 + number}",
            f"-rpc-addr=127.0.0.1:{20000 + number}", f"-encrypt={self.key}", *join], f"{self.folder}/{number}.log")
        if number == 1:
            self.members[1].wait_for_port(21001)
        return begin

    def events(self, number):
        with open(self.members[number].log, errors="replace") as log:
            return re.findall(r"serf: EventMember(Join|Failed): (n\d+)", log.read())

    def alive(self, number):
        last = {name: event for event, name in self.events(number)}
        return sum(event == "Join" for event in last.values()) - 1

    def dead(self, number):
        last = {name: event for event, name in self.events(number)}
        return sum(event == "Failed" for event in last.values())


def wait(what, condition, begin, seconds=120):
    while not condition():
        if time.monotonic() - begin > seconds:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return time.monotonic() - begin


def received():
    with open("/proc/net/dev") as counters:
        return int(re.search(r"lo:\s*(\d+)", counters.read())[1])


def main(kind, count, idle, rounds, folder):
    run(["ip", "link", "set", "lo", "up"])
    site = {"edgenode": Nodes, "serf": Serf}[kind](folder)
    found = {"idle": [], "join": [], "death": []}
    for number in range(1, count + 1):
        site.start(number)
    begin = time.monotonic()
    wait("everybody knows everybody", lambda: all(site.alive(one) == count - 1 for one in site.members), begin)
    time.sleep(min(idle, 10))
    for _ in range(rounds):
        before, begin = received(), time.monotonic()
        time.sleep(idle)
        found["idle"].append((received() - before) / (time.monotonic() - begin) / count)
    for round_ in range(rounds):
        known = {one: site.dead(one) for one in site.members}
        new = count + 1 + round_
        begin = site.start(new)
        others = [one for one in site.members if one != new]
        found["join"].append(wait("the new one is known", lambda: all(site.alive(one) == count for one in others), begin))
        time.sleep(3)
        victim = site.members.pop(new)
        begin = time.monotonic()
        os.kill(victim.pid, signal.SIGKILL)
        found["death"].append(wait("the killed one is dead", lambda: all(site.dead(one) > known[one] for one in others), begin))
        victim.stop()
        time.sleep(3)
    print(json.dumps(found))


if __name__ == "__main__":
    try:
        kind, count, idle, rounds, folder = sys.argv[1:]
        main(kind, int(count), float(idle), int(rounds), folder)
    except Failed as reason:
        sys.exit(str(reason))
