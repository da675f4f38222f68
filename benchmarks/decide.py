"""Contacts under many limits at once: seconds, gap and memory, beside HiGHS on the same problem.

    python benchmarks/decide.py [--people 5000000] [--peer-people 20000]

People in households of 1.8, six actions: two dates of one letter, a postcard, a call, a door and an e-mail; a
budget, the pieces of each mail date, callers' minutes, a capacity and a smallest list for each turf, smallest lists
of the mailings, one contact a household. HiGHS gets the linear relaxation of the small problem, whose objective
no plan can exceed: without smallest lists, which it could only take as whole numbers. CPU seconds of one thread.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from importlib.metadata import version

import numpy as np

from hustings.stats.contacts import Shared, Turfs, best_of_household, plan_contacts

_COSTS = [0.4, 0.4, 0.6, 1.5, 4.0, 0.05]
_MEANS = (1.0, 1.1, 1.6, 2.5, 6.0, 0.4)


def a_state(n: int, seed: int, *, lists: bool) -> tuple:
    """People's values by action, their households, and all limits in proportion to their number."""
    rng = np.random.default_rng(seed)
    h = int(n / 1.8)
    household = np.sort(rng.integers(0, h, n))
    base = rng.gamma(2, 0.004, n).astype(np.float32)
    value = np.empty((n, 6), np.float32)
    for a, mean in enumerate(_MEANS):
        value[:, a] = base * mean * rng.lognormal(0, 0.5, n).astype(np.float32) - 0.002 * mean
    n_turfs = max(h // 1400, 5)
    shared = [
        Shared("budget", _COSTS, 0.12 * h),
        Shared("first mail date", [1, 0, 0, 0, 0, 0], 0.08 * h),
        Shared("second mail date", [0, 1, 0, 0, 0, 0], 0.02 * h),
        Shared("callers' minutes", [0, 0, 0, 6, 0, 0], 0.02 * h),
    ]
    capacity = rng.integers(0, 41, n_turfs)
    turfs = Turfs([4], rng.integers(0, n_turfs, h), capacity, np.full(n_turfs, 20 if lists else 0))
    return value, household, h, shared, turfs


def ours(n: int, seed: int, *, lists: bool) -> tuple[float, object]:
    """CPU seconds, household maxima included, and the plan."""
    value, household, h, shared, turfs = a_state(n, seed, lists=lists)
    began = time.process_time()
    worth = best_of_household(value, household, h)
    smallest = [200, 200, 200, 0, 0, 200] if lists else None
    plan = plan_contacts(worth, shared, turfs=turfs, kind=[0, 0, 1, 2, 3, 4], smallest=smallest)
    return time.process_time() - began, plan


def highs(n: int, seed: int) -> tuple[float, float]:
    """CPU seconds and objective of HiGHS on the linear relaxation by person and action."""
    import highspy
    from scipy import sparse

    value, household, h, shared, turfs = a_state(n, seed, lists=False)
    n_columns = n * 6
    column = np.arange(n_columns)
    person, action = column // 6, column % 6
    door = action == 4
    parts = [sparse.csr_matrix((np.ones(n_columns), (household[person], column)), (h, n_columns))]
    parts += [sparse.csr_matrix(np.asarray(one.usage, float)[action][None]) for one in shared]
    of = np.asarray(turfs.turf)[household[person]]
    parts.append(
        sparse.csr_matrix(
            (np.ones(int(door.sum())), (of[door], column[door])), (len(turfs.capacity), n_columns)
        )
    )
    table = sparse.vstack(parts).tocsc()
    upper = np.concatenate([np.ones(h), [one.limit for one in shared], turfs.capacity]).astype(float)
    began = time.process_time()
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = n_columns, table.shape[0]
    model.col_cost_ = -value.ravel().astype(float)
    model.col_lower_, model.col_upper_ = np.zeros(n_columns), np.ones(n_columns)
    model.row_lower_, model.row_upper_ = np.full(upper.size, -np.inf), upper
    model.a_matrix_.start_, model.a_matrix_.index_ = table.indptr, table.indices
    model.a_matrix_.value_ = table.data
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    solver.passModel(model)
    solver.run()
    return time.process_time() - began, -solver.getInfo().objective_function_value


def main() -> None:
    """Print the table."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--people", type=int, default=5_000_000)
    given.add_argument("--peer-people", type=int, default=20_000)
    given.add_argument("--seed", type=int, default=3)
    asked = given.parse_args()
    names = ("numpy", "scipy", "highspy")
    print(", ".join(f"{name} {version(name)}" for name in names), "on", platform.python_version())
    seconds, plan = ours(asked.peer_people, asked.seed, lists=False)
    theirs, objective = highs(asked.peer_people, asked.seed)
    print(f"{asked.peer_people:,} people, no smallest lists")
    print(f"  Hustings   {seconds:8.2f} s   gain {plan.gain:.4f}   certified gap {plan.gap:.4%}")
    print(f"  HiGHS LP   {theirs:8.2f} s   bound {objective:.4f}   {theirs / seconds:.0f} times as long")
    print(f"  the plan is {1 - plan.gain / objective:.4%} below HiGHS's bound")
    seconds, plan = ours(asked.people, asked.seed, lists=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{asked.people:,} people, all limits and smallest lists")
    print(f"  Hustings   {seconds:8.2f} s   certified gap {plan.gap:.4%}   peak {peak:,.0f} MB")


if __name__ == "__main__":
    main()
