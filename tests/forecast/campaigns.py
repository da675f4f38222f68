"""Small made-up elections as campaign folders: three states and the country, polls, results, a race."""

from __future__ import annotations

HEAD = """
[campaign]
name = "Three states"
election_day = 2024-11-05
as_of = 2024-11-04

[sources.places]
path = "places.csv"
arrived_on = 2024-01-01
[[sources.places.places]]
place_id = "id"
parent_id = "of"
name = "name"
seats = "seats"
votes = "votes"

[sources.results]
path = "results.csv"
arrived_on = 2024-01-01
[[sources.results.results]]
year = "year"
place_id = "id"
votes = { cell = true }
unpivot = [{ column = "ours", choice = "ours" }, { column = "theirs", choice = "theirs" }]
"""

POLLS = """
[sources.polls]
path = "polls.csv"
arrived_on = 2024-11-04
[[sources.polls.polls]]
poll_id = "poll"
year = { constant = 2024 }
place_id = "id"
pollster = "pollster"
starts_on = "start"
ends_on = "end"
n_asked = "n"
percent = { cell = true }
unpivot = [{ column = "ours", choice = "ours" }, { column = "theirs", choice = "theirs" }]
"""

RACE = """
[races.president]
rule = "electors"
choice = "ours"
rivals = ["theirs"]
draws = 4000
history_days = 2
"""

PLACES = (
    "id,of,name,seats,votes\nA,US,Astate,3,100000\nB,US,Bstate,4,200000\nC,US,Cstate,5,300000\nUS,,All,,\n"
)

# Our share of the two, in thousandths: places differ, and no place stays where it was.
_SHARES = {
    1992: (530, 480, 510), 1996: (470, 530, 520), 2000: (520, 470, 530), 2004: (480, 540, 490),
    2008: (530, 500, 540), 2012: (500, 525, 470), 2016: (455, 490, 520), 2020: (500, 515, 485),
}  # fmt: skip
RESULTS = "year,id,ours,theirs\n" + "".join(
    f"{year},{place},{100 * share},{100 * (1000 - share)}\n"
    for year, shares in _SHARES.items()
    for place, share in zip("ABC", shares, strict=True)
)

HEADER = "poll,id,pollster,start,end,n,ours,theirs\n"


def poll(number: int, place: str, day: int, ours: float, theirs: float, **other: object) -> str:
    """One row of polls, of four days of field work that ended on a day of October or November."""
    end = f"2024-10-{day:02}" if day <= 31 else f"2024-11-{day - 31:02}"
    start = f"2024-10-{day - 3:02}" if day - 3 <= 31 else f"2024-11-{day - 34:02}"
    values = {"start": start, "end": end, "n": 800, "pollster": f"house {number % 5}", **other}
    return f"{number},{place},{values['pollster']},{values['start']},{values['end']},{values['n']},{ours},{theirs}\n"


SOUND = HEADER + "".join(
    poll(i, place, 5 + 2 * i, 46 + i % 4, 45 + i % 3) for i, place in enumerate(["A", "B", "C", "US"] * 3)
)
