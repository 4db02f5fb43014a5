"""Hits over time on pages: an event's chart with its numbers, and the spark lines of a list."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from tracker.pages.visit import Visit
from tracker.rules import charts
from tracker.rules.charts import Period, Plot, Spark
from tracker.rules.outcomes import Outcome, Reason
from tracker.stores import hit_counts
from tracker.stores.definitions import Definition
from tracker.stores.hit_counts import DayCount

HEIGHT = 160
SPANS = {"7": "7 days", "30": "30 days", "90": "90 days", "weeks": "13 months"}
"""How far back a chart may go: days, or weeks that are all within what is kept."""
USUAL = "30"
WEEKS = 57
VIEWS = ("outcome", "version")
TONES = {
    Outcome.STORED: "blue",
    Outcome.HELD: "violet",
    Outcome.DUPLICATE: "sky",
    Outcome.QUARANTINED: "red",
    Outcome.DROPPED: "grey",
}
"""Of each outcome, from the bottom of a bar to its top."""
VERSION_TONES = ("blue", "sky", "violet", "amber")
"""Of the newest versions; those before are one series."""
SPARK_DAYS, SPARK_WIDTH, SPARK_HEIGHT = 30, 116, 24

Came = tuple[Outcome, str]
"""An outcome and its reason, if it has one."""
Named = tuple[str, str]
"""The name of a series and its tone."""


@dataclass(frozen=True, slots=True)
class Series:
    """What has one colour in a chart, with the sum of its hits."""

    name: str
    tone: str
    hits: int


@dataclass(frozen=True, slots=True)
class Row:
    """Of the numbers: a period and a version, with the hits of each column."""

    period: Period
    version: int
    hits: list[int]


@dataclass(frozen=True, slots=True)
class Chart:
    """All that an event's page shows of its hits; tests: hits that only the numbers have."""

    span: str
    view: str
    series: list[Series]
    plot: Plot | None
    tests: int
    columns: list[Came]
    rows: list[Row]
    spans = SPANS
    views = VIEWS

    @property
    def words(self) -> str:
        """The chart for those who hear it."""
        sums = ", ".join(f"{one.hits:,} {one.name}" for one in self.series)
        return f"Hits of the last {SPANS[self.span]} by {self.view}: {sums}"


def of_event(visit: Visit, definition: Definition) -> Chart:
    """`?span=…&by=…`: what became of an event's hits, by day or week of their receipt."""
    span = visit.get("span") if visit.get("span") in SPANS else USUAL
    view = "version" if visit.get("by") == "version" else "outcome"
    today = visit.now.astimezone(UTC).date()
    weekly = not span.isdecimal()
    periods = charts.last_weeks(today, WEEKS) if weekly else charts.last_days(today, int(span))
    numbers = {version.id: version.number for version in definition.versions}
    counts = hit_counts.by_day(visit.connection, list(numbers), periods[0].first)
    drawn = [one for one in counts if not _is_test(one)]
    named = _by_version(drawn, numbers) if view == "version" else _by_outcome(drawn)
    series, table = _drawn(*named, drawn, periods)
    columns = _columns(counts)
    return Chart(
        span=span,
        view=view,
        series=series,
        plot=charts.plot(periods, table, HEIGHT) if series else None,
        tests=sum(one.hits for one in counts if _is_test(one)),
        columns=columns,
        rows=_rows(counts, columns, numbers, periods),
    )


def sparks(
    connection: psycopg.Connection, definitions: Iterable[Definition], now: datetime
) -> Mapping[int, Spark]:
    """The stored hits of the last 30 days of each definition, by its id."""
    days = charts.last_days(now.astimezone(UTC).date(), SPARK_DAYS)
    ids = [one.id for one in definitions]
    found = hit_counts.stored_by_day(connection, ids, days[0].first)
    return {
        id_: charts.spark(days, by_day, SPARK_WIDTH, SPARK_HEIGHT) for id_, by_day in found.items()
    }


def _is_test(count: DayCount) -> bool:
    return count.outcome == Outcome.DROPPED and count.reason == Reason.TEST


def _by_outcome(counts: Iterable[DayCount]) -> tuple[list[Named], list[int]]:
    """The names of series with their tones, and which of these each count is of."""
    order = list(TONES)
    names = [(outcome.value, tone) for outcome, tone in TONES.items()]
    return names, [order.index(Outcome(one.outcome)) for one in counts]


def _by_version(
    counts: Iterable[DayCount], numbers: Mapping[int, int]
) -> tuple[list[Named], list[int]]:
    came = [numbers[one.version_id] for one in counts]
    newest = sorted(set(came), reverse=True)
    shown = newest[: len(VERSION_TONES)]
    names = [
        (f"version {number}", tone) for number, tone in zip(shown, VERSION_TONES, strict=False)
    ]
    places = {number: min(place, len(shown)) for place, number in enumerate(newest)}
    return [*names, ("older versions", "grey")], [places[number] for number in came]


def _drawn(
    names: Sequence[Named],
    places: Iterable[int],
    counts: Iterable[DayCount],
    periods: Sequence[Period],
) -> tuple[list[Series], list[list[int]]]:
    """The series that have hits, and their hits in each period."""
    sums: Counter[tuple[int, int]] = Counter()
    totals: Counter[int] = Counter()
    for place, one in zip(places, counts, strict=True):
        index = charts.index_of(one.day, periods)
        if index is not None:
            sums[index, place] += one.hits
            totals[place] += one.hits
    used = sorted(totals)
    table = [[sums[index, place] for place in used] for index in range(len(periods))]
    return [Series(*names[place], totals[place]) for place in used], table


def _columns(counts: Iterable[DayCount]) -> list[Came]:
    order = list(TONES)
    came = {(Outcome(one.outcome), one.reason) for one in counts}
    return sorted(came, key=lambda one: (order.index(one[0]), one[1]))


def _rows(
    counts: Iterable[DayCount],
    columns: Sequence[Came],
    numbers: Mapping[int, int],
    periods: Sequence[Period],
) -> list[Row]:
    """The newest first; periods without hits are left out."""
    sums: dict[tuple[int, int], Counter[Came]] = {}
    for one in counts:
        index = charts.index_of(one.day, periods)
        if index is not None:
            row = sums.setdefault((index, numbers[one.version_id]), Counter())
            row[Outcome(one.outcome), one.reason] += one.hits
    return [
        Row(periods[index], version, [row[came] for came in columns])
        for (index, version), row in sorted(sums.items(), reverse=True)
    ]
