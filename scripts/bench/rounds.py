"""Rounds that alternate between the competitors, so that what else the machine does falls on all of them."""

import statistics


def alternate(competitors, count, measure):
    """Calls measure(name, round) for each name in turn, `count` times, each round beginning with another one.

    measure gives a dictionary of numbers, and the result is {name: {key: [a number per round]}}. A competitor whose
    measure gives None is left out."""
    samples = {name: {} for name in competitors}
    for round_ in range(count):
        shift = round_ % max(len(competitors), 1)
        for name in [*competitors[shift:], *competitors[:shift]]:
            for key, value in (measure(name, round_) or {}).items():
                if value is not None:
                    samples[name].setdefault(key, []).append(value)
    return {name: keys for name, keys in samples.items() if keys}


def median(values):
    return statistics.median(values)


def spread(values):
    """Half the distance from the lowest to the highest, as a share of the median."""
    middle = statistics.median(values)
    return (max(values) - min(values)) / 2 / middle if middle else 0


def ratio(ours, theirs):
    """The median of the rounds' own ratios: what disturbs a round disturbs both sides of it."""
    pairs = [a / b for a, b in zip(ours, theirs) if b]
    return statistics.median(pairs) if pairs else None
