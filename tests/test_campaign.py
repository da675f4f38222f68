"""campaign.toml as it is read: what it must say, what it may say, and what is answered where it is wrong."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from hustings.campaign import expand, read_campaign
from hustings.errors import CampaignError, SettingError

HEAD = '[campaign]\nname = "Maple"\nelection_day = 2026-11-03\n'


def test_what_is_not_said_has_a_default_and_other_sections_are_kept(make_folder):
    campaign = read_campaign(make_folder(HEAD + '[scores.turnout]\noutcome = "voted"\n'))
    assert (campaign.name, campaign.election_day) == ("Maple", datetime.date(2026, 11, 3))
    assert campaign.as_of == datetime.datetime.now(datetime.UTC).date()
    assert (campaign.currency, campaign.playbook, campaign.seed, campaign.retention_days) == (
        "USD",
        "election",
        0,
        30,
    )
    assert campaign.sections == {"scores": {"turnout": {"outcome": "voted"}}}
    assert campaign.store == campaign.folder / ".hustings"


def test_a_byte_order_mark_before_the_first_section_does_no_harm(make_folder):
    assert read_campaign(make_folder(b"\xef\xbb\xbf" + HEAD.encode())).name == "Maple"


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("nmae = 'x'", ["unknown setting 'nmae'", "did you mean 'name'", "allowed: aim,"]),
        ("seed = 'one'", ["seed has a wrong type", "received 'one'", "a whole number"]),
        ("seed = true", ["seed has a wrong type", "received True", "a whole number"]),
        ("as_of = '2026-01-01'", ["as_of has a wrong type", "received '2026-01-01'", "a day, as 2026-11-03"]),
        ("as_of = 2026-01-01T10:00:00", ["as_of has a wrong type", "a day"]),
        ("place = 7", ["place has a wrong type", "received 7", "a text"]),
        ("seed = -1", ["seed", "received -1", "0 or more"]),
        ("retention_days = 0", ["retention_days", "received 0", "1 or more"]),
        ("currency = 'dollars'", ["currency", "received 'dollars'", "three capital letters"]),
    ],
)
def test_a_wrong_setting_says_what_was_received_what_is_allowed_and_what_to_do(make_folder, line, parts):
    with pytest.raises(SettingError) as caught:
        read_campaign(make_folder(HEAD + line + "\n"))
    text = str(caught.value)
    assert text.startswith("[campaign]")
    for part in parts:
        assert part in text
    assert "\n" not in text


@pytest.mark.parametrize("missing", ["name", "election_day"])
def test_a_missing_setting_is_named_with_its_meaning(make_folder, missing):
    kept = "\n".join(line for line in HEAD.splitlines() if not line.startswith(missing))
    with pytest.raises(
        SettingError, match=rf"\[campaign\] {missing} is missing; allowed: The .*Next: hustings settings"
    ):
        read_campaign(make_folder(kept))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", r"no \[campaign\] section; received 'an empty file'"),
        (b"[sources.a]\npath = 'x'\n", r"no \[campaign\] section; received 'sources'"),
        (b"campaign = 3\n", r"no \[campaign\] section"),
        (b"[campaign\n", r"not valid TOML: .*line 1.*Next: edit .*campaign.toml"),
        (b"[campaign]\nname = 'x'\nname = 'y'\n", r"not valid TOML"),
        (b"[campaign]\nname = 'Caf\xe9'\n", r"not UTF-8 \(byte 22\).*save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_campaign_is_refused(make_folder, content, says):
    with pytest.raises(CampaignError, match=says):
        read_campaign(make_folder(content))


def test_a_folder_without_a_campaign_and_one_that_is_not_there_are_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(
            CampaignError, match=r"No campaign here; received .*hustings init, or name its folder"
        ):
            read_campaign(folder)
    (tmp_path / "campaign.toml").mkdir()
    with pytest.raises(CampaignError, match=r"cannot be read"):
        read_campaign(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(CampaignError, match=r"cannot be read|No campaign here"):
        read_campaign(tmp_path / "file")


def test_a_path_is_relative_to_the_campaign_and_may_name_variables(monkeypatch):
    folder = Path("/campaigns/maple")
    monkeypatch.setenv("LISTS", "/lists")
    assert expand("a/b.csv", folder).as_posix() == "/campaigns/maple/a/b.csv"
    assert expand("${LISTS}/b.csv", folder).as_posix() == "/lists/b.csv"
    assert expand("$LISTS/b.csv", folder).as_posix() == "/lists/b.csv"
    monkeypatch.setenv("HOME", "/folder")
    assert expand("~/b.csv", folder).as_posix() == "/folder/b.csv"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named_with_the_command_that_sets_it(monkeypatch, value):
    monkeypatch.delenv("LISTS", raising=False)
    if value is not None:
        monkeypatch.setenv("LISTS", value)
    with pytest.raises(
        SettingError, match=r"LISTS is not set; received '\$\{LISTS\}/a.csv'. Next: export LISTS=FOLDER"
    ):
        expand("${LISTS}/a.csv", Path())
    assert expand("${LISTS}/a.csv", Path(), {"LISTS": "mine"}).as_posix() == "mine/a.csv"


@pytest.mark.parametrize(
    ("line", "part"),
    [("aim = 'love'", "added_ballots, net_votes, win"), ("aim = 'win'", "decisive_race is missing")],
)
def test_an_aim_is_one_of_three_and_winning_needs_a_race(make_folder, line, part):
    with pytest.raises(SettingError, match=part):
        read_campaign(make_folder(HEAD + line + "\n"))
