"""Made-up facts in the shape of Michigan, August 2006; only the four lifts and their errors are published."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

from hustings.briefing import maps
from hustings.briefing.page import Facts

ARMS = (  # arm, people, households, lift, standard error: Gerber, Green & Larimer, APSR 2008
    ("Civic Duty", 38_218, 20_001, 0.0179, 0.00324),
    ("Hawthorne", 38_204, 20_002, 0.0257, 0.00326),
    ("Self", 38_218, 20_000, 0.0485, 0.00330),
    ("Neighbors", 38_201, 20_000, 0.0813, 0.00337),
)
OPTIONS = (  # option, about, ballots, error, the plan's advantage and its error
    ("plan", "The household's best approved mailer, where it adds most.", 2_870, 286, None, None),
    ("plan if all approved", "The same with every mailer allowed.", 8_150, 301, -5_280, 240),
    ("one mailer to all", "Hawthorne to households at random.", 2_440, 301, 430, 131),
    ("middle voters first", "Hawthorne where turnout is nearest one half.", 2_590, 297, 280, 118),
    ("least likely first", "Hawthorne where turnout is lowest.", 1_710, 322, 1_160, 204),
    ("Neighbors to all", "Neighbors to households at random.", 7_720, 320, -4_850, 260),
)
RELIABILITY = (0.118, 0.171, 0.212, 0.249, 0.284, 0.321, 0.361, 0.408, 0.471, 0.583)
RULE = (
    (0.166, 0.139),
    (0.215, 0.187),
    (0.268, 0.241),
    (0.318, 0.299),
    (0.372, 0.386),
    (0.428, 0.471),
    (0.493, 0.562),
)


def michigan() -> Facts:
    return Facts(
        name="Michigan primary, August 2006",
        place="Michigan",
        election_day=date(2006, 8, 8),
        as_of=date(2006, 7, 31),
        currency="USD",
        run_id="20060731T055803-4f1c",
        published_at=datetime(2006, 7, 31, 6, 4),
        findings=_findings(),
        decisions=[_decision()],
        goals=_goals(),
        lifts=[_lift(*arm) for arm in ARMS],
        experiments=[
            _arm("No Postcard", 191_243, 99_999, 5 / 9, True),
            *(_arm(*a[:3], 1 / 9, False) for a in ARMS),
        ],
        models=[_turnout(), _effects()],
        options=[_option(*row, estimator) for row in OPTIONS for estimator in ("aipw", "ipw")],
        actions=_actions(),
        sources=_sources(),
    )


def empty() -> Facts:
    return Facts(name="A campaign without data")


def election() -> Facts:
    """A made-up presidential race on a day in November."""
    race, states = "president", maps.shapes()["places"]
    day = date(2016, 11, 7)
    places = []
    for i, code in enumerate(states):
        share = 0.42 + 0.003 * ((i * 29) % 51)
        places.append(
            {"race": race, "place_id": code, "name": code, "share": share, "low": share - 0.04, "high": share + 0.04,
             "p_win": min(max(0.5 + (share - 0.5) * 14, 0.001), 0.999), "p_tipping": 0.02, "seats": 10.0,
             "n_polls": i % 9, "is_leaf": True}
        )  # fmt: skip
    values = [
        {"race": race, "place_id": row["place_id"], "name": row["place_id"], "objective": "win", "value": 1e-7,
         "std_error": 1e-9, "per_10000": 0.1, "relative": 1 + i % 7, "p_decides": 0.1, "votes": 1e6}
        for i, row in enumerate(places)
    ]  # fmt: skip
    odds = {"race": race, "rule": "electors", "choice": "Democrats", "rivals": "Republicans", "needed": 270}
    own = {
        "estimator": "forecast",
        "p_win": 0.83,
        "p_win_error": 0.0015,
        "share": 0.52,
        "low": 0.49,
        "high": 0.55,
    }
    own |= {"seats": 303.0, "seats_low": 227.0, "seats_high": 358.0, "n_polls": 1555, "n_draws": 66_000}
    days = [
        {"race": race, "place_id": "US", "told_on": day - timedelta(days=7 * k), "p_race": 0.8 - 0.02 * (k % 9),
         "p_race_error": 0.003, "share": 0.52, "low": 0.49, "high": 0.55}
        for k in range(17)
    ]  # fmt: skip
    causes = [("ABC, 6 November", "US", 0.02), ("UNH, 6 November", "NH", -0.01), ("rest", None, 0.001)]
    moves = [
        {"race": race, "rank": i, "cause": cause, "place_id": place, "share": 0.52, "expected": 0.51,
         "share_change": 0.001, "p_win_change": change, "p_win_change_error": None, "since_on": date(2016, 11, 6)}
        for i, (cause, place, change) in enumerate(causes, 1)
    ]  # fmt: skip
    moves.append(
        moves[-1] | {"rank": 9, "cause": "total", "p_win_change": 0.011, "p_win_change_error": 0.001}
    )
    checks = [
        {"race": race, "year": 2012, "place_id": row["place_id"], "p_win": row["p_win"], "share": row["share"],
         "low": row["low"], "high": row["high"], "actual_share": row["share"] + 0.01, "won": row["share"] > 0.49}
        for row in places
    ]  # fmt: skip
    return Facts(
        name="Presidential election",
        as_of=day,
        election_day=date(2016, 11, 8),
        odds=[odds | own, odds | {"estimator": "mean of polls", "seats": 323.0, "share": 0.523}],
        forecast=places,
        vote_values=values,
        forecast_days=days,
        forecast_moves=moves,
        forecast_checks=checks,
    )


def strained() -> Facts:
    """Everything that may go wrong at once: markup for names, no estimate, losses, counts that are off."""
    facts = michigan()
    markup = "<script>alert('x')</script>"
    lifts = [dict(row) for row in facts.lifts]
    lifts[0] |= dict.fromkeys(("estimate", "std_error", "low", "high"))
    lifts[0] |= {"reason": "Fewer than two households in control have the outcome known"}
    lifts[1] |= {"arm": f"{markup} & the longest name of an arm that anyone ever wrote into a campaign file"}
    lifts[2] |= {"estimate": -0.02, "low": -0.031, "high": -0.009}
    options = [dict(row) for row in facts.options]
    options[0] |= {"gain": 120, "low": -300, "high": 540}
    options[0] |= {"per_1000": 6, "per_1000_low": -15, "per_1000_high": 27}
    options[8] |= {"per_1000": -40, "per_1000_low": -75, "per_1000_high": -5}
    nothing = dict.fromkeys(options[0]) | {"plan_id": "mail", "option": "nothing", "estimator": "aipw"}
    card = json.loads(facts.models[0]["card"])
    for entry in card["reliability"]:
        observed = 0.6 * entry["predicted"] + 0.12
        entry |= {"observed": observed, "low": observed - 0.03, "high": observed + 0.03}
    model = dict(
        facts.models[0], published=False, reason="its rule is better", rule=markup, card=json.dumps(card)
    )
    return replace(
        facts,
        name=f"{markup} county",
        place=markup,
        currency="CHF",
        findings=[dict(facts.findings[0], finding=f"Send nothing to {markup}."), *facts.findings[1:]],
        decisions=[dict(facts.decisions[0], expected=None, low=None, high=None, rule_expected=None)],
        lifts=lifts,
        options=[*options, nothing | {"cost_cents": 0}],
        models=[model],
        sources=[dict(facts.sources[0], n_kept=344_000), *facts.sources[1:]],
    )


def _findings() -> list[dict]:
    rows = (
        (
            "headline",
            "Approve “Neighbors” and the same $20,000 brings 8,150 ballots instead of 2,870.",
            "It lifted turnout by 8.1 points (95 % interval 7.5 to 8.8) among 38,201 people drawn at random.",
            None,
        ),
        (
            "goal",
            "Mailers are 4.1 % behind plan.",
            "118,240 of 123,300 by today.",
            "Add a second shift at the printer.",
        ),
        ("score", "The turnout score holds.", "Off by 0.5 points on average, out of sample.", None),
        (
            "data",
            "312 rows of opt-outs could not be read.",
            "Most have no record id.",
            "Ask the vendor for a new file.",
        ),
    )
    keys = ("kind", "finding", "detail", "action")
    return [
        {"rank": i, **dict(zip(keys, row, strict=True)), "as_of": date(2006, 7, 31)}
        for i, row in enumerate(rows, 1)
    ]


def _decision() -> dict:
    return {
        "decision_id": "d41c",
        "plan_id": "mail",
        "as_of": date(2006, 7, 31),
        "question": "Send the mail plan by Wednesday?",
        "recommendation": "Send 50,000 mailers by the plan; hold out one household in ten.",
        "expected": 2_870.0,
        "low": 2_309.0,
        "high": 3_431.0,
        "cost_cents": 2_000_000.0,
        "rule": "middle voters first",
        "rule_expected": 2_590.0,
        "options": "[]",
        "detectable_effect": 0.009,
        "available_on": date(2006, 10, 1),
    }


def _goals() -> list[dict]:
    rows = (
        ("mailers", "Mailers delivered", 150_000, 118_240, 123_300, date(2006, 8, 4), "behind"),
        ("doors", "Doors knocked", 42_000, 39_105, 35_160, date(2006, 8, 7), "ahead"),
        ("calls", "Calls answered", 30_000, 25_020, 25_110, date(2006, 8, 7), "on plan"),
        ("rides", "Rides offered", 1_200, 0, 0, date(2006, 8, 8), "not started"),
    )
    keys = ("goal", "about", "target", "actual", "expected", "due_on", "status")
    return [dict(zip(keys, row, strict=True)) | {"as_of": date(2006, 7, 31)} for row in rows]


def _lift(arm: str, people: int, _: int, estimate: float, error: float) -> dict:
    return {
        "experiment": "mailers",
        "arm": arm,
        "outcome": "voted",
        "estimator": "intention_to_treat",
        "estimate": estimate,
        "std_error": error,
        "low": estimate - 1.96 * error,
        "high": estimate + 1.96 * error,
        "n_control": 191_243,
        "n_arm": people,
        "reason": None,
    }


def _arm(arm: str, people: int, households: int, share: float, control: bool) -> dict:
    return {
        "experiment": "mailers",
        "arm": arm,
        "is_control": control,
        "unit": "household",
        "n_people": people,
        "n_units": households,
        "planned_share": share,
        "actual_share": households / 180_002,
        "p_sample_ratio": 0.9999,
        "p_balance": 0.41,
        "max_difference": 0.006,
        "n_mixed_units": 0,
        "detectable_effect": None if control else 0.0092,
        "reason": None,
    }


def _bin(predicted: float, observed: float, n: int, half: float) -> dict:
    return {
        "predicted": predicted,
        "observed": observed,
        "low": observed - half,
        "high": observed + half,
        "n": n,
    }


def _turnout() -> dict:
    wobble = (0.004, -0.003, 0.006, -0.005, 0.004, 0.007, -0.006, 0.003, -0.007, 0.005)
    card = {
        "reliability": [_bin(p, p + w, 19_124, 0.0075) for p, w in zip(RELIABILITY, wobble, strict=True)],
        "rule_reliability": [_bin(p, o, 27_320, 0.0062) for p, o in RULE],
        "features": ["share_voted", "age", "household_share_voted"],
    }
    return {
        "model_id": "scores.turnout",
        "purpose": "Who will vote without being asked?",
        "population": "Control group of the test.",
        "as_of": date(2006, 7, 31),
        "learner": "lightgbm",
        "n_people": 191_243,
        "n_households": 99_999,
        "auc": 0.667,
        "auc_error": 0.0014,
        "rule_auc": 0.628,
        "gain": 0.0193,
        "gain_low": 0.0181,
        "gain_high": 0.0205,
        "rule": "share of elections voted in",
        "published": True,
        "card": json.dumps(card),
        "model": "never shown",
        "reason": None,
    }


def _effects() -> dict:
    return {
        "model_id": "effects.mailers",
        "as_of": date(2006, 7, 31),
        "n_people": 344_084,
        "qini": 0.0041,
        "qini_error": 0.0016,
        "published": True,
        "card": "{}",
        "reason": None,
    }


def _option(
    option: str,
    about: str,
    ballots: float,
    error: float,
    ahead: float | None,
    ahead_error: float | None,
    estimator: str,
) -> dict:
    # The second estimator is a little off and wider, as it would be.
    ballots, error = (ballots, error) if estimator == "aipw" else (ballots * 0.97, error * 1.15)
    ends = (ballots - 1.96 * error, ballots + 1.96 * error)
    return {
        "plan_id": "mail",
        "option": option,
        "estimator": estimator,
        "about": about,
        "n_people": 95_400,
        "n_households": 50_000,
        "cost_cents": 2_000_000.0,
        "gain": ballots,
        "std_error": error,
        "low": ends[0],
        "high": ends[1],
        "per_1000": ballots / 20,
        "per_1000_low": ends[0] / 20,
        "per_1000_high": ends[1] / 20,
        "advantage": ahead,
        "advantage_low": None if ahead is None else ahead - 1.96 * ahead_error,
        "advantage_high": None if ahead is None else ahead + 1.96 * ahead_error,
        "predicted": ballots * 1.2,
        "reason": None,
    }


def _actions() -> list[dict]:
    concerns = {
        "Self": "Shows the household its own voting record; some will write to complain.",
        "Neighbors": "Names the neighbours and whether they voted.",
    }
    return [
        {
            "action": arm.lower().replace(" ", "_"),
            "channel": "mail",
            "experiment": "mailers",
            "arm": arm,
            "unit_cost_cents": 40,
            "reaches": "household",
            "needs_approval": arm in concerns,
            "approved_by": None,
            "concern": concerns.get(arm),
        }
        for arm, *_ in ARMS
    ]


def _sources() -> list[dict]:
    rows = (
        ("voters", 344_084, 344_084, [], 16),
        ("opt_outs", 4_210, 3_898, [("no record_id", 290), ("channel “sms” is unknown", 22)], 3),
        ("canvass", 39_871, 39_805, [("happened_at is in the future", 66)], 1),
    )
    return [
        {
            "source": source,
            "load_id": f"load-{source}",
            "path": f"data/{source}.parquet",
            "n_read": read,
            "n_kept": kept,
            "n_rejected": read - kept,
            "arrived_at": datetime(2006, 7, 31 - age, 4, 0),
            "loaded_at": datetime(2006, 7, 31, 5, 58),
            "reasons": [{"reason": reason, "n": n} for reason, n in reasons],
            "age_days": age,
        }
        for source, read, kept, reasons, age in rows
    ]


def with_cards() -> Facts:
    """The same with every part of a card filled in: a score, an amount, and effects."""
    found = michigan()
    return replace(found, models=[_whole_score(), _whole_amount(), _whole_effects(), _unproven()])


def _gap(estimate: float, half: float) -> dict:
    return {"estimate": estimate, "std_error": half / 2, "low": estimate - half, "high": estimate + half}


def _groups(scale: float) -> list[dict]:
    told = (("age", "under 30", 0.012), ("age", "65 and older", -0.004), ("sex", "female", 0.001), ("sex", "male", -0.001))  # fmt: skip
    rows = [
        {"column": c, "group": g, "n": 9_000, "observed": 0.3 * scale, "predicted": 0.29 * scale,
         "gap": x * scale, "gap_low": (x - 0.006) * scale, "gap_high": (x + 0.006) * scale,
         "loss": 0.55, "loss_error": 0.004, "auc": 0.66}
        for c, g, x in told
    ]  # fmt: skip
    nothing = dict.fromkeys(("gap", "gap_low", "gap_high", "loss", "loss_error", "auc"))
    return [
        *rows,
        {"column": "place", "group": "Ward 9", "n": 12, "observed": 0.2, "predicted": 0.3, **nothing},
    ]


def _more(scale: float = 1.0) -> dict:
    depths = (0.05, 0.1, 0.2, 0.4, 0.6, 0.8)
    return {
        "as_of": "2006-07-31",
        "horizon_days": 30,
        "trained": [{"as_of": "2002-08-05", "n": 9}, {"as_of": "2004-08-02", "n": 90}],
        "validation": "forward in time",
        "left_out": {"people whose amount is missing": 7},
        "rivals": [
            {"name": "share_voted", "loss": 0.58, "auc": 0.63, "gain": 0.02, "gain_low": 0.018, "gain_high": 0.022},
            {"name": "acme", "loss": 0.6, "auc": 0.6, "gain": 0.04, "gain_low": 0.03, "gain_high": 0.05},
        ],
        "candidates": {"boosted trees": 0.56, "regularised logistic regression": 0.57},
        "gain": [{"depth": d, "gain": d**0.6, "low": d**0.6 - 0.02, "high": d**0.6 + 0.02} for d in depths],
        "rule_gain": [{"depth": d, "gain": d**0.8, "low": d**0.8 - 0.02, "high": d**0.8 + 0.02} for d in depths],
        "importance": [
            {"feature": f, "size": 0.4 / k, "size_error": 0.01, "direction": s, "low": -0.3, "high": 0.4, "n": 2000}
            for k, (f, s) in enumerate(
                (("n_primary", 1), ("age", 0), ("vote_3", 1), ("household_share_voted", 1), ("years_since_vote", -1)), 1
            )
        ],
        "groups": _groups(scale),
        "drift": {"score": 0.13, "by_chance": 0.001, "features": [{"feature": "age", "index": 0.3}]},
        "pooling": {"sd": 0.56, "n_places": 10_000, "before": 0.563, "after": 0.551, "gain_low": 0.01, "kept": True},
        "level": _gap(0.001 * scale, 0.004 * scale),
        "slope": _gap(0.99, 0.03),
        "calibration_by_chance": 0.002,
    }  # fmt: skip


def _whole_score() -> dict:
    model = _turnout()
    return model | {"log_loss": 0.55, "log_loss_error": 0.001, "rule_log_loss": 0.57, "calibration_error": 0.005,
                    "card": json.dumps(json.loads(model["card"]) | {"kind": "yes or no"} | _more())}  # fmt: skip


def _whole_amount() -> dict:
    amounts = [
        {"predicted": 50.0 * k, "observed": 52.0 * k, "low": 40.0 * k, "high": 64.0 * k, "n": 900}
        for k in range(1, 11)
    ]
    totals = {"observed": 1e6, "predicted": 9.9e5, "ratio": 1.01, "low": 0.9, "high": 1.12}
    card = {"kind": "amount", "amounts": amounts, "totals": totals, "root_mean_square_error": 1738.0}
    return _turnout() | {
        "model_id": "scores.gift", "auc": None, "auc_error": None, "mean_error": 655.0, "mean_error_error": 24.0,
        "rule_mean_error": 729.0, "rule": "last_gift_value", "gain": 11.7, "gain_low": 7.7, "gain_high": 15.7,
        "card": json.dumps(_more(1000.0) | card),
    }  # fmt: skip


def _estimate(value: float, half: float) -> dict:
    return {"value": value, "std_error": half / 2, "low": value - half, "high": value + half}


def _whole_effects() -> dict:
    ladder = [
        {"learner": "the same effect for all", "qini": 0.0, "qini_error": 0.0, "p_value": None, "chosen": False},
        {"learner": "a smooth function of the plain score", "qini": 0.005, "qini_error": 0.0016, "p_value": 0.001, "chosen": True},
        {"learner": "honest histogram forest", "qini": None, "qini_error": None, "p_value": None, "chosen": False},
    ]  # fmt: skip
    arms = [
        {
            "arm": arm, "mean_effect": effect, "qini": 0.004, "qini_error": 0.0016, "plain_score_qini": 0.003,
            "plain_score_qini_error": 0.0016, "slope": 0.9, "slope_error": 0.3, "ladder": ladder,
            "verdict": {"word": "everyone", "average": 0.08, "average_error": 0.01, "p_average": 1e-9, "p_gain": 0.06, "sentence": "It works for everyone; choosing by person shows no proven gain."},
            "calibration": [{"predicted": 0.02 * k} | _estimate(0.021 * k, 0.01) for k in range(1, 6)],
            "gains_at": [0.1, 0.2, 0.5],
            "gains_beyond_chance": [_estimate(0.001, 0.002), _estimate(0.002, 0.0015), _estimate(0.003, 0.002)],
            "cost_cents": 21.0, "gains_per_cost": [_estimate(0.005, 0.001), _estimate(0.004, 0.001), _estimate(0.003, 0.0005)],
        }
        for arm, effect in (("Self", 0.048), ("Neighbors", 0.081))
    ]  # fmt: skip
    card = {
        "arms": arms,
        "best": "Neighbors",
        "ladder": ladder,
        "left_by_election_day": 0.8,
        "left_error": 0.18,
    }
    return _effects() | {"learner": "a smooth function of the plain score", "card": json.dumps(card)}


def _unproven() -> dict:
    reason = "it does not beat the rule of thumb party out of sample"
    return _turnout() | {"model_id": "scores.support", "published": False, "reason": reason, "rule": "party",
                         "gain": -0.001, "gain_low": -0.01, "gain_high": 0.008, "card": "{}"}  # fmt: skip
