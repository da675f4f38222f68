"""Effects of persons, ours beside the field's libraries in one run: what is found, CPU seconds, peak memory.

    python benchmarks/learn.py [--peers PYTHON] [--people 1000000] [--seed 7] [--trial synthetic_trial.py]

One thread each. `--peers` is the interpreter of an environment that has causalml 0.18 and EconML 0.17; without it
only ours runs. Michigan 2006: Neighbors against control, three folds by household, Qini × 10⁻⁴ with the arms'
means. The simulated trial: the share of the area that ranking by the truth has, out of fold on the trial's people
and on 200,000 new ones. The floor is ranking by the plain score, and reading the data once.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

import numpy as np

NEW = 200_000
PEERS = ("EconML LinearDR", "causalml X", "causalml T")
OURS = ("the ladder", "logistic with interactions", "plain score")


def area(effect: np.ndarray, gain: np.ndarray) -> float:
    """The Qini area of a ranking, by readings or by true effects."""
    middle = np.empty(len(effect))
    middle[np.argsort(-effect, kind="stable")] = (np.arange(len(effect)) + 0.5) / len(effect)
    return float(np.mean((0.5 - middle) * gain))


def fitted_peer(name: str, x: np.ndarray, y: np.ndarray, arm: np.ndarray) -> object:
    """A peer's model, with LightGBM wherever it takes a learner."""
    from lightgbm import LGBMRegressor
    from sklearn.linear_model import LogisticRegression

    quiet = {"n_jobs": 1, "verbose": -1}
    if name.startswith("EconML"):
        from econml.dr import LinearDRLearner

        model = LinearDRLearner(
            model_propensity=LogisticRegression(),
            model_regression=LGBMRegressor(**quiet),
            random_state=1,
        )
        return model.fit(y, arm, X=x)
    from causalml.inference.meta import BaseTRegressor, BaseXRegressor

    if name.endswith("X"):
        model = BaseXRegressor(learner=LGBMRegressor(**quiet))
        model.fit(X=x, treatment=arm, y=y, p=np.full(len(y), arm.mean()))
        return model
    model = BaseTRegressor(learner=LGBMRegressor(**quiet))
    model.fit(X=x, treatment=arm, y=y)
    return model


def predicted_peer(name: str, model: object, x: np.ndarray, share: float) -> np.ndarray:
    """A peer's effects."""
    if name.startswith("EconML"):
        return np.ravel(model.effect(x))  # type: ignore[attr-defined]
    more = {"p": np.full(len(x), share)} if name.endswith("X") else {}
    return np.ravel(model.predict(x, **more))  # type: ignore[attr-defined]


def ours(
    name: str, given: dict[str, np.ndarray], folds: int
) -> tuple[np.ndarray, np.ndarray | None, dict[str, float]]:
    """Effects out of fold and for new people, by one of ours."""
    x, y, arm, cluster = (given[key] for key in ("x", "y", "arm", "cluster"))
    new = given.get("new")
    rng = np.random.default_rng(0)
    share = np.bincount(arm) / len(arm)
    if name == "logistic with interactions":
        from hustings.stats.calibration import cluster_folds
        from hustings.stats.uplift import fit_effects

        part = cluster_folds(cluster, 3, rng)
        found = fit_effects(x, y, arm, cluster, n_arms=2, folds=part)
        return found.effect[:, 0], None if new is None else found.model.predict(new).effect[:, 0], {}
    from hustings.stats.personal import fit_personal, prepare

    if name == "plain score":
        trial = prepare(x, y, arm, cluster, propensity=share, folds=folds, rng=rng)
        back = np.empty_like(trial.order)
        back[trial.order] = np.arange(len(back))
        return trial.score[back], None if new is None else trial.plain.described(new)[2], {}
    found = fit_personal(x, y, arm, cluster, propensity=share, folds=folds, rng=rng)
    if new is None:
        return found.effect[:, 0], None, {}
    began = time.process_time()
    after = found.model.predict(new).effect[:, 0]
    return found.effect[:, 0], after, {"people_a_second": len(new) / (time.process_time() - began)}


def work(name: str, folder: Path, folds: int) -> None:
    """One learner in a process of its own: effects into the folder, CPU seconds and peak memory as JSON."""
    given = {path.stem: np.load(path) for path in folder.glob("*.npy")}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Imports are nobody's work here: each has its own before the clock starts.
    if name in OURS:
        import lightgbm  # noqa: F401

        import hustings.stats.personal
        import hustings.stats.uplift  # noqa: F401
    else:
        import causalml.inference.meta  # noqa: F401
        import econml.dr  # noqa: F401
    began, more = time.process_time(), {}
    if name in OURS:
        inside, after, more = ours(name, given, folds)
    else:
        x, y, arm = given["x"], given["y"], given["arm"]
        inside, after = np.full(len(y), np.nan), None
        if "new" in given:
            after = predicted_peer(name, fitted_peer(name, x, y, arm), given["new"], arm.mean())
        else:
            part = np.random.default_rng(0).permutation(given["cluster"].max() + 1)[given["cluster"]] % folds
            for fold in range(folds):
                rows, out = part != fold, part == fold
                model = fitted_peer(name, x[rows], y[rows], arm[rows])
                inside[out] = predicted_peer(name, model, x[out], arm.mean())
    told = {
        "cpu": time.process_time() - began,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "before": before / 1024,
    }
    np.savez(folder / "found.npz", inside=inside, **({} if after is None else {"after": after}))
    print(json.dumps(told | more))


