"""What people take to next: our factorisation beside the package `implicit`, item-item and popularity, on real data.

    python benchmarks/recommend.py
    PEER=/path/to/python python benchmarks/recommend.py     # an environment that has `implicit`

Last.fm (HetRec 2011): 1,892 people, 17,632 artists, 92,834 counts of plays; of each person 20 % of the artists are
hidden. Loans of a university library: the last loan of everyone with at least three is hidden, and told with and without
titles that they had borrowed before. Recall and NDCG of the first 10, as our `judge_ranking` defines them, for all
methods; differences are paired by person. CPU seconds of one thread. The data are looked for in HUSTINGS_DATA.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy import sparse

from hustings.stats.recommend import fit_factors, judge_ranking, top_items

DATA = Path(os.environ.get("HUSTINGS_DATA", "../shared/data"))
K, RANK, ROUNDS, ALPHA, RIDGE = 10, 32, 15, 5.0, 20.0
PEER = """
import sys, time, numpy as np, scipy.sparse as sparse, os
os.environ['OPENBLAS_NUM_THREADS'] = '1'
from implicit.als import AlternatingLeastSquares
seen = sparse.load_npz(sys.argv[1]).tocsr()
for cg in (True, False):
    model = AlternatingLeastSquares(factors={rank}, regularization={ridge}, alpha={alpha}, iterations={rounds},
                                    use_cg=cg, use_gpu=False, num_threads=1, random_state=1)
    began = time.process_time()
    model.fit(sparse.csr_matrix((seen.data + 1 / {alpha}, seen.indices, seen.indptr), shape=seen.shape), show_progress=False)
    took = time.process_time() - began
    scores = model.user_factors @ model.item_factors.T
    np.savez(sys.argv[2] + ('cg' if cg else 'exact'), scores=scores, took=took)
"""


def lastfm(rng: np.random.Generator) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Seen and hidden; counts as log(1 + plays)."""
    rows = pq.read_table(DATA / "music/plays.parquet")
    person, item = (
        np.unique(rows[name].to_numpy(), return_inverse=True)[1] for name in ("userID", "artistID")
    )
    plays = np.log1p(rows["weight"].to_numpy()).astype(np.float32)
    hidden = rng.random(plays.size) < 0.2
    shape = (person.max() + 1, item.max() + 1)
    return tuple(
        sparse.csr_array((plays[which], (person[which], item[which])), shape=shape)
        for which in (~hidden, hidden)
    )


def library() -> tuple[sparse.csr_array, sparse.csr_array]:
    """Seen and hidden: the last loan of each reader with at least three."""
    rows = pq.read_table(DATA / "library/university_loans.parquet")
    person, item = (np.unique(rows[name].to_numpy(), return_inverse=True)[1] for name in ("u", "i"))
    order = np.lexsort((rows["t"].to_numpy(), person))
    person, item = person[order], item[order]
    last = np.append(person[1:] != person[:-1], True) & (np.bincount(person)[person] >= 3)
    shape, ones = (person.max() + 1, item.max() + 1), np.ones(person.size, np.float32)
    return tuple(
        sparse.csr_array((ones[which], (person[which], item[which])), shape=shape) for which in (~last, last)
    )


def told(name: str, lists: np.ndarray, held: sparse.csr_array, took: float, rule: object = None) -> object:
    """Print one line."""
    found = judge_ranking(lists, held)
    line = f"  {name:34} recall {found.recall.mean():.4f}   NDCG {found.gain.mean():.4f}   {took:7.1f} s"
    if rule is not None:
        gap = found.gain - rule.gain
        line += f"   NDCG over popularity {gap.mean():+.4f} ± {1.96 * gap.std() / np.sqrt(gap.size):.4f}"
    print(line, flush=True)
    return found


def compare(name: str, seen: sparse.csr_array, held: sparse.csr_array, hide: sparse.csr_array) -> None:
    """Every method on one split; lists leave out what is stored in `hide`."""
    print(
        f"{name}: {seen.shape[0]:,} people, {seen.shape[1]:,} items, {seen.nnz:,} seen, {held.nnz:,} hidden"
    )
    popular = np.bincount(seen.indices, minlength=seen.shape[1])
    rule = told("popularity", top_items(popular, hide, K), held, 0.0)
    began = time.process_time()
    found = fit_factors(
        seen, rank=RANK, alpha=ALPHA, ridge=RIDGE, rounds=ROUNDS, rng=np.random.default_rng(1)
    )
    took = time.process_time() - began
    ours = told("ours", top_items(found.people @ found.items.T, hide, K), held, took, rule)
    began = time.process_time()
    unit = seen.sign() @ sparse.diags_array(1 / np.sqrt(np.maximum(popular, 1)))
    near = (seen.sign() @ (unit.T @ unit)).toarray()
    told("item-item (cosine)", top_items(near, hide, K), held, time.process_time() - began, rule)
    if "PEER" not in os.environ:
        print("  implicit: not asked for (PEER)")
        return
    with tempfile.TemporaryDirectory() as folder:
        sparse.save_npz(f"{folder}/seen.npz", sparse.csr_matrix(seen))
        code = PEER.format(rank=RANK, ridge=RIDGE, alpha=ALPHA, rounds=ROUNDS)
        subprocess.run([os.environ["PEER"], "-c", code, f"{folder}/seen.npz", f"{folder}/"], check=True)
        for way in ("cg", "exact"):
            peer = np.load(f"{folder}/{way}.npz")
            theirs = told(
                f"implicit 0.7 ({way})", top_items(peer["scores"], hide, K), held, float(peer["took"]), rule
            )
            gap = ours.gain - theirs.gain
            print(
                f"    ours less implicit: NDCG {gap.mean():+.4f} ± {1.96 * gap.std() / np.sqrt(gap.size):.4f}"
            )


def main() -> None:
    """Print the table of docs/performance.md."""
    if not DATA.exists():
        sys.exit("The data are not there: set HUSTINGS_DATA")
    seen, held = lastfm(np.random.default_rng(1))
    compare("Last.fm", seen, held, seen)
    seen, held = library()
    nothing = sparse.csr_array(seen.shape, dtype=np.float32)
    compare("University loans, titles borrowed before allowed", seen, held, nothing)
    compare("University loans, new titles only", seen, (held - held.multiply(seen.sign())).tocsr(), seen)


if __name__ == "__main__":
    main()
