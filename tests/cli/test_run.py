from __future__ import annotations

import json


def test_a_run_says_what_it_read_kept_and_rejected(finished):
    out = finished[1].out
    assert "voters: 2,004 rows read = 2,000 kept + 4 rejected" in out
    assert "Published run " in out


def test_a_second_run_says_that_nothing_has_changed(hustings, finished):
    said = hustings("run", "-C", finished[0])
    assert said.code == 0
    assert said.out.startswith("Nothing has changed since run ")


def test_a_second_run_as_json_computes_nothing(hustings, finished):
    said = hustings("run", "--json", "-C", finished[0])
    report = json.loads(said.out)
    assert report["computed"] == {}
    assert "lifts.mailers" in report["fresh"]
    assert said.err == ""


def test_a_dry_run_says_why_and_writes_nothing(hustings, fresh):
    before = sorted(fresh.rglob("*"))
    said = hustings("run", "--dry-run", "--json", "-C", fresh)
    states = json.loads(said.out)
    assert all(state["stale"] and state["why"] == "it has never been computed" for state in states)
    assert sorted(fresh.rglob("*")) == before


def test_a_dry_run_of_one_part_names_what_it_needs_only(hustings, fresh):
    said = hustings("run", "lifts.mailers", "--dry-run", "-C", fresh)
    assert "lifts.mailers" in said.out
    assert "scores.turnout" not in said.out


def test_a_changed_setting_makes_its_node_stale_and_is_named(hustings, copied):
    toml = copied / "campaign.toml"
    toml.write_text(toml.read_text().replace("unit_cost_cents = 40", "unit_cost_cents = 41", 1))
    said = hustings("run", "--dry-run", "--json", "-C", copied)
    states = {state["node"]: state for state in json.loads(said.out)}
    assert states["actions.plain"]["why"] == "its settings changed (unit_cost_cents)"
    assert not states["lifts.mailers"]["stale"]
    assert (
        states["contact_plan.mail"]["why"]
        == "what it reads changed (effects.mailers, actions.plain, evidence)"
    )


def test_a_changed_file_makes_its_node_stale(hustings, copied):
    path = copied / "sources" / "opt_outs.tsv"
    path.write_text(path.read_text() + "V0000001\tmail\t2026-01-05\n")
    said = hustings("run", "records.opt_outs", "--dry-run", "-C", copied)
    assert "its file changed" in said.out


def test_a_run_as_json_tells_the_rows_of_every_table(hustings, copied):
    path = copied / "sources" / "opt_outs.tsv"
    path.write_text(path.read_text() + "V0000001\temail\t2026-01-05\n")
    said = hustings("run", "records.opt_outs", "--json", "-C", copied)
    report = json.loads(said.out)
    assert report["computed"]["records.opt_outs"]["opt_outs"] > 0
    assert report["sources"][0]["source"] == "opt_outs"
    load = report["sources"][0]
    assert load["n_read"] == load["n_kept"] + load["n_rejected"]
    assert "records.opt_outs: " in said.err


def test_an_unknown_table_is_refused_with_the_nearest_name(hustings, fresh):
    said = hustings("run", "lift", "-C", fresh)
    assert said.code == 1
    assert "did you mean 'lifts'?" in said.err


def test_bars_tell_the_same_as_lines(monkeypatch):
    import io

    from hustings.cli.bars import bars

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    with bars(out) as observer:
        observer.begin("20260101-000000-aaaaaa", ["people"], 2)
        observer.start("people")
        observer.finish("people", {"people": 1234, "households": 600}, 1.2)
    assert "1 to compute, 2 unchanged" in out.getvalue()
    assert "people 1,234, households 600" in out.getvalue()
