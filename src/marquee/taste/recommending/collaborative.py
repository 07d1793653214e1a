"""Three models of who watched what, that score a user by what the user watched, without training.

- EASE^R, Steck 2019 (arXiv 1905.03375): the best matrix that rebuilds each title's column from all
  others; with emphasised denoising, Steck 2020 (NeurIPS, "Autoencoders that don't overfit towards
  the identity"), and with users who watched a great deal counted less. For the titles that were
  watched most.
- iALS, Hu, Koren and Volinsky 2008, by the package `implicit`. For all titles.
- PureSVD, Cremonesi, Koren and Turrin 2010, by SciPy.

Each score is a sum over the user's titles, so that it can be told what each of them adds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse.linalg import svds
from threadpoolctl import threadpool_limits

from marquee.taste.recommending.titles import Flags, Floats, Whole

Doubles = NDArray[np.float64]
FEWEST_FOR_SVD = 3


@dataclass(frozen=True)
class Recipe:
    """How the models are trained. Found by trials on MovieLens 100K; `make eval` measures it."""

    ease_titles: int = 10_000
    """EASE is for so many titles: its matrix takes 4 bytes for each pair while it is trained."""
    ease_l2: float = 400.0
    ease_dropout: float = 0.6
    """p of emphasised denoising."""
    ease_user_power: float = 0.4
    """A user of k titles counts k to the minus this."""
    ease_neighbours: int = 400
    """So many weights are kept of each title."""
    als_factors: int = 32
    als_alpha: float = 2.0
    als_l2: float = 15.0
    als_sweeps: int = 15
    svd_factors: int = 12
    content_l2: float = 10.0
    few: int = 3
    """Titles that fewer users watched take their factors from their content, in part."""
    threads: int = 2


@dataclass(frozen=True)
class Models:
    """The trained models: (n, n), (n, f) and (n, s), for n titles."""

    ease: sp.csr_matrix
    """From the user's titles, the rows, to others."""
    in_ease: Flags
    """(n) Whether EASE and PureSVD know the title; iALS alone scores all others."""
    factors: Floats
    als_alpha: float
    als_l2: float
    directions: Floats

    @cached_property
    def squared(self) -> Doubles:
        """What iALS says of titles that a user has not watched."""
        whole = self.factors.astype(np.float64)
        found: Doubles = np.asarray(whole.T @ whole + self.als_l2 * np.eye(whole.shape[1]))
        return found

    def scores(self, likes: sp.csr_matrix) -> tuple[Floats, Floats, Floats]:
        """EASE's, iALS' and PureSVD's scores of all titles, (users, n) each."""
        ease = np.asarray((likes @ self.ease).toarray(), np.float32)
        tastes = self.tastes(likes)
        return (
            ease,
            tastes @ self.factors.T,
            np.asarray(likes @ self.directions) @ self.directions.T,
        )

    def tastes(self, likes: sp.csr_matrix) -> Floats:
        """The users' own factors of iALS, (users, f): one sweep's half for them alone."""
        rows = [_solved(self, *_row(likes, user)).sum(axis=1) for user in range(likes.shape[0])]
        size = self.factors.shape[1]
        return np.array(rows, np.float32).reshape(len(rows), size)

    def contributions(self, likes: sp.csr_matrix, to: Whole) -> tuple[Floats, Floats, Floats]:
        """What each title of one user, a row of `likes`, adds to the scores of some titles.

        (k, titles) for each model; their sums over k are `scores`.
        """
        at, weights = _row(likes, 0)
        ease = weights[:, None] * self.ease[at][:, to].toarray()
        als = _solved(self, at, weights).T @ self.factors[to].T
        svd = weights[:, None] * (self.directions[at] @ self.directions[to].T)
        return ease.astype(np.float32), als.astype(np.float32), svd.astype(np.float32)


def train(
    watched: sp.csr_matrix, recipe: Recipe, seed: int, say: Callable[[str], object]
) -> Models:
    """Train all three on (users, n) weights above zero. `say` hears which one comes next."""
    counts = np.diff(watched.tocsc().indptr)
    order = np.argsort(-counts, kind="stable")[: recipe.ease_titles]
    often = np.sort(order[counts[order] > 0])
    in_ease = np.zeros(watched.shape[1], bool)
    in_ease[often] = True
    say("EASE")
    ease = _ease(watched, often, recipe)
    say("PureSVD")
    directions = _directions(watched, often, recipe)
    say("iALS")
    factors = _factors(watched, recipe, seed)
    return Models(ease, in_ease, factors, recipe.als_alpha, recipe.als_l2, directions)


