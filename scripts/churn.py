"""Kills and restarts nodes at random while clients pull through all of them, for measure-cluster.sh:
churn.py BINARY NETWORK FOLDER NODES SECONDS.

A pull belongs to one blob. It is asked of one node after another, each time from the byte where the one before broke
off, as a client with several mirrors does. A node may only fail it when that node was killed since it was asked; any
other failure, and any wrong byte, is the node's fault and ends the run with 1. The last look is at the healed cluster without
upstream: whatever one node holds, all of them give.
"""

import hashlib
import http.client
import os
import random
import signal
import subprocess
import sys
import threading
import time

binary, network, folder, count, span = sys.argv[1:4] + [int(sys.argv[4]), float(sys.argv[5])]
seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1 << 32)
print(f"churn: seed {seed} (SEED={seed} draws the same again)", flush=True)
SIZES = [1 << 10, 60 << 10, 700 << 10, 3 << 20, 9 << 20]
CLIENTS, AWAY = 6, 2


class Node:
    """A node's process, and how often it was killed."""

    def __init__(self, number):
        self.number, self.address = number, f"10.77.0.{10 + number}"
        self.kills, self.is_up = 0, True
        self.lock = threading.Lock()

    def pids(self):
        return subprocess.run(
            ["ip", "netns", "pids", f"{network}-{self.number}"], capture_output=True, text=True
        ).stdout.split()

    def kill(self):
        with self.lock:
            self.kills, self.is_up = self.kills + 1, False
        for pid in self.pids():
            os.kill(int(pid), signal.SIGKILL)

    def start(self):
        log = open(f"{folder}/node{self.number}.log", "a")
        subprocess.Popen(
            ["ip", "netns", "exec", f"{network}-{self.number}", binary, "run", "--config",
             f"{folder}/node{self.number}.toml"], stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 20
        while not self.answers("/readyz"):
            if time.monotonic() > deadline:
                faults.append(f"node {self.number} was not ready 20 s after its start")
                break
            time.sleep(0.05)
        with self.lock:
            self.is_up = True

    def answers(self, path):
        try:
            connection = http.client.HTTPConnection(self.address, 4890, timeout=2)
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except OSError:
            return False

    def state(self):
        with self.lock:
            return self.kills, self.is_up


nodes = [Node(number) for number in range(1, count + 1)]
faults, blobs, totals = [], [], {"pulls": 0, "bytes": 0, "continued": 0, "kills": 0}
over = threading.Event()
lock = threading.Lock()


def make_blob(chance):
    data = chance.randbytes(chance.choice(SIZES) + chance.randrange(1000))
    name = hashlib.sha256(data).hexdigest()
    with open(f"{folder}/blob.{name}", "wb") as file:
        file.write(data)
    os.rename(f"{folder}/blob.{name}", f"{folder}/blobs/{name}")
    return name, len(data)


def pull(node, name, start, into, timeout=60):
    """Adds what `node` gives from byte `start` on to the hash `into`. Returns the bytes that came and what went wrong."""
    came = 0
    try:
        connection = http.client.HTTPConnection(node.address, 4890, timeout=timeout)
        headers = {"Range": f"bytes={start}-"} if start else {}
        connection.request("GET", f"/v2/registry.test/app/blobs/sha256:{name}", headers=headers)
        answer = connection.getresponse()
        if answer.status != (206 if start else 200):
            return 0, f"status {answer.status}: {answer.read(300)!r}"
        while part := answer.read(1 << 16):
            into.update(part)
            came += len(part)
        if answer.length:
            return came, f"cut short, {answer.length} bytes before the end"
        return came, None
    except (OSError, http.client.HTTPException) as error:
        return came, f"{type(error).__name__}: {error}"


def pull_whole(chance, name, size):
    into, have, begun = hashlib.sha256(), 0, time.monotonic()
    while have < size:
        node = chance.choice(nodes)
        kills, is_up = node.state()
        if not is_up:
            time.sleep(0.02)
            continue
        came, failure = pull(node, name, have, into)
        have += came
        if failure is None:
            continue
        # The kill may be noticed before it is noted.
        time.sleep(0.2)
        if node.state() == (kills, True):
            faults.append(f"node {node.number}, never killed meanwhile: {name} at byte {have} of {size}: {failure}")
            return
        with lock:
            totals["continued"] += 1
    if into.hexdigest() != name:
        faults.append(f"{name}: wrong bytes")
    with lock:
        totals["pulls"] += 1
        totals["bytes"] += size
        totals["longest"] = max(totals.get("longest", 0), time.monotonic() - begun)


def client(number):
    chance = random.Random(f"{seed} client {number}")
    while not over.is_set():
        # Recent ones are wanted most.
        name, size = blobs[-1 - min(int(chance.expovariate(0.1)), len(blobs) - 1)]
        pull_whole(chance, name, size)
        if chance.random() < 0.3:
            blobs.append(make_blob(chance))


def kill_and_start(number):
    chance = random.Random(f"{seed} killer {number}")
    while not over.wait(chance.uniform(1, 6)):
        with lock:
            up = [node for node in nodes if node.state()[1]]
            node = chance.choice(up)
            node.kill()
            totals["kills"] += 1
        time.sleep(chance.uniform(0.2, 4))
        node.start()


def healed():
    """Everything that anybody holds is given by everybody, without upstream."""
    subprocess.run(
        ["ip", "-n", f"{network}-up", "link", "set", "eth0", "down"], check=True)
    time.sleep(5)  # Inventories are compared every few seconds.
    chance = random.Random(f"{seed} healed")
    lists = [held_by(node) for node in nodes]
    held = [blob for blob in blobs if any(blob[0] in listed for listed in lists)]
    wanted = chance.sample(held, min(20, len(held)))
    for name, size in wanted:
        for node in nodes:
            into = hashlib.sha256()
            came, failure = pull(node, name, 0, into)
            if failure or into.hexdigest() != name:
                faults.append(f"healed, without upstream: node {node.number} gives {came} of {size} of {name}: {failure}")
    return len(wanted)


def held_by(node):
    listed = subprocess.run(
        ["ip", "netns", "exec", f"{network}-{node.number}", binary, "inventory", "--config", f"{folder}/node{node.number}.toml"],
        capture_output=True, text=True)
    if listed.returncode != 0:
        faults.append(f"node {node.number} cannot list what it holds: {listed.stderr.strip()}")
    return listed.stdout


chance = random.Random(f"{seed} blobs")
blobs += [make_blob(chance) for _ in range(10)]
threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
threads += [threading.Thread(target=kill_and_start, args=(number,)) for number in range(AWAY)]
for thread in threads:
    thread.start()
time.sleep(span)
over.set()
for thread in threads:
    thread.join(120)
given = healed() if not faults else 0
print(f"churn: {totals['pulls']} pulls, {totals['bytes'] / 1e6:.0f} MB of {len(blobs)} blobs, {totals['kills']} kills, "
      f"{totals['continued']} pulls went on at another node, the longest took {totals.get('longest', 0):.1f} s; then "
      f"{given} blobs from all {count} nodes without upstream", flush=True)
for fault in faults[:20]:
    print(f"churn: FAILED: {fault}", flush=True)
sys.exit(1 if faults else 0)
