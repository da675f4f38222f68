from __future__ import annotations

import json


def _edit(folder, *pairs):
    path = folder / "campaign.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def test_a_sound_campaign_is_fine_and_nothing_is_written(hustings, fresh):
    before = sorted(fresh.rglob("*"))
    said = hustings("check", "-C", fresh)
    assert said.code == 0, said.out
    assert "WRONG" not in said.out
    assert sorted(fresh.rglob("*")) == before


def test_a_campaign_that_was_run_names_the_run(hustings, finished):
    findings = json.loads(hustings("check", "--json", "-C", finished[0]).out)
    assert all(finding["fine"] for finding in findings)
    assert findings[-1]["what"] == "warehouse"
    assert "readers see run " in findings[-1]["text"]


def test_every_fault_is_told_at_once(hustings, fresh):
    _edit(
        fresh,
        ('currency = "USD"', 'currency = "usd"\ncolour = "red"'),
        ('party = "party"', 'party = "partei"'),
        ('postcode = "zip"', 'postcod = "zip"'),
        ("unit_cost_cents = 40", "unit_cost_cents = -1"),
        ('path = "sources/turnout.parquet"', 'path = "sources/turnuot.parquet"'),
        ("[scores.turnout]\noutcome", "[scores.turnout]\nfolds = 1\ntarget = 2\noutcome"),
        ("[effects.mailers]", "[efects.mailers]"),
    )
    said = hustings("check", "--json", "-C", fresh)
    assert said.code == 1
    told = [finding["text"] for finding in json.loads(said.out) if not finding["fine"]]
    for word in ("usd", "colour", "partei", "postcod", "unit_cost_cents", "folds", "target", "efects"):
        assert any(word in text for text in told), word
    assert any("The file is missing" in text and "turnuot" in text for text in told)


def test_settings_that_contradict_each_other_are_told_before_anything_runs(hustings, fresh):
    _edit(
        fresh,
        ("[features]\n", '[features]\nissues = "letters"\n'),
        ("[scores.turnout]\n", '[scores.turnout]\nevent = { kind = "vote" }\n'),
        ("[scores.donor]", '[scores.age]\noutcome = "voted"\nrule = "ages"\n[scores.donor]'),
        ('event = { kind = "shift" }\nhorizon_days = 30', 'event = { kind = "shift" }'),
        ("planned_shares = { control = 3, plain = 1", "planned_shares = { control = 3, plain = 0"),
        (
            "[effects.mailers]\n",
            '[effects.letters]\noutcome = "voted"\n[effects.mailers]\nhalf_life_days = 5\n',
        ),
    )
    said = hustings("check", "--json", "-C", fresh)
    assert said.code == 1
    told = [finding["text"] for finding in json.loads(said.out) if not finding["fine"]]
    assert len(told) == 7
    for words in (
        "[features] issues: no such section 'letters'",
        "[scores.turnout] says not what is predicted",
        "[scores.age] rule: no feature 'ages'",
        "[scores.volunteer] horizon_days is missing",
        "[experiments.mailers] planned_shares must be above 0",
        "[effects.letters] has no test of that name",
        "An effect decays from the day it was measured on",
    ):
        assert any(words in text for text in told), words
    assert "planned_shares must be above 0" in hustings("run", "-C", fresh).err
    assert not (fresh / ".hustings").exists()


def test_a_file_that_is_not_toml_is_one_fault(hustings, fresh):
    (fresh / "campaign.toml").write_text("[campaign\n")
    said = hustings("check", "-C", fresh)
    assert said.code == 1
    assert said.out.startswith("WRONG  campaign.toml: campaign.toml is not valid TOML")


def test_a_folder_without_a_campaign_is_a_fault(hustings, tmp_path):
    said = hustings("check", "-C", tmp_path)
    assert said.code == 1
    assert "hustings init" in said.out


def test_people_from_must_name_a_source(hustings, fresh):
    _edit(fresh, ('people_from = "voters"', 'people_from = "voter"'))
    said = hustings("check", "-C", fresh)
    assert said.code == 1
    assert "people_from: unknown source 'voter' (did you mean 'voters'?)" in said.out