def _ease(watched: sp.csr_matrix, often: Whole, recipe: Recipe) -> sp.csr_matrix:
    size = watched.shape[1]
    if not len(often):
        return sp.csr_matrix((size, size), dtype=np.float32)
    ones = watched[:, often].astype(np.float32)
    each = np.maximum(np.diff(ones.indptr), 1).astype(np.float32)
    users = each**-recipe.ease_user_power
    users *= each.sum() / (users * each).sum()
    scaled = sp.diags(np.sqrt(users), format="csr", dtype=np.float32) @ ones
    gram = (scaled.T @ scaled).toarray(order="F")
    p = recipe.ease_dropout
    gram[np.diag_indices_from(gram)] *= 1 + p
    gram[np.diag_indices_from(gram)] += recipe.ease_l2
    weights = _inverse(gram)
    weights /= -np.diag(weights).copy()
    np.fill_diagonal(weights, 0)
    return _strongest(weights, often, recipe.ease_neighbours, size)


def _inverse(gram: Floats) -> Floats:
    """The inverse of a positive definite matrix, in its own memory."""
    lower, failed = lapack.spotrf(gram, lower=1, overwrite_a=1)
    if not failed:
        lower, failed = lapack.spotri(lower, lower=1, overwrite_c=1)
    if failed:
        raise ArithmeticError("The matrix of EASE is not positive definite.")
    for column in range(len(lower) - 1):  # a whole copy would take its memory a second time
        lower[column, column + 1 :] = lower[column + 1 :, column]
    inverse: Floats = lower
    return inverse


def _strongest(weights: Floats, often: Whole, keep: int, size: int) -> sp.csr_matrix:
    """The strongest weights to each title, as rows and columns of all titles."""
    keep = min(keep, len(often))
    rows, columns, values = [], [], []
    for start in range(0, len(often), 500):
        block = weights[:, start : start + 500]
        top = np.argpartition(-np.abs(block), keep - 1, axis=0)[:keep]
        rows.append(often[top].ravel())
        columns.append(np.tile(often[start : start + block.shape[1]], keep))
        values.append(np.take_along_axis(block, top, axis=0).ravel())
    found = sp.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
        shape=(size, size),
        dtype=np.float32,
    )
    found.eliminate_zeros()
    found.sort_indices()
    return found


def _directions(watched: sp.csr_matrix, often: Whole, recipe: Recipe) -> Floats:
    size = watched.shape[1]
    found = np.zeros((size, recipe.svd_factors), np.float32)
    part = watched[:, often].astype(np.float64)
    rank = min(recipe.svd_factors, min(part.shape) - 1)
    if rank >= FEWEST_FOR_SVD:
        _, _, right = svds(part, k=rank, v0=np.ones(min(part.shape)))
        found[often, :rank] = right.T
    return found


def _factors(watched: sp.csr_matrix, recipe: Recipe, seed: int) -> Floats:
    if not watched.nnz:
        return np.zeros((watched.shape[1], recipe.als_factors), np.float32)
    with threadpool_limits(1, "blas"):  # its own threads would wait for those of BLAS
        model = AlternatingLeastSquares(
            factors=recipe.als_factors,
            regularization=recipe.als_l2,
            alpha=recipe.als_alpha,
            iterations=recipe.als_sweeps,
            use_cg=False,
            num_threads=recipe.threads,
            random_state=seed,
        )
        model.fit(watched.astype(np.float32), show_progress=False)
    factors: Floats = model.item_factors
    return factors


def _solved(models: Models, at: Whole, weights: Floats) -> Doubles:
    """What each of a user's titles adds to the user's factors, (f, k).

    `implicit` counts what was not watched once, and what was watched `alpha * weight` times.
    """
    if not len(at):
        return np.zeros((len(models.squared), 0))
    own = models.factors[at].astype(np.float64)
    trust = models.als_alpha * weights.astype(np.float64)
    matrix = models.squared + (own.T * (trust - 1)) @ own
    return np.asarray(np.linalg.solve(matrix, own.T * trust), np.float64)


def _row(likes: sp.csr_matrix, user: int) -> tuple[Whole, Floats]:
    part = slice(likes.indptr[user], likes.indptr[user + 1])
    return likes.indices[part].astype(np.int64), likes.data[part].astype(np.float32)
