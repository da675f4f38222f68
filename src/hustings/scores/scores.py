"""Features and what people then did ─► a calibrated number for everyone, and how good it is.

What is predicted is declared, not coded: an outcome, an event within some days (or its absence), an answer,
or an amount. The people of treated arms are left out: they did it because they were written to. Everyone who
was learned from is judged by a model that never saw their household, or that saw earlier days only.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from hustings.scores.card import card_row, drift
from hustings.scores.declared import Answer, Happening, Population, Question, ask, ask_settings
from hustings.scores.fit import Fit, fit_scores
from hustings.scores.fit_amounts import fit_amounts
from hustings.scores.groups import as_groups, protected_columns
from hustings.scores.learning import Learning, check_rule, default_rule, learn, seen, why_not
from hustings.scores.snapshot import FEATURES, Snapshot, Tables, check_days, snapshot
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import codes, matrix


def check_question(settings: Mapping[str, Any], _sections: Mapping[str, Any]) -> None:
    """Refuse a score whose settings contradict each other, or whose rule no column tells.

    Raises:
        DesignError: With what is wrong.
    """
    question = ask_settings(settings)
    check_rule(question, settings["rule"] or default_rule(question))


@stage(writes=("scores", "models"), section="scores", each="score", check=check_question)
def score_people(
    features: Table,
    outcomes: Table,
    events: Table,
    people: Table,
    assignments: Table,
    experiments: Table,
    *,
    score: str,
    outcome: Annotated[
        str | None, About("The outcome that is predicted, as a source tells it; or event, or answer.")
    ] = None,
    event: Annotated[
        Happening | None,
        About('The event that is predicted to happen within horizon_days: `{ kind = "gift" }`.'),
    ] = None,
    answer: Annotated[
        Answer | None,
        About("The event whose newest answer is predicted, with the answers that are a yes and a no."),
    ] = None,
    amount: Annotated[
        bool, About("Predict the amount (of an event the sum within the horizon), not a yes or no.")
    ] = False,
    absent: Annotated[bool, About("Predict that no such event happens: lapse, churn.")] = False,
    horizon_days: Annotated[
        int | None, About("How many days ahead; an event needs it.", ge=1, le=3660)
    ] = None,
    population: Annotated[
        Population | None, About("Of whom, as of the day; of everyone unless given.")
    ] = None,
    as_of: Annotated[datetime.date, About("The day as of which everyone is scored.")],
    trained_as_of: Annotated[
        datetime.date | None,
        About(
            "The day as of which people are described for training; `as_of` unless given, and of an event "
            "the latest day whose horizon is over."
        ),
    ] = None,
    earlier: Annotated[
        list[datetime.date],
        About("Earlier days to train on too; then the score is judged forward in time, on trained_as_of."),
    ] = [],  # noqa: B006
    rule: Annotated[
        str | None,
        About(
            "The column that the field goes by, which the score must beat: `share_voted`; of an answer "
            "`party`, of an event `days_since_last_KIND`, of an amount `last_KIND_value`, unless given."
        ),
    ] = None,
    also_known: Annotated[
        list[str],
        About(
            "Outcomes that were over and known before the day, which the model may see beside the features."
        ),
    ] = [],  # noqa: B006
    vendor: Annotated[
        str | None,
        About("A vendor's score that it must beat too: the name of events of kind `score`, or an outcome."),
    ] = None,
    vendor_is_feature: Annotated[bool, About("Whether the model may use the vendor's score.")] = False,
    protected: Annotated[
        list[str],
        About(
            "Columns of features or people, or attributes that were collected, by which the card tells error "
            "and calibration; age, sex and place always are."
        ),
    ] = [],  # noqa: B006
    folds: Annotated[
        int, About("Parts in which people are judged by models that never saw them.", ge=2, le=20)
    ] = 5,
    rng: np.random.Generator,
) -> Result:
    """A number for everyone of the population as of `as_of`, or none when it does not beat its rivals."""
    question = ask(
        score,
        (outcome, event, answer),
        (amount, absent, horizon_days),
        population,
        (as_of, trained_as_of, earlier),
    )._replace(also_known=tuple(also_known))
    tables = Tables(features, outcomes, events, people, assignments, experiments)
    rule = rule or default_rule(question)
    check_rule(question, rule)
    check_days(tables, question, vendor)
    learning, latest = learn(tables, question, rule, vendor, vendor_is_feature=vendor_is_feature)
    why = why_not(learning, question, folds)
    fit = None if why else (fit_amounts if amount else fit_scores)(learning, folds, rng)
    groups = protected_columns(tables, question, protected, learning.person_id)
    groups |= {name: as_groups(learning.columns[name]) for name in protected if name in FEATURES}
    row = card_row(question, rule, learning, fit, why, groups)
    scores = _none()
    if fit is not None and row["published"]:
        now = latest if question.trained[-1] == as_of else snapshot(tables, question, as_of, vendor)
        scores = _scores(question, learning, fit, now, row, vendor_is_feature=vendor_is_feature)
    return {"scores": scores, "models": {name: [row[name]] for name in spec("models").names}}


def _none() -> dict[str, list[Any]]:
    return {name: [] for name in spec("scores").names}


def _scores(
    question: Question,
    learning: Learning,
    fit: Fit,
    now: Snapshot,
    row: dict[str, Any],
    *,
    vendor_is_feature: bool,
) -> dict[str, Any]:
    """Everybody's number; whoever was learned from as of the same day keeps the one made without them."""
    import json

    columns = now.columns
    known = matrix(seen(columns, question, vendor_is_feature=vendor_is_feature), learning.known.names)
    learned = codes(columns["person_id"], learning.person_id[learning.latest]).codes
    same = question.trained[-1] == question.as_of
    # Whoever keeps the number made without them need not be predicted again.
    new = (learned < 0) | (not same)
    value = np.empty(len(learned))
    place = codes(columns["place_id"], learning.places).codes
    value[new] = fit.predict(known.values[new], place[new])
    value[~new] = fit.judged[learning.latest][learned[~new]]
    moved = drift(learning, fit, known, place)
    row["card"] = json.dumps(json.loads(row["card"]) | {"drift": moved})
    ever = codes(columns["person_id"], learning.person_id[~learning.latest]).codes >= 0
    n = len(value)
    return {
        "person_id": columns["person_id"],
        "score": np.full(n, question.score, dtype=object),
        "as_of": columns["as_of"],
        "value": value,
        "unit": np.full(n, "amount" if question.amount else "share", dtype=object),
        "out_of_sample": ~ever & ((learned < 0) | same),
    }
