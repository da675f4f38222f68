"""A night from a file of returns to the table, run as a campaign is run."""

from __future__ import annotations

from hustings import flow
from hustings.campaign import read_campaign

TOML = """
[campaign]
name = "A night"
election_day = 2026-11-03
as_of = 2026-11-04
place = "State"

[sources.returns]
path = "returns.csv"
arrived_on = 2026-11-04

[[sources.returns.returns]]
election = "election"
region_id = "county"
place_id = "precinct"
mode = { constant = "all" }
choice = "candidate"
votes = "votes"
share_reported = "done"
counted_at = "counted"

[live.governor]
election = "2026"
ours = "Poe"
theirs = "Low"
earlier = "2022"
draws = 500
"""
HEAD = "election,county,precinct,candidate,votes,done,counted\n"


def returns(*more: str) -> str:
    rows = [
        f"{year},{'NS'[i % 2]},p{i},{name},{votes},,{year}-11-09T01:00:00"
        for year in (2022, 2026)
        for i in range(20 if year == 2022 else 8)
        for name, votes in (("Poe", 520), ("Low", 480))
    ]
    return HEAD + "\n".join([*rows, *more]) + "\n"


def test_a_file_of_returns_alone_makes_a_live_forecast(make_folder, rows):
    folder = make_folder(TOML, returns__csv=returns())
    flow.run(read_campaign(folder), "live")
    whole = next(row for row in rows(folder, "live") if row["level"] == "whole")
    assert (whole["n_units"], whole["n_reported"], whole["votes_counted"]) == (20, 8, 8000)
    assert whole["counted_share"] == 0.52
    assert whole["low"] < 0.52 < whole["high"]
    assert 0.5 < whole["p_win"] < 1


def test_counts_that_cannot_be_are_set_aside_with_their_reasons(make_folder, rows):
    wrong = (
        "2026,N,p9,Poe,-5,,2026-11-04T01:00:00",
        "2026,N,p9,Low,50,1.2,2026-11-04T01:00:00",
        "2026,N,p9,Low,5.5,,2026-11-04T01:00:00",
        "2026,N,p9,Low,5,,tonight",
    )
    folder = make_folder(TOML, returns__csv=returns(*wrong))
    flow.run(read_campaign(folder), "live")
    reasons = {row["line"]: row["reasons"] for row in rows(folder, "rejects")}
    assert list(reasons.values()) == [
        "votes is below 0",
        "share_reported is not between 0 and 1",
        "votes is not a whole number",
        "counted_at is not a day in the form 2026-11-03",
    ]
    (load,) = rows(folder, "loads")
    assert (load["n_read"], load["n_kept"], load["n_rejected"]) == (60, 56, 4)
