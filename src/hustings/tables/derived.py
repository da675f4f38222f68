"""Tables made by exactly one stage for each part, rebuilt whole, safe to delete."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_PERSON = Column("person_id", "text", "The person.", privacy="person", required=True)
_HOUSEHOLD = Column("household_id", "text", "The household.", privacy="person", required=True)
_AS_OF = Column(
    "as_of",
    "day",
    "Nothing that happened on this day or later, or arrived after it began, was used.",
    required=True,
)
_EXPERIMENT = Column("experiment", "text", "The test: an `[experiments.…]` section.", required=True)
_ARM = Column("arm", "text", "The arm.", required=True)
_OUTCOME = Column("outcome", "text", "What is measured.", required=True)
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")


PEOPLE = TableSpec(
    "people",
    "derived",
    "one human, without name or address",
    ("person_id",),
    (
        _PERSON,
        _HOUSEHOLD,
        Column("place_id", "text", "Smallest place.", privacy="person"),
        Column("region_id", "text", "Larger place.", privacy="person"),
        Column("born_on", "day", "Day of birth; mid-year where only an age is known.", privacy="person"),
        Column("sex", "text", "Sex.", privacy="person"),
        Column("party", "text", "Party of registration.", privacy="person"),
        Column("registered_on", "day", "Day of registration.", privacy="person"),
        Column("arrived_at", "time", "When the campaign first knew of the person.", required=True),
    ),
)

PEOPLE_PRIVATE = TableSpec(
    "people_private",
    "derived",
    "the same human's name and ways to be reached, joined only at a cut",
    ("person_id",),
    (
        _PERSON,
        *(
            Column(name, "text", about, privacy="contact")
            for name, about in (
                ("given_name", "First names."),
                ("family_name", "Family name."),
                ("address", "Street and number."),
                ("postcode", "Postal code."),
                ("phone", "Telephone number."),
                ("email", "E-mail address."),
            )
        ),
        Column("latitude", "number", "Of the address.", "degrees", "contact"),
        Column("longitude", "number", "Of the address.", "degrees", "contact"),
    ),
)

IDENTITIES = TableSpec(
    "identities",
    "derived",
    "which record is whom",
    ("source", "record_id"),
    (
        Column("source", "text", "The record's source.", required=True),
        Column("record_id", "text", "The record.", privacy="person", required=True),
        _PERSON,
        number("p_match", "Probability that the record is this person.", "share"),
    ),
)

HOUSEHOLDS = TableSpec(
    "households",
    "derived",
    "people who live together",
    ("household_id",),
    (
        _HOUSEHOLD,
        Column("place_id", "text", "Smallest place.", privacy="person"),
        count("n_people", "How many live there."),
    ),
)

EVENTS = TableSpec(
    "events",
    "derived",
    "a record's event with its person",
    ("source", "event_id"),
    (
        Column("source", "text", "The source.", required=True),
        Column("event_id", "text", "Unique within the source.", privacy="person", required=True),
        _PERSON,
        Column("kind", "text", "`vote`, `contact`, `gift`, … .", required=True),
        Column("name", "text", "Which one."),
        Column("election_kind", "text", "Of a vote: kind of election."),
        Column("channel", "text", "Of a contact: the channel."),
        Column("item", "text", "What was sent or said."),
        Column("value", "number", "Amount in cents, count, or code.", privacy="person"),
        Column("happened_at", "time", "When it happened.", required=True),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
    ),
)

ASSIGNMENTS = TableSpec(
    "assignments",
    "derived",
    "who got what at random",
    ("experiment", "person_id"),
    (
        _EXPERIMENT,
        _PERSON,
        _ARM,
        Column("unit_id", "text", "The unit that was drawn: person, household or place.", required=True),
        Column("block_id", "text", "The block within which units were drawn."),
        Column("assigned_on", "day", "The day of the draw."),
        Column("contacted", "boolean", "Whether the treatment reached the person.", privacy="person"),
    ),
)

OUTCOMES = TableSpec(
    "outcomes",
    "derived",
    "what happened to a person",
    ("outcome", "person_id"),
    (
        _OUTCOME,
        _PERSON,
        Column("value", "number", "1 yes, 0 no, or an amount.", privacy="person", required=True),
        Column("happened_on", "day", "The day it happened.", required=True),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
    ),
)

FEATURES = TableSpec(
    "features",
    "derived",
    "what was known of a person as of a day, nothing later",
    ("person_id", "as_of"),
    (
        _PERSON,
        _AS_OF,
        number("age", "Age.", "years"),
        Column("is_female", "boolean", "Female; null where the sex is unknown.", privacy="person"),
        Column("party", "text", "Party of registration.", privacy="person"),
        count("household_size", "People in the household."),
        number("years_registered", "Since registration.", "years"),
        count("n_general", "Votes in general elections."),
        count("n_primary", "Votes in primaries."),
        count("n_other", "Votes in other elections."),
        number("share_general", "Share of the known general elections voted in.", "share"),
        number("share_primary", "Share of the known primaries voted in.", "share"),
        number("share_voted", "Share of all known elections voted in: the field's rule of thumb.", "share"),
        Column("voted_last_general", "boolean", "Voted in the latest general election.", privacy="person"),
        Column("voted_last_primary", "boolean", "Voted in the latest primary.", privacy="person"),
        Column("vote_pattern", "text", "Latest six elections, newest first, 1 voted and 0 not."),
        number("years_since_vote", "Since the latest vote; null where none is known.", "years"),
        Column(
            "issue",
            "text",
            "What the person last spoke of clearly, as told by `[features] issues`.",
            "",
            "person",
        ),
        count("n_contacts", "Contacts received."),
        number("days_since_contact", "Since the latest contact; null where none.", "days"),
        number("household_share_voted", "Mean share voted of the others in the household.", "share"),
        number("place_share_voted", "Mean share voted of the others in the place.", "share"),
        number("place_age", "Mean age of the others in the place.", "years"),
        count("place_people", "People in the place."),
    ),
)

SCORES = TableSpec(
    "scores",
    "derived",
    "one calibrated number about a person",
    ("person_id", "score", "as_of"),
    (
        _PERSON,
        Column("score", "text", "Which: a `[scores.…]` section.", required=True),
        _AS_OF,
        Column(
            "value",
            "number",
            "The probability, shown to people as 0 to 100; or the expected amount, where `unit` says so.",
            "",
            "person",
            True,
        ),
        Column("unit", "text", "`share` of a probability; `amount`, as cents, of an expected amount."),
        Column("out_of_sample", "boolean", "The person's own outcome was not used.", required=True),
    ),
)

MODELS = TableSpec(
    "models",
    "derived",
    "how a model was made, and how good it is",
    ("model_id",),
    (
        Column("model_id", "text", "`scores.turnout`, `effects.mailers`, … .", required=True),
        Column("purpose", "text", "The question it answers.", required=True),
        Column("population", "text", "On whom it was trained.", required=True),
        _AS_OF,
        Column("learner", "text", "The learner chosen.", required=True),
        count("n_people", "People trained on."),
        count("n_households", "Households trained on."),
        number("rate", "Mean of the outcome.", "share"),
        number("log_loss", "Out of sample."),
        number("log_loss_error", "Its clustered standard error."),
        number("auc", "Out of sample."),
        number("auc_error", "Its clustered standard error."),
        number("calibration_error", "Mean gap of predicted and observed over 20 equal bins.", "share"),
        number("rule_log_loss", "Log-loss of the rule of thumb, calibrated in the same folds."),
        number("rule_auc", "AUC of the rule of thumb."),
        number("mean_error", "Of amounts: mean absolute error, out of sample."),
        number("mean_error_error", "Its clustered standard error."),
        number("rule_mean_error", "Mean absolute error of the rule of thumb."),
        number(
            "gain",
            "Log-loss (of amounts the deviance) of the hardest rival less that of the model; above 0 the "
            "model is better.",
        ),
        number("gain_low", "Lower end of its 95 % interval, clustered."),
        number("gain_high", "Upper end."),
        Column(
            "rule", "text", "The hardest of the rivals it must beat: a rule of thumb, or a vendor's score."
        ),
        number("qini", "Area between the gain curve and the random line, per person."),
        number("qini_error", "Its clustered standard error."),
        Column("published", "boolean", "Whether the numbers were written: it beats its rule.", required=True),
        Column("card", "text", "Everything else, as JSON: reliability, features, candidates.", required=True),
        Column("model", "text", "The model itself as text; never a pickle.", privacy="person"),
        _REASON,
    ),
)

EXPERIMENTS = TableSpec(
    "experiments",
    "derived",
    "one arm of one test, as it was drawn",
    ("experiment", "arm"),
    (
        _EXPERIMENT,
        _ARM,
        Column("is_control", "boolean", "The arm that all others are read against.", required=True),
        Column("everyday", "boolean", "Every arm is what people get anyway: scores learn from all of them."),
        Column("unit", "text", "What was drawn: `person`, `household` or `place`.", required=True),
        count("n_people", "People in the arm."),
        count("n_units", "Units in the arm."),
        number("planned_share", "Share of the units planned for the arm.", "share"),
        number("actual_share", "Share of the units in it.", "share"),
        number("p_sample_ratio", "Probability of shares this far from the planned, by chance."),
        number("p_balance", "Probability of covariates this far apart, by chance; the whole test's."),
        number("max_difference", "Largest standardised difference of a covariate to control."),
        count("n_mixed_units", "Units whose people are in several arms."),
        number("detectable_effect", "Effect found in four tests of five at the 5 % level.", "share"),
        count("n_two_arms", "People of the test left out because they are told of in several arms."),
        Column("sealed", "text", "Why the test may not be read yet; null when it may."),
        _REASON,
    ),
)

BALANCES = TableSpec(
    "balances",
    "derived",
    "one covariate in one arm of one test, before treatment",
    ("experiment", "covariate", "arm"),
    (
        _EXPERIMENT,
        Column("covariate", "text", "A column of `features`.", required=True),
        _ARM,
        number("mean", "Mean in the arm."),
        number("standardised_difference", "To control, in pooled standard deviations; null for control."),
    ),
)

LIFTS = TableSpec(
    "lifts",
    "derived",
    "what an arm did, by randomisation",
    ("experiment", "arm", "outcome", "estimator"),
    (
        _EXPERIMENT,
        _ARM,
        _OUTCOME,
        Column(
            "estimator",
            "text",
            "`intention_to_treat`, `block_effects`, `adjusted`, `contacted` or `anytime`.",
            required=True,
        ),
        Column(
            "unit", "text", "`share` where the outcome is yes or no, else `amount`; null where nobody has it."
        ),
        number("estimate", "What the arm did, in that unit."),
        number("std_error", "Clustered by the randomised unit."),
        number("low", "Lower end of the 95 % interval; of `anytime`, at all looks together."),
        number("high", "Upper end."),
        number("p_value", "Probability of an estimate this far from 0 if the arm did nothing."),
        number(
            "q_value", "False discoveries among arms and outcomes called different at this p-value.", "share"
        ),
        number("mean_control", "Mean outcome in control."),
        number("mean_arm", "Mean outcome in the arm, as the estimator reads it."),
        count("n_control", "People in control with the outcome known."),
        count("n_arm", "People in the arm with the outcome known."),
        _REASON,
    ),
)

EFFECTS = TableSpec(
    "effects",
    "derived",
    "expected change of one outcome for a person from one arm's treatment",
    ("person_id", "experiment", "arm", "outcome", "as_of"),
    (
        _PERSON,
        _EXPERIMENT,
        _ARM,
        _OUTCOME,
        _AS_OF,
        Column(
            "estimate",
            "number",
            "Expected change, shrunk to what outcomes bear out.",
            "share",
            "person",
            True,
        ),
        Column(
            "std_error",
            "number",
            "Standard error of the estimate: of the mean, the slope, the prediction and what is left by election day. "
            "Intervals of single people made with it hold 89 to 92 in 100 in large simulated trials.",
            "share",
            "person",
            True,
        ),
        Column("out_of_sample", "boolean", "The person's household was not used.", required=True),
        Column(
            "aipw",
            "number",
            "The person's doubly robust reading of the arm's effect; its mean over any people chosen without "
            "looking at their outcomes estimates what the arm does for them. Null outside the test.",
            "share",
            "person",
        ),
        Column(
            "ipw", "number", "The same by weights alone (Hájek). Null outside the test.", "share", "person"
        ),
    ),
)

DERIVED = (
    PEOPLE,
    PEOPLE_PRIVATE,
    IDENTITIES,
    HOUSEHOLDS,
    EVENTS,
    ASSIGNMENTS,
    OUTCOMES,
    FEATURES,
    SCORES,
    MODELS,
    EXPERIMENTS,
    BALANCES,
    LIFTS,
    EFFECTS,
)
