"""The page says what the facts say, whatever is missing from them, and nothing that they hold can act."""

from __future__ import annotations

import json
import re
import runpy
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hustings.briefing.page import Facts, render

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x00"


class _Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


@pytest.fixture(scope="module")
def facts() -> Facts:
    return runpy.run_path(str(Path(__file__).with_name("facts.py")))["michigan"]()


@pytest.fixture(scope="module")
def html(facts: Facts) -> str:
    return render(facts)


def _text(facts: Facts) -> str:
    return _Page(render(facts)).text


def test_the_page_is_the_same_for_the_same_facts(facts, html):
    assert render(facts) == html


def test_the_headline_is_the_finding_of_rank_one(facts):
    text = render(
        replace(facts, findings=[{"rank": 2, "finding": "Second."}, {"rank": 1, "finding": "First."}])
    )
    assert "<h1>First.</h1>" in text
    assert "<strong>Second.</strong>" in text


def test_the_published_lifts_stand_with_their_intervals_and_people(html):
    text = _Page(html).text
    assert "Neighbors raises turnout most: by 8.1 points" in text
    assert "+8.1 points (95 % interval 7.5 to 8.8)" in text
    assert "+1.8 points (95 % interval 1.2 to 2.4)" in text
    assert "344,084 people in 180,002 households" in text
    assert "38,201" in text


def test_the_decision_carries_gain_interval_cost_rule_and_approval(html):
    text = _Page(html).text
    for part in (
        "Send the mail plan by Wednesday?",
        "+2,870 ballots",
        "95 % interval 2,309 to 3,431",
        "$20,000",
        "middle voters first",
        "+2,590 ballots",
        "2 waiting",
        "Names the neighbours and whether they voted.",
        "If all were: +8,150 ballots.",
    ):
        assert part in text


def test_an_approval_is_shown_with_its_name(facts):
    actions = [dict(a, approved_by="R. Ortega" if a["needs_approval"] else None) for a in facts.actions]
    text = _text(replace(facts, actions=actions))
    assert "Self and Neighbors, by R. Ortega" in text
    assert "needs approval" not in text


def test_only_the_latest_decision_of_a_plan_is_put(facts):
    old = dict(facts.decisions[0], as_of=date(2006, 7, 1), question="An old question?")
    assert "An old question?" not in _text(replace(facts, decisions=[*facts.decisions, old]))


def test_a_decision_without_gain_says_send_nothing(facts):
    none = dict(facts.decisions[0], expected=None, low=None, high=None, recommendation="Keep the money.")
    text = _text(replace(facts, decisions=[none]))
    assert "Send nothing. Keep the money." in text
    assert "Expected gain" not in text


def test_send_nothing_is_said_once_and_with_its_reason(facts):
    none = dict(
        facts.decisions[0], expected=None, low=None, high=None, recommendation="Send nothing: too dear."
    )
    options = [dict(o, reason="too dear") if o["option"] == "plan" else o for o in facts.options]
    text = _text(replace(facts, decisions=[none], options=options))
    assert "Send nothing. Send nothing" not in text
    assert "The control group can show" not in text
    assert text.count("Send nothing: too dear") >= 2


def test_a_plan_that_cannot_be_told_from_nothing_says_send_nothing(facts):
    options = [dict(o, low=-10.0, per_1000_low=-0.5) if o["option"] == "plan" else o for o in facts.options]
    assert "The plan cannot be told from sending nothing: send nothing" in _text(
        replace(facts, options=options)
    )


def test_a_plan_no_better_than_its_rule_says_so(facts):
    options = [
        dict(o, advantage_low=-5.0) if o["option"] == "middle voters first" else o for o in facts.options
    ]
    assert "The plan is not clearly better than “Middle voters first”" in _text(
        replace(facts, options=options)
    )


def test_options_that_wait_for_approval_say_so_in_words(html):
    text = _Page(html).text
    assert "Neighbors to all (needs approval)" in text
    assert "The plan if all approved (needs approval)" in text
    assert "Middle voters first (needs approval)" not in text


def test_a_lift_without_estimate_shows_its_reason(facts):
    lifts = [
        dict(facts.lifts[0], estimate=None, low=None, high=None, reason="no control households"),
        *facts.lifts[1:],
    ]
    text = _text(replace(facts, lifts=lifts))
    assert "No estimate: no control households" in text
    assert "What Civic Duty does to turnout: no control households." in text


def test_no_experiment_is_said_plainly(facts):
    text = _text(replace(facts, lifts=(), experiments=()))
    assert "No experiment has been run" in text
    assert "What any contact does: no experiment has been run." in text


def test_a_draw_that_went_wrong_forbids_reading_its_lifts(facts):
    arms = [dict(a, p_sample_ratio=1e-6) for a in facts.experiments]
    assert "do not rely on these lifts" in _text(replace(facts, experiments=arms))


def test_effects_that_are_not_clear_are_no_finding(facts):
    lifts = [dict(r, estimate=0.002, low=-0.004, high=0.008) for r in facts.lifts]
    assert "No effect on turnout was found in the test “mailers”" in _text(replace(facts, lifts=lifts))


