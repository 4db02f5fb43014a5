"""What is drawn where: periods, round scales, bars that add up, spark lines."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.rules import charts
from tracker.rules.charts import Period

TODAY = date(2026, 11, 25)  # a Wednesday


def test_days_up_to_today() -> None:
    days = charts.last_days(TODAY, 30)
    assert (len(days), days[0].first, days[-1].first) == (30, date(2026, 10, 27), TODAY)
    assert (days[-1].name, days[-1].short) == ("Wed 25 Nov", "25 Nov")


def test_weeks_begin_on_mondays() -> None:
    weeks = charts.last_weeks(TODAY, 57)
    assert (len(weeks), weeks[0].first, weeks[-1].first) == (
        57,
        date(2025, 10, 27),
        date(2026, 11, 23),
    )
    assert (weeks[-1].name, weeks[-1].short) == ("Week from 23 Nov 2026", "Nov 2026")
    assert charts.last_weeks(date(2026, 11, 23), 1) == [weeks[-1]]
    assert charts.last_weeks(date(2026, 11, 29), 1) == [weeks[-1]]


@pytest.mark.parametrize(
    ("back", "day", "week"),
    [(0, 2, 1), (1, 1, 1), (2, 0, 1), (3, None, 0), (9, None, 0), (10, None, None), (-1, None, 1)],
)
def test_the_period_of_a_day(back: int, day: int | None, week: int | None) -> None:
    at = TODAY - timedelta(days=back)
    assert charts.index_of(at, charts.last_days(TODAY, 3)) == day
    assert charts.index_of(at, charts.last_weeks(TODAY, 2)) == week


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (0, "0 1"),
        (1, "0 1"),
        (4, "0 1 2 3 4"),
        (5, "0 2 4 6"),
        (8, "0 2 4 6 8"),
        (9, "0 5 10"),
        (20, "0 5 10 15 20"),
        (23, "0 10 20 30"),
        (412, "0 200 400 600"),
        (1_600, "0 500 1k 1.5k 2k"),
        (4_000_001, "0 2M 4M 6M"),
        (7_000_000_000, "0 2G 4G 6G 8G"),
    ],
)
def test_scales_are_round(most: int, labels: str) -> None:
    ticks = charts.plot(charts.last_days(TODAY, 1), [[most]], 160).ticks
    assert " ".join(tick.label for tick in ticks) == labels
    assert (ticks[0].y, ticks[-1].y) == (160, 0)


@pytest.mark.parametrize(
    ("periods", "labels"),
    [
        (charts.last_days(TODAY, 7), "19 Nov, 21 Nov, 23 Nov, 25 Nov"),
        (charts.last_days(TODAY, 30), "28 Oct, 4 Nov, 11 Nov, 18 Nov, 25 Nov"),
        (charts.last_days(TODAY, 90), "2 Sep, 23 Sep, 14 Oct, 4 Nov, 25 Nov"),
        (charts.last_weeks(TODAY, 57), "Oct 2025, Feb 2026, May 2026, Aug 2026, Nov 2026"),
    ],
)
def test_labels_are_few_and_end_today(periods: list[Period], labels: str) -> None:
    found = charts.plot(periods, [[0]] * len(periods), 160).labels
    assert ", ".join(label.text for label in found[::-1]) == labels
    assert found[0].last is (len(periods) > 7)


def test_a_bar_stands_where_its_period_is_and_its_parts_on_each_other() -> None:
    plot = charts.plot(charts.last_days(TODAY, 4), [[0, 0], [30, 10], [0, 0], [0, 20]], 160)
    first, second = plot.bars
    assert (first.period.first, second.period.first) == (TODAY - timedelta(days=2), TODAY)
    assert (first.x, first.width, second.x) == (27.5, 20, 77.5)
    assert [(one.series, one.hits, one.y, one.height) for one in first.parts] == [
        (0, 30, 40, 120),
        (1, 10, 0, 40),
    ]
    assert [(one.series, one.y, one.height) for one in second.parts] == [(1, 80, 80)]


def test_one_hit_beside_thousands_is_seen() -> None:
    [bar] = charts.plot(charts.last_days(TODAY, 1), [[3_998, 1, 1]], 160).bars
    assert [(one.y, one.height) for one in bar.parts] == [(2, 158), (1, 1), (0, 1)]


@given(
    st.integers(1, 6).flatmap(
        lambda series: st.lists(
            st.lists(st.integers(0, 10**9), min_size=series, max_size=series),
            min_size=1,
            max_size=9,
        )
    )
)
def test_bars_are_within_the_chart_and_without_gaps(table: list[list[int]]) -> None:
    plot = charts.plot(charts.last_days(TODAY, len(table)), table, 160)
    assert len(plot.bars) == sum(map(any, table))
    for bar in plot.bars:
        assert 0 <= bar.x < bar.x + bar.width <= 100
        at = 160
        for part in bar.parts:
            assert part.height >= 1
            at -= part.height
            assert part.y == at >= 0


# -- spark lines


def spark(*counts: int) -> charts.Spark:
    days = charts.last_days(TODAY, 5)
    by_day = {day.first: hits for day, hits in zip(days, counts, strict=True) if hits}
    return charts.spark(days, by_day, 40, 20)


@pytest.mark.parametrize(
    ("counts", "path"),
    [
        ((0, 0, 0, 0, 0), "M0 20H40"),
        ((0, 5, 10, 0, 0), "M0 20 10 10 20 0 30 20 40 20"),
        ((0, 0, 0, 0, 3), "M0 20 10 20 20 20 30 20 40 0"),
        ((1, 0, 1_000, 0, 0), "M0 19 10 20 20 0 30 20 40 20"),
    ],
)
def test_a_spark_line_is_flat_only_where_nothing_is(counts: tuple[int, ...], path: str) -> None:
    assert spark(*counts).path == path


def test_a_spark_line_in_words() -> None:
    assert spark(0, 0, 0, 0, 0).words == "none stored in 5 days"
    assert spark(2, 0, 1_400, 1_400, 0).words == "2,802 stored in 5 days, most on 23 Nov"