def run(
    python: str, name: str, given: dict[str, np.ndarray], folds: int
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """What `work` finds in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for key, value in given.items():
            np.save(Path(folder) / f"{key}.npy", value)
        command = [python, __file__, "--work", name, "--folder", folder, "--folds", str(folds)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        with np.load(Path(folder) / "found.npz") as found:
            return json.loads(done.stdout.splitlines()[-1]), dict(found)


def michigan() -> dict[str, np.ndarray]:
    """Neighbors and control; households are rebuilt from the file's order."""
    import duckdb

    from hustings.sources.public import data_folder

    path = data_folder() / "michigan-2006/voters.parquet"
    columns = duckdb.read_parquet(str(path)).fetchnumpy()
    size = np.asarray(columns["hh_size"]).astype(int)
    cluster, start, number = np.empty(len(size), int), 0, 0
    while start < len(size):
        cluster[start : start + size[start]] = number
        start, number = start + size[start], number + 1
    treatment = np.asarray(columns["treatment"]).astype(str)
    rows = (treatment == "Neighbors") | np.isin(treatment, ["No Postcard", "Control"])
    known = (
        "age",
        "primary_00",
        "general_00",
        "primary_02",
        "general_02",
        "primary_04",
        "general_04",
        "hh_size",
    )
    x = [np.asarray(columns[name]).astype(np.float32) for name in known]
    x.append(np.unique(np.asarray(columns["sex"]).astype(str), return_inverse=True)[1].astype(np.float32))
    _, dense = np.unique(cluster[rows], return_inverse=True)
    return {
        "x": np.column_stack(x)[rows],
        "y": np.asarray(columns["primary_06"]).astype(float)[rows],
        "arm": (treatment[rows] == "Neighbors").astype(int),
        "cluster": dense,
    }


def synthetic(path: Path, people: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """A trial, new people, and the true effects of both."""
    found = importlib.util.spec_from_file_location("synthetic_trial", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    trial = module.trial(people, np.random.default_rng(seed))
    new = module.trial(NEW, np.random.default_rng(seed + 1000))
    names = [f"x{i}" for i in range(30)]
    given = {
        "x": np.column_stack([trial[name] for name in names]).astype(np.float32),
        "y": trial["outcome"].astype(float),
        "arm": trial["treated"].astype(int),
        "cluster": np.arange(people),
        "new": np.column_stack([new[name] for name in names]).astype(np.float32),
    }
    return given, trial["effect"].astype(float), new["effect"].astype(float)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers")
    parser.add_argument("--people", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--trial", type=Path, default=None)
    parser.add_argument("--only", nargs="+", default=[*OURS, *PEERS])
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folds", type=int, default=5)
    told = parser.parse_args()
    if told.work:
        work(told.work, told.folder, told.folds)
        return
    learners = {name: sys.executable for name in OURS if name in told.only}
    learners |= {name: told.peers for name in PEERS if told.peers and name in told.only}
    given = michigan()
    from hustings.stats.uplift import qini

    print(
        "Michigan, Neighbors against control, 3 folds\n| learner | Qini × 10⁻⁴ | se | CPU s | peak MB |\n|---|---|---|---|---|"
    )
    share = np.bincount(given["arm"]) / len(given["arm"])
    for name, python in learners.items():
        cost, found = run(python, name, given, 3)
        one = qini(found["inside"], given["y"], given["arm"], given["cluster"], propensity=share, arm_code=1)
        print(
            f"| {name} | {1e4 * one.area:.1f} | {1e4 * one.std_error:.1f} | {cost['cpu']:.1f} | {cost['peak']:.0f} |",
            flush=True,
        )
    if told.trial is None:
        print("No --trial: the simulated trial is left out.")
        return
    for people in told.people:
        trial, truth, new_truth = synthetic(told.trial, people, told.seed)
        print(
            f"\nSimulated trial, {people:,} people, seed {told.seed}\n"
            "| learner | share out of fold | share of new people | CPU s | peak MB | people a second |\n"
            "|---|---|---|---|---|---|"
        )
        best = area(truth, truth)
        for name, python in learners.items():
            cost, found = run(python, name, trial, told.folds)
            inside = (
                ""
                if np.isnan(found["inside"]).any()
                else f"{100 * area(found['inside'], truth) / best:.1f} %"
            )
            after = area(found["after"], new_truth) / area(new_truth, new_truth)
            speed = f"{cost['people_a_second']:,.0f}" if "people_a_second" in cost else ""
            print(
                f"| {name} | {inside} | {100 * after:.1f} % | {cost['cpu']:.1f} | {cost['peak']:.0f} | {speed} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
