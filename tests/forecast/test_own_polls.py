"""Own surveys among the polls of others."""

from __future__ import annotations

import datetime

from hustings.forecast.own_polls import as_polls


def row(place: str, level: str, share: float | None = 0.52, poll_id: str = "own may") -> dict:
    return {
        "poll_id": poll_id,
        "place_id": place,
        "level": level,
        "pollster": "own",
        "mode": "phone",
        "population": "rv",
        "starts_on": datetime.date(2026, 5, 1),
        "ends_on": datetime.date(2026, 5, 4),
        "n_effective": 400 if share else None,
        "share": share,
    }


def told(rows, places) -> list[tuple[str, str]]:
    return [(poll["poll_id"], poll["place_id"]) for poll in as_polls(rows, places, 2026, "Poe", "Low")][::2]


def test_a_survey_is_read_by_place_or_as_a_whole_and_never_both():
    rows = [row("US", "whole"), row("OH", "place"), row("PA", "place")]
    assert told(rows, {"US", "OH", "PA"}) == [("own may", "OH"), ("own may", "PA")]
    assert told(rows, {"US"}) == [("own may", "US")]
    assert told([*rows, row("US", "whole", poll_id="own june")], {"US", "OH"}) == [
        ("own may", "OH"),
        ("own june", "US"),
    ]


def test_a_place_without_a_number_or_outside_the_forecast_is_no_poll():
    assert told([row("OH", "place", None), row("XX", "place")], {"OH"}) == []
