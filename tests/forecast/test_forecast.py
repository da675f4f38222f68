"""The forecast of small elections, from files to tables."""

from __future__ import annotations

import datetime
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from hustings import flow
from hustings.campaign import read_campaign
from hustings.errors import HustingsError, SettingError, TableError

_SPEC = importlib.util.spec_from_file_location("campaigns", Path(__file__).with_name("campaigns.py"))
made = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(made)


def run(
    make_folder,
    *tables: str,
    toml: str = made.HEAD + made.POLLS + made.RACE,
    polls: str = made.SOUND,
    **files,
):
    given = {"places__csv": made.PLACES, "results__csv": made.RESULTS, "polls__csv": polls, **files}
    folder = make_folder(toml, **given)
    flow.run(read_campaign(folder), *(tables or ("forecast",)))
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    (folder / "campaign.toml").write_text(
        made.HEAD + made.POLLS + made.RACE
        + '\n[scenarios.c]\nrace = "president"\nmargins = { C = 4 }\n'
        + '\n[scenarios.won]\nrace = "president"\nwon = ["A"]\n'
    )  # fmt: skip
    for name, text in (("places", made.PLACES), ("results", made.RESULTS), ("polls", made.SOUND)):
        (folder / f"{name}.csv").write_text(text)
    flow.run(read_campaign(folder), "forecast", "vote_values", "scenarios")
    return folder


def test_every_place_has_its_share_inside_its_intervals(small, rows):
    places = {row["place_id"]: row for row in rows(small, "forecast")}
    assert set(places) == {"A", "B", "C", "US"}
    for row in places.values():
        assert row["low"] < row["low_80"] < row["share"] < row["high_80"] < row["high"]
        assert 0 < row["p_win"] < 1
    assert places["US"]["votes"] == 600_000
    assert sum(places[p]["p_tipping"] for p in "ABC") == pytest.approx(1)
    assert places["US"]["p_tipping"] is None


def test_the_odds_stand_beside_those_without_polls_and_the_mean_of_polls(small, rows):
    odds = {row["estimator"]: row for row in rows(small, "odds")}
    assert set(odds) == {"forecast", "mean of polls", "without polls"}
    own = odds["forecast"]
    assert own["needed"] == 7
    assert own["p_win_error"] > 0
    assert own["seats_low"] <= own["seats"] <= own["seats_high"]
    assert odds["mean of polls"]["p_win"] is None
    assert odds["mean of polls"]["reason"]
    counts = rows(small, "seat_counts")
    assert sum(row["p"] for row in counts) == pytest.approx(1)
    assert sum(row["p"] for row in counts if row["seats"] >= 7) == pytest.approx(own["p_win"])


def test_votes_are_valued_by_place(small, rows):
    values = rows(small, "vote_values")
    assert {row["place_id"] for row in values} == {"A", "B", "C"}
    assert all(row["value"] > 0 < row["std_error"] for row in values)
    mean = sum(row["relative"] * row["votes"] for row in values) / sum(row["votes"] for row in values)
    assert mean == pytest.approx(1)
    assert {row["objective"] for row in values} == {"win"}


def test_the_last_morning_of_the_path_is_the_forecast(small, rows):
    (own,) = [row for row in rows(small, "odds") if row["estimator"] == "forecast"]
    days = [row for row in rows(small, "forecast_days") if row["place_id"] == "US"]
    last = max(days, key=lambda row: row["told_on"])
    assert last["told_on"] == datetime.date(2024, 11, 4)
    assert last["share"] == pytest.approx(own["share"])
    assert abs(last["p_race"] - own["p_win"]) < 4 * own["p_win_error"] + 4 * last["p_race_error"]
    assert all((row["p_race"] is None) == (row["place_id"] != "US") for row in rows(small, "forecast_days"))


def test_the_moves_add_up_to_the_total(small, rows):
    moves = rows(small, "forecast_moves")
    total = next(row for row in moves if row["cause"] == "total")
    for name in ("share_change", "p_win_change"):
        assert sum(row[name] for row in moves if row is not total) == pytest.approx(total[name])
    assert total["p_win_change_error"] > 0


