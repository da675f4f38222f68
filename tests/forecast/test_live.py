"""The count of a night: from returns, and from voters checked off at the polls."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.forecast.live import follow_returns
from hustings.tables import spec

NIGHT = datetime.datetime(2026, 11, 4, 2)
SCHEMA = {
    "source": "string",
    "election": "string",
    "place_id": "string",
    "region_id": "string",
    "mode": "string",
    "choice": "string",
    "votes": "int64",
    "share_reported": "float64",
    "counted_at": "timestamp",
    "arrived_at": "timestamp",
}


def row(
    election, place, votes, *, region="North", mode="all", reported=None, at=NIGHT, choices=("Ours", "Theirs")
):
    return [
        dict(zip(SCHEMA, ("county", election, place, region, mode, choice, n, reported, at, at), strict=True))
        for choice, n in zip(choices, votes, strict=True)
    ]


def table(*rows) -> ibis.Table:
    return ibis.memtable([one for few in rows for one in few], schema=SCHEMA)


def live(returns, *, people=None, **more) -> dict[str, dict]:
    given = {
        "election": "2026",
        "earlier": "2022",
        "ours": "Ours",
        "theirs": "Theirs",
        "place": "State",
        "draws": 1000,
    }
    found = follow_returns(
        returns, None, people, None, night="night", rng=np.random.default_rng(1), **given | more
    )
    assert tuple(found) == spec("live").names
    assert len({len(values) for values in found.values()}) == 1
    return {place: {name: found[name][i] for name in found} for i, place in enumerate(found["place_id"])}


def before(n: int = 20):
    """Half the precincts in the North, where 600 of 1,000 are ours, half in the South, where it is 450."""
    return [
        one
        for i in range(n)
        for one in row(
            "2022", f"p{i}", (600, 400) if i < n / 2 else (450, 550), region="North" if i < n / 2 else "South"
        )
    ]


def test_before_the_first_count_it_says_what_was_expected():
    found = live(table(before()))
    whole = found["State"]
    assert whole["n_reported"] == 0
    assert whole["counted_share"] is None
    assert whole["expected_share"] == pytest.approx(0.525, abs=1e-3)
    assert whole["low"] < 0.525 < whole["high"]
    assert set(found) == {"State", "North", "South"}
    assert found["North"]["share"] > found["South"]["share"]


def test_early_precincts_of_the_south_do_not_lose_the_state():
    # As in Ohio in 2012: the first precincts are the other side's, and swing as expected.
    told = [row("2026", f"p{i}", (451, 549), region="South") for i in range(10, 20)]
    whole = live(table(before(), *told))["State"]
    assert whole["counted_share"] == pytest.approx(0.451)
    assert whole["low"] < 0.525 < whole["high"]
    assert whole["p_win"] > 0.6
    assert whole["n_reported"] == 10
    assert whole["counted_at"] == NIGHT


def test_all_counted_is_the_result():
    told = [row("2026", f"p{i}", (480, 520)) for i in range(20)]
    whole = live(table(before(), *told))["State"]
    assert (whole["share"], whole["std_error"], whole["p_win"]) == pytest.approx((0.48, 0, 0))
    assert whole["votes"] == 20_000
    assert whole["share_reported"] == 1.0


def test_the_latest_count_counts_and_a_night_can_be_replayed():
    first = row("2026", "p0", (10, 90), reported=0.1)
    later = row("2026", "p0", (600, 400), at=NIGHT + datetime.timedelta(hours=1))
    returns = table(before(), first, later)
    assert live(returns)["State"]["votes_counted"] == 1000
    assert live(returns, until=NIGHT)["State"]["votes_counted"] == 100


def test_the_forecasts_own_share_replaces_the_earlier_one():
    whole = live(table(before()), expected_share=0.48, expected_error=0.01, expected_votes=50_000)["State"]
    assert whole["expected_share"] == pytest.approx(0.48, abs=1e-6)
    assert whole["votes"] == pytest.approx(50_000, rel=0.05)
    assert whole["std_error"] < 0.02


def test_a_precinct_that_was_not_there_before_is_like_its_region():
    found = live(table(before(), row("2026", "new", (70, 30), region="South", reported=0.5)))
    assert found["South"]["n_units"] == 11
    assert found["State"]["n_reported"] == 1


def test_precincts_under_other_names_are_refused_with_their_number():
    told = [row("2026", f"x{i}", (480, 520)) for i in range(4)]
    with pytest.raises(DesignError, match="Of 4 precincts that reported in 2026, 4 are not in 2022"):
        live(table(before(), *told, row("2026", "p1", (1, 1))[:0]))


def test_without_an_earlier_election_there_is_nothing_to_hold_it_against():
    with pytest.raises(DesignError, match="earlier is missing"):
        live(table(before()), earlier="")
    with pytest.raises(DesignError, match="No votes for Ours or Theirs in 2018"):
        live(table(before()), earlier="2018")


def test_ways_of_voting_that_the_earlier_election_did_not_tell_need_their_shares():
    told = [row("2026", f"p{i}", (200, 100), mode="mail") for i in range(20)]
    with pytest.raises(DesignError, match=r"mode_shares = \{ 'mail' = … \}"):
        live(table(before(), *told))
    found = live(table(before(), *told), mode_shares={"mail": 0.3, "day": 0.7})
    assert found["State"]["n_units"] == 40
    # Mail is all counted; what it tells of election day is little.
    assert found["State"]["high"] - found["State"]["low"] > 0.05
    assert found["State"]["counted_share"] == pytest.approx(2 / 3)


def test_a_choice_that_nobody_has_votes_for_is_taken_for_a_slip():
    told = [row("2026", "p0", (5, 5), choices=("OURS", "Theirs"))]
    with pytest.raises(DesignError, match=r"The returns of 2026 have no choice 'Ours'.*OURS"):
        live(table(before(), *told))


def test_a_time_of_another_zone_is_read_as_utc():
    returns = table(before(), row("2026", "p0", (600, 400)))
    eastern = datetime.timezone(datetime.timedelta(hours=-5))
    assert (
        live(returns, until=datetime.datetime(2026, 11, 3, 20, 59, tzinfo=eastern))["State"]["n_reported"]
        == 0
    )
    assert (
        live(returns, until=datetime.datetime(2026, 11, 3, 21, 1, tzinfo=eastern))["State"]["n_reported"] == 1
    )


def test_ways_of_voting_under_other_names_are_refused():
    earlier = [row("2022", "p0", (5, 5), mode="mail"), row("2022", "p1", (5, 5), mode="day")]
    with pytest.raises(DesignError, match="not those of the earlier election"):
        live(table(*earlier, row("2026", "p0", (5, 5), mode="post")))


def test_an_earlier_election_by_ways_of_voting_is_summed_where_tonight_has_none():
    earlier = [row("2022", f"p{i}", (50, 50), mode=mode) for i in range(4) for mode in ("mail", "day")]
    found = live(table(*earlier, row("2026", "p0", (120, 80))))
    assert found["State"]["n_units"] == 4
    assert found["State"]["expected_share"] == pytest.approx(0.5)


def test_a_region_that_is_done_without_a_vote_has_a_reason():
    told = [row("2026", f"p{i}", (0, 0), region="North") for i in range(10)]
    found = live(table(before(), *told))
    assert found["North"]["share"] is None
    assert "without a vote" in found["North"]["reason"]
    assert found["State"]["reason"] is None


def test_peoples_age_and_sex_help_where_they_are_known():
    people = ibis.memtable(
        [
            {"place_id": f"p{i}", "sex": sex, "born_on": datetime.date(1950 + 2 * i, 1, 1)}
            for i in range(20)
            for sex in (["female"] * (i % 3 + 1) + ["male"])
        ],
        schema={"place_id": "string", "sex": "string", "born_on": "date"},
    )
    told = [row("2026", f"p{i}", (600, 400)) for i in range(0, 20, 2)]
    assert live(table(before(), *told), people=people)["State"]["n_reported"] == 10


# ── voters checked off at the polls ────────────────────────────────────────────────────────────────


def checked(watched: range, *, turnout_score: str = "turnout") -> dict[str, dict]:
    """Ten precincts of 100; ours are the first five, and voters are seen only where somebody watches."""
    who = [(f"p{i}", f"{i}-{j}") for i in range(10) for j in range(100)]
    people = ibis.memtable(
        [{"person_id": person, "place_id": place, "region_id": "Ohio"} for place, person in who],
        schema={"person_id": "string", "place_id": "string", "region_id": "string"},
    )
    day = datetime.date(2012, 11, 1)
    scores = ibis.memtable(
        [
            {"person_id": person, "score": score, "value": value, "as_of": day}
            for place, person in who
            for score, value in ((turnout_score, 0.5), ("support", 0.8 if int(place[1:]) < 5 else 0.24))
        ]
    )
    seen = [person for place, person in who if int(place[1:]) in watched and int(person.split("-")[1]) < 25]
    events = ibis.memtable(
        [
            {
                "person_id": person,
                "kind": "vote",
                "name": "2012",
                "happened_at": datetime.datetime(2012, 11, 6, 15),
            }
            for person in seen
        ],
        schema={"person_id": "string", "kind": "string", "name": "string", "happened_at": "timestamp"},
    )
    nothing = ibis.memtable([], schema=SCHEMA)
    found = follow_returns(
        nothing,
        events,
        people,
        scores,
        night="ohio",
        election="2012",
        ours="Ours",
        theirs="Theirs",
        readings="voters",
        share_of_day=0.5,
        place="State",
        draws=1000,
        rng=np.random.default_rng(1),
    )
    return {place: {name: found[name][i] for name in found} for i, place in enumerate(found["place_id"])}


def test_voters_seen_in_the_other_sides_precincts_do_not_lose_ohio():
    found = checked(range(5, 10))["State"]
    # What volunteers saw says that it is lost; that only the other side's precincts are watched says that it is not.
    assert found["counted_share"] == pytest.approx(0.24)
    assert found["low"] < 0.52 < found["high"]
    assert found["p_win"] > 0.5
    assert found["n_reported"] == 5


def test_scores_that_are_missing_are_named():
    with pytest.raises(DesignError, match="turnout and support"):
        checked(range(10), turnout_score="voting")
