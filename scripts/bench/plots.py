"""Bars in SVG, without any library: one group a case, one colour a competitor, a line from the lowest to the highest round."""

from html import escape

from .rounds import median

COLOURS = ["#c0392b", "#2c6fa6", "#58a55c", "#d9a441", "#7d5ba6", "#5f6b73", "#3aa7a3"]
WIDTH, BAR, GAP, LEFT, TOP = 760, 15, 14, 190, 62


def bars(table):
    """The SVG text of a table's bars, the axis from zero."""
    names = list(dict.fromkeys(name for case in table["cases"].values() for name in case))
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    highest = max((max(values) for case in table["cases"].values() for values in case.values()), default=0) or 1
    room = WIDTH - LEFT - 90
    parts, y = [], TOP
    for case, found in table["cases"].items():
        middle = y + len(found) * BAR / 2 + 4
        parts.append(f'<text x="{LEFT - 8}" y="{middle:.0f}" text-anchor="end">{escape(case)}</text>')
        for name, values in found.items():
            length = median(values) / highest * room
            low, high = min(values) / highest * room, max(values) / highest * room
            line = y + BAR / 2 - 1
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{max(length, 1):.1f}" height="{BAR - 2}" fill="{colours[name]}"/>')
            parts.append(f'<line x1="{LEFT + low:.1f}" x2="{LEFT + high:.1f}" y1="{line}" y2="{line}" stroke="#222"/>')
            parts.append(f'<text x="{LEFT + max(length, high) + 5:.1f}" y="{y + BAR - 4}" class="v">{number(median(values))}</text>')
            y += BAR
        y += GAP
    legend, x = [], 8
    for name in names:
        legend.append(f'<rect x="{x}" y="32" width="11" height="11" fill="{colours[name]}"/>'
                      f'<text x="{x + 15}" y="42">{escape(name)}</text>')
        x += 30 + 7 * len(name)
    title = f'{table["title"]}, {table["unit"]} ({table["better"]} is better)'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {max(WIDTH, x)} {y}" font-family="sans-serif" font-size="12">'
            f'<style>.v{{font-size:11px;fill:#444}}</style><rect width="100%" height="100%" fill="#fff"/>'
            f'<text x="8" y="20" font-size="14" font-weight="bold">{escape(title)}</text>{"".join(legend)}{"".join(parts)}</svg>\n')


def number(value):
    """Three digits that count, thousands with commas."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.3g}"
