"""The turnout score of Michigan 2006 on the real people: its figures, without what neighbours did that day."""

from __future__ import annotations

import datetime
import json
from contextlib import closing

import numpy as np

from hustings.scores.scores import score_people
from hustings.stage import describe
from hustings.warehouse import open_published, read


def test_the_turnout_score_beats_past_votes_and_is_calibrated(michigan):
    lake, _ = open_published(michigan / ".hustings")
    with closing(lake):
        tables = [read(lake, name) for name, _ in describe(score_people).reads]
        found = score_people(
            *tables,
            score="turnout",
            outcome="voted",
            as_of=datetime.date(2006, 7, 31),
            rng=np.random.default_rng(20060808),
        )
    row = {name: column[0] for name, column in found["models"].items()}
    card = json.loads(row["card"])
    assert row["published"]
    assert (row["n_people"], row["n_households"]) == (191_243, 99_999)
    # With one election a place's intercept would come from the very day that is predicted: there is none.
    assert card["validation"] == "grouped by household and place"
    assert "the very day" in card["pooling"]["why_not"]
    assert abs(row["rule_log_loss"] - 0.5774) < 0.0005
    assert abs(row["log_loss"] - 0.5633) < 0.0008
    assert row["gain_low"] > 0.0125
    assert row["auc"] > 0.675
    assert row["calibration_error"] < 0.008
    assert card["slope"]["low"] < 1 < card["slope"]["high"]
    assert len(found["scores"]["value"]) == 344_084
