"""What a section found, as plain data that is kept as JSON: sections that run one by one make one page."""

import datetime
import json
import os

OURS = "edgenode"


class Table:
    """One quantity of some competitors in some cases, with a sample a round; `against` are those whom the node is also
    compared with when they are not the best."""

    def __init__(self, title, unit, better="less", scale=1, note="", against=()):
        self.title, self.unit, self.better, self.scale, self.note = title, unit, better, scale, note
        self.against = list(against)
        self.cases = {}

    def add(self, case, competitor, samples):
        """Samples in the base unit; the report shows them multiplied by `scale`."""
        if samples:
            self.cases.setdefault(case, {})[competitor] = [round(value * self.scale, 6) for value in samples]

    def data(self):
        return {key: getattr(self, key) for key in ("title", "unit", "better", "note", "against", "cases")}


class Result:
    """The tables of a section, with what a reader must know beside them."""

    def __init__(self, name, title, about):
        self.name, self.title, self.about = name, title, about
        self.tables, self.notes, self.missing = [], [], []

    def table(self, *words, **options):
        self.tables.append(Table(*words, **options))
        return self.tables[-1]

    def data(self, quick, machine, seconds):
        return {"title": self.title, "about": self.about, "notes": self.notes, "missing": self.missing,
                "tables": [table.data() for table in self.tables if table.cases], "quick": quick, "seconds": round(seconds),
                "machine": machine, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


def load(path):
    try:
        with open(path) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save(path, name, data):
    """Puts one section's result beside those of the others."""
    everything = load(path)
    everything[name] = data
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".part", "w") as file:
        json.dump(everything, file, indent=1)
        file.write("\n")
    os.rename(path + ".part", path)