def test_arms_whose_intervals_meet_are_not_ranked(facts):
    lifts = [dict(r, estimate=0.05, low=0.04, high=0.06) for r in facts.lifts[:2]]
    assert "Civic Duty and Hawthorne raise turnout; which arm does most is not settled" in _text(
        replace(facts, lifts=lifts)
    )


def test_an_unpublished_score_is_called_unused(facts):
    models = [dict(facts.models[0], published=False, reason="its rule is better"), facts.models[1]]
    text = _text(replace(facts, models=models))
    assert "The turnout score does not beat its rule of thumb, and is not used" in text
    assert "Whether the turnout score can be trusted: its rule is better." in text


def test_the_model_itself_is_never_shown(html):
    assert "never shown" not in html


def test_counts_that_do_not_add_up_are_named(facts):
    sources = [dict(facts.sources[0], n_kept=344_000), *facts.sources[1:]]
    text = _text(replace(facts, sources=sources))
    assert "The counts of voters do not add up" in text
    assert "344,000 kept + 0 rejected is not 344,084 read" in text


def test_rejected_rows_are_counted_with_their_reasons(html):
    text = _Page(html).text
    assert "378 of 388,165 rows could not be read" in text
    assert "no record_id: 290" in text


def test_only_the_most_frequent_reasons_are_told(facts):
    reasons = [{"reason": f"fault {i}", "n": 90 - i} for i in range(50)]
    text = _text(replace(facts, sources=[dict(facts.sources[1], reasons=reasons)]))
    assert "fault 2: 88" in text
    assert "fault 3" not in text
    assert "47 more reasons" in text


def test_a_goal_shows_shape_word_and_number(html):
    row = re.search(r'<td class="status behind">(.*?)</td>', html, re.S)
    assert row is not None
    assert "<svg" in row[1]
    assert "behind" in row[1]
    assert "−4.1 %" in row[1]


def test_the_page_of_no_facts_is_whole():
    text = _text(Facts())
    for said in (
        "Nothing has been found yet.",
        "Nothing today.",
        "No goal has been set.",
        "There is no plan",
    ):
        assert said in text
    assert "None" not in text.replace("None has been made.", "")


@pytest.mark.parametrize(
    "part", ["findings", "decisions", "goals", "lifts", "experiments", "models", "options", "sources"]
)
def test_rows_of_nulls_do_not_break_the_page(facts, part):
    rows = [dict.fromkeys(row) for row in getattr(facts, part)]
    text = _text(replace(facts, **{part: rows}))
    assert "None" not in text
    assert "nan" not in text.lower().split()


def test_numbers_that_are_none_are_no_numbers(facts):
    lifts = [{k: float("nan") if isinstance(v, float) else v for k, v in r.items()} for r in facts.lifts]
    assert "no lift on turnout that can be read yet" in _text(replace(facts, lifts=lifts))


def test_nothing_in_the_facts_can_act(facts):
    def spoil(value):
        if isinstance(value, str):
            return HOSTILE
        if isinstance(value, list):
            return [spoil(v) for v in value]
        return {k: spoil(v) for k, v in value.items()} if isinstance(value, dict) else value

    keep = {"option", "estimator", "card", "status"}
    parts = ("findings", "decisions", "goals", "lifts", "experiments", "options", "actions", "sources")
    rows = {
        p: [{k: v if k in keep else spoil(v) for k, v in r.items()} for r in getattr(facts, p)] for p in parts
    }
    rows["options"] = [dict(r, option=f"{HOSTILE}{r['option']}") for r in rows["options"]]
    rows["models"] = [dict(m, model_id=f"scores.{HOSTILE}", rule=HOSTILE) for m in facts.models]
    page = _Page(
        render(replace(facts, name=HOSTILE, place=HOSTILE, run_id=HOSTILE, currency=HOSTILE, **rows))
    )
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "object"}
    assert all(re.fullmatch(r"#[a-z0-9-]+", attrs["href"]) for tag, attrs in page.tags if tag == "a")
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert "\x00" not in page.text


def test_only_the_one_style_may_act_and_nothing_is_fetched(html):
    page = _Page(html)
    policy = next(a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [a for _, a in page.tags if "style" in a]
    links = [a["href"] for _, a in page.tags if "href" in a]
    assert [link for link in links if not link.startswith("#")] == ["data:,"]
    ids = {a["id"] for _, a in page.tags if "id" in a}
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    assert not [a for _, a in page.tags if "src" in a]


def test_every_picture_has_words_a_caption_and_a_table(html):
    page = _Page(html)
    drawings = [a for t, a in page.tags if t == "svg" and a.get("role") == "img"]
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(drawings) == 7
    assert len(ids) == len(set(ids))
    assert all(part in ids for a in drawings for part in a["aria-labelledby"].split())
    tags = [t for t, _ in page.tags]
    assert tags.count("figcaption") == tags.count("details") == tags.count("figure") == 4


def test_a_card_that_is_read_already_is_understood(facts):
    models = [dict(facts.models[0], card=json.loads(facts.models[0]["card"]))]
    assert "The turnout score is off by 0.5 points on average" in _text(replace(facts, models=models))


def test_the_page_stays_small(html):
    assert len(html.encode()) < 200_000
