"""What is compared: the product's engine, and the usual models by themselves."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
from implicit.utils import ParameterWarning
from numpy.typing import NDArray
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from marquee.taste.recommending.engine import Engine, Tastes, Wish
from tools.eval import metrics
from tools.eval.data import Ratings

Scores = NDArray[np.floating]
Option = tuple[float, ...]
Model = Callable[[Ratings, sp.csr_matrix, Option], Scores]
"""Scores of all films for the users of the training matrix, whose rows are the users."""


@dataclass(frozen=True)
class System:
    """A model, and the options that are tried on a validation split."""

    name: str
    model: Model
    options: tuple[Option, ...] = ((),)

    def lists(self, ratings: Ratings, train: sp.csr_matrix, option: Option) -> metrics.Lists:
        """Ten films for each user."""
        return metrics.best(self.model(ratings, train, option), train)

    def chosen(self, ratings: Ratings, inner: sp.csr_matrix, held_out: sp.csr_matrix) -> Option:
        """The option that does best on a validation split of the training part."""
        if len(self.options) == 1:
            return self.options[0]

        def ndcg(option: Option) -> float:
            lists = self.lists(ratings, inner, option)
            found = metrics.measured(lists, held_out, inner, ratings.plain)
            return float(np.nanmean(found["NDCG@10"]))

        return max(self.options, key=ndcg)


def popularity(_ratings: Ratings, train: sp.csr_matrix, _option: Option) -> Scores:
    """How many know a film."""
    return np.tile(np.asarray(train.sum(axis=0), np.float32), (train.shape[0], 1))


def neighbours(_ratings: Ratings, train: sp.csr_matrix, option: Option) -> Scores:
    """Item-kNN with BM25 weights: K, b."""
    keep, b = option
    model = BM25Recommender(K=int(keep), K1=1.2, B=b, num_threads=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ParameterWarning)  # of a matrix that it makes itself
        model.fit(train, show_progress=False)
    return np.asarray((train @ model.similarity.T).toarray())


def ials(_ratings: Ratings, train: sp.csr_matrix, option: Option) -> Scores:
    """iALS: factors, alpha, L2."""
    factors, alpha, l2 = option
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=int(factors),
            alpha=alpha,
            regularization=l2,
            iterations=15,
            use_cg=False,
            num_threads=2,
            random_state=0,
        )
        model.fit(train, show_progress=False)
    return np.asarray(model.user_factors @ model.item_factors.T)


def pure_svd(_ratings: Ratings, train: sp.csr_matrix, option: Option) -> Scores:
    """PureSVD: factors."""
    matrix = train.astype(np.float64)
    _, _, right = svds(matrix, k=int(option[0]), v0=np.ones(min(matrix.shape)))
    return np.asarray((matrix @ right.T) @ right)


def ease(_ratings: Ratings, train: sp.csr_matrix, option: Option) -> Scores:
    """EASE as published: L2."""
    gram = (train.T @ train).toarray().astype(np.float64)
    gram[np.diag_indices_from(gram)] += option[0]
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return np.asarray(train @ weights)


def plain_vectors(ratings: Ratings, train: sp.csr_matrix, _option: Option) -> Scores:
    """Nearness to the mean of what the user knows, by the stored vectors."""
    return np.asarray(train @ ratings.plain) @ ratings.plain.T


def tastes(likes: sp.csr_matrix) -> Tastes:
    """Tastes of users who watched these and no others."""
    none = sp.csr_matrix(likes.shape, dtype=np.float32)
    return Tastes(likes, none, likes)


def recommended(engine: Engine, some: Tastes, wish: Wish) -> metrics.Lists:
    """The product's lists."""
    found = np.full((some.count, metrics.K), -1)
    for user, scored in enumerate(engine.recommend(some, wish)):
        keys = np.array([each.key for each in scored[: metrics.K]], np.int64)
        found[user, : len(keys)] = engine.titles.positions(keys)
    return found


def grid(*values: Iterable[float]) -> tuple[Option, ...]:
    """All options of these values."""
    return tuple(product(*values))


BASELINES = (
    System("popularity", popularity),
    System("plain vectors", plain_vectors),
    System("item-kNN (BM25)", neighbours, grid((50, 100, 200), (0.2, 0.5))),
    System("iALS", ials, grid((16, 32), (1, 2), (5, 15))),
    System("PureSVD", pure_svd, grid((12, 16, 20, 24))),
    System("EASE", ease, grid((300, 500, 700, 1000))),
)
