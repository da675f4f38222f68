"""Charts are exact in size, tell all they are given, and stay inside their frame."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from hustings.briefing.charts import Row, interval_chart
from hustings.briefing.drawing import ticks_of
from hustings.briefing.labels import along, place
from hustings.briefing.look import PALETTE, figure, money, points, text_width, wrap
from hustings.briefing.reliability import Bin, reliability_chart

SVG = "{http://www.w3.org/2000/svg}"
ROWS = [
    Row("Neighbors", 8.13, 7.47, 8.79, "+8.1", "7.5 to 8.8", "38,201 people", strong=True),
    Row("Self & <b>others</b>", -2.0, -3.1, -0.9, "−2.0", "−3.1 to −0.9"),
    Row("Civic Duty", None, None, None, "", "", "No estimate: the control is empty"),
]
BINS = [Bin(p, p + 0.01, p, p + 0.02, 900) for p in (0.1, 0.25, 0.4, 0.6)]
RULE = [Bin(0.2, 0.26, 0.25, 0.27, 900), Bin(0.5, 0.42, 0.4, 0.44, 900)]


def _intervals(rows: list[Row], width: float = 580) -> ElementTree.Element:
    return ElementTree.fromstring(
        interval_chart(rows, width=width, unit="Points", zero="0 = control", name="n", title="T", about="A")
    )


def _texts(svg: ElementTree.Element) -> list[str]:
    return [" ".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize("width", [350, 580])
def test_the_drawing_is_as_wide_as_asked(width):
    assert float(_intervals(ROWS, width).get("width")) == pytest.approx(width, abs=0.01)


def test_every_row_is_named_and_numbered():
    texts = _texts(_intervals(ROWS))
    for said in (
        "Neighbors",
        "+8.1",
        "7.5 to 8.8",
        "38,201 people",
        "Self & <b>others</b>",
        "−2.0",
        "0 = control",
    ):
        assert said in texts
    assert "No estimate: the control is empty" in texts


def test_a_chart_without_any_estimate_still_tells_why():
    assert "No estimate: the control is empty" in _texts(_intervals(ROWS[2:]))


def test_only_plain_shapes_and_text_are_drawn_in_colours_of_the_page():
    for svg in (_intervals(ROWS), _reliability()):
        tags = {node.tag.removeprefix(SVG) for node in svg.iter()}
        assert tags <= {"svg", "title", "desc", "g", "path", "line", "rect", "text", "tspan", "circle"}
        colours = {node.get(k) for node in svg.iter() for k in ("fill", "stroke")} - {
            None,
            "none",
            "transparent",
        }
        assert colours <= {f"var(--{name})" for name in PALETTE}
        assert not any(
            k.startswith(("on", "style", "href", "class")) for node in svg.iter() for k in node.attrib
        )


def _reliability(rule: list[Bin] = RULE, width: float = 350) -> ElementTree.Element:
    return ElementTree.fromstring(
        reliability_chart(BINS, rule, width=width, labels=("score", "rule"), name="r", title="T", about="A")
    )


def test_series_are_named_beside_their_points_and_the_rule_only_where_there_is_one():
    assert {"score", "rule", "as predicted"} <= set(_texts(_reliability()))
    assert "rule" not in _texts(_reliability(rule=[]))


def test_title_and_description_come_first_and_name_the_picture():
    svg = _intervals(ROWS)
    assert [child.tag for child in svg][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert svg.get("role") == "img"
    assert svg.get("aria-labelledby") == "n-title n-about"


def test_a_label_finds_no_place_in_a_full_plot():
    full = [(float(x), float(y)) for x in range(0, 100, 4) for y in range(0, 100, 4)]
    assert place((20, 10), full, full, (100, 100)) is None


def test_a_label_keeps_clear_of_what_is_drawn():
    line = along((0, 100), (100, 0))
    label = place((30, 12), [(50.0, 50.0)], line, (100, 100))
    assert label is not None
    assert all(abs(x - label.x) >= 20 or abs(y - label.y) >= 11 for x, y in line)


@pytest.mark.parametrize("values", [[], [0.0], [-3.1, 8.8], [1e-4], [123_456.0], [-5.0]])
def test_ticks_hold_every_number_and_nought(values):
    ticks = ticks_of(values, 4)
    assert ticks[0] <= min([0.0, *values])
    assert ticks[-1] >= max([0.0, *values])
    assert 0.0 in ticks
    assert 2 <= len(ticks) <= 8


def test_lines_are_never_wider_than_their_column():
    text = "Neighbors to every household in an extraordinarilylongwordthatneverends district"
    lines = wrap(text, 90, 14)
    assert all(text_width(line, 14) <= 90 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_numbers_are_written_as_the_house_writes_them():
    assert (
        points(0.0813, 0.0813 - 1.96 * 0.00337, 0.0813 + 1.96 * 0.00337)
        == "+8.1 points (95 % interval 7.5 to 8.8)"
    )
    assert points(None, None, None) == "not known"
    assert figure(-0.04, 1) == "0.0"
    assert money(-123_456_789, "GBP") == "−£1,234,568"
