"""Held-out recipients ─► how well affinities foretell, and what choosing by them would have brought."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.affinities.learning import Known, counts, learn
from hustings.stats.off_policy import OffPolicy

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]
WAYS = {
    "best of audience": "each audience gets the item that it takes to best, as learned from other people",
    "most popular": "everyone gets the item with the highest rate of response",
    "at random": "every item that was sent, with equal probability",
    "as sent": "what the log did",
}
_LIST = 3
"""Items of the lists whose recall and gain are read."""


class Crossed(NamedTuple):
    """What is foretold of each send by the other half of the people; all (n,) or (n, ways).

    Attributes:
        model: The affinity of the item sent.
        rule: The item's rate.
        wanted: Probability with which each way would send the item.
        model_wanted: The affinity expected of each way's choice.
    """

    model: Floats
    rule: Floats
    wanted: Floats
    model_wanted: Floats


def check(known: Known, fewest: float, rng: np.random.Generator) -> tuple[list[Row], list[Row]]:
    """Rows of `affinity_checks` and `affinity_values`, without the columns that every row has."""
    crossed = _cross(known, rng)
    return [_log_loss(known, crossed), *_rankings(known, rng)], _values(known, crossed, fewest)


def _cross(known: Known, rng: np.random.Generator) -> Crossed | None:
    """Learned on each half of the people, applied to the other; None when a half cannot learn."""
    sends = known.sends
    half = rng.integers(0, 2, len(known.audiences.member))
    n = sends.item.size
    model, rule = np.zeros(n), np.zeros(n)
    wanted, expected = np.zeros((n, len(WAYS))), np.zeros((n, len(WAYS)))
    sent = np.unique(sends.item)
    for side in (0, 1):
        found = learn(known, half != side, rng)
        if found is None:
            return None
        use = half[sends.person] == side
        a, i = known.audiences.member[sends.person[use]], sends.item[use]
        seen, took = counts(known, ~use)
        rate = (took.sum(0) + 1) / (seen.sum(0) + 1 / max(took.sum() / max(seen.sum(), 1), 1e-6))
        p = found.probability[:, sent]
        best = sent[p.argmax(1)][a]
        popular = sent[rate[sent].argmax()]
        model[use], rule[use] = found.probability[a, i], np.clip(rate[i], 1e-6, 1 - 1e-6)
        logged = np.nan_to_num(sends.propensity[use])
        wanted[use] = np.column_stack([i == best, i == popular, np.full(i.size, 1 / sent.size), logged])
        expected[use] = np.column_stack(
            [found.probability[a, best], found.probability[a, popular], p.mean(1)[a], found.probability[a, i]]
        )
    return Crossed(model, rule, wanted, expected)


def _log_loss(known: Known, crossed: Crossed | None) -> Row:
    if crossed is None:
        return {
            "measure": "log_loss",
            "n": 0,
            "reason": "too few responded to learn from one half of the people",
        }
    y = known.sends.responded

    def loss(p: Floats) -> Floats:
        p = np.clip(p, 1e-9, 1 - 1e-9)
        return -np.where(y, np.log(p), np.log1p(-p))

    own, rule = loss(crossed.model), loss(crossed.rule)
    recipients, person = np.unique(known.sends.person, return_inverse=True)
    better = rule - own
    part = np.bincount(person, better - better.mean()) / better.size
    return _judged("log_loss", float(own.mean()), float(rule.mean()), better.mean(), part, recipients.size)


def _judged(measure: str, model: float, rule: float, better: float, part: Floats, n: int) -> Row:
    half = stats.clusters.t_quantile(0.95, max(n - 1, 1)) * float(np.sqrt(part @ part))
    return {
        "measure": measure,
        "model": model,
        "rule": rule,
        "better": float(better),
        "better_low": float(better) - half,
        "better_high": float(better) + half,
        "n": n,
    }


def _rankings(known: Known, rng: np.random.Generator) -> list[Row]:
    """Recall and gain of the first items for people of whom one taste in five was hidden."""
    from scipy.sparse import csr_array

    names = ("recall", "gain")
    tastes = csr_array(known.tastes)
    several = np.flatnonzero(np.diff(tastes.indptr) >= 2)
    m = tastes.shape[1]
    if several.size < 50 or m < _LIST + 2:
        why = f"{several.size:,} people took to more than one of {m} items: too few to hide one"
        return [{"measure": name, "n": int(several.size), "reason": why} for name in names]
    rows = csr_array(tastes[several])
    hidden = rng.random(rows.nnz) < 0.2
    seen, held = rows.copy(), rows.copy()
    seen.data, held.data = np.where(hidden, 0, rows.data), np.where(hidden, rows.data, 0)
    seen.eliminate_zeros()
    held.eliminate_zeros()
    if not held.nnz:
        return [{"measure": name, "n": 0, "reason": "no taste was hidden"} for name in names]
    design = known.audiences.design()[several]
    found = stats.recommend.fit_factors(
        seen,
        rank=min(known.rank, m),
        person_features=design if design.shape[1] else None,
        item_features=known.sides if known.sides.shape[1] else None,
        rng=rng,
    )
    ways = (found.people @ found.items.T, np.bincount(seen.indices, minlength=m))
    own, rule = (
        stats.recommend.judge_ranking(stats.recommend.top_items(way, seen, _LIST), held) for way in ways
    )
    out = []
    for name in names:
        a, b = getattr(own, name), getattr(rule, name)
        part = (a - b - (a - b).mean()) / a.size
        out.append(_judged(name, float(a.mean()), float(b.mean()), float((a - b).mean()), part, a.size))
    return out


def _values(known: Known, crossed: Crossed | None, fewest: float) -> list[Row]:
    sends = known.sends
    if crossed is None:
        why = "too few responded to learn from one half of the people"
        return [{"way": way, "about": about, "reason": why} for way, about in WAYS.items()]
    found = [
        stats.off_policy.evaluate_policy(
            sends.responded,
            sends.propensity,
            crossed.wanted[:, k],
            sends.person,
            model_logged=crossed.model,
            model_wanted=crossed.model_wanted[:, k],
            fewest=fewest,
        )
        for k in range(len(WAYS))
    ]
    return [_value_row(way, one, found[0]) for way, one in zip(WAYS, found, strict=True)]


def _value_row(way: str, one: OffPolicy, best: OffPolicy) -> Row:
    ahead = stats.off_policy.policy_difference(best.robust, one.robust)
    told = way != "best of audience" and np.isfinite(ahead[0])
    row: Row = {
        "way": way,
        "about": WAYS[way],
        "n_sends": one.n,
        "n_recipients": one.n_recipients,
        "effective_recipients": one.n_effective,
        "mean_weight": one.mean_weight,
        "advantage": ahead[0] if told else None,
        "advantage_low": ahead[1] if told else None,
        "advantage_high": ahead[2] if told else None,
        "reason": one.reason,
    }
    for name, value in (("value", one.robust), ("weighted", one.weighted)):
        first = "" if name == "value" else "weighted_"
        row |= {name: value.estimate, f"{first}low": value.low, f"{first}high": value.high}
    return {key: None if isinstance(v, float) and np.isnan(v) else v for key, v in row.items()}
