"""How good lists are, user by user, and how sure that is."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

K = 10
DRAWS = 1000
NAMES = ("NDCG@10", "precision", "recall", "HR", "MRR", "novelty", "diversity")
DISCOUNTS = 1 / np.log2(np.arange(2, K + 2))

Lists = NDArray[np.int64]
"""(users, 10) Films, the best first; -1 where a list has ended."""
PerUser = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Interval:
    """A mean over users, and where it lies with 95 % by the bootstrap over users."""

    mean: float
    low: float
    high: float

    @property
    def told(self) -> str:
        """The mean and half of the interval: `.4934 ± .0168`."""
        half = (self.high - self.low) / 2
        mean, spread = (f"{each:.4f}".removeprefix("0") for each in (self.mean, half))
        return f"{mean} ± {spread}"


def best(scores: NDArray[np.floating], seen: sp.csr_matrix) -> Lists:
    """The ten best films of each user that were not seen."""
    left = np.array(scores, np.float64)
    left[seen.nonzero()] = -np.inf
    top = np.argsort(-left, axis=1, kind="stable")[:, :K]
    return np.where(np.isfinite(np.take_along_axis(left, top, axis=1)), top, -1)


def measured(
    lists: Lists, relevant: sp.csr_matrix, train: sp.csr_matrix, looks: NDArray[np.float32]
) -> PerUser:
    """Each measure of each user who has something relevant; NaN for all others.

    Novelty is the mean of -log2 of the share of users who know a film, in bits; diversity the mean
    of 1 - cosine of each pair's content.
    """
    wanted = relevant.toarray() > 0
    hits = np.take_along_axis(wanted, np.maximum(lists, 0), axis=1) & (lists >= 0)
    count = wanted.sum(axis=1)
    ideal = np.concatenate([[0], np.cumsum(DISCOUNTS)])[np.minimum(count, K)]
    first = np.where(hits.any(axis=1), 1 / (1 + hits.argmax(axis=1)), 0)
    known = np.maximum(np.diff(train.tocsc().indptr), 1) / train.shape[0]
    look = looks[np.maximum(lists, 0)]
    cosines = np.einsum("uid,ujd->uij", look, look)
    pairs = lists.shape[1] * (lists.shape[1] - 1)
    found = {
        "NDCG@10": hits @ DISCOUNTS[: lists.shape[1]] / np.maximum(ideal, 1e-9),
        "precision": hits.sum(axis=1) / K,
        "recall": hits.sum(axis=1) / np.maximum(count, 1),
        "HR": hits.any(axis=1).astype(float),
        "MRR": first,
        "novelty": -np.log2(known)[np.maximum(lists, 0)].mean(axis=1),
        "diversity": 1 - (cosines.sum(axis=(1, 2)) - np.einsum("uii->u", cosines)) / max(pairs, 1),
    }
    return {name: np.where(count > 0, values, np.nan) for name, values in found.items()}


def coverage(lists: Lists, train: sp.csr_matrix) -> float:
    """Which share of the films that somebody knows is in somebody's list."""
    return len(np.unique(lists[lists >= 0])) / int((np.diff(train.tocsc().indptr) > 0).sum())


def interval(values: NDArray[np.float64]) -> Interval:
    """The mean of users' values."""
    here = values[~np.isnan(values)]
    draws = np.random.default_rng(0).integers(0, len(here), (DRAWS, len(here)))
    low, high = np.percentile(here[draws].mean(axis=1), [2.5, 97.5])
    return Interval(float(here.mean()), float(low), float(high))
