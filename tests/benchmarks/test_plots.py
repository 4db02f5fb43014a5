"""Plots and tables are made of a run's figures, and the documents show figures that there are."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.documents import filled
from benchmarks.drawing import HEIGHT, Chart, Scale, draw
from benchmarks.plot import charts, read, write
from tests.benchmarks.test_benchmarks import ROWS

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"
MEDIANS = {
    "fields: 1": {"worker_us_per_hit": 10.0, "postgres_us_per_hit": 20.0},
    "fields: 100": {"worker_us_per_hit": 60.0, "postgres_us_per_hit": 80.4},
    "worker": {"worker_us_per_hit": 12.0, "postgres_us_per_hit": 1234.0},
}

LABELS = ("10 a POST", "by a proxy", "1,000")


def drawn(*, lines: bool = False) -> ElementTree.Element:
    series = {"worker": [10.0, 60.0], "idle": [0.0, 0.0], "postgres": [20.0, 80.4]}
    chart = Chart("Costs <of> hits", "µs", "fields", ["1", "100"], series, lines)
    return ElementTree.fromstring(draw(chart))


def texts(svg: ElementTree.Element) -> list[str | None]:
    return [text.text for text in svg.iter(f"{SVG}text")]


def test_a_chart_says_what_it_shows_to_those_who_do_not_see_it() -> None:
    svg = drawn()
    assert svg.get("role") == "img"
    assert [svg.findtext(f"{SVG}{name}") for name in ("title", "desc")] == [
        "Costs <of> hits",
        "µs. worker: 10 at 1, 60 at 100; postgres: 20 at 1, 80.4 at 100.",
    ]


def test_bars_stand_on_each_other_and_have_their_sum_above() -> None:
    svg = drawn()
    assert {"30", "140", "1", "100", "fields", "worker", "postgres"} <= set(texts(svg))
    assert "idle" not in texts(svg)
    bars = [rect for rect in svg.iter(f"{SVG}rect") if rect.get("width") == "64"]
    heights = [float(bar.get("height", "")) for bar in bars]
    assert heights[2] == pytest.approx(2 * heights[0], abs=0.3)
    assert float(bars[2].get("y", "")) == pytest.approx(float(bars[0].get("y", "")) - heights[2])


def test_the_parts_of_a_long_name_stand_below_each_other() -> None:
    chart = Chart("Costs", "µs", "", ["10 a POST, by a proxy", "1,000"], {"worker": [1.0, 2.0]})
    svg = ElementTree.fromstring(draw(chart))
    first, second, other = (text for text in svg.iter(f"{SVG}text") if text.text in LABELS)
    assert (first.text, second.text, other.text) == LABELS
    assert first.get("x") == second.get("x") != other.get("x")
    assert float(first.get("y", "")) < float(second.get("y", "")) < HEIGHT


def test_lines_go_through_all_points() -> None:
    svg = drawn(lines=True)
    points = [line.get("points", "").split() for line in svg.iter(f"{SVG}polyline")]
    assert [len(line) for line in points] == [2, 2, 2]
    assert float(points[0][1].split(",")[1]) < float(points[0][0].split(",")[1])


@pytest.mark.parametrize("most", [0.2, 1, 3.3, 40, 41, 999, 250_000])
def test_a_scale_reaches_beyond_its_figures(most: float) -> None:
    scale = Scale.up_to(most)
    assert most <= scale.top
    assert len(scale.ticks) <= 5
    assert 0 < scale.y(most) < scale.y(0) < HEIGHT


def test_tables_of_what_was_measured_are_written_anew() -> None:
    text = (
        "Before.\n<!-- table: fields | worker_us_per_hit, postgres_us_per_hit -->\nold\n"
        "<!-- end of table -->\n<!-- table: worker | nobody_knows, postgres_us_per_hit -->\n"
        "<!-- end of table -->\n<!-- table: weeks | timeline_ms -->\nkept\n"
        "<!-- end of table -->\n<!-- machine -->\n<!-- end of machine -->\n"
    )
    assert filled(text, {"cores": 2, "load_before": 0.5}, MEDIANS) == (
        "Before.\n<!-- table: fields | worker_us_per_hit, postgres_us_per_hit -->\n"
        "| fields | worker µs per hit | postgres µs per hit |\n|---|---:|---:|\n"
        "| 1 | 10 | 20 |\n| 100 | 60 | 80.4 |\n<!-- end of table -->\n"
        "<!-- table: worker | nobody_knows, postgres_us_per_hit -->\n| | worker |\n|---|---:|\n"
        "| postgres µs per hit | 1,234 |\n<!-- end of table -->\n"
        "<!-- table: weeks | timeline_ms -->\nkept\n<!-- end of table -->\n"
        "<!-- machine -->\ncores 2, load before 0.5.\n<!-- end of machine -->\n"
    )


def test_plots_are_drawn_again_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "figures.jsonl"
    lines = [
        {"machine": {"cores": 2}},
        {"row": "fields: 1", "round": 1, **MEDIANS["worker"]},
        *({"row": row, "median_of": 1, **figures} for row, figures in MEDIANS.items()),
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    machine, medians = read([file])
    assert (machine, medians) == ({"cores": 2}, MEDIANS)
    (tmp_path / "images").mkdir()
    write(tmp_path, machine, medians)
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["growth-fields.svg"]


def test_the_documents_show_figures_that_there_are() -> None:
    known = {row.rpartition(": ")[0]: names for row, names in ROWS.items()} | ROWS
    for file in DOCS.glob("*.md"):
        for what, names in re.findall(r"<!-- table: (.+?) \| (.+?) -->", file.read_text("utf-8")):
            for row in what.split("; "):
                assert set(names.split(", ")) <= known[row], f"{file.name}: {row}"


def test_every_plot_is_in_a_document() -> None:
    shown = "".join(file.read_text(encoding="utf-8") for file in DOCS.glob("*.md"))
    every = {row: dict.fromkeys(names, 1.0) for row, names in ROWS.items()}
    assert {name for name in charts(every) if f"images/{name}.svg" not in shown} == set()
    for name in re.findall(r"images/([\w-]+\.svg)", shown):
        assert (DOCS / "images" / name).exists(), name
