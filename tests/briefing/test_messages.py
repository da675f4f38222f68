"""Message tests in the briefing: the variant to send, what luck it had, what the hunch would have cost."""

from __future__ import annotations

from hustings.briefing.messages import message_findings


def row(arm, **more):
    base = {
        "message": "appeal",
        "outcome": "gift",
        "arm": arm,
        "is_control": False,
        "is_winner": False,
        "is_amount": True,
        "p_best": 0.1,
        "difference": 40.0,
        "gain": 12.0,
        "gain_low": -3.0,
        "gain_high": 30.0,
        "reason": None,
    }
    return base | more


def cost(rule, **more):
    return {
        "message": "appeal",
        "outcome": "gift",
        "rule": rule,
        "cost": 9.0,
        "low": -4.0,
        "high": 25.0,
    } | more


def test_the_winner_is_named_with_what_it_showed_and_what_to_expect():
    rows = [row("plain", is_control=True), row("story", is_winner=True, p_best=0.62), row("photo")]
    costs = [cost("hunch: photo"), cost("control: plain")]
    ((finding, detail, action),) = message_findings(rows, costs, "USD")
    assert finding == "No variant of appeal is proven the best on gift; story came out ahead of 2 more."
    assert "showed $0.40 a recipient more than the control" in detail
    assert "expect $0.12 (95 % interval −$0.03 to $0.30)" in detail
    assert "62%" in detail
    assert "The hunch photo would have cost $0.09 a recipient (−$0.04 to $0.25)." in detail
    assert action == "hustings show messages.appeal"


def test_a_variant_that_is_surely_the_best_is_to_be_sent():
    rows = [row("plain", is_control=True), row("story", is_winner=True, p_best=0.97)]
    ((finding, _, _),) = message_findings(rows, [], "USD")
    assert finding == "Send story to the rest of appeal: it is the best of 2 variants on gift."


def test_a_share_is_told_in_points_and_a_right_hunch_costs_nothing():
    rows = [row("plain", is_control=True), row("story", is_winner=True, is_amount=False, gain=0.004)]
    ((_, detail, _),) = message_findings(rows, [cost("hunch: story")], "USD")
    assert "expect 0.40 points" in detail
    assert "hunch" not in detail


def test_a_control_that_wins_and_another_currency():
    rows = [row("plain", is_control=True, is_winner=True, difference=None, gain=None), row("story")]
    ((_, detail, _),) = message_findings(rows, [cost("hunch: story")], "EUR")
    assert detail.startswith("It is the best")
    assert "0.09 EUR" in detail


def test_a_sealed_test_says_until_when():
    rows = [row("plain", is_winner=None, reason="sealed until 2026-03-09"), row("story", is_winner=None)]
    ((finding, detail, action),) = message_findings(rows, [], "USD")
    assert "cannot be read" in finding
    assert detail == "sealed until 2026-03-09."
    assert action is None


def test_no_message_test_is_no_finding():
    assert list(message_findings([], [], "USD")) == []


def test_the_next_batch_of_a_bandit_is_a_line_to_paste():
    rows = [row("plain", is_control=True, next_share=0.2), row("story", is_winner=True, next_share=0.8)]
    ((_, _, action),) = message_findings(rows, [], "USD")
    assert action == 'in the section of the next batch: planned_shares = { "plain" = 0.200, "story" = 0.800 }'