def test_a_supposed_margin_is_certain_and_pulls_the_others_along(small, rows):
    found = {row["place_id"]: row for row in rows(small, "scenarios") if row["scenario"] == "c"}
    assert found["C"]["share"] == pytest.approx(0.52)
    assert found["C"]["p_win"] == 1
    before = {row["place_id"]: row for row in rows(small, "forecast")}
    assert before["C"]["share"] < 0.52
    assert found["A"]["share"] > before["A"]["share"]
    assert found["US"]["p_race"] > found["US"]["p_race_before"]
    assert found["C"]["supposed"] == "C is won by 4 points"


def test_a_supposed_winner_is_won_in_every_draw(small, rows):
    found = {row["place_id"]: row for row in rows(small, "scenarios") if row["scenario"] == "won"}
    assert found["A"]["p_win"] == 1
    assert 200 <= found["A"]["n_draws"] < 66_000


def test_paths_bring_the_seats(small, rows):
    seats = {"A": 3, "B": 4, "C": 5}
    for path in rows(small, "paths"):
        chosen = [p for p in path["places"].split(", ") if p]
        safe = [p for p in path["safe_places"].split(", ") if p]
        assert sum(seats[p] for p in chosen + safe) == path["seats"] >= 7


def test_without_polls_the_prior_answers_and_says_so(make_folder, rows):
    folder = run(make_folder, "vote_values", toml=made.HEAD + made.RACE)
    odds = {row["estimator"]: row for row in rows(folder, "odds")}
    assert odds["forecast"]["n_polls"] == 0
    assert odds["forecast"]["reason"] == "no polls: the odds are those without them"
    assert abs(odds["forecast"]["p_win"] - odds["without polls"]["p_win"]) < 1e-9
    assert all(row["share"] == pytest.approx(row["prior_share"]) for row in rows(folder, "forecast"))
    assert {row["reason"] for row in rows(folder, "forecast")} == {"no poll of the place itself"}


BAD = {
    "over 100": (made.poll(90, "A", 20, 60, 45), None),
    "a place in no tree": (made.poll(91, "Z", 20, 50, 45), "Z is in no tree of places"),
    "after the election": (made.poll(92, "A", 40, 50, 45), "it ended on election day or after"),
    "not ended yet": (made.poll(93, "A", 35, 50, 45), "it had not ended"),
    "no one": (made.poll(94, "A", 20, 50, 0), "nobody chose one of the choices"),
}


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """The small campaign with every poll that cannot be used."""
    folder = tmp_path_factory.mktemp("spoiled")
    (folder / "campaign.toml").write_text(made.HEAD + made.POLLS + made.RACE)
    polls = made.SOUND + "".join(line for line, _ in BAD.values())
    for name, text in (("places", made.PLACES), ("results", made.RESULTS), ("polls", polls)):
        (folder / f"{name}.csv").write_text(text)
    flow.run(read_campaign(folder), "forecast")
    return folder


def test_polls_that_cannot_be_used_change_nothing(spoiled, small, rows):
    before, after = ({r["place_id"]: r["share"] for r in rows(f, "forecast")} for f in (small, spoiled))
    assert after == pytest.approx(before)


@pytest.mark.parametrize("kind", BAD)
def test_a_poll_that_cannot_be_used_is_told_with_its_reason(spoiled, rows, kind):
    line, reason = BAD[kind]
    if reason is None:
        (reject,) = rows(spoiled, "rejects")
        assert "add up to 105.0 of 100" in reject["reasons"]
    else:
        (use,) = [row for row in rows(spoiled, "poll_uses") if row["poll_id"] == line.split(",")[0]]
        assert not use["used"]
        assert use["reason"] == reason


def test_the_same_poll_twice_counts_once_and_waves_that_overlap_count_once(make_folder, rows):
    again = made.poll(60, "A", 20, 50, 45, pollster="daily")
    twice = again.replace("60,", "61,", 1)
    wave = made.poll(62, "A", 21, 49, 45, pollster="daily")
    folder = run(make_folder, polls=made.SOUND + again + twice + wave)
    uses = {row["poll_id"]: row["reason"] for row in rows(folder, "poll_uses")}
    assert uses["62"] is None
    assert "a later wave of the same pollster overlaps it" in (uses["60"], uses["61"])
    assert "the same poll stands twice" in (uses["60"], uses["61"])


