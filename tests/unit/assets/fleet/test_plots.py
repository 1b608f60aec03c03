"""The picture of a machine's temperatures, read back as XML."""

import base64
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from tip_assets.fleet.plots import history_markdown
from tip_resources.database.node_reports import HistoryPoint, Span

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def point(
    seconds: float, cpu: float | None, *, gpu: float | None = None, state: str = "ready", quarter: bool = False
) -> HistoryPoint:
    spans = [None if value is None else Span(value - 1, value, value + 1) for value in (cpu, gpu)]
    return HistoryPoint(
        at=START + timedelta(seconds=seconds),
        seconds=900 if quarter else 0,
        reports=30 if quarter else 1,
        state="" if quarter else state,
        cpu_celsius=spans[0],
        gpu_celsius=spans[1],
        gpu_watts=None,
        cpu_ratio=None,
        gpu_ratio=None,
    )


def drawn(markdown: str) -> ElementTree.Element:
    found = re.match(r"!\[[^]]+]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)\n\n\|", markdown)
    assert found, markdown[:200]
    return ElementTree.fromstring(base64.b64decode(found[1]))


def lines(svg: ElementTree.Element) -> list[list[tuple[float, float]]]:
    found = svg.iter(f"{SVG}polyline")
    return [[(float(x), float(y)) for x, y in (p.split(",") for p in line.attrib["points"].split())] for line in found]


def texts(svg: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in svg.iter(f"{SVG}text")]


def test_processor_and_card_each_have_a_line_and_their_limit():
    points = [point(30 * at, 50 + at, gpu=55 + at) for at in range(20)]
    svg = drawn(history_markdown(points, cpu_limit_celsius=80, gpu_limit_celsius=85))
    cpu, gpu = lines(svg)
    assert len(cpu) == len(gpu) == 20
    assert cpu[0][1] > cpu[-1][1] > gpu[-1][1], "warmer is higher"
    dashed = [line for line in svg.iter(f"{SVG}line") if "stroke-dasharray" in line.attrib]
    assert [float(line.attrib["y1"]) < gpu[-1][1] for line in dashed] == [True, True]
    assert "CPU, its hottest sensor; dashed: its limit, 80" in texts(svg)


def test_silence_is_a_gap_in_the_line_and_in_the_band():
    points = [point(30 * at, 50) for at in range(20)] + [point(7200 + 30 * at, 50, state="hot") for at in range(20)]
    svg = drawn(history_markdown(points))
    first, second = lines(svg)
    assert second[0][0] - first[-1][0] > 300
    ready, hot = [(r, float(r.attrib["x"])) for r in svg.iter(f"{SVG}rect") if r.attrib["height"] == "150"]
    assert hot[1] - (ready[1] + float(ready[0].attrib["width"])) > 300
    assert {"ready", "hot"} <= set(texts(svg))


def test_a_short_peak_is_not_lost_in_a_long_time():
    day = [point(30 * at, 95.0 if at == 1000 else 50.0, state="hot" if at == 1000 else "ready") for at in range(2880)]
    markdown = history_markdown(day, cpu_limit_celsius=80)
    (line,) = lines(drawn(markdown))
    assert len(line) <= 241
    assert min(y for _, y in line) < sorted(y for _, y in line)[1] - 50
    assert len(markdown) < 20_000
    assert "#fbdcd6" in base64.b64decode(markdown.split("base64,")[1].split(")")[0]).decode(), (
        "a band for one hot report"
    )


def test_the_table_counts_a_quarter_hour_by_its_reports():
    markdown = history_markdown([point(0, 40.0, quarter=True), point(900, 71.0), point(930, None, state="in_use")])
    assert "| CPU | 71 | 39 | 41 | 72 | - |" in markdown
    assert "| GPU | unknown | - | - | - | - |" in markdown
    assert markdown.endswith("States, by 2 reports: ready 50%, in_use 50%.")


def test_a_machine_without_a_sensor_has_bands_and_no_line():
    svg = drawn(history_markdown([point(30 * at, None) for at in range(5)], cpu_limit_celsius=80))
    assert lines(svg) == []
    assert not [line for line in svg.iter(f"{SVG}line") if "stroke-dasharray" in line.attrib]
    assert "ready" in texts(svg)


def test_nothing_reported_is_a_sentence():
    assert history_markdown([]) == "No reports of this machine in this time."
