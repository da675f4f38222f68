from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hustings.cli import entry, main

HEAVY = ("ibis", "duckdb", "pandas", "numpy", "pyarrow", "pydantic", "rich", "hustings.flow")


def _in_process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from hustings.cli import main; code = main(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], code, file=sys.stderr)"
    )
    done = _in_process(code)
    assert "Usage: hustings" in done.stdout
    assert done.stderr.strip() == "[] 0"


def test_the_help_of_every_command_is_finished_and_has_an_example(hustings):
    import typer

    root = typer.main.get_command(entry.app)
    for path, command in _commands([], root):
        said = hustings(*path, "--help")
        text = " ".join(said.out.split())
        assert said.code == 0
        assert (command.help or "").split("\n")[0].rstrip().endswith("."), path
        if not hasattr(command, "commands"):
            assert f"Example: hustings {' '.join(path)}" in text, path
        for parameter in command.params:
            if parameter.name != "help":
                assert parameter.help.endswith("."), (path, parameter.name)


def _commands(path, command):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands([*path, name], inner)


def test_a_command_without_arguments_shows_the_help(hustings):
    said = hustings()
    assert "Commands:" in said.out + said.err


def test_the_version_is_that_of_the_package(hustings):
    from importlib.metadata import version

    assert hustings("--version").out.strip() == f"hustings {version('hustings')}"


def test_an_unknown_command_is_code_2_and_names_the_nearest(hustings):
    said = hustings("shwo")
    assert said.code == 2
    assert "'show'" in said.err


def test_an_error_is_told_without_a_traceback(hustings, tmp_path):
    said = hustings("run", "-C", tmp_path)
    assert said.code == 1
    assert said.out == ""
    assert said.err.startswith("Error: No campaign here")
    assert "hustings init" in said.err
    assert "Traceback" not in said.err


def test_notes_of_an_error_are_told(hustings, monkeypatch, tmp_path):
    from hustings.errors import StageError

    error = StageError("lifts failed.")
    error.add_note("while computing lifts.mailers")
    monkeypatch.setattr("hustings.campaign.read_campaign", _raising(error))
    said = hustings("run", "-C", tmp_path)
    assert said.err.splitlines() == ["Error: lifts failed.", "while computing lifts.mailers"]


def test_an_unexpected_error_is_one_line_without_its_text(hustings, monkeypatch, tmp_path):
    monkeypatch.delenv(entry.TRACEBACK, raising=False)
    monkeypatch.setattr("hustings.campaign.read_campaign", _raising(ValueError("Ann Miller, 12 Elm Street")))
    said = hustings("run", "-C", tmp_path)
    assert said.code == 1
    assert "ValueError" in said.err
    assert "HUSTINGS_TRACEBACK=1" in said.err
    assert "Ann Miller" not in said.err
    assert len(said.err.splitlines()) == 1


def test_a_traceback_is_shown_when_it_is_asked_for(hustings, monkeypatch, tmp_path):
    monkeypatch.setenv(entry.TRACEBACK, "1")
    monkeypatch.setattr("hustings.campaign.read_campaign", _raising(ValueError("here")))
    assert "Traceback (most recent call last)" in hustings("run", "-C", tmp_path).err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), None])
def test_an_interrupt_is_code_130_and_says_what_is_kept(hustings, monkeypatch, tmp_path, error):
    def interrupted(*_):
        if error:
            raise error
        import signal

        # As a library does that is interrupted while it works.
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("query interrupted") from None

    monkeypatch.setattr("hustings.campaign.read_campaign", interrupted)
    said = hustings("run", "-C", tmp_path)
    assert said.code == 130
    assert said.err.strip().endswith("`hustings run` goes on from there.")


def _raising(error: BaseException):
    def raising(*_, **__):
        raise error

    return raising


def test_a_reader_that_goes_away_is_not_worth_a_word():
    code = "import sys; from hustings.cli import main; sys.exit(main(['explain']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""


def test_piped_output_has_no_control_characters(hustings, finished):
    show = ["show", "lifts", "-C", str(finished[0])]
    done = _in_process(f"import sys; from hustings.cli import main; sys.exit(main({show!r}))", FORCE_COLOR="")
    assert done.returncode == 0, done.stderr
    assert [letter for letter in done.stdout if not letter.isprintable() and letter != "\n"] == []


def test_the_campaign_may_be_named_before_and_after_the_command(hustings, finished):
    folder = finished[0]
    after = hustings("show", "lifts", "--json", "-C", folder)
    before = hustings("-C", folder, "show", "lifts", "--json")
    assert after.code == before.code == 0
    assert after.out == before.out


def test_the_campaign_is_the_current_folder_unless_named(hustings, finished, monkeypatch):
    monkeypatch.chdir(finished[0])
    assert hustings("show", "lifts").code == 0


def test_every_command_has_a_file_of_its_own():
    import typer

    files = {path.stem for path in Path(entry.__file__).parent.glob("*.py")}
    assert set(typer.main.get_command(entry.app).commands) <= files


def test_main_reads_the_arguments_of_the_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["hustings", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("hustings ")
