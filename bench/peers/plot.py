"""Draws what compare.py has measured: plot.py DOCUMENT PICTURE…; needs Matplotlib."""

import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plot  # noqa: E402  # after the choice of the backend

from table import case_of, case_words, order  # noqa: E402

# Colours that the colour-blind can tell apart (Okabe and Ito's), one a family; forms differ by dash.
STYLES = {
    "PyTorch, fused": ("#D55E00", "-"),
    "PyTorch, foreach": ("#D55E00", "--"),
    "PyTorch, for-loop": ("#D55E00", ":"),
    "DeepSpeed": ("#CC79A7", "-"),
    "optax, jit": ("#0072B2", "-"),
    "Keras, XLA": ("#009E73", "-"),
    "Keras, tf.function": ("#009E73", "--"),
    "Armadillo (ensmallen)": ("#A07800", "-"),
    "plain loop, -Ofast": ("#6B6F76", "-"),
    "plain loop, -O3": ("#6B6F76", "--"),
}
MUTED = "#59636E"
PANEL = 5.6, 4.1  # inches: width, height
MARGIN = 0.75, 1.75, 0.95  # left, right, below
HEADING = 0.95
LABEL_GAP = 0.047  # of the height of a panel, between the middles of two labels


def lines_of(results, cases):
    for name, (color, dash) in STYLES.items():
        points = {case_of(it): it["times"] for it in results if it["contestant"] == name}
        places = [place for place, case in enumerate(cases) if case in points]
        if places:
            yield name, color, dash, places, [points[cases[place]] for place in places]


def spread(heights):
    """Labels' heights, in order, moved apart as little as it takes: labels that touch become a block about its mean."""
    blocks = []  # mean of where its labels belong, number of labels
    for height in heights:
        blocks.append((height, 1))
        while len(blocks) > 1 and top(blocks[-2]) + LABEL_GAP > bottom(blocks[-1]):
            (low, low_count), (high, high_count) = blocks[-2:]
            count = low_count + high_count
            blocks[-2:] = [((low * low_count + high * high_count) / count, count)]
    return [bottom(block) + LABEL_GAP * i for block in blocks for i in range(block[1])]


def bottom(block):
    mean, count = block
    return max(mean - LABEL_GAP * (count - 1) / 2, 0)


def top(block):
    return bottom(block) + LABEL_GAP * (block[1] - 1)


def label(axes, lines, right):
    """Names beside the panel, each tied to the end of its line."""
    lines = sorted(lines, key=lambda line: line[4][-1])
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = [to_axes.transform((0, ys[-1]))[1] for *_, ys in lines]
    for height, (name, color, _, xs, ys) in zip(spread(heights), lines):
        axes.annotate(
            name,
            xy=(xs[-1], ys[-1]),
            xytext=(right, height),
            textcoords="axes fraction",
            color=color,
            fontsize=8.5,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": color, "lw": 0.5, "shrinkA": 1, "shrinkB": 4},
        )


def draw_panel(axes, rule, results, cases, limits):
    axes.set_yscale("log")
    axes.set_ylim(*limits)
    axes.set_xlim(-0.4, len(cases) - 0.6)
    axes.axhspan(limits[0], 1, color="#F1F3F5", lw=0)
    axes.axhline(1, color="#1F2328", lw=1.4)
    axes.text(-0.3, 0.93, "the other is faster", fontsize=8, color=MUTED, va="top")
    axes.text(-0.3, 1.07, "this library is faster", fontsize=8, color=MUTED, va="bottom")
    axes.set_title(rule, loc="left", fontsize=12, fontweight="bold")
    axes.grid(axis="y", color="#E3E6EA", lw=0.7)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.yaxis.set_minor_formatter(lambda value, _: "")
    words = [case_words(case) for case in cases]
    axes.set_xticks(range(len(cases)), [size for size, _ in words], fontsize=9)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(which="both", colors=MUTED, length=0)
    lines = list(lines_of(results, cases))
    for _, color, dash, xs, ys in lines:
        axes.plot(xs, ys, dash, color=color, lw=1.6, marker="o", ms=3.5)
    label(axes, lines, 1.03)


def draw(document):
    results = [it for it in document["results"] if it["contestant"] in STYLES and it["threads"] == 1]
    rules = list(dict.fromkeys(it["rule"] for it in results))
    cases = sorted({case_of(it) for it in results}, key=order)
    values = [it["times"] for it in results]
    limits = min(0.7, 0.8 * min(values)), 1.5 * max(values)
    columns = min(2, len(rules))
    rows = (len(rules) + columns - 1) // columns
    width, height = columns * (PANEL[0] + MARGIN[0] + MARGIN[1]), rows * (PANEL[1] + MARGIN[2]) + HEADING
    figure, panels = plot.subplots(rows, columns, figsize=(width, height), squeeze=False)
    figure.subplots_adjust(
        left=MARGIN[0] / width,
        right=1 - MARGIN[1] / width,
        top=1 - (HEADING + 0.25) / height,
        bottom=(MARGIN[2] - 0.25) / height,
        wspace=(MARGIN[0] + MARGIN[1]) / PANEL[0],
        hspace=MARGIN[2] / PANEL[1],
    )
    note = f"f32, one thread, log scale; medians over {document['rounds']} rounds, by turns"
    note += f"; {document['machine']['processor']}"
    note += "; indicative (--quick)" if document["quick"] else ""
    title = "Time of an optimizer's step, as multiples of this library's"
    figure.text(0.2 / width, 1 - 0.4 / height, title, fontsize=15, fontweight="bold")
    figure.text(0.2 / width, 1 - 0.7 / height, note, fontsize=9.5, color=MUTED)
    for axes in panels.flat[len(rules) :]:
        axes.set_visible(False)
    for axes, rule in zip(panels.flat, rules):
        draw_panel(axes, rule, [it for it in results if it["rule"] == rule], cases, limits)
    return figure


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    matplotlib.rcParams.update({"font.family": "DejaVu Sans", "svg.hashsalt": "peers"})
    figure = draw(document)
    for path in sys.argv[2:]:
        figure.savefig(path, dpi=130, facecolor="white")


if __name__ == "__main__":
    main()
