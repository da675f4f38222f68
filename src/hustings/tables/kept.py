"""Append-only memory that no stage may rebuild."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec

HOLDOUTS = TableSpec(
    "holdouts",
    "kept",
    "one household's draw for a plan's control group, or the campaign's, made once",
    ("plan_id", "household_id"),
    (
        Column("plan_id", "text", "The plan; `campaign` of the hold-out of all plans.", required=True),
        Column("household_id", "text", "The household.", privacy="person", required=True),
        Column("held_out", "boolean", "Drawn into the control group.", required=True),
        Column("drawn_on", "day", "The plan's `as_of` at the draw.", required=True),
    ),
)

DECISIONS = TableSpec(
    "decisions",
    "kept",
    "one decision that was put to the people in charge",
    ("decision_id",),
    (
        Column(
            "decision_id", "text", "A digest of what was proposed, when, and on what evidence.", required=True
        ),
        Column("plan_id", "text", "The plan.", required=True),
        Column("as_of", "day", "The day it speaks of.", required=True),
        Column("question", "text", "What is to be decided.", required=True),
        Column("recommendation", "text", "What the department advises.", required=True),
        Column("expected", "number", "Expected gain; null where nothing is recommended."),
        Column("low", "number", "Lower end of the 95 % interval."),
        Column("high", "number", "Upper end."),
        Column("cost_cents", "number", "What it costs.", "cents"),
        Column("rule", "text", "The rule of thumb it replaces."),
        Column("rule_expected", "number", "What that rule would bring at the same cost."),
        Column("options", "text", "Every option with its expectation, as JSON.", required=True),
        Column("detectable_effect", "number", "Effect per person that the control group can show.", "share"),
        Column("available_on", "day", "When the outcome can be known."),
        Column("unit", "text", "What gains count; null of a decision older than this column: added ballots."),
        Column("std_error", "number", "Of `expected`."),
        Column("holdout_cost", "number", "What holding the control group back costs, in `unit`."),
        Column("n_held_out", "integer", "Households chosen and held back as control."),
    ),
)

CUTS = TableSpec(
    "cuts",
    "kept",
    "one list that left the building",
    ("cut_id",),
    (
        Column("cut_id", "text", "The cut.", required=True),
        Column("plan_id", "text", "The plan it was cut from.", required=True),
        Column("run_id", "text", "The published run it was cut from."),
        Column(
            "format", "text", "For whom: `mail`, `van`, `meta`, … ; null of a cut before formats were kept."
        ),
        Column("cut_of", "text", "The earlier cut that this one repeats on the day it goes out."),
        Column("path", "text", "The file.", required=True),
        Column("n_rows", "integer", "Rows in it.", required=True),
        Column("n_opted_out", "integer", "People left out at the cut for an opt-out.", required=True),
        Column("n_voted", "integer", "People left out at the cut because they have voted."),
        Column("n_unreachable", "integer", "People left out for want of what the format needs."),
        Column("digest", "text", "SHA-256 of the file.", required=True),
        Column("cut_by", "text", "Who asked for it.", required=True),
        Column("cut_at", "time", "When.", required=True),
    ),
)

CUT_PEOPLE = TableSpec(
    "cut_people",
    "kept",
    "one person on one list that left the building",
    ("cut_id", "person_id"),
    (
        Column("cut_id", "text", "The cut.", required=True),
        Column("person_id", "text", "The person.", privacy="person", required=True),
        Column("household_id", "text", "The household.", privacy="person", required=True),
        Column("action", "text", "What was to be done."),
    ),
)

RUNS = TableSpec(
    "runs",
    "kept",
    "one stage's work within one run, or the run's publication",
    ("run_id", "node"),
    (
        Column("run_id", "text", "The run; they sort by time.", required=True),
        Column("node", "text", "`lifts.mailers`; `published` for the run as a whole.", required=True),
        Column("stage", "text", "The function.", required=True),
        Column("fingerprint", "text", "Digest of inputs, settings and code.", required=True),
        Column("inputs", "text", "The nodes read, with their fingerprints, as JSON.", required=True),
        Column("settings", "text", "As used, as JSON.", required=True),
        Column("code", "text", "Version and digest of the stage's code.", required=True),
        Column("rows", "text", "Rows written by table, as JSON.", required=True),
        Column("seconds", "number", "Wall time.", "seconds"),
        Column("peak_megabytes", "number", "Peak memory of the process during the stage.", "MB"),
        Column("started_at", "time", "Start.", required=True),
        Column("finished_at", "time", "End.", required=True),
        Column("snapshot", "integer", "Of a publication: the snapshot that readers attach to."),
    ),
)

KEPT = (HOLDOUTS, DECISIONS, CUTS, CUT_PEOPLE, RUNS)
