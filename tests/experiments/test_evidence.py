"""The table evidence: the literature alone, own tests, and what cannot be told."""

from __future__ import annotations

import re
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from hustings.channels import CHANNELS
from hustings.channels.evidence import PRIORS, USUAL, prior
from hustings.errors import SettingError
from hustings.experiments.evidence import pool_evidence

PAGE = Path(__file__).resolve().parents[2] / "docs/method/priors.md"

ACTIONS = {"action": "string", "channel": "string", "experiment": "string", "arm": "string"}
LIFTS = {
    "experiment": "string",
    "arm": "string",
    "outcome": "string",
    "estimator": "string",
    "estimate": "float64",
    "std_error": "float64",
    "n_control": "int64",
    "n_arm": "int64",
}
DRAWN = {"experiment": "string", "arm": "string", "contacted": "boolean"}


def table(rows, kinds):
    kept = [{name: row.get(name) for name in kinds} for row in rows]
    return ibis.memtable(pa.Table.from_pylist(kept, schema=ibis.schema(kinds).to_pyarrow()))


def action(name, channel="mail", arm=None, experiment="t"):
    return {"action": name, "channel": channel, "experiment": experiment, "arm": arm or name}


def lift(arm, estimate, std_error=0.003, experiment="t", outcome="voted", estimator="intention_to_treat"):
    return {
        "experiment": experiment,
        "arm": arm,
        "outcome": outcome,
        "estimator": estimator,
        "estimate": estimate,
        "std_error": std_error,
        "n_control": 50_000,
        "n_arm": 10_000,
    }


def run(actions=(), lifts=(), drawn=(), **settings):
    found = pool_evidence(table(actions, ACTIONS), table(lifts, LIFTS), table(drawn, DRAWN), **settings)
    rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    return {(row["action"], row["outcome"]): row for row in rows}


def test_without_tests_the_literature_speaks_and_says_so():
    found = run(salience="low", discounts={"door canvass": 1, "postal mail": 1, "volunteer call": 1})
    for method, n in (("door canvass", 14), ("volunteer call", 35), ("postal mail", 177)):
        row = found[method, "voted"]
        assert row["contacts_per_vote"] == pytest.approx(n)
        assert row["published_per_vote"] == pytest.approx(n)
        assert row["own_weight"] == 0
        assert "the literature alone" in row["told"]
    door = found["door canvass", "voted"]
    assert door["estimate"] == pytest.approx(0.30 / 14)
    assert door["std_error"] == pytest.approx(0.30 * (0.02**2 + 0.04**2) ** 0.5, rel=0.01)


def test_automated_calls_mass_mail_and_persuasion_are_nil():
    found = run()
    nil = [("automated call", "voted"), ("mass e-mail", "voted"), ("door canvass", "support")]
    for key in nil:
        assert found[key]["estimate"] == 0
        assert found[key]["contacts_per_vote"] is None
        assert found[key]["low"] < 0 < found[key]["high"]


def test_a_salient_election_and_old_studies_discount_the_published_effect():
    high, low = run()["postal mail", "voted"], run(salience="low")["postal mail", "voted"]
    assert low["prior"] == pytest.approx(0.8 / 177)
    assert high["prior"] == pytest.approx(0.45 * 0.8 / 177)
    assert low["published"] == high["published"] == pytest.approx(1 / 177)


def test_an_own_test_speaks_for_its_action_and_moves_the_others():
    found = run([action("a"), action("b"), action("c")], [lift("a", 0.05), lift("b", 0.06)])
    a, c, mail = found["a", "voted"], found["c", "voted"], found["postal mail", "voted"]
    assert a["estimate"] == pytest.approx(0.05, abs=0.002)
    assert (a["is_tested"], a["n_tests"]) == (True, 2)
    assert a["own_weight"] > 0.95
    assert not c["is_tested"]
    assert 1 / 177 < c["estimate"] < 0.055
    assert c["std_error"] > 3 * a["std_error"]
    assert c["own_estimate"] is None
    assert mail["new_estimate"] == c["new_estimate"]
    assert found["door canvass", "voted"]["own_weight"] == 0


