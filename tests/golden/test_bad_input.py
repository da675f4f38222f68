"""A campaign in which everything of a trial and a score is wrong: each has its reason, and none has a number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hustings import flow
from hustings.campaign import read_campaign

HEAD = """
[campaign]
name = "Bad input"
election_day = 2026-11-03
as_of = 2026-12-01
place = "Nowhere"
currency = "USD"
playbook = "election"
seed = 1

[features]
moments = [2026-10-15]

[sources.people]
path = "people.csv"
arrived_on = 2026-01-01
[sources.people.records]
record_id = "id"
age = "age"
age_on = { constant = 2026-01-01 }
place_id = "precinct"
"""
OUTCOME = """
[[sources.people.record_outcomes]]
outcome = {{ constant = "{0}" }}
value = "{0}"
happened_on = {{ constant = {1} }}
arrived_on = {1}
where = {{ column = "{0}", isnt = [""] }}
"""
TEST = """
[[sources.people.record_assignments]]
experiment = {{ constant = "{0}" }}
arm = "{0}"
assigned_on = {{ constant = 2026-10-01 }}
where = {{ column = "{0}", isnt = [""] }}
[experiments.{0}]
unit = "person"
control = "none"
measured_by = {1}
adjust_for = {2}
[effects.{0}]
outcome = "{3}"
"""
SCORE = """
[scores.{0}]
trained_as_of = 2026-10-15
{1}
"""
AGAIN = """
[sources.again]
path = "again.csv"
people_from = "people"
arrived_on = 2026-10-02
[[sources.again.record_assignments]]
record_id = "id"
experiment = { constant = "two" }
arm = "two"
assigned_on = { constant = 2026-10-01 }
"""
DAYS = {"voted": "2026-11-03", "same": "2026-11-03", "gift": "2026-11-03", "after": "2026-10-20", "leak": "2026-09-20", "flat": "2026-09-20"}  # fmt: skip
TESTS = [
    TEST.format("ten", '["voted", "same", "gift"]', '["after"]', "voted"),
    TEST.format("all", '["voted"]', "[]", "voted"),
    TEST.format("many", '["voted"]', "[]", "voted"),
    TEST.format("two", '["voted", "gift"]', '["flat"]', "gift"),
]
SCORES = [
    SCORE.format("same", 'outcome = "same"'),
    SCORE.format("leak", 'outcome = "voted"\nalso_known = ["leak", "flat"]'),
    SCORE.format("constant", 'outcome = "voted"\nalso_known = ["flat"]\nrule = "flat"'),
    SCORE.format("gift", 'outcome = "gift"\namount = true\nrule = "age"'),
]


def people(n: int = 900) -> str:
    """Ten of 300 treated; 300 of whom some are in two arms; 300 arms; the last 60 all treated."""
    rng = np.random.default_rng(0)
    lines = ["id,age,precinct,ten,two,many,all,voted,same,gift,after,leak,flat"]
    for i in range(n):
        age, lot = int(rng.integers(18, 90)), i % 300
        voted = int(rng.random() < 0.2 + 0.4 * (age > 50))
        gift = {400: "inf", 401: ""}.get(i) or ("" if i == 401 else f"{rng.exponential(20) if rng.random() < 0.3 else 0:.2f}")  # fmt: skip
        ten = ("mail" if lot < 10 else "none") if i < 300 else ""
        two = ("mail" if lot % 2 else "none") if 300 <= i < 600 else ""
        many = ("none" if not lot else f"arm{lot}") if i >= 600 else ""
        every = "mail" if i >= 840 else ""
        lines.append(f"{i},{age},P{i % 7},{ten},{two},{many},{every},{voted},1,{gift},{voted + rng.normal():.3f},{voted},5")  # fmt: skip
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def bad(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "people.csv").write_text(people())
    again = [f"{i},{'none' if i % 2 else 'mail'}" for i in range(300, 320)]
    (folder / "again.csv").write_text("\n".join(["id,two", *again]) + "\n")
    outcomes = [OUTCOME.format(name, day) for name, day in DAYS.items()]
    (folder / "campaign.toml").write_text("".join([HEAD, *outcomes, AGAIN, *TESTS, *SCORES]))
    flow.run(read_campaign(folder), "lifts", "effects", "models", "rejects")
    return folder


@pytest.fixture(scope="module")
def lifts(bad, rows) -> dict:
    return {(r["experiment"], r["arm"], r["outcome"], r["estimator"]): r for r in rows(bad, "lifts")}


@pytest.fixture(scope="module")
def models(bad, rows) -> dict:
    return {row["model_id"]: row for row in rows(bad, "models")}


def test_an_infinite_amount_is_set_aside_with_its_line_and_a_missing_one_is_missing(bad, rows):
    (reject,) = rows(bad, "rejects")
    assert (reject["line"], "not a number" in str(reject["reasons"])) == (401, True)
    missing = {(r["experiment"], r["arm"], r["outcome"]): r["n_missing"] for r in rows(bad, "attritions")}
    assert missing["two", "mail", "gift"] == 1
    assert missing["two", "none", "gift"] == missing["two", "mail", "voted"] == 0


def test_an_outcome_of_one_class_has_no_lift_and_no_score(lifts, models):
    row = lifts["ten", "mail", "same", "intention_to_treat"]
    assert row["estimate"] is row["p_value"] is None
    assert "does not vary" in row["reason"]
    assert "everybody has the same outcome of same" in models["scores.same"]["reason"]


def test_a_column_that_separates_perfectly_is_named_and_a_constant_is_dropped(lifts, models):
    assert "leak tells voted perfectly" in models["scores.leak"]["reason"]
    assert not models["scores.leak"]["published"]
    assert "nothing that varies" in lifts["two", "mail", "voted", "adjusted"]["reason"]
    # Against a rule that tells nobody apart, age alone is a score.
    assert models["scores.constant"]["published"]
    assert '"flat"' not in models["scores.constant"]["model"]


def test_ten_treated_people_have_a_wide_lift_of_a_share_and_none_of_an_amount(lifts, models):
    share = lifts["ten", "mail", "voted", "intention_to_treat"]
    assert share["high"] - share["low"] > 0.5
    assert share["n_arm"] == 10
    amount = lifts["ten", "mail", "gift", "intention_to_treat"]
    assert amount["estimate"] is None
    assert "too few to tell its error" in amount["reason"]
    assert "no one" in models["effects.ten"]["card"]


def test_where_everyone_is_treated_there_is_nothing_to_compare(lifts, models):
    assert lifts["all", "mail", "voted", "intention_to_treat"]["reason"] == "control is empty"
    assert models["effects.all"]["reason"] == "an arm is empty"


def test_a_covariate_of_after_the_draw_is_refused(lifts):
    row = lifts["ten", "mail", "voted", "adjusted"]
    assert row["estimate"] is None
    assert "after was measured on the day of the draw or later for 300 people" in row["reason"]


def test_of_300_arms_of_one_person_none_has_a_number(lifts, models):
    told = [row for key, row in lifts.items() if key[0] == "many" and key[3] == "intention_to_treat"]
    assert len(told) == 299
    assert all(row["estimate"] is None and row["reason"] for row in told)
    assert "an arm of 1 units" in models["effects.many"]["reason"]


def test_people_in_two_arms_of_one_test_are_in_neither_and_counted(bad, rows):
    arms = [row for row in rows(bad, "experiments") if row["experiment"] == "two"]
    assert {row["n_two_arms"] for row in arms} == {20}
    assert sum(row["n_people"] for row in arms) == 300 - 20 - 1
    assert "20 people are told of in several arms and were left out" in arms[0]["reason"]


def test_infinite_and_missing_amounts_leave_a_score_its_reason_or_its_people(models):
    row = models["scores.gift"]
    assert row["reason"] is None or "does not beat" in row["reason"]
    assert row["mean_error"] < 100
