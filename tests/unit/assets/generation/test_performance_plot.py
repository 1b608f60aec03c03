import base64
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from tip_assets.generation.performance_plot import performance_markdown
from tip_resources.database.performance import PerformanceSample

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def sample(seconds: float, rate: float | None, *, endpoint: str = "http://gpu:1234/v1", calls: int = 4, **values: int):
    return PerformanceSample(
        run_id="r",
        timestamp=START + timedelta(seconds=seconds),
        endpoint=endpoint,
        model="phi<4> & co",
        concurrency=calls,
        throughput_per_sec=rate,
        **values,
    )


def picture(markdown: str) -> ElementTree.Element:
    found = re.match(r"!\[[^]]+]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)\n\n\|", markdown)
    assert found, markdown[:200]
    return ElementTree.fromstring(base64.b64decode(found[1]))


def lines(svg: ElementTree.Element) -> list[list[tuple[float, float]]]:
    found = svg.iter("{http://www.w3.org/2000/svg}polyline")
    return [[(float(x), float(y)) for x, y in (p.split(",") for p in line.attrib["points"].split())] for line in found]


def test_every_endpoint_has_a_line_in_both_panels_and_a_row():
    two = [sample(at, 100.0 + at, endpoint=url) for at in range(0, 30, 5) for url in ("http://gpu/v1", "http://pi/v1")]
    markdown = performance_markdown(two)
    assert len(lines(picture(markdown))) == 4
    assert "| http://gpu/v1 |" in markdown
    assert "| http://pi/v1 |" in markdown


def test_a_line_rises_with_the_figure_and_runs_from_edge_to_edge():
    (rates, _) = lines(picture(performance_markdown([sample(0, 0.0), sample(5, 50.0), sample(10, 100.0)])))
    (x0, y0), (x1, y1), (x2, y2) = rates
    assert x0 < x1 < x2 <= 720
    assert x2 - x1 == x1 - x0
    assert y0 - y1 == y1 - y2 == 75


def test_the_table_weighs_each_figure_with_its_time_and_tells_what_is_unknown():
    markdown = performance_markdown(
        [sample(0, None, calls=1), sample(9, 100.0, p95_latency_ms=2500), sample(10, 0.0, calls=0)]
    )
    assert markdown.splitlines()[-1] == "| http://gpu:1234/v1 | phi<4> & co | 90.0 | 100.0 | 4 | 2.5 s | - |"


def test_a_run_of_a_day_makes_no_large_picture():
    day = [sample(at, 100.0 + at % 7) for at in range(0, 86_400, 5)]
    markdown = performance_markdown(day)
    assert len(markdown) < 20_000
    assert all(len(line) <= 240 for line in lines(picture(markdown)))


def test_one_sample_is_a_dot_and_none_a_sentence():
    svg = picture(performance_markdown([sample(0, 10.0)]))
    assert len(list(svg.iter("{http://www.w3.org/2000/svg}circle"))) == 2
    assert performance_markdown([]) == "No samples of the engine's speed were recorded for this run."