def test_michigan_starts_from_one_in_177_and_hears_its_own_four_mailers():
    arms = {"Civic Duty": 0.0179, "Hawthorne": 0.0257, "Self": 0.0485, "Neighbors": 0.0813}
    found = run(
        [action(name.lower(), arm=name) for name in arms],
        [lift(name, estimate, 0.0033) for name, estimate in arms.items()],
        salience="low",
    )
    for name, estimate in arms.items():
        assert found[name.lower(), "voted"]["estimate"] == pytest.approx(estimate, abs=0.002)
    new = found["postal mail", "voted"]
    assert new["prior"] < new["new_estimate"] < sum(arms.values()) / 4
    assert new["new_low"] < 0.0179
    assert new["new_high"] > 0.0813


def test_a_contact_rate_of_its_own_is_used_where_it_is_known():
    drawn = [{"experiment": "t", "arm": "knock", "contacted": i < 627} for i in range(1_000)]
    found = run([action("knock", "door")], [lift("knock", 0.044, 0.025)], drawn)
    row = found["knock", "voted"]
    assert (row["contact_rate"], row["contact_rate_from"]) == (pytest.approx(0.627), "own test")
    assert row["estimand"] == "contact"
    assert row["estimate"] == pytest.approx(row["contact_rate"] / row["contacts_per_vote"])
    assert found["door canvass", "voted"]["contact_rate_from"] == "literature"


def test_a_contact_rate_of_campaign_toml_is_used_for_a_method_in_general():
    row = run(contact_rates={"door canvass": 0.5})["door canvass", "voted"]
    assert (row["contact_rate"], row["contact_rate_from"]) == (0.5, "campaign.toml")
    assert row["published_per_vote"] == pytest.approx(14)


def test_an_action_may_be_of_another_method_than_its_channel():
    found = run([action("robo", "phone")], methods={"robo": "automated call"})
    assert found["robo", "voted"]["method"] == "automated call"


def test_an_action_of_which_nothing_is_published_has_its_own_test_alone():
    found = run([action("ad", "television"), action("ad2", "television")], [lift("ad", 0.02, 0.01)])
    assert found["ad", "voted"]["estimate"] == 0.02
    assert "alone" in found["ad", "voted"]["told"]
    assert found["ad2", "voted"]["estimate"] is None
    assert "nothing is known" in found["ad2", "voted"]["reason"]


def test_a_lift_without_a_number_is_no_evidence():
    empty = lift("a", None, None)
    row = run([action("a")], [empty])["a", "voted"]
    assert (row["is_tested"], row["n_tests"]) == (False, 0)


def test_only_intention_to_treat_counts_and_two_actions_of_one_arm_count_once():
    rows = [lift("a", 0.05), lift("a", 0.50, estimator="contacted")]
    found = run([action("a"), action("again", arm="a")], rows)
    assert found["a", "voted"]["n_tests"] == 1
    assert found["a", "voted"]["estimate"] == pytest.approx(found["again", "voted"]["estimate"])
    assert found["a", "voted"]["own_estimate"] == 0.05


@pytest.mark.parametrize(
    "settings",
    [
        {"methods": {"robo": "automated call"}},
        {"contact_rates": {"door canvas": 0.5}},
        {"contact_rates": {"door canvass": 0.0}},
        {"discounts": {"door canvass": 1.5}},
    ],
)
def test_what_is_unknown_or_no_share_is_refused(settings):
    with pytest.raises(SettingError, match="evidence"):
        run(**settings)


def test_every_channel_has_a_method_with_a_prior():
    for channel in CHANNELS:
        if channel in USUAL:
            assert prior(USUAL[channel], "voted").channel == channel
    assert len({(one.method, one.outcome) for one in PRIORS}) == len(PRIORS)
    assert all(" " in one.method for one in PRIORS)


def test_the_page_of_priors_says_what_the_code_says():
    text = PAGE.read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if re.match(r"\| [a-z-]+ [a-z-]+ \|", line)
    ]
    written = {(row[0], row[1]): row[2:] for row in rows}
    assert set(written) == {(one.method, one.outcome) for one in PRIORS}
    for one in PRIORS:
        mean = f"{100 * one.mean:.2f}" if one.mean else "0"
        numbers = (mean, f"{100 * one.std_error:.2f}", f"{100 * one.spread:.2f}", f"{one.contact_rate:.2f}")
        discounts = (f"{one.discount_age:.2f}", f"{one.discount_salient:.2f}")
        assert tuple(written[one.method, one.outcome][:7]) == (one.estimand, *numbers, *discounts)
