"""The budget and the ledger in the briefing."""

from __future__ import annotations

from hustings.briefing import ledger, spending
from hustings.briefing.facts import Facts
from hustings.briefing.page import render

PLAN = {
    "way": "plan", "unit": "win", "cents": 900_000.0, "gain": 0.0123, "low": 0.004, "high": 0.02, "step_cents": 100_000.0,
    "next_gain": 0.0007, "next_low": -0.0001, "next_high": 0.0015, "last_gain": 0.001, "last_low": 0.0, "last_high": 0.002,
    "p_near": 0.6, "reserve_cents": 100_000.0,
}  # fmt: skip
RULE = {
    "way": "equal split", "unit": "win", "cents": 900_000.0, "gain": 0.01, "low": 0.003, "high": 0.018, "p_near": 0.2,
    "advantage": 0.0023, "advantage_low": -0.001, "advantage_high": 0.006, "regret": 0.004,
}  # fmt: skip
USES = [
    {
        "way": "plan", "offer": "contact_plan.mail", "unit": "win", "cents": 600_000.0, "gain": 0.01, "low": 0.004,
        "high": 0.016, "next_cents": 100_000.0, "next_gain": 0.0007, "p_in": 0.9,
    },
    {"way": "plan", "offer": "media_plan.<tv>", "unit": "win", "cents": 0.0, "reason": "no <slot> is known"},
]  # fmt: skip


def facts(**tables):
    return Facts(
        decisions=[{"plan_id": "budget", "decision_id": "abcdef0123", "question": "How?", "expected": 0.01}],
        tables={"budget": USES, "budget_options": [PLAN, RULE], **tables},
    )


def test_the_panel_says_where_the_next_money_goes_and_what_it_adds():
    panel = spending.panels(facts())[0]
    assert panel.title == "The next $1,000 goes to mail: +0.0700 points of winning"
    assert "+1.23 (95 % interval 0.40 to 2.00) points of winning" in panel.text
    assert "Against the best rule of thumb, equal split" in panel.text
    assert panel.action == "hustings decide abcdef01 --accept"
    assert panel.body[1][2] == "no <slot> is known"
    page = render(facts())
    assert "media: &lt;tv&gt;" in page or "airtime: &lt;tv&gt;" in page
    assert "<slot>" not in page


def test_the_budgets_decision_has_its_own_section_and_no_card_of_letters():
    assert "Nothing today" in render(facts())


def test_a_budget_that_spends_nothing_says_why():
    panel = spending.panels(Facts(tables={"budget_options": [PLAN | {"reason": "the budget is 0"}]}))[0]
    assert (panel.title, panel.text) == ("The budget spends nothing", "The budget is 0.")


def row(n, predicted, measured, error=2.0):
    return {
        "plan_id": f"p{n}", "status": "measured", "n_treated": 100, "n_control": 50, "predicted": predicted,
        "measured": measured, "measured_low": measured - 2 * error, "measured_high": measured + 2 * error,
    }  # fmt: skip


def test_the_ledgers_title_says_how_right_we_were():
    rows = [row(1, 1.0, 2.0), row(2, 2.0, 1.0)]
    for bias, word in (
        ((-0.5, -0.9, -0.1), "too much"),
        ((0.5, 0.1, 0.9), "too little"),
        ((0.0, -1.0, 1.0), "within chance"),
    ):
        fit = {
            "source": "plans",
            **dict(zip(("bias", "bias_low", "bias_high"), bias, strict=True)),
            "slope_high": 2.0,
        }
        picture = ledger.ledger_picture(Facts(tables={"ledger": rows, "ledger_fits": [fit]}))
        assert word in picture.title
        assert len(picture.body) == 2
    assert ledger.panels(Facts(tables={"ledger": [row(1, 1.0, 2.0) | {"measured": None}]})) == []


def test_what_is_interim_is_called_so():
    told = row(1, 1.0, 2.0) | {
        "measured": None, "status": "accepted", "interim": 12.0, "interim_error": 3.0,
        "interim_outcome": "ballots returned", "available_on": "2026-11-20",
    }  # fmt: skip
    sentence, detail, _ = next(iter(ledger.ledger_findings([told], [])))
    assert sentence == "p1: +12 ballots returned so far, not yet votes."
    assert "2026-11-20" in detail
