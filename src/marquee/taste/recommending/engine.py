"""The engine: fit once on everybody, then ask for anybody, whether they were there or not."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from marquee.taste.recommending import collaborative, content
from marquee.taste.recommending.blending import Blend, Collaborative, Weights, blended, joined
from marquee.taste.recommending.collaborative import Models, Recipe
from marquee.taste.recommending.diversity import diversified
from marquee.taste.recommending.titles import (
    Flags,
    Floats,
    Titles,
    Whole,
    genre_novelty,
    rating_worth,
)

PENALTY = 0.5
"""A title that the user dislikes loses this share of its score, where it is not excluded."""
DIGITS = 6
MOST_NUMBERS = 1 << 22
"""Users are scored together as long as users times titles stay below this: 16 MB an array."""


@dataclass(frozen=True)
class Tastes:
    """What is known of users, a row for each, a column for each title."""

    likes: sp.csr_matrix
    """Weights above zero of what they watched and did not dislike: see `weighing`."""
    dislikes: sp.csr_matrix
    """1 for what they dislike."""
    vetoes: sp.csr_matrix
    """1 for what they must not be given: watched, beyond their age, of libraries switched off."""

    def __getitem__(self, users: slice) -> "Tastes":
        """Some of them."""
        return Tastes(self.likes[users], self.dislikes[users], self.vetoes[users])

    @property
    def count(self) -> int:
        """How many users."""
        return int(self.likes.shape[0])


@dataclass(frozen=True)
class Wish:
    """What is asked for."""

    count: int = 12
    candidates: int = 100
    """So many are told, of which the first `count` are the list."""
    weights: Weights = field(default_factory=Weights)
    excludes_dislikes: bool = True
    """Otherwise they lose `PENALTY` of their score."""
    evidence: int = 3
    """So many of the user's own titles are told for each of the list."""
    seed: int = 0
    """Decides between equals."""
    among: Flags | None = field(default=None, compare=False)
    """(n) What may be recommended at all, to all of the users; None for every title. Films alone,
    or series alone, cost as much less as there are fewer of them."""


@dataclass(frozen=True)
class Evidence:
    """One of the user's titles, and what it adds to the score of another."""

    key: int
    amount: float
    """Of the parts `collaborative` and `content` together."""
    likeness: float
    """Of what both are about, -1 to 1."""


