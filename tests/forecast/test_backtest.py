"""The backtest: strict, the published figures of the rules of thumb, and folders in which things are missing."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import expit

from hustings.cli import main
from hustings.errors import SettingError, SourceError
from hustings.forecast import backtest as module
from hustings.forecast.backtest import METHODS, backtest, means
from hustings.forecast.past import outlook
from hustings.forecast.years import election_day, open_folder, polls_of, results_of

STATES = [f"S{i}" for i in range(8)]
YEARS = range(1992, 2021, 4)


def _write(path, columns):
    pq.write_table(pa.table(columns), path)


def _polls(year, rng, n=60):
    end = [(election_day(year) - datetime.timedelta(days=int(d))).isoformat() for d in rng.integers(1, 60, n)]
    share = 100 * rng.uniform(0.42, 0.52, n)
    return {
        "state": [("US", *STATES)[i] for i in rng.integers(0, 9, n)],
        "pollster": [f"P{i}" for i in range(n)],
        "start": end,
        "end": end,
        "n": rng.integers(400, 900, n),
        "mode": ["live"] * n,
        "population": ["lv"] * n,
        "dem": share,
        "rep": 94 - share,
    }


@pytest.fixture
def folder(tmp_path):
    """Eight states, eight elections, polls of the last two and final polls of one."""
    rng = np.random.default_rng(4)
    lean = rng.normal(0, 0.3, 8)
    rows = [(year, state, i) for year in YEARS for i, state in enumerate(STATES)]
    share = expit([lean[i] + rng.normal(0, 0.1) for _, _, i in rows])
    votes = np.array([1_000_000 + 100_000 * i for *_, i in rows])
    dem = (votes * share).astype(int)
    results = {
        "year": [r[0] for r in rows],
        "state": [r[1] for r in rows],
        "dem": dem,
        "rep": votes - dem,
        "total_votes": votes,
        "ev": [float(3 + i) for *_, i in rows],
    }
    _write(tmp_path / "results.parquet", results)
    for year in (2016, 2020):
        _write(tmp_path / f"polls_{year}.parquet", _polls(year, rng))
    final = _polls(2012, rng, 30)
    _write(
        tmp_path / "past_final_polls.parquet",
        {
            "year": [2012] * 30,
            "state": final["state"],
            "pollster": final["pollster"],
            "polldate": final["end"],
            "n": final["n"].astype(float),
            "dem": final["dem"],
            "rep": final["rep"],
            "dem_actual": [50.0] * 30,
            "rep_actual": [48.0] * 30,
        },
    )
    years = list(range(1960, 2021, 4))
    _write(
        tmp_path / "fundamentals.parquet",
        {
            "year": years,
            "inc_party": ["dem" if i % 2 else "rep" for i in range(len(years))],
            "inc_running": [i % 3 // 2 for i in range(len(years))],
            "dem2": rng.uniform(0.42, 0.58, len(years)),
            "juneapp": rng.normal(0, 20, len(years)),
            "q2gdp": rng.normal(3, 3, len(years)),
        },
    )
    return tmp_path


def _row(years, year, method, days=1):
    found = {(row.year, row.method, row.days): row for one in years for row in one.rows}
    return found[year, method, days]


def test_every_method_is_scored_on_every_day(folder):
    found = backtest(folder, [2020, 2016], days=[1, 30])
    assert [year.year for year in found] == [2016, 2020]
    assert [(r.days, r.method) for r in found[0].rows] == [(d, m) for d in (30, 1) for m in METHODS]
    for year in found:
        for row in year.rows:
            assert np.isfinite(row.scores).all()
    average = {(r.days, r.method): r for r in means(found)}[1, "model"]
    both = [_row(found, year, "model").scores.brier for year in (2016, 2020)]
    assert average.scores.brier == pytest.approx(np.mean(both))
    assert average.scores.n_places == 16
    assert "2012, 2016" in found[1].notes[0]


def test_nothing_of_the_year_but_its_polls_and_fundamentals_reaches_the_forecast(folder, monkeypatch):
    seen = []
    real = module._rows
    monkeypatch.setattr(module, "_rows", lambda *given: seen.append(given[5]) or real(*given))
    backtest(folder, [2016], days=[20])
    table = pq.read_table(folder / "results.parquet").to_pydict()
    of_year = np.array(table["year"]) >= 2016
    table["dem"] = np.where(of_year, 3, table["dem"])
    table["ev"] = np.where(of_year, 1.0, table["ev"])
    _write(folder / "results.parquet", table)
    polls = pq.read_table(folder / "polls_2016.parquet").to_pydict()
    late = np.array([day > "2016-10-19" for day in polls["end"]])
    polls["dem"] = np.where(late, 90.0, polls["dem"])
    polls["rep"] = np.where(late, 9.0, polls["rep"])
    _write(folder / "polls_2016.parquet", polls)
    (folder / "polls_2020.parquet").unlink()
    facts = pq.read_table(folder / "fundamentals.parquet").to_pydict()
    facts["dem2"] = np.where(np.array(facts["year"]) >= 2016, 0.9, facts["dem2"])
    _write(folder / "fundamentals.parquet", facts)
    backtest(folder, [2016], days=[20])
    assert 0 < late.sum() < 60
    np.testing.assert_allclose(seen[0].mean, seen[1].mean, atol=1e-12)
    np.testing.assert_allclose(seen[0].covariance, seen[1].covariance, atol=1e-12)


def test_fundamentals_that_were_published_later_are_left_out(folder):
    held = open_folder(folder)
    results = results_of(held, 2020)
    early = outlook(held, results, datetime.date(2020, 6, 1))
    summer = outlook(held, results, datetime.date(2020, 7, 20))
    late = outlook(held, results, datetime.date(2020, 9, 1))
    assert early.notes[0].startswith("juneapp and q2gdp left out on 2020-06-01")
    assert summer.notes[0].startswith("q2gdp left out on 2020-07-20")
    assert not any("left out on" in note for note in late.notes)


def test_features_of_a_later_year_are_left_out(folder):
    rng = np.random.default_rng(1)
    _write(
        folder / "state_features.parquet",
        {"state": STATES, "age": rng.normal(size=8), "region": list("aabbccdd")},
    )
    held = open_folder(folder)
    for year, told in ((2012, True), (2020, False)):
        notes = outlook(held, results_of(held, year), election_day(year)).notes
        assert any("features of places are of 2013" in note for note in notes) is told


def test_without_earlier_polls_and_fundamentals_it_says_so_and_goes_on(folder):
    for name in ("past_final_polls", "fundamentals"):
        (folder / f"{name}.parquet").unlink()
    (year,) = backtest(folder, [2016], days=[1])
    told = " ".join(year.notes)
    assert "no polls of earlier years" in told
    assert "no fundamentals" in told
    assert "the averages have no error" in told
    assert np.isfinite(_row([year], 2016, "model").scores.brier)
    assert np.isnan(_row([year], 2016, METHODS[1]).scores.brier)
    assert np.isfinite(_row([year], 2016, METHODS[1]).scores.root_mean_square_error)


def test_before_the_first_poll_the_prior_answers(folder):
    (year,) = backtest(folder, [2016], days=[200])
    model, prior = (_row([year], 2016, method, 200) for method in ("model", "prior alone"))
    assert model.n_polls == 0
    assert model.scores.brier == pytest.approx(prior.scores.brier)
    assert np.isnan(_row([year], 2016, METHODS[1], 200).scores.brier)


def test_a_poll_of_swapped_candidates_is_dropped_and_told(folder):
    polls = pq.read_table(folder / "polls_2020.parquet").to_pydict()
    for i in range(60):
        polls["state"][i], polls["dem"][i], polls["rep"][i] = "S0", 66.0, 30.0
    polls["dem"][5], polls["rep"][5] = 30.0, 66.0
    _write(folder / "polls_2020.parquet", polls)
    (year,) = backtest(folder, [2020], days=[1])
    assert "1 because its candidates seem to have changed places" in year.notes[-1]


@pytest.mark.parametrize(
    ("years", "days", "error", "told"),
    [
        ([2024], [1], SourceError, "No results of that year"),
        ([2012], [1], SourceError, "polls_2012.parquet"),
        ([], [1], SettingError, "Nothing to forecast"),
        ([2016], [0], SettingError, "days of 1 or more"),
        ([1996], [1], SourceError, "Too few whole elections"),
    ],
)
def test_what_is_not_there_is_told(folder, years, days, error, told):
    with pytest.raises(error, match=told):
        backtest(folder, years, days=days)


def test_broken_folders_are_told(folder):
    with pytest.raises(SourceError, match="No such folder"):
        backtest(folder / "nowhere", [2016])
    (folder / "polls_2016.parquet").write_bytes(b"no parquet")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        backtest(folder, [2016])
    _write(folder / "polls_2016.parquet", {"state": ["S1"]})
    with pytest.raises(SourceError, match="lacks columns"):
        backtest(folder, [2016])
    (folder / "results.parquet").unlink()
    with pytest.raises(SourceError, match="no results"):
        backtest(folder, [2016])


def test_a_place_with_two_results_is_refused(folder):
    table = pq.read_table(folder / "results.parquet")
    pq.write_table(pa.concat_tables([table, table.slice(len(table) - 1)]), folder / "results.parquet")
    with pytest.raises(SourceError, match="two results"):
        results_of(open_folder(folder), 2020)


def test_polls_of_places_in_no_results_are_counted_by_their_reason(folder):
    polls = pq.read_table(folder / "polls_2016.parquet").to_pydict()
    polls["state"][0] = "Atlantis"
    _write(folder / "polls_2016.parquet", polls)
    assert polls_of(open_folder(folder), 2016, STATES).reasons == {"its place is not known": 1}


def test_the_command_prints_a_table_or_json(folder, capsys):
    known = ["backtest", "--data", str(folder), "--years", "2016", "2020", "--days", "1"]
    assert main(known) == 0
    told = capsys.readouterr().out
    assert "prior alone" in told
    assert "of 16" in told
    assert main([*known, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["rows"]) == 8
    assert len(found["means"]) == 4
    assert found["years"][0]["scales"]["house"] > 0
    assert main(["backtest", "--data", str(folder), "--years", "1900"]) == 1
    assert "allowed: 1992" in capsys.readouterr().err


PUBLISHED = {
    2008: ((0.0166, 0.0200, 0.0287, 50), (0.0249, 0.0309, 0.0289, 48)),
    2012: ((0.0247, 0.0372, 0.0263, 50), (0.0219, 0.0323, 0.0265, 50)),
    2016: ((0.0702, 0.1071, 0.0329, 46), (0.0607, 0.0903, 0.0322, 46)),
}


def test_the_published_figures_of_the_rules_of_thumb_come_out(data_file):
    found = backtest(data_file("polls/results.parquet").parent, list(PUBLISHED), days=[1])
    for year, (mean, latest) in PUBLISHED.items():
        scores = [_row(found, year, method).scores for method in METHODS[1:3]]
        assert [round(x, 4) for x in scores[0][:3]] == list(mean[:3])
        assert scores[0].called == mean[3]
        # Which of two polls of the same day is the later is left to the sort, which processors do differently.
        np.testing.assert_allclose(scores[1][:3], latest[:3], atol=0.0025)
        assert scores[1].called == latest[3]
    model = [_row(found, year, "model").scores for year in PUBLISHED]
    assert np.mean([scores.root_mean_square_error for scores in model]) <= 0.0250
    assert sum(s.brier > mean[0] for s, (mean, _) in zip(model, PUBLISHED.values(), strict=True)) <= 1