def test_a_poll_of_twelve_weighs_next_to_nothing_and_one_of_200_000_not_everything(make_folder, rows, small):
    shares = {}
    for n in (12, 200_000):
        folder = run(make_folder, polls=made.SOUND + made.poll(70, "A", 30, 57, 40, n=n, pollster="new"))
        shares[n] = next(row["share"] for row in rows(folder, "forecast") if row["place_id"] == "A")
    base = next(row["share"] for row in rows(small, "forecast") if row["place_id"] == "A")
    assert abs(shares[12] - base) < 0.003
    assert base < shares[200_000] < 0.55


def test_candidates_that_changed_places_are_left_out(make_folder, rows):
    places = made.PLACES
    results = made.RESULTS.replace("2020,A,49000,51000", "2020,A,62000,38000")
    sound = made.HEADER + "".join(
        made.poll(i, "A", 4 + i, 63, 35, pollster=f"h{i}", n=2000) for i in range(20)
    )
    swap = made.poll(77, "A", 28, 35, 63, pollster="careless", n=2000)
    folder = run(make_folder, polls=sound + swap, places__csv=places, results__csv=results)
    uses = {row["poll_id"]: row for row in rows(folder, "poll_uses")}
    assert uses["77"]["reason"] == "its candidates seem to have changed places"
    assert uses["3"]["used"]


def test_results_of_the_year_itself_and_later_are_not_looked_at(make_folder, rows, small):
    leaked = made.RESULTS + "2024,A,90000,10000\n2024,B,90000,10000\n2024,C,90000,10000\n2028,A,1,99999\n"
    folder = run(make_folder, results__csv=leaked)
    before, after = ({r["place_id"]: r["share"] for r in rows(f, "forecast")} for f in (small, folder))
    assert after == before


def test_what_arrived_later_is_not_known(make_folder, rows):
    toml = (made.HEAD + made.POLLS + made.RACE).replace("arrived_on = 2024-11-04", "arrived_on = 2024-11-05")
    folder = run(make_folder, toml=toml)
    assert {row["n_polls"] for row in rows(folder, "odds")} == {0}


RULES = {
    "plurality": 'rule = "plurality"',
    "state": 'rule = "plurality"\nwithin = "B"',
    "majority": 'rule = "majority"',
    "seats": 'rule = "seats"\nobjective = "seats"',
    "proportional": 'rule = "proportional"\ndivisors = "sainte_lague"\nthreshold = 0.05\nobjective = "seats"',
    "referendum": 'rule = "referendum"\nthreshold = 0.55',
    "cantons": 'rule = "referendum"\nneeded = 8',
}


def test_any_race_is_a_few_words_of_the_file_and_several_stand_beside_each_other(make_folder, rows):
    races = [
        made.RACE.replace("president", kind).replace('rule = "electors"', text)
        for kind, text in RULES.items()
    ]
    folder = run(make_folder, "forecast", "vote_values", toml=made.HEAD + made.POLLS + "".join(races))
    odds = {row["race"]: row for row in rows(folder, "odds") if row["estimator"] == "forecast"}
    assert set(odds) == set(RULES)
    values = rows(folder, "vote_values")
    for kind, own in odds.items():
        assert 0 <= own["p_win"] <= 1
        mine = [row for row in values if row["race"] == kind]
        assert [row["place_id"] for row in mine] == (["B"] if kind == "state" else ["A", "B", "C"])
        assert all(row["value"] > 0 or (kind == "proportional" and row["reason"]) for row in mine)
    # With two choices most votes are more than half; a higher bar, or cantons besides, are harder.
    assert odds["majority"]["p_win"] == pytest.approx(odds["plurality"]["p_win"], abs=0.03)
    assert odds["referendum"]["p_win"] < odds["majority"]["p_win"] > odds["cantons"]["p_win"]
    assert {row["objective"] for row in values if row["race"] == "seats"} == {"seats"}
    # In proportion, a place that is lost still brings seats, and no place tips the race.
    assert odds["proportional"]["seats_low"] > odds["seats"]["seats_low"]
    assert odds["proportional"]["divisors"] == "sainte_lague"
    tipping = [row["p_tipping"] for row in rows(folder, "forecast") if row["race"] == "proportional"]
    assert tipping == [None] * 4