@dataclass(frozen=True)
class Scored:
    """A candidate, in its place."""

    key: int
    score: float
    """0 to 1; the sum of the parts, in `DIGITS` digits."""
    parts: dict[str, float]
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Engine:
    """Trained models and the titles that they are for."""

    titles: Titles
    models: Models
    counts: Whole
    """(n) How many users watched each title."""
    looks: Floats
    """(n, d) `content.prepared`."""

    @classmethod
    def fit(
        cls,
        titles: Titles,
        watched: sp.csr_matrix,
        recipe: Recipe | None = None,
        *,
        seed: int = 0,
        say: Callable[[str], object] = lambda _step: None,
    ) -> "Engine":
        """Train on (users, n) weights above zero. The same seed gives the same engine."""
        recipe = recipe or Recipe()
        counts = np.bincount(watched.indices, minlength=len(titles.keys)).astype(np.int64)
        with threadpool_limits(recipe.threads, "blas"):
            # As they are stored, so that a stored engine answers as this one does.
            looks = content.prepared(titles.content).astype(np.float16).astype(np.float32)
            models = collaborative.train(watched, recipe, seed, say)
            if looks.shape[1]:
                factors = content.with_new(
                    models.factors, looks, counts, recipe.few, recipe.content_l2
                )
                models = Models(
                    models.ease,
                    models.in_ease,
                    factors,
                    models.als_alpha,
                    models.als_l2,
                    models.directions,
                )
        return cls(titles, models, counts, looks)

    @cached_property
    def popularity(self) -> Floats:
        """(n) The logarithm of how many watched a title; the catalogue's popularity counts as one
        of them at the most.
        """
        found: Floats = np.log1p(self.counts + self.titles.popularity / 100).astype(np.float32)
        return found

    @cached_property
    def worth(self) -> Floats:
        """(n) What others' ratings say."""
        return rating_worth(self.titles.ratings)

    def recommend(self, tastes: Tastes, wish: Wish | None = None) -> list[list[Scored]]:
        """The best candidates of each user, the list first, by falling scores."""
        wish = wish or Wish()
        part = self._part(wish.among)
        found = []
        for some in self._batches(tastes, part):
            candidates = self._candidates(some, wish, part)
            whole, blend = self._scored(some, candidates, wish.weights, part)
            total = self._penalised(some, blend, part)
            for user in range(some.count):
                taste = some[user : user + 1]
                view = _View(self, part.start, taste, user, candidates, whole, blend, total)
                found.append(view.listed(wish))
        return found

    def scores(self, tastes: Tastes, wish: Wish | None = None) -> Floats:
        """The scores of all titles before diversity, (users, n); below zero for no candidate."""
        wish = wish or Wish()
        part = self._part(wish.among)
        rows = []
        for some in self._batches(tastes, part):
            candidates = self._candidates(some, wish, part)
            _, blend = self._scored(some, candidates, wish.weights, part)
            row = np.full((some.count, len(self.titles.keys)), -1, np.float32)
            row[:, part] = np.where(candidates, self._penalised(some, blend, part), -1)
            rows.append(row)
        return np.concatenate(rows)

    def _part(self, among: Flags | None) -> slice:
        """The rows that must be scored: all, or those of films or of series where no others may be
        recommended.
        """
        size, first_film = len(self.titles.keys), self.titles.first_film
        if among is None:
            return slice(0, size)
        series, films = among[:first_film].any(), among[first_film:].any()
        return slice(0 if series else first_film, size if films else first_film)

    def _batches(self, tastes: Tastes, part: slice) -> Iterator[Tastes]:
        size = max(1, MOST_NUMBERS // max(1, part.stop - part.start))
        for start in range(0, tastes.count, size):
            yield tastes[start : start + size]

    def _candidates(self, tastes: Tastes, wish: Wish, part: slice) -> Flags:
        out = tastes.vetoes + tastes.dislikes if wish.excludes_dislikes else tastes.vetoes
        found: Flags = np.asarray(out[:, part].todense()) == 0
        if wish.among is not None:
            found &= wish.among[part]
        return found

    def _scored(
        self, tastes: Tastes, candidates: Flags, weights: Weights, part: slice
    ) -> tuple[Collaborative, Blend]:
        ease, als, svd = (each[:, part] for each in self.models.scores(tastes.likes))
        whole = joined((ease, als, svd), self.models.in_ease[part], candidates, weights)
        shape, looks = candidates.shape, self.looks[part]
        known = (tastes.likes + tastes.dislikes).astype(bool).astype(np.float32)
        raws = {
            "collaborative": whole.raw,
            "content": np.asarray(tastes.likes @ self.looks) @ looks.T,
            "popularity": np.broadcast_to(self.popularity[part], shape),
            "rating": np.broadcast_to(self.worth[part], shape),
        }
        if weights.novelty:
            raws["novelty"] = genre_novelty(self.titles.genres, known, part)
        if weights.dislikes and tastes.dislikes.nnz:
            raws["dislikes"] = -(np.asarray(tastes.dislikes @ self.looks) @ looks.T)
        likes = np.diff(tastes.likes.indptr).astype(np.float32)
        return whole, blended(raws, candidates, weights.of_users(likes, self._others(tastes)))

    def _others(self, tastes: Tastes) -> Floats:
        """(users) How many others watched a title that a user likes, on average."""
        liked = tastes.likes.astype(bool).astype(np.float32)
        others = np.maximum(self.counts - 1, 0).astype(np.float32)
        number = np.maximum(np.diff(liked.indptr), 1)
        found: Floats = (np.asarray(liked @ others) / number).astype(np.float32)
        return found

    def _penalised(self, tastes: Tastes, blend: Blend, part: slice) -> Floats:
        total = blend.total
        users, at = tastes.dislikes[:, part].nonzero()
        total[users, at] *= 1 - PENALTY
        return total


@dataclass(frozen=True)
class _View:
    """One user's row of a batch."""

    engine: Engine
    start: int
    """The row of the first title that was scored: all others are counted from there."""
    taste: Tastes
    user: int
    candidates: Flags
    whole: Collaborative
    blend: Blend
    total: Floats

    def listed(self, wish: Wish) -> list[Scored]:
        pool = self._pool(wish)
        weight = wish.weights.diversity
        looks = self.engine.looks[self.start + pool]
        order, unlike = diversified(self.total[self.user, pool], looks, weight, wish.count)
        at = pool[order][: wish.candidates]
        unlike = unlike[order]
        names = list(self.blend.parts)
        parts = np.array([self.blend.parts[name][self.user, at] for name in names], np.float64)
        disliked = np.isin(self.start + at, self.taste.dislikes.indices)
        penalty = np.where(disliked, -PENALTY * parts.sum(axis=0), 0)
        parts = np.vstack(
            [(1 - weight) * parts, weight * unlike[: len(at)], (1 - weight) * penalty]
        )
        names += ["diversity", "penalty"]
        parts = np.round(parts, DIGITS)
        at = self.start + at
        told = self._evidence(at[: wish.count], wish) if wish.evidence else []
        return [
            Scored(
                int(self.engine.titles.keys[position]),
                round(float(parts[:, place].sum()), DIGITS),
                dict(zip(names, parts[:, place].tolist(), strict=True)),
                tuple(told[place]) if place < len(told) else (),
            )
            for place, position in enumerate(at)
        ]

    def _pool(self, wish: Wish) -> Whole:
        """The positions of the best candidates, the best first; a seeded draw between equals."""
        possible = np.flatnonzero(self.candidates[self.user])
        scores = self.total[self.user, possible]
        size = min(len(possible), max(wish.candidates, 5 * wish.count))
        if size < len(possible):
            least = np.partition(-scores, size - 1)[size - 1]
            possible = possible[-scores <= least]
            scores = self.total[self.user, possible]
        draw = np.random.default_rng(wish.seed).permutation(len(possible))
        found: Whole = possible[np.lexsort((draw, -scores))][:size]
        return found

    def _evidence(self, to: Whole, wish: Wish) -> Sequence[list[Evidence]]:
        """The user's titles that add most to each of some titles."""
        looks = self.engine.looks
        own = self.taste.likes.indices
        amounts = self.contributions(to)
        likeness = looks[own] @ looks[to].T
        best = np.argsort(-amounts, axis=0, kind="stable")[: wish.evidence]
        keys = self.engine.titles.keys
        return [
            [
                Evidence(
                    int(keys[own[row]]),
                    round(float(amounts[row, place]), DIGITS),
                    round(float(likeness[row, place]), DIGITS),
                )
                for row in best[:, place]
                if amounts[row, place] > 0
            ]
            for place in range(len(to))
        ]

    def contributions(self, to: Whole) -> Floats:
        """What each of the user's titles adds to `collaborative` and `content` of some titles,
        (k, titles). The sum differs from the parts by what all candidates have alike.
        """
        engine, likes = self.engine, self.taste.likes
        ease, als, svd = engine.models.contributions(likes, to)
        whole, user = self.whole, self.user
        known = engine.models.in_ease[to]
        both = whole.ease[user] * ease + whole.als[user] * als + whole.svd[user] * svd
        raw = np.where(known, both, whole.als_alone[user] * als)
        about = likes.data[:, None] * (engine.looks[likes.indices] @ engine.looks[to].T)
        stretch = self.blend.stretch
        found: Floats = stretch["collaborative"][user] * raw + stretch["content"][user] * about
        return found
