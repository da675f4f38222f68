"""The campaign.toml of a simulated campaign."""

from __future__ import annotations

from string import Template

from hustings.simulate.elections import (
    AS_OF,
    ASKED_FROM,
    DRAWN_ON,
    ELECTION_DAY,
    FILE_BOUGHT_ON,
    LOADED_ON,
    PAST,
    POSTED_ON,
)
from hustings.simulate.parts import PARTS

_TEXT = Template("""\
#:schema ./campaign.schema.json
# A simulated state: $people made-up voters, seed $seed. A test of three mailers was sent to some of their
# households at random, and who then voted is known. Like the Michigan example it replays that election:
# people are described as of the eve of the mailing, and the outcome, known since, says what the mail was
# worth. What it was truly worth to each of them stands in truth.parquet, which no source reads.

[campaign]
name = "Simulated primary, August 2026"
election_day = $election_day
as_of = $as_of
place = "Simulated state"
currency = "USD"
playbook = "election"
seed = $seed
aim = "net_votes" # what every plan counts; "win" counts the odds of the race below, to first order
decisive_race = "governor"

# ── where the data are, and what their columns mean ────────────────────────────────────────────────

[sources.voters] # a few rows are damaged on purpose: they belong in `rejects`
path = "sources/voters.csv"
arrived_on = $bought_on

[sources.voters.records]
record_id = "voter_id"
given_name = "first_name"
family_name = "last_name"
born_on = { column = "birth_date", date = "%m/%d/%Y" }
sex = { column = "sex", values = { M = "male", F = "female" } }
party = "party"
address = "address"
postcode = "zip"
latitude = "latitude"
longitude = "longitude"
household_key = "household_id"
place_id = "precinct"
region_id = "region"
registered_on = { column = "registered", date = "%m/%d/%Y" }

[[sources.voters.record_events]] # six columns of vote history become vote events
kind = { constant = "vote" }
keep = ["Y"]
unpivot = [
$past
]

[[sources.voters.record_events]] # the vendor's own score comes with the file: a rival to beat
kind = { constant = "score" }
name = { constant = "partisan index" }
value = "partisan_index"
happened_at = { constant = $bought_on }

[sources.canvass] # what people told canvassers, from 1 (strong for us) to 5 (strong for the others)
path = "sources/canvass.csv"
people_from = "voters"
arrived_on = $loaded_on

[[sources.canvass.record_events]]
record_id = "voter_id"
kind = { constant = "answer" }
name = { constant = "support" }
channel = { constant = "door" }
value = "support"
happened_at = "date"

[sources.supporters] # the campaign's own book: each row knows when it was entered
path = "sources/supporters.csv"
people_from = "voters"
arrived_on = $loaded_on

[[sources.supporters.record_events]]
record_id = "voter_id"
kind = "what" # gift or shift
value = "cents"
happened_at = "date"
arrived_at = "entered"

[sources.mailing] # the mail house's list, control households included
path = "sources/mailing.csv.gz"
delimiter = "|"
people_from = "voters"
arrived_on = $drawn_on

[[sources.mailing.record_events]] # the mailer is a contact …
record_id = "voter_id"
kind = { constant = "contact" }
channel = { constant = "mail" }
name = { constant = "primary mailers" }
item = "arm"
happened_at = { column = "mailed_on", date = "%Y-%m-%d" }
where = { column = "arm", isnt = ["control"] }

[[sources.mailing.record_assignments]] # … and the arm of a randomised test
record_id = "voter_id"
experiment = { constant = "mailers" }
arm = "arm"
block_id = "precinct"
assigned_on = { constant = $drawn_on }

[sources.turnout]
path = "sources/turnout.parquet"
people_from = "voters"
arrived_on = $posted_on # when the state posted who had voted

[[sources.turnout.record_outcomes]]
record_id = "voter_id"
outcome = { constant = "voted" }
value = "voted"
happened_on = { constant = $election_day }

[sources.opt_outs]
path = "sources/opt_outs.tsv"
people_from = "voters"
arrived_on = $drawn_on

[[sources.opt_outs.opt_outs]]
record_id = "voter_id"
channel = "channel"
given_on = { column = "day", date = "%Y-%m-%d" }

# ── what was tested, what is predicted ─────────────────────────────────────────────────────────────

[experiments.mailers]
unit = "household"
control = "control"
measured_by = ["voted"]
planned_shares = { control = 3, plain = 1, social = 1, record = 1 }

[features]
moments = [$asked_from] # people are also described as of this day, to learn what they then said and did

[scores.turnout]
outcome = "voted"

[scores.support] # whoever told a canvasser; the undecided are left out
answer = { kind = "answer", name = "support", yes = [1, 2], no = [4, 5] }
horizon_days = 30
trained_as_of = $asked_from
vendor = "partisan index"
protected = ["party"]

[scores.donor] # who will give in the next 30 days
event = { kind = "gift" }
horizon_days = 30
trained_as_of = $asked_from

[scores.gift] # how much, of those who have given before
event = { kind = "gift" }
amount = true
horizon_days = 30
trained_as_of = $asked_from
population = { did = { kind = "gift" } }

[scores.volunteer]
event = { kind = "shift" }
horizon_days = 30
trained_as_of = $asked_from

[effects.mailers]
outcome = "voted"

# ── what can be done, at what cost ─────────────────────────────────────────────────────────────────

[actions.plain]
experiment = "mailers"
arm = "plain"
channel = "mail"
unit_cost_cents = 40

[actions.social]
experiment = "mailers"
arm = "social"
channel = "mail"
unit_cost_cents = 40

[actions.record]
experiment = "mailers"
arm = "record"
channel = "mail"
unit_cost_cents = 40
needs_approval = true
concern = "Shows people their own voting record. It works best, and it puts off the young who have no party."

[contact_plan.mail]
outcome = "voted"
budget_cents = $budget_cents
action_names = ["plain", "social", "record"]

[turfs.doors] # everyone's door, cut into walks
doors_per_turf = 50

[goals.mailers]
about = "Mailers delivered"
kind = "contact"
channel = "mail"
target = $target
starts_on = 2026-07-27
due_on = 2026-08-01
""")


def declaration(people: int, seed: int) -> str:
    """The text of campaign.toml.

    The budget pays a letter to about 15 people in 100, so that the plan has to choose; the goal lies
    a little above what the test has mailed.

    Args:
        people: Registered voters.
        seed: The campaign's seed.

    Returns:
        TOML, ending in a line break.

    >>> declaration(50_000, 7).count("budget_cents = 300_000")
    1
    """
    past = "\n".join(
        f'  {{ column = "{election.column}", name = "{election.name}", election_kind = "{election.kind}",'
        f" happened_at = {election.day} }},"
        for election in PAST
    )
    own = _TEXT.substitute(
        people=f"{people:,}",
        seed=seed,
        election_day=ELECTION_DAY,
        as_of=AS_OF,
        bought_on=FILE_BOUGHT_ON,
        asked_from=ASKED_FROM,
        loaded_on=LOADED_ON,
        drawn_on=DRAWN_ON,
        posted_on=POSTED_ON,
        past=past,
        budget_cents=f"{people // 100 * 600:_}",
        target=f"{people // 100 * 35:_}",
    )
    return "\n".join([own, *(part.declaration(people) for part in PARTS)])
