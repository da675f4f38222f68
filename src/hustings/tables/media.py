"""Tables of airtime: what can be bought, who sees it, what was bought and aired, what to buy, what is owed."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_SOURCE = Column("source", "text", "The source that said so: a `[sources.…]` section.", required=True)
_SLOT = Column("slot_id", "text", "The slot.", required=True)
_ARRIVED = Column("arrived_at", "time", "When the campaign could know of it.", required=True)
_LOAD = Column("load_id", "text", "The load that brought the row.", required=True)
_LINE = Column("line", "integer", "Its row in the file; the first row of data is 1.", required=True)
_PLAN = Column("plan_id", "text", "The plan: a `[media_plan.…]` section.", required=True)
_AS_OF = Column("as_of", "day", "Nothing that arrived on this day or later was used.", required=True)
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")
_MARKET = Column("market", "text", "The market in which it is seen.")
_NETWORK = Column("network", "text", "The station, network or platform that sells it.")
_DAYPART = Column("daypart", "text", "`prime`, `early news`, … .")


SLOTS = TableSpec(
    "slots",
    "collected",
    "one kind of unit that can be bought in one week: spots in a program, or impressions",
    ("source", "slot_id"),
    (
        _SOURCE,
        _SLOT,
        Column("medium", "text", "`television`, `radio` or `digital`; television unless given."),
        _MARKET,
        _NETWORK,
        _DAYPART,
        Column("program", "text", "What is on, or what the impressions stand beside."),
        Column("week_on", "day", "The Monday on which its week begins.", required=True),
        number("price_cents", "Of one unit; null for a part of a rotation.", "cents"),
        number(
            "lowest_unit_charge_cents",
            "What a candidate pays at most inside the window before an election.",
            "cents",
        ),
        count("n_units", "Units to be had; unlimited unless given."),
        count("minimum_units", "Units that a contract obliges to buy."),
        Column("class_of_time", "text", "`fixed`, `preemptible`, `bonus`, … ; `bonus` alone may be free."),
        number("p_preempted", "Probability that a bought unit is not aired.", "share"),
        count("n_airings", "Times in the week that its program airs."),
        number("minutes_per_airing", "Length of one airing.", "minutes"),
        number("separation_minutes", "Least time between two units of one buyer.", "minutes"),
        Column("rotation_id", "text", "The slot through which it is sold: units rotate among its parts."),
        number("audience", "Adults who see one unit, as published; scales the panel's viewing.", "persons"),
        number("n_reachable", "Of impressions: people whom the slot can reach at all.", "persons"),
        number("frequency_cap", "Of impressions: at most so many a person."),
        Column("aimed_by", "text", "Of digital: `list` for an uploaded audience, or `context`, `place`, … ."),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

VIEWERS = TableSpec(
    "viewers",
    "collected",
    "a person, a panelist, or a group of alike persons whose viewing is told",
    ("source", "viewer_id"),
    (
        _SOURCE,
        Column("viewer_id", "text", "Unique within the source.", privacy="person", required=True),
        Column("person_id", "text", "The person, where it is one of ours.", privacy="person"),
        Column("sex", "text", "As in `people`; any unless given.", privacy="person"),
        count("age_from", "The youngest."),
        count("age_to", "The oldest."),
        Column("region_id", "text", "Region or place as in `people`; any unless given.", privacy="person"),
        Column("party", "text", "As in `people`; any unless given.", privacy="person"),
        number("n_people", "Adults for whom the row stands.", "persons"),
        number("n_panelists", "Panelists behind the row: 1 for a panelist; null where viewing is known."),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

VIEWING = TableSpec(
    "viewing",
    "collected",
    "how likely a viewer is to see one unit of a slot",
    ("source", "viewer_id", "slot_id"),
    (
        _SOURCE,
        Column("viewer_id", "text", "The viewer.", privacy="person", required=True),
        _SLOT,
        Column(
            "p_view",
            "number",
            "Probability of seeing one unit; of 1,000 impressions, expected number a person.",
            "share",
            "person",
            True,
        ),
        number(
            "p_reachable", "Share of the viewers whom the slot can reach at all; 1 unless given.", "share"
        ),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

BOUGHT = TableSpec(
    "bought",
    "collected",
    "one order of airtime, of this cycle or an earlier one",
    ("source", "order_id"),
    (
        _SOURCE,
        Column("order_id", "text", "Unique within the source.", required=True),
        Column("slot_id", "text", "The slot, of this cycle's orders."),
        _MARKET,
        _NETWORK,
        _DAYPART,
        count("n_units", "Units ordered."),
        number("cost_cents", "What they cost in all.", "cents"),
        Column("ordered_on", "day", "The day of the order.", required=True),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

AIRINGS = TableSpec(
    "airings",
    "collected",
    "one line of an as-run log or an invoice",
    ("source", "airing_id"),
    (
        _SOURCE,
        Column("airing_id", "text", "Unique within the source.", required=True),
        Column("order_id", "text", "The order that it fulfils.", required=True),
        Column("status", "text", "`aired`, `preempted` or `make-good`.", required=True),
        count("n_units", "Units; 1 unless given."),
        Column("aired_at", "time", "When it ran."),
        number("delivered", "Adults who saw it, as measured; null where it was not.", "persons"),
        number("invoiced_cents", "What is asked for it.", "cents"),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

MEDIA_PLAN = TableSpec(
    "media_plan",
    "derived",
    "units to buy of one slot",
    ("plan_id", "slot_id"),
    (
        _PLAN,
        _SLOT,
        Column("medium", "text", "`television`, `radio` or `digital`.", required=True),
        _MARKET,
        _NETWORK,
        _DAYPART,
        Column("program", "text", "What is on."),
        Column("week_on", "day", "The Monday on which its week begins.", required=True),
        Column("class_of_time", "text", "As offered."),
        Column("n_units", "integer", "Units to buy.", required=True),
        Column(
            "price_cents",
            "number",
            "Of one unit, the lowest unit charge where it holds.",
            "cents",
            required=True,
        ),
        Column("cost_cents", "number", "Of all units.", "cents", required=True),
        number("expected_units", "Units expected to air.", "units"),
        number("points", "Gross rating points among adults: exposures for 100 of them.", "points"),
        number("net_votes", "What the last unit still adds, in net votes.", "votes"),
        Column("lowest_unit_charge", "boolean", "Bought at a candidate's lowest unit charge.", required=True),
        _AS_OF,
    ),
)

MEDIA_OPTIONS = TableSpec(
    "media_options",
    "derived",
    "one way to spend a media budget",
    ("plan_id", "option"),
    (
        _PLAN,
        Column("option", "text", "`plan`, or a rule of thumb.", required=True),
        Column("about", "text", "What it does, in a sentence.", required=True),
        Column("recommended", "boolean", "What `media_plan` buys.", required=True),
        count("n_units", "Units bought."),
        number("cost_cents", "What they cost.", "cents"),
        number("points", "Gross rating points: exposures for 100 adults.", "points"),
        number("target_points", "Exposures for 100 targets: the people who are worth most.", "points"),
        number("reach", "Share of adults who see at least one unit.", "share"),
        number("frequency", "Units that each of those sees."),
        number("targets_reached", "Targets who see at least one unit.", "persons"),
        number("cents_per_target", "Cost of a target reached.", "cents"),
        number("net_votes", "Expected on election day, judged on panelists that the plan was not made on."),
        number("std_error", "Of the net votes: effect, response, decay and viewing.", "votes"),
        number("low", "Lower end of their 95 % interval.", "votes"),
        number("high", "Upper end.", "votes"),
        number("gain", "What they are worth, in the campaign's aim."),
        number("gain_low", "Lower end of its 95 % interval."),
        number("gain_high", "Upper end."),
        number("cents_per_net_vote", "Cost of an expected net vote.", "cents"),
        number("cents_per_net_vote_low", "At the upper end of the net votes.", "cents"),
        number("cents_per_net_vote_high", "At the lower end; null where that is not above 0.", "cents"),
        number("advantage", "The plan's net votes less this option's.", "votes"),
        number("advantage_low", "Lower end of the 95 % interval, paired.", "votes"),
        number("advantage_high", "Upper end.", "votes"),
        number("budget_saved", "Share of this option's cost at which the plan gains as much.", "share"),
        number(
            "predicted", "What the panel that the plan was made on claims: not the gain to expect.", "votes"
        ),
        number("bound", "No plan within the limits is worth more on that panel, of the plan alone.", "votes"),
        number("gap", "(bound - predicted) / bound.", "share"),
        number("n_panelists", "Panelists behind the viewing; null where it is known."),
        _AS_OF,
        _REASON,
    ),
)

MEDIA_CHECKS = TableSpec(
    "media_checks",
    "derived",
    "one order held against what aired and what was invoiced, or one slot that cannot be bought",
    ("check", "subject_id"),
    (
        Column("check", "text", "`order` or `slot`.", required=True),
        Column("subject_id", "text", "The order, or the slot.", required=True),
        Column("slot_id", "text", "The slot."),
        _MARKET,
        _NETWORK,
        count("n_bought", "Units ordered."),
        count("n_aired", "Units aired."),
        count("n_preempted", "Units that were not aired."),
        count("n_made_good", "Units aired to make good."),
        number("expected_audience", "Adults that the units aired should have shown it to.", "persons"),
        number("delivered_audience", "Adults measured.", "persons"),
        number("ordered_cents", "Price of the units aired, as ordered.", "cents"),
        number("invoiced_cents", "Asked for them.", "cents"),
        number("refund_cents", "Asked above what was ordered, or for units that did not air.", "cents"),
        number("owed_units", "Units not aired and not made good.", "units"),
        number("owed_audience", "Adults still owed.", "persons"),
        Column("make_good_slot_id", "text", "Where to take what is owed."),
        count("make_good_units", "How many units there."),
        number("make_good_audience", "Adults who see them.", "persons"),
        Column(
            "status",
            "text",
            "`complete`, `running`, `owed`, `overcharged`, `no log` or `left out`.",
            required=True,
        ),
        _AS_OF,
        Column("reason", "text", "What is wrong, in a sentence; null where nothing is."),
    ),
)

COLLECTED = (SLOTS, VIEWERS, VIEWING, BOUGHT, AIRINGS)
DERIVED = (MEDIA_PLAN, MEDIA_OPTIONS, MEDIA_CHECKS)
