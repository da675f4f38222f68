"""Whether to act on everyone, on chosen people, or on no one: one test, declared beforehand."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from hustings.stats import climb
from hustings.stats.climb import clustered, rank_shares
from hustings.stats.clusters import Floats, Integers
from hustings.stats.contrasts import Contrast

Word = Literal["target", "everyone", "no one"]

LEVEL = 0.05

SENTENCES: dict[Word, str] = {
    "target": "It works, and choosing by person gains more than spending the same on people drawn at random.",
    "everyone": "It works for everyone; choosing by person shows no proven gain.",
    "no one": "No gain is proven, neither for everyone nor for anyone in particular.",
}


class Verdict(NamedTuple):
    """What a trial of one arm proves.

    Attributes:
        word: `target`, `everyone` or `no one`.
        average: The mean effect.
        average_error: Its clustered standard error.
        p_average: One-sided, of the mean effect being 0 or less.
        gain: What ranking people adds to drawing them at random at equal cost, per person of the population and
            averaged over all budgets (a Qini area), by sequential validation.
        gain_error: Its clustered standard error.
        p_gain: One-sided, of the gain being 0 or less: the test that decides.
        over_score: What the ranking adds to ranking by the plain score, likewise.
        over_score_error: Its standard error.
        p_over_score: One-sided.
        p_some: One-sided, of the effect on those who are predicted to gain being 0 or less.
    """

    word: Word
    average: float
    average_error: float
    p_average: float
    gain: float
    gain_error: float
    p_gain: float
    over_score: float
    over_score_error: float
    p_over_score: float
    p_some: float

    @property
    def sentence(self) -> str:
        """The verdict in words.

        >>> nothing = Verdict("no one", *[0.0] * 10)
        >>> nothing.sentence
        'No gain is proven, neither for everyone nor for anyone in particular.'
        """
        if self.word == "target" and self.p_over_score > LEVEL:
            return f"{SENTENCES['target']} It is not proven better than ranking by the plain score."
        return SENTENCES[self.word]


def judge(contrast: Contrast) -> Verdict:
    """The verdict on one arm, by sequential validation.

    For fold k = 2, 3, … the rule (the whole climb included) is fitted on the folds before k and ranks the people
    of fold k. So no outcome judges a rule that it helped to make, and the folds' gains are martingale
    differences: their sum over its error is standard normal where ranking gains nothing, whether the effect is 0
    for all or the same for all. Where the climb ends on "the same for all", the simplest rung that ranks stands
    in, so that there is a rule to be tested.

    Two claims are tested together at 5 % by Holm: the mean effect is above 0, and choosing gains. If only the
    second holds, those who are predicted to gain must be proven to gain as well.

    Args:
        contrast: The trial of one arm, two folds or more.

    Returns:
        The verdict.

    Source: Wager, arXiv 2405.05534 (2024), section 3; Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    gain, over, some, cluster = [], [], [], []
    for fold in range(1, len(contrast.parts) // 2):
        before = list(range(2 * fold))
        rows = slice(contrast.parts[2 * fold].start, contrast.parts[2 * fold + 1].stop)
        model = climb.fit_chosen(contrast, before, _ranking(climb.climb(contrast, before, trees=False)))
        effect = model.effect(contrast.codes[:, rows], contrast.sizes, contrast.weight[rows])
        reading = contrast.reading[rows].astype(np.float64)
        centred = (reading - reading.mean()) / len(reading)
        score = contrast.codes[-1, rows].astype(np.float64)
        ranks = rank_shares(effect)
        gain.append((0.5 - ranks) * centred)
        over.append((rank_shares(score) - ranks) * centred)
        some.append((effect > 0) * reading / len(reading))
        cluster.append(contrast.cluster[rows])
    n = len(contrast.reading)
    average, average_error = clustered(contrast.reading.astype(np.float64) / n, contrast.cluster)
    p_average = _p_value(average, average_error)
    found = [_sequential(one, cluster) for one in (gain, over, some)]
    (area, error, p_gain), (more, more_error, p_over), (_, _, p_some) = found
    word = _word(p_average, p_gain, p_some)
    return Verdict(
        word, average, average_error, p_average, area, error, p_gain, more, more_error, p_over, p_some
    )


def _ranking(steps: list[climb.Step]) -> list[climb.Step]:
    if not steps[0].chosen:
        return steps
    return [step._replace(chosen=step.rung == 1) for step in steps]


def _sequential(influences: list[Floats], cluster: list[Integers]) -> tuple[float, float, float]:
    """The mean of the folds' gains, its error, and the one-sided p-value; 1 where nothing was ranked."""
    found = [clustered(one, codes) for one, codes in zip(influences, cluster, strict=True)]
    if not found:
        return np.nan, np.nan, 1.0
    estimate = float(np.mean([one for one, _ in found]))
    error = float(np.sqrt(np.sum([one**2 for _, one in found]))) / len(found)
    return estimate, error, _p_value(estimate, error)


def _p_value(estimate: float, error: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(-estimate / error)) if error > 0 else 1.0


def _word(p_average: float, p_gain: float, p_some: float) -> Word:
    """Holm's two claims, then the word.

    >>> _word(0.001, 0.04, 0.001), _word(0.001, 0.2, 0.001), _word(0.04, 0.04, 0.001), _word(0.5, 0.01, 0.6)
    ('target', 'everyone', 'no one', 'no one')
    """
    limit = LEVEL if min(p_average, p_gain) <= LEVEL / 2 else 0.0
    works, chooses = p_average <= limit, p_gain <= limit
    if chooses and (works or p_some <= LEVEL):
        return "target"
    return "everyone" if works else "no one"