def test_a_primary_of_three_is_forecast_by_the_share_of_each(make_folder, rows):
    toml = (made.HEAD + made.POLLS + made.RACE).replace('rivals = ["theirs"]', 'rivals = ["theirs", "third"]')
    toml = toml.replace('rule = "electors"', 'rule = "plurality"').replace(
        '{ column = "theirs", choice = "theirs" }]\n\n[races',
        '{ column = "theirs", choice = "theirs" }, { column = "third", choice = "third" }]\n\n[races',
    )
    header, *lines = made.SOUND.splitlines()
    polls = "\n".join([header + ",third", *(line + ",20" for line in lines)])
    polls = polls.replace(",46,45,20", ",40,30,20").replace(",47,46,20", ",41,31,20")
    folder = run(make_folder, "forecast", "vote_values", toml=toml, polls=polls)
    places = {row["place_id"]: row for row in rows(folder, "forecast")}
    assert 0.3 < places["US"]["share"] < 0.5
    assert {row["rival"] for row in rows(folder, "forecast_leads")} == {"theirs", "third"}
    assert all(row["value"] > 0 for row in rows(folder, "vote_values"))


def test_districts_inside_a_state_are_contests_beside_it(make_folder, rows):
    places = "id,of,name,seats,votes\nA,US,A,2,\nA-1,A,A first,1,60000\nA-2,A,A second,1,40000\nB,US,B,4,200000\nC,US,C,5,300000\n"
    of_a = [line for line in made.RESULTS.splitlines() if ",A," in line]
    results = made.RESULTS + "".join(line.replace(",A,", f",A-{d},") + "\n" for line in of_a for d in (1, 2))
    folder = run(make_folder, "vote_values", places__csv=places, results__csv=results)
    found = {row["place_id"]: row for row in rows(folder, "forecast")}
    assert set(found) == {"A", "A-1", "A-2", "B", "C", "US"}
    assert found["A"]["votes"] == 100_000
    assert found["A"]["p_tipping"] is not None
    assert next(row["needed"] for row in rows(folder, "odds")) == 7
    # Polls of the state are read as polls of its districts.
    assert found["A-1"]["share"] != pytest.approx(found["A-1"]["prior_share"])
    assert {row["place_id"] for row in rows(folder, "vote_values")} == {"A-1", "A-2", "B", "C"}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (("C,US,Cstate", "C,ZZ,Cstate"), TableError, "in no one tree"),
        (("US,,All", "US,A,All"), TableError, "circle"),
        (("3,100000\nB,US,Bstate,4,200000\nC,US,Cstate,5,", "0,1\nB,US,Bstate,0,1\nC,US,Cstate,0,"), SettingError, "places with seats"),
    ],
)  # fmt: skip
def test_places_that_make_no_race_are_refused(make_folder, change, error, words):
    with pytest.raises(error, match=words):
        run(make_folder, places__csv=made.PLACES.replace(*change))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('rule = "electors"', 'rule = "lottery"', "rule"),
        ('rule = "electors"', 'rule = "electors"\nwithin = "ZZ"', "there is no place"),
        ('rule = "electors"', 'rule = "electors"\nneeded = 13', "cannot be won"),
        ('rivals = ["theirs"]', 'rivals = ["ours"]', "each once"),
        ('rivals = ["theirs"]', "rivals = []", "two or more"),
    ],
)
def test_settings_that_make_no_race_are_refused(make_folder, old, new, words):
    with pytest.raises(HustingsError, match=words):
        run(make_folder, toml=(made.HEAD + made.POLLS + made.RACE).replace(old, new))


def test_a_supposition_of_an_unknown_place_names_the_known_ones(make_folder):
    toml = made.HEAD + made.POLLS + made.RACE + '\n[scenarios.x]\nrace = "president"\nmargins = { Q = 2 }\n'
    with pytest.raises(SettingError, match="there is no 'Q'"):
        run(make_folder, "scenarios", toml=toml)


def test_the_same_seed_gives_the_same_numbers(make_folder, rows, small):
    folder = run(make_folder, "vote_values")
    a, b = ([row["value"] for row in rows(f, "vote_values")] for f in (small, folder))
    assert a == b
    assert np.isfinite(a).all()
