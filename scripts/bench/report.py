"""docs/benchmarks.md and its plots, out of the results that are kept."""

import os
import re

from . import plots
from .results import OURS
from .rounds import median, ratio, spread

HEAD = """# Benchmarks

The node beside what people use instead, on one machine. `make bench` wrote this page; do not edit it. It is a
measurement and gates nothing.

How to repeat: `make bench` as root on Debian 12 (`make bench sections="hot-small cluster"` for some of it, `quick=1` for
a look at all of it in about three minutes, whose figures say little). It installs the programs that it compares with.
What it does and how to read it: [benchmarking.md](benchmarking.md). Every sample is in [results.json](benchmarks/results.json).

Cells are the median of the rounds, and half of the distance between the lowest and the highest round. Competitors
alternate within each round. *Ratio* is the node by the best other in that row, the median of the rounds' ratios: where
less is better, below 1 is a win of the node, where more is better, above 1. *To ...* is the same against that one.
"""


def write(everything, order, folder):
    """Writes the page and one plot a table into docs (`folder`)."""
    images = os.path.join(folder, "benchmarks")
    os.makedirs(images, exist_ok=True)
    for old in os.listdir(images):
        if old.endswith(".svg"):
            os.unlink(os.path.join(images, old))
    parts = [HEAD]
    for name in [*[one for one in order if one in everything], *[one for one in everything if one not in order]]:
        parts += _section(name, everything[name], images)
    parts.append(_machines(everything))
    with open(os.path.join(folder, "benchmarks.md"), "w") as page:
        page.write("\n".join(parts).rstrip() + "\n")


def _section(name, data, images):
    quick = " (quick run: too short to compare anything)" if data["quick"] else ""
    parts = [f"## {data['title']}\n", f"`make bench sections={name}`, {data['date']}{quick}. {data['about']}\n"]
    for number, table in enumerate(data["tables"], 1):
        parts.append(f"### {table['title']}, {table['unit']}, {table['better']} is better\n")
        if table["note"]:
            parts.append(table["note"] + "\n")
        parts.append(_rows(table))
        file = f"{name}-{number}.svg"
        with open(os.path.join(images, file), "w") as image:
            image.write(plots.bars(table))
        parts.append(f"![{table['title']}](benchmarks/{file})\n")
    parts += [f"- {note}" for note in data["notes"]]
    parts += [f"- Not measured: {reason}" for reason in data["missing"]]
    return [*parts, ""]


def _rows(table):
    names = list(dict.fromkeys(name for case in table["cases"].values() for name in case))
    compared = OURS in names and len(names) > 1
    against = [name for name in table.get("against", []) if name in names]
    head = ["", *names, *(["ratio", *(f"to {name}" for name in against)] if compared else [])]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for case, found in table["cases"].items():
        cells = [case, *(_cell(found.get(name)) for name in names)]
        if compared:
            cells.append(_ratio(found, table["better"]))
            cells += [_ratio(found, table["better"], name) for name in against]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(values):
    if not values:
        return ""
    text = plots.number(median(values))
    return f"{text} ±{spread(values) * 100:.0f} %" if len(values) > 1 else text


def _ratio(found, better, only=None):
    others = {name: values for name, values in found.items() if name != OURS and only in (None, name)}
    if OURS not in found or not others:
        return ""
    choose = min if better == "less" else max
    best = choose(others, key=lambda name: median(others[name]))
    value = ratio(found[OURS], others[best])
    if value is None:
        return ""
    return f"{value:.2f}" if only else f"{value:.2f} ({best})"


def _machines(everything):
    """Sections of one run share a machine and are named together."""
    groups = {}
    for name, data in everything.items():
        about = {key: value for key, value in data["machine"].items() if key not in ("load", "versions")}
        groups.setdefault((str(about), str(data["machine"]["versions"])), []).append(name)
    parts = ["## Machine and programs\n"]
    for names in groups.values():
        found = everything[names[0]]["machine"]
        loads = ", ".join(f"{everything[name]['machine']['load']}" for name in names)
        versions = ", ".join(f"{name} {re.sub('^v', '', version)}" for name, version in found["versions"].items())
        parts.append(f"- {', '.join(names)}: {found['cpu']}, {found['cores']} cores, {found['memory']} of memory, Linux "
                     f"{found['kernel']}; load when each began: {loads}. {versions}.")
    return "\n".join(parts)
