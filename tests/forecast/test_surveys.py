"""The campaign's survey as polls: by place, weighed against the voter file."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.forecast.surveys import weigh_surveys
from hustings.tables import spec

DAY = datetime.date(2026, 10, 1)
EVENTS = {
    "event_id": "string",
    "person_id": "string",
    "kind": "string",
    "name": "string",
    "value": "float64",
    "happened_at": "timestamp",
    "arrived_at": "timestamp",
}
PEOPLE = {
    "person_id": "string",
    "region_id": "string",
    "place_id": "string",
    "sex": "string",
    "party": "string",
}


def electorate(n: int = 6000, regions: int = 6, seed: int = 1):
    """People of six regions and two parties; support goes with party, answering with party and age."""
    rng = np.random.default_rng(seed)
    region, party = rng.integers(0, regions, n), rng.random(n) < 0.5
    age = rng.integers(18, 90, n)
    p = np.where(party, 0.85, 0.15) + 0.02 * (region - (regions - 1) / 2)
    people = ibis.memtable(
        {
            "person_id": [str(i) for i in range(n)],
            "region_id": [f"r{r}" for r in region],
            "place_id": [f"r{r}p" for r in region],
            "sex": np.where(rng.random(n) < 0.5, "female", "male").tolist(),
            "party": np.where(party, "D", "R").tolist(),
            "born_on": [datetime.date(2026 - int(a), 1, 1) for a in age],
        },
        schema=PEOPLE | {"born_on": "date"},
    )
    asked = rng.random(n) < np.where(party, 0.18, 0.06) * np.where(age > 60, 1.5, 0.8)
    yes = rng.random(n) < p
    return people, {str(i): float(yes[i]) for i in np.flatnonzero(asked)}, p, region


def answers(values: dict[str, float], *, day: int = 20, arrived: int | None = None, question: str = "vote"):
    return [
        {
            "event_id": f"{question}{person}{day}",
            "person_id": person,
            "kind": "answer",
            "name": question,
            "value": value,
            "happened_at": datetime.datetime(2026, 9, day, 18),
            "arrived_at": datetime.datetime(2026, 9, arrived or day, 20),
        }
        for person, value in values.items()
    ]


def weigh(rows, people, scores=None, **more) -> list[dict]:
    given = {"as_of": DAY, "question": "vote", "ours": [1.0], "theirs": [0.0], "place": "State"}
    events = ibis.memtable(rows, schema=EVENTS)
    found = weigh_surveys(
        events, people, scores, survey="september", rng=np.random.default_rng(1), **given | more
    )
    assert tuple(found) == spec("survey_polls").names
    return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]


def test_a_survey_that_one_party_answers_more_is_put_right():
    people, told, p, region = electorate()
    whole, *places = weigh(answers(told), people)
    assert whole["raw_share"] > 0.6
    assert whole["low"] < p.mean() < whole["high"]
    assert (whole["poll_id"], whole["place_id"], whole["level"], whole["population"]) == (
        "own september",
        "State",
        "whole",
        "rv",
    )
    assert whole["starts_on"] == whole["ends_on"] == datetime.date(2026, 9, 20)
    assert [row["place_id"] for row in places] == [f"r{i}" for i in range(6)]
    assert sum(row["n_answers"] for row in places) == whole["n_answers"] == len(told)
    for i, row in enumerate(places):
        assert row["low"] - 0.03 < p[region == i].mean() < row["high"] + 0.03
        assert 0 < row["shared_error"] <= row["std_error"]
        assert row["n_effective"] == pytest.approx(
            row["share"] * (1 - row["share"]) / row["std_error"] ** 2, abs=1
        )


def test_raking_puts_it_right_too():
    people, told, p, _ = electorate()
    whole, *places = weigh(answers(told), people, method="raking")
    assert whole["low"] < p.mean() < whole["high"]
    assert all(row["reason"] is None for row in places)
    assert whole["method"] == "raking"


def test_a_place_with_few_answers_has_a_reason_by_raking_and_a_wide_interval_by_regression():
    people, told, _, region = electorate()
    few = {person: value for person, value in told.items() if region[int(person)] != 2 or int(person) < 300}
    raked = weigh(answers(few), people, method="raking")[3]
    assert raked["share"] is None
    assert raked["n_answers"] < 30
    assert "fewer than 30" in raked["reason"]
    places = weigh(answers(few), people)[1:]
    assert places[2]["std_error"] >= max(row["std_error"] for row in places) - 1e-3


def test_likely_voters_are_weighed_by_their_score():
    people, told, p, _ = electorate()
    rows = people.select("person_id", "party").execute()
    scores = ibis.memtable(
        {
            "person_id": rows.person_id.tolist(),
            "score": ["turnout"] * len(rows),
            "value": np.where(rows.party == "D", 0.2, 0.8).tolist(),
            "as_of": [DAY] * len(rows),
        }
    )
    whole = weigh(answers(told), people, scores, turnout="turnout")[0]
    assert whole["population"] == "lv"
    assert whole["share"] < p.mean() - 0.1
    unknown = weigh(answers(told), people, scores, turnout="voting")[0]
    assert unknown["share"] is None
    assert unknown["reason"] == "nobody has the score voting"


def test_only_each_persons_latest_answer_before_the_day_counts():
    people, told, _, _ = electorate()
    person = next(iter(told))
    changed = answers({person: 1.0 - told[person]}, day=25)
    unheard = answers(dict.fromkeys(told, 1.0), day=21, arrived=30)
    other = answers(dict.fromkeys(told, 1.0), day=22, question="weather")
    known = weigh([*answers(told), *changed, *other], people, by="none")
    assert len(known) == 1
    assert known[0]["n_answers"] == len(told)
    moved = known[0]["raw_share"] * len(told) - sum(told.values())
    assert round(moved) == 1 - 2 * told[person]
    early = weigh([*answers(told), *unheard], people, by="none", as_of=datetime.date(2026, 9, 28))
    assert early[0]["raw_share"] == pytest.approx(sum(told.values()) / len(told))
    assert weigh(answers(told), people, by="none", since=datetime.date(2026, 9, 21))[0]["n_answers"] == 0


def test_a_person_who_has_become_undecided_is_left_out():
    people, told, _, _ = electorate()
    person = next(iter(told))
    assert weigh([*answers(told), *answers({person: 9.0}, day=25)], people)[0]["n_answers"] == len(told) - 1


def test_few_answers_have_a_reason_and_no_number():
    people, told, _, _ = electorate()
    rows = weigh(answers(dict(list(told.items())[:12])), people)
    assert all(row["share"] is None and "12 people answered" in row["reason"] for row in rows)
    nobody = weigh([], people)
    assert nobody[0]["starts_on"] is None
    assert nobody[0]["raw_share"] is None


def test_people_of_unknown_age_sex_and_party_are_a_group_of_their_own():
    people, told, p, _ = electorate()
    hidden = people.mutate(
        party=(people.person_id.cast("int64") % 5 == 0).ifelse(ibis.null("string"), people.party),
        sex=ibis.null("string"),
    )
    for method in ("multilevel", "raking"):
        whole = weigh(answers(told), hidden, method=method)[0]
        assert whole["reason"] is None
        assert abs(whole["share"] - p.mean()) < 0.12


def test_codes_that_mean_both_and_people_without_a_place_are_refused():
    people, told, _, _ = electorate()
    with pytest.raises(DesignError, match="without a common code"):
        weigh(answers(told), people, theirs=[1.0])
    nowhere = people.mutate(region_id=ibis.null("string"))
    with pytest.raises(DesignError, match="Nobody has a region"):
        weigh(answers(told), nowhere)
    assert weigh(answers(told), nowhere, by="place")[1]["place_id"] == "r0p"
