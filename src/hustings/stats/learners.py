"""Learners of effects, simplest first: what an arm changes, as tables of bins.

Every learner works on the scale of the outcome's own variance: effect = V(m) g(x), with m the plain score and V
the variance of an outcome of that mean. For a share V(m) = m (1 - m), and g is a change of log-odds; for counts
and gifts V grows with m, and g is a change in proportion; for an amount of constant variance g is the effect
itself. It is one Newton step of a generalised linear model with its own link, from the fit without effects.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from hustings.stats.additive import Basis, fit_table, waves
from hustings.stats.bins import Bytes, look_up
from hustings.stats.clusters import Floats
from hustings.stats.contrasts import Contrast, Numbers, Sums, added
from hustings.stats.pairs import cell_codes, passing, surfaces, with_pairs

# Pairs of features are looked for among so many of the strongest.
STRONGEST = 9


@dataclass(frozen=True)
class Tables:
    """An effect as sums of tables: flat + V (mean + sum of bins + sum of pairs of bins).

    Attributes:
        flat: What is the same for everyone, in the outcome's unit.
        mean: The mean of g.
        table: (q,) what each bin adds to g.
        pairs: Pairs of rows whose cells add something; the cells follow the bins in `table` and `variance`.
        variance: (q,) posterior variance of each bin's entry, scaled so that people's mean is exact.
        mean_variance: Variance of the mean, and of the pairs.
        flat_variance: Variance of `flat`.
    """

    flat: float
    mean: float
    table: Floats
    pairs: tuple[tuple[int, int], ...]
    variance: Floats
    mean_variance: float
    flat_variance: float

    def effect(self, codes: Bytes, sizes: list[int], weight: Numbers) -> Numbers:
        """Expected effects, in the outcome's unit.

        Args:
            codes: (p + 1, n) bins.
            sizes: How many bins each row has.
            weight: (n,) the variance at each person's plain score.

        Returns:
            (n,).
        """
        found = self._looked_up(codes, sizes, self.table)
        found += np.float32(self.mean)
        found *= weight
        found += np.float32(self.flat)
        return found

    def _looked_up(self, codes: Bytes, sizes: list[int], table: Floats) -> Numbers:
        q = sum(sizes)
        found = look_up(codes, sizes, table[:q])
        if self.pairs:
            cells, cell_sizes = cell_codes(codes, sizes, self.pairs)
            found += look_up(cells, cell_sizes, table[q:])
        return found

    def error(self, codes: Bytes, sizes: list[int], weight: Numbers) -> Numbers:
        """Standard errors of `effect`: posterior deviations, bins of different features taken as independent."""
        found = self._looked_up(codes, sizes, self.variance)
        found += np.float32(self.mean_variance)
        found *= weight
        found *= weight
        found += np.float32(self.flat_variance)
        return np.sqrt(found, out=found)

    def to_json(self) -> str:
        """The model as JSON text.

        >>> one = Tables(0.0, 0.5, np.zeros(2), (), np.zeros(2), 0.1, 0.0)
        >>> Tables.from_json(one.to_json()).mean
        0.5
        """
        return json.dumps({name: np.asarray(value).tolist() for name, value in vars(self).items()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        read: dict[str, Any] = json.loads(text)
        return cls(
            read["flat"],
            read["mean"],
            np.array(read["table"]),
            tuple((int(i), int(j)) for i, j in read["pairs"]),
            np.array(read["variance"]),
            read["mean_variance"],
            read["flat_variance"],
        )


def constant(contrast: Contrast, parts: list[int], *, errors: bool = True) -> Tables:
    """The same effect for everyone: the mean reading."""
    sums, nothing = added(contrast, parts), np.zeros(sum(contrast.sizes))
    mean = sums.mean / max(sums.n, 1)
    variance = max(sums.spread / max(sums.n, 1) - mean**2, 0.0) / max(sums.n - 1, 1)
    return Tables(mean, 0.0, nothing, (), nothing, 0.0, variance)


def plain_score(contrast: Contrast, parts: list[int], *, errors: bool = True) -> Tables:
    """The effect as a smooth function of the plain score alone."""
    basis = waves(contrast.sizes, contrast.missing, np.diag(added(contrast, parts).cross))
    own = basis.columns[-contrast.sizes[-1] :].any(0)
    chosen = Basis(basis.columns[:, own], np.zeros(int(own.sum()), np.int64))
    return _tables(chosen, added(contrast, parts), errors)


def smooth(contrast: Contrast, parts: list[int], *, errors: bool = True) -> Tables:
    """Effects as a sum of one smooth function for each feature and for the plain score."""
    sums = added(contrast, parts)
    return _tables(waves(contrast.sizes, contrast.missing, np.diag(sums.cross)), sums, errors)


def paired(
    contrast: Contrast, parts: list[int], base: Tables | None = None, *, errors: bool = True
) -> Tables:
    """The smooth sum with surfaces over the pairs of features whose cells show more than chance.

    Args:
        contrast: The trial.
        parts: The parts to learn from.
        base: The fit of `smooth` on these parts, whose strongest features are paired; None to make it.
        errors: Whether the model will be asked for errors.

    Returns:
        The model; that of `smooth` where no pair shows.

    Source: Lou, Caruana, Gehrke & Hooker, KDD 2013, on sums with pairs; here tested and shrunk.
    """
    first = smooth(contrast, parts, errors=errors) if base is None else base
    sums = added(contrast, parts)
    start = np.append(0, np.cumsum(contrast.sizes))
    spread = np.diag(sums.cross) * first.table**2
    own = np.array([spread[start[j] : start[j + 1]].sum() for j in range(len(contrast.sizes))])
    rows = [int(j) for j in np.argsort(-own, kind="stable")[:STRONGEST] if own[j] > 0]
    pairs = passing(contrast, parts, rows, sums.square / sums.n)
    if not pairs:
        return first
    plain = waves(contrast.sizes, contrast.missing, np.diag(sums.cross))
    more = with_pairs(contrast, parts, sums, pairs)
    return _tables(surfaces(plain, contrast.sizes, np.diag(more.cross), pairs), more, errors, tuple(pairs))


def beyond(contrast: Contrast, parts: list[int], model: Tables) -> Tables:
    """The same effects, with errors that hold what a finer rung still leaves possible.

    A rung that was not climbed past says what is true on average; a single person may be far from it. The smooth
    sum tells how far: the variance of what it predicts beyond this rung, and the posterior variance of the rest.

    Args:
        contrast: The trial.
        parts: The parts that the model learned from.
        model: A fit of a rung below the smooth sum.

    Returns:
        The model with a larger `mean_variance`.
    """
    sums = added(contrast, parts)
    finer = smooth(contrast, parts)
    reach = [float(table @ sums.cross @ table) / sums.total for table in (finer.table, model.table)]
    rest = float(np.diag(sums.cross) @ finer.variance) / sums.total
    own = float(np.diag(sums.cross) @ model.variance) / sums.total
    more = max(reach[0] - reach[1], 0.0) + max(rest - own, 0.0)
    return replace(model, mean_variance=model.mean_variance + more)


def _tables(basis: Basis, sums: Sums, errors: bool, pairs: tuple[tuple[int, int], ...] = ()) -> Tables:
    noise = sums.square / sums.n
    fit = fit_table(basis, sums.cross, sums.right, sums.total, noise, errors=errors)
    own, exact = np.sum(fit.root**2, axis=1), float(np.sum((sums.cross @ fit.root) * fit.root)) / sums.total
    rough = float(np.diag(sums.cross) @ own) / sums.total
    variance = own * (exact / rough if rough > 0 else 1.0)
    return Tables(0.0, fit.mean, fit.table, pairs, variance, fit.mean_error**2, 0.0)
