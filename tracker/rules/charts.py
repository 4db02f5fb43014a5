"""From counts to what is drawn: days and weeks, round scales, stacked bars, spark lines.

Across, places are in percent of the width, so that a chart is as wide as its page; down, in pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

MOST_STEPS = 4
"""Of a scale."""
MOST_LABELS = 5
"""Of periods, so that they stand side by side on a phone."""
FULL = 0.8
"""What a bar takes of its place; the rest is between bars."""
WEEK = 7


@dataclass(frozen=True, slots=True)
class Period:
    """What one bar counts: a day, or a week from its Monday on; in UTC."""

    first: date
    days: int = 1

    @property
    def name(self) -> str:
        """`Thu 12 Nov`, or `Week from 9 Nov 2026`, as of weeks there may be more than a year."""
        name = day_name(self.first)
        return f"{self.first:%a} {name}" if self.days == 1 else f"Week from {name} {self.first:%Y}"

    @property
    def short(self) -> str:
        """`12 Nov`, or the month of a week, for an axis."""
        return day_name(self.first) if self.days == 1 else f"{self.first:%b %Y}"


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the scale: its number in short, and how far down it is."""

    label: str
    y: int


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a period, below; it ends there instead of being in the middle if it is last."""

    text: str
    x: float
    last: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Of a bar: hits of one series, from y downwards."""

    series: int
    hits: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Bar:
    """The hits of a period; its parts stand on each other, the first series at the bottom."""

    period: Period
    x: float
    width: float
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart of stacked bars, but for its colours; periods without hits have no bar."""

    height: int
    ticks: list[Tick]
    labels: list[Label]
    bars: list[Bar]


def day_name(day: date) -> str:
    """`12 Nov`."""
    return f"{day.day} {day:%b}"


def last_days(today: date, count: int) -> list[Period]:
    """So many days up to today, the oldest first."""
    return [Period(today - timedelta(days=back)) for back in reversed(range(count))]


def last_weeks(today: date, count: int) -> list[Period]:
    """So many weeks up to this one, of which some days may be to come; the oldest first."""
    monday = today - timedelta(days=today.weekday())
    return [Period(monday - timedelta(days=WEEK * back), WEEK) for back in reversed(range(count))]


def index_of(day: date, periods: Sequence[Period]) -> int | None:
    """Which of periods of one length, without gaps, a day is in."""
    index = (day - periods[0].first).days // periods[0].days
    return index if 0 <= index < len(periods) else None


def plot(periods: Sequence[Period], table: Sequence[Sequence[int]], height: int) -> Plot:
    """The chart of a table that has a row for each period: the hits of each series.

    What is there is seen: no part is less than 1 high, and the largest part makes room for it.
    """
    most = max(map(sum, table), default=0)
    between = step(most)
    steps = max(-(-most // between), 1)
    share = 100 / max(len(periods), 1)
    return Plot(
        height,
        [Tick(compact(n * between), height - round(height * n / steps)) for n in range(steps + 1)],
        _labels(periods),
        [
            Bar(
                period,
                round(share * (index + (1 - FULL) / 2), 2),
                round(share * FULL, 2),
                tuple(_stacked(row, height / (steps * between), height)),
            )
            for index, (period, row) in enumerate(zip(periods, table, strict=True))
            if any(row)
        ],
    )


def step(most: int) -> int:
    """From line to line of a scale up to `most`: 1, 2 or 5, or these with zeros."""
    size = 1
    while True:
        for digit in (1, 2, 5):
            if digit * size * MOST_STEPS >= most:
                return digit * size
        size *= 10


def compact(number: int) -> str:
    """`950`, `1.5k`, `20M`: round numbers in few characters."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + unit
    return str(number)


def _labels(periods: Sequence[Period]) -> list[Label]:
    """Of the newest period, and of some before it, evenly."""
    count = len(periods)
    apart = next(n for n in (1, 2, *range(WEEK, count + WEEK, WEEK)) if n * MOST_LABELS >= count)
    labels = [
        Label(periods[index].short, round(100 * (index + 0.5) / count, 2), last=False)
        for index in range(count - 1, -1, -apart)
    ]
    if apart >= WEEK:  # bars are narrow, and half of the label would be beyond the edge
        labels[0] = Label(labels[0].text, 100.0, last=True)
    return labels


def _stacked(row: Sequence[int], scale: float, height: int) -> list[Part]:
    heights = {series: max(round(hits * scale), 1) for series, hits in enumerate(row) if hits}
    largest = max(heights, key=lambda series: row[series])
    others = sum(heights.values()) - heights[largest]
    heights[largest] = max(round(sum(row) * scale) - others, 1)
    parts, y = [], height
    for series, high in heights.items():
        y -= high
        parts.append(Part(series, row[series], y, high))
    return parts


# -- spark lines


@dataclass(frozen=True, slots=True)
class Spark:
    """A line through days, of a width and height: its path, its sum, and both in words."""

    width: int
    height: int
    path: str
    total: int
    words: str


def spark(periods: Sequence[Period], by_day: Mapping[date, int], width: int, height: int) -> Spark:
    """Days without any are flat, and others never are."""
    counts = [by_day.get(period.first, 0) for period in periods]
    most, total = max(counts), sum(counts)
    apart = width / (len(counts) - 1)
    ups = [max(round(count * height / most), 1) if count else 0 for count in counts]
    points = (f"{round(index * apart)} {height - up}" for index, up in enumerate(ups))
    path = "M" + " ".join(points) if total else f"M0 {height}H{width}"
    words = (
        f"{total:,} stored in {len(counts)} days" if total else f"none stored in {len(counts)} days"
    )
    if total:
        words += f", most on {day_name(periods[counts.index(most)].first)}"
    return Spark(width, height, path, total, words)
