"""A reduced model of the node's gossip for more members than the full simulation runs: who has heard what, and when.

It has the rules of Sources/Gossip about when and to whom something is said (rounds of gossip, what rides on probes, how
often an item is said), and of suspicion about how it comes and ends. It has no bytes, keys, records, streams, losses or
refutations; every member knows all others, and a message takes a millisecond. Run beside the full simulation at a size that
both can do, it says how much that leaves out.
"""

import heapq
import math
import random
import statistics

GOSSIP, FANOUT, PROBE, DELAY = 0.2, 3, 1.0, 0.001
SUSPICION, GROWTH, STRETCH, ACCUSERS = 3.0, 1.0, 6, 3


class Members:
    """Everybody with what he still says: {item: times left}."""

    def __init__(self, count, seed):
        self.count, self.random = count, random.Random(seed)
        self.times = 4 * math.ceil(math.log10(count + 1))
        self.said = [{} for _ in range(count)]
        self.known = [{} for _ in range(count)]  # item: when it was heard
        self.events, self.number = [], 0
        for member in range(count):
            self.at(self.random.uniform(0, GOSSIP), self.gossip, member)
            self.at(self.random.uniform(0, PROBE), self.probe, member)
        self.heard = lambda member, item, now: None
        self.target = lambda member, now: self.random.randrange(self.count)

    def at(self, time, what, *words):
        self.number += 1
        heapq.heappush(self.events, (time, self.number, what, words))

    def learn(self, member, item, now):
        if item not in self.known[member]:
            self.known[member][item] = now
            self.said[member][item] = self.times
            self.heard(member, item, now)

    def datagram(self, member, to, now):
        """Everything that is unsaid rides along."""
        said = self.said[member]
        for item in list(said):
            self.at(now + DELAY, self.receive, to, item)
            said[item] -= 1
            if not said[item]:
                del said[item]

    def receive(self, now, member, item):
        self.learn(member, item, now)

    def gossip(self, now, member):
        for _ in range(FANOUT):
            if self.said[member]:
                self.datagram(member, self.random.randrange(self.count), now)
        self.at(now + GOSSIP, self.gossip, member)

    def probe(self, now, member):
        other = self.target(member, now)
        if other is not None:
            self.datagram(member, other, now)
            self.at(now + DELAY, self.answer, other, member)
        self.at(now + PROBE, self.probe, member)

    def answer(self, now, member, to):
        self.datagram(member, to, now)

    def run(self, done):
        while not done():
            now, _, what, words = heapq.heappop(self.events)
            what(now, *words)


def rumor(count, seed):
    """Seconds until half, 99 % and all members know what one of them says."""
    members = Members(count, seed)
    times = []
    members.heard = lambda member, item, now: times.append(now)
    begin = 1.0
    members.at(begin, lambda now: members.learn(0, "news", now))
    members.run(lambda: len(times) == count or members.events[0][0] > begin + 30)
    times.sort()
    return [times[min(len(times) - 1, int(len(times) * share))] - begin for share in (0.5, 0.99)] + [times[-1] - begin]


def crash(count, seed):
    """Seconds from a crash until all others have declared it."""
    members = Members(count, seed)
    least = SUSPICION + GROWTH * max(0, math.log10(count) - 1)
    begin, suspected, tried, dead, finish = 2.0, {}, set(), {}, {}

    def deadline(member):
        more = len(members.known[member]) - 1
        share = min(1, math.log(more + 1) / math.log(ACCUSERS + 1))
        return suspected[member] + max(least, least * STRETCH - least * (STRETCH - 1) * share)

    def heard(member, item, now):
        suspected.setdefault(member, now)
        if len(members.known[member]) > ACCUSERS + 1:
            members.said[member].pop(item, None)
        members.at(max(now, deadline(member)), settle, member)

    def settle(now, member):
        if member in dead or now < deadline(member):
            return
        if member in finish and now < finish[member]:
            return members.at(finish[member], settle, member)
        if member in tried or len(members.known[member]) >= 3:
            dead[member] = now

    def failed(now, member):
        tried.add(member)
        members.learn(member, f"accused by {member}", now)

    def target(member, now):
        """The dead one is probed by one member in each second, and by all who suspect it and have not tried it."""
        if member in suspected and member not in tried and member not in finish:
            finish[member] = now + PROBE
            members.at(now + PROBE, failed, member)
            return None
        return members.random.randrange(count)

    members.heard, members.target = heard, target
    first = begin + members.random.uniform(0, 1) + PROBE
    members.at(first, failed, 0)
    members.run(lambda: len(dead) == count or members.events[0][0] > begin + 120)
    return max(dead.values()) - begin


def measure(count, rounds=5):
    """What the bench tells of a cluster of that size."""
    rumors = [rumor(count, seed) for seed in range(rounds)]
    crashes = [crash(count, seed) for seed in range(rounds)]
    half, most, all_ = (statistics.median(one[part] for one in rumors) for part in range(3))
    return [f"an object known to a node: median {half:.2f} s, 99 % {most:.2f} s, last {all_:.2f} s",
            f"crash declared by all: median {statistics.median(crashes):.1f} s, worst {max(crashes):.1f} s"]
