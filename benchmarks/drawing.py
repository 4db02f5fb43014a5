"""Draws charts as SVG: stacked bars, or lines, over sizes that stand side by side.

White behind, and colours that hold on it, so that they can be read on light and dark pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.figures import short
from tracker.rules.charts import MOST_STEPS, compact, step

COLOURS = ("#2f62d8", "#d99a2b", "#3b9a6d", "#7a5bd0", "#c93a30")
WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 76, 52
_WIDEST = 64
_FULL = 0.6
_template = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("chart.svg")


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: for each series a figure at each size; bars stand on each other.

    A series without any figure but 0 is not named, and only keeps its colour from the others.
    """

    title: str
    unit: str
    along: str
    sizes: Sequence[str]
    series: Mapping[str, Sequence[float]]
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """From figures to places, in pixels; its top is the next round number."""

    top: int
    between: int

    @classmethod
    def up_to(cls, most: float) -> "Scale":
        between = step(ceil(most))
        return cls(min(MOST_STEPS, max(1, ceil(most / between))) * between, between)

    def y(self, figure: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * figure / self.top, 1)

    @property
    def ticks(self) -> list[tuple[str, float]]:
        return [(compact(n), self.y(n)) for n in range(0, self.top + 1, self.between)]


@dataclass(frozen=True, slots=True)
class Bar:
    """All series at one size: x, width, and for each part its colour, y and height."""

    x: float
    width: float
    parts: Sequence[tuple[str, float, float]]
    total: str
    y: float


def draw(chart: Chart) -> str:
    """The chart as the text of an SVG file."""
    values = list(chart.series.values())
    sums = [sum(figures) for figures in zip(*values, strict=True)]
    scale = Scale.up_to(max(map(max, values)) if chart.lines else max(sums))
    places = [_place(number, len(chart.sizes)) for number in range(len(chart.sizes))]
    return _template.render(
        chart=chart,
        words=_words(chart),
        scale=scale,
        places=places,
        bars=[] if chart.lines else _bars(chart, scale, places, sums),
        lines=_lines(chart, scale, places) if chart.lines else [],
        legend=[
            (name, colour)
            for (name, figures), colour in zip(chart.series.items(), COLOURS, strict=False)
            if any(figures)
        ],
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        top=TOP,
        bottom=HEIGHT - BOTTOM,
    )


def _place(number: int, count: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (number + 0.5) / count, 1)


def _bars(chart: Chart, scale: Scale, places: Sequence[float], sums: Sequence[float]) -> list[Bar]:
    width = min(_WIDEST, _FULL * (WIDTH - LEFT - RIGHT) / len(places))
    bars = []
    for number, (place, total) in enumerate(zip(places, sums, strict=True)):
        parts, below = [], 0.0
        for figures, colour in zip(chart.series.values(), COLOURS, strict=False):
            bottom, below = scale.y(below), below + figures[number]
            parts.append((colour, scale.y(below), round(bottom - scale.y(below), 1)))
        x = round(place - width / 2, 1)
        bars.append(Bar(x, round(width, 1), parts, short(total), scale.y(total)))
    return bars


def _lines(
    chart: Chart, scale: Scale, places: Sequence[float]
) -> list[tuple[str, list[tuple[float, float]]]]:
    """Each series' colour and points."""
    return [
        (colour, [(x, scale.y(figure)) for x, figure in zip(places, figures, strict=True)])
        for figures, colour in zip(chart.series.values(), COLOURS, strict=False)
    ]


def _words(chart: Chart) -> str:
    """The chart for those who don't see it."""
    return "; ".join(
        f"{name}: "
        + ", ".join(
            f"{short(figure)} at {size}" for size, figure in zip(chart.sizes, figures, strict=True)
        )
        for name, figures in chart.series.items()
        if any(figures)
    )
