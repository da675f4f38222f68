"""What people say ─► what it is about: an issue for each text and each person, or `unclear`.

The classes come from a few labelled examples in `campaign.toml` or in a file. A text itself goes no further than
`record_events`, where it is masked when shown.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from hustings import stats
from hustings.campaign import expand
from hustings.errors import DesignError, SourceError
from hustings.features.coding import Coder, Examples, Judged, gather, judge, rows, telling_words
from hustings.features.issue_rows import Coded, Texts, person_rows, share_rows, text_rows
from hustings.fingerprint import digest
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays


def watch(folder: Path, settings: Mapping[str, Any]) -> str:
    """A text that changes when the file with the examples does."""
    if settings.get("examples_file") is None:
        return ""
    try:
        return digest(expand(settings["examples_file"], folder).read_bytes())
    except OSError as error:
        return f"unreadable: {error.strerror}"


@stage(
    writes=("issues", "text_issues", "issue_shares", "models"), section="issues", each="coding", watch=watch
)
def code_texts(
    record_events: Table,
    identities: Table,
    people: Table,
    *,
    coding: str,
    folder: Path,
    land: Callable[..., Any],
    as_of: Annotated[datetime.date, About("The day as of which texts are read.")],
    examples: Annotated[
        dict[str, list[str]], About('Texts of each issue: `{ buses = ["They never come", …], … }`.')
    ] = {},  # noqa: B006
    examples_file: Annotated[
        str | None, About("A CSV or Parquet file with more of them, in the columns `issue` and `text`.")
    ] = None,
    keywords: Annotated[
        dict[str, list[str]], About("Words of each issue, for the rule of thumb; its name unless given.")
    ] = {},  # noqa: B006
    kinds: Annotated[list[str], About("Kinds of event whose text is read; all of them unless given.")] = [],  # noqa: B006
    reading: Annotated[
        Literal["words", "sentences"],
        About("`words`: weighted words and pairs of words; `sentences`: vectors, with the extra `text`."),
    ] = "words",
    at_least: Annotated[int, About("Texts in which a word must stand to count.", ge=1)] = 2,
    unclear_below: Annotated[
        float, About("A probability of the likeliest issue below this is unclear.", ge=0, le=1)
    ] = 0.6,
    right: Annotated[
        float,
        About(
            "The share of clear left-out examples that must be right; it raises `unclear_below`.", ge=0, le=1
        ),
    ] = 0.8,
    false_clear: Annotated[
        float,
        About(
            "The share of texts on none of the issues that may be called clear, measured by leaving out one issue "
            "after the other (of three or more); it raises `unclear_below`.",
            ge=0,
            le=1,
        ),
    ] = 0.2,
    rng: np.random.Generator,
) -> Result:
    """The issue of every text and person, or none when it is told no better than by a rule of thumb."""
    pairs = [(issue, text) for issue, texts in examples.items() for text in texts]
    if examples_file is not None:
        pairs += _read_examples(land(expand(examples_file, folder)), examples_file)
    found = gather(pairs, coding)
    unknown = sorted(set(keywords) - set(found.issues))
    if unknown:
        raise DesignError.unknown(f"[issues.{coding}] keywords: no issue", unknown[0], found.issues)
    said = _texts(record_events, identities, people, kinds, as_of)
    row = dict.fromkeys(spec("models").names) | {
        "model_id": f"issues.{coding}",
        "purpose": "what a text is about",
        "population": "labelled examples",
        "as_of": as_of,
        "learner": f"multinomial logistic regression on {reading}",
        "published": False,
        "card": "{}",
    }
    try:
        everything = [*found.texts, *said.text.tolist()]
        words = stats.text.fit_vocabulary(everything, at_least=at_least) if reading == "words" else None
        x = rows(found.texts, reading, words)
        judged = judge(x, found, keywords, (unclear_below, right, false_clear), rng)
    except DesignError as error:
        return _result(row | {"learner": "none", "reason": str(error)}, said, None)
    model = stats.classes.learn_classes(x, found.issue, len(found.issues), found.same, rng)
    row |= _described(judged, Coder(model, words, judged.unclear_below), found)
    if not judged.better or not len(said.text):
        return _result(row, said, None)
    z = rows(said.text.tolist(), reading, words)
    known = np.asarray(abs(z).sum(1)).ravel() > 0
    coded = Coded(coding, as_of, found.issues, model.predict(z), known, judged.unclear_below)
    return _result(row, said, coded)


def _read_examples(landed: Any, path: str) -> list[tuple[str, str]]:
    for name in ("issue", "text"):
        if name not in landed.columns:
            raise SourceError.unknown(f"{path}: the file has no column", name, landed.columns)
    found = arrays(
        landed.rows.filter(landed.rows.text.notnull() & landed.rows.issue.notnull()), "issue", "text"
    )
    return list(zip(found["issue"].tolist(), found["text"].tolist(), strict=True))


def _texts(
    record_events: Table, identities: Table, people: Table, kinds: list[str], as_of: datetime.date
) -> Texts:
    """Texts that had been said before the day and were known when it began, with their people."""
    import ibis

    morning = ibis.timestamp(datetime.datetime.combine(as_of, datetime.time()))
    told = record_events.filter(
        (record_events.text.strip() != "")
        & (record_events.happened_at < morning)
        & (record_events.arrived_at <= morning)
    )
    if kinds:
        told = told.filter(told.kind.isin(kinds))
    same = [told.record_source == identities.source, told.record_id == identities.record_id]
    joined = told.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    placed = joined.left_join(people.select("person_id", "region_id"), "person_id", rname="{name}_p")
    return Texts(**arrays(placed.order_by("source", "event_id"), *Texts._fields))


def _described(judged: Judged, coder: Coder, found: Examples) -> dict[str, Any]:
    card = judged.card | {
        "ridge": coder.model.ridge,
        "temperature": coder.model.temperature,
        "telling_words": telling_words(coder, found),
    }
    better = judged.better
    why = (
        None
        if better
        else f"it tells issues apart no better than {judged.columns['rule']} on left-out examples"
    )
    return judged.columns | {"published": better, "card": json.dumps(card), "reason": why}


def _result(row: Mapping[str, Any], said: Texts, coded: Coded | None) -> Result:
    made: dict[str, Any] = {
        name: {column: [] for column in spec(name).names}
        for name in ("issues", "text_issues", "issue_shares")
    }
    if coded is not None:
        made = {
            "issues": person_rows(said, coded),
            "text_issues": text_rows(said, coded),
            "issue_shares": share_rows(said, coded),
        }
    return made | {"models": {name: [row[name]] for name in spec("models").names}}
