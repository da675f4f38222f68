"""The cards say what the models' rows say, whatever is missing, and plots are whole."""

from __future__ import annotations

import json
import re
import runpy
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hustings.briefing.cards import cards
from hustings.briefing.page import Facts, render
from hustings.briefing.square import Point, Series, square_plot
from hustings.briefing.strips import drawn

FACTS = runpy.run_path(str(Path(__file__).with_name("facts.py")))


@pytest.fixture(scope="module")
def facts() -> Facts:
    return FACTS["with_cards"]()


@pytest.fixture(scope="module")
def text(facts) -> str:
    html = render(facts)
    card = html[html.index("<article") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", card))


@pytest.mark.parametrize(
    "said",
    [
        "The turnout score beats share of elections voted in",
        "Better than share of elections voted in by 0.0193 of log-loss (95 % interval 0.0181 to 0.0205).",
        "5 August 2002 (9) and 2 August 2004 (90)",
        "forward in time",
        "The best-ranked 20 in 100 hold 38 in 100 of all who did it",
        "It rests most on primaries voted in and age",
        "By age it is too low for under 30",
        "By place every group is too small to judge",
        "The scores have moved since training",
        "Each place has an intercept of its own",
        "Left out: 7 people whose amount is missing.",
        "In all came in 101 of every 100 expected",
        "It works for everyone; choosing by person shows no proven gain",
        "Neighbors on everyone: +8.0 points (95 % interval +6.0 to +10.0). One-sided p of that: below 0.0001, and of choosing by person 0.06",
        "a smooth function of the plain score",
        "Neighbors: choosing by person gains no more than a random choice that is proven",
        "Neighbors 10 in 100 500.0 400.0 to 600.0",
        "intervals of single people hold 89 to 92 of 100 true effects",
        "Of an effect 80 in 100 are left by election day, give or take 18.",
        "The support score is not published",
        "Worse than party by 0.0010 of log-loss (95 % interval −0.0100 to 0.0080): not proven better, and not published.",
        "Not published: it does not beat the rule of thumb party out of sample.",
    ],
)
def test_the_cards_say(text, said):
    assert said in text


def test_every_model_has_a_card_and_every_link_an_anchor(facts):
    html = render(facts)
    links = re.findall(r'<a href="#(card-[^"]+)"', html)
    assert links == re.findall(r'<article class="card" id="([^"]+)"', html)
    assert len(links) == 4
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_a_card_without_anything_in_it_is_still_a_card(facts):
    for card in ("{}", None, "[]", json.dumps({"arms": [], "groups": None, "drift": None, "gain": []})):
        made = cards(replace(facts, models=[dict(facts.models[0], card=card)]))
        assert made[0].pictures == made[0].strips == []


@pytest.mark.parametrize("part", ["gain", "importance", "groups", "amounts", "rivals", "reliability"])
def test_numbers_that_are_missing_in_a_card_do_not_break_it(facts, part):
    for model in facts.models[:3]:
        told = json.loads(model["card"])
        if part in told:
            told[part] = [dict.fromkeys(entry) for entry in told[part]]
            html = render(replace(facts, models=[dict(model, card=json.dumps(told))]))
            assert "nan" not in re.sub(r"<[^>]+>", " ", html).lower().split()


def test_a_plot_is_well_formed_and_names_everything_once():
    points = [Point(x / 10, min(1.0, x / 7), x / 10, min(1.0, x / 6)) for x in range(1, 10)]
    svg = square_plot(
        [Series("ours & co", points, curve=True), Series("theirs", points[:3], curve=False)],
        width=350, diagonal="at random", across="across", up="up", name="n", title="<t>", about="a",
    )  # fmt: skip
    root = ElementTree.fromstring(svg)
    texts = ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"ours & co", "at random", "across", "up"} <= set(texts)
    assert texts.count("ours & co") == 1


def test_rows_without_an_estimate_have_no_drawing():
    from hustings.briefing.charts import Row

    (_, one), (_, none) = drawn([Row("a", 1.0, -1.0, 3.0, "1", ""), Row("b", None, None, None, "", "")])
    assert "<circle" in one
    assert none == ""
