"""The protocols. Seeds are fixed; what is chosen is chosen on a part of the training ratings."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from marquee.taste.recommending.engine import Engine, Tastes, Wish
from tools.eval import metrics
from tools.eval.data import Ratings
from tools.eval.systems import BASELINES, Option, recommended, tastes

Flags = NDArray[np.bool_]
SEEDS = (42, 43, 44)
HELD_OUT, VALIDATION = 0.25, 0.1
LIKED = 4.0
MARQUEE, UNDIVERSIFIED = "**Marquee**", "Marquee before diversity"
NEW_LIKES = (1, 2, 3, 5, 10)
ENOUGH_LIKES = 20
NEW_SHARE = 0.2
UNSEEN, FEWEST = 150, 5


@dataclass
class Result:
    """What a system did: per user, over the seeds."""

    values: list[metrics.PerUser] = field(default_factory=list)
    coverage: list[float] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)

    def mean(self, name: str) -> NDArray[np.float64]:
        """The mean over the seeds of each user's values."""
        return np.asarray(np.mean([each[name] for each in self.values], axis=0))

    def of(self, name: str) -> metrics.Interval:
        """A measure over all users."""
        return metrics.interval(self.mean(name))


Results = dict[str, Result]


def random_split(share: float, seed: int, groups: NDArray[np.int64]) -> Flags:
    """Which ratings are held out: a share of each group's, at random."""
    draw = np.random.default_rng(seed).random(len(groups))
    return _latest(groups, draw, share)


def last_of_each(ratings: Ratings, among: Flags) -> Flags:
    """Each user's latest rating of some."""
    order = np.lexsort((ratings.times, ratings.users))
    order = order[among[order]]
    last = np.append(ratings.users[order][1:] != ratings.users[order][:-1], True)
    found = np.zeros(len(ratings.users), bool)
    found[order[last]] = True
    return found


def random_protocol(ratings: Ratings, seeds: tuple[int, ...], *, by_item: bool) -> Results:
    """75 % of each user's ratings, or of each film's, are known; all others are relevant."""
    results: Results = {}
    groups = ratings.items if by_item else ratings.users
    for seed in seeds:
        test = random_split(HELD_OUT, seed, groups)
        inner = ~test & random_split(VALIDATION, 1000 + seed, groups)
        _compare(ratings, test, inner, results)
    return results


def temporal_protocol(ratings: Ratings) -> Results:
    """Each user's last rating is to be found among all films."""
    results: Results = {}
    test = last_of_each(ratings, np.ones(len(ratings.users), bool))
    _compare(ratings, test, last_of_each(ratings, ~test), results)
    return results


def new_users(ratings: Ratings, seeds: tuple[int, ...]) -> dict[int, Results]:
    """A fifth of the users come after the training, with some likes; their others are relevant."""
    results: dict[int, Results] = {likes: {} for likes in NEW_LIKES}
    for seed in seeds:
        users, films = ratings.shape
        draw = np.random.default_rng(seed)
        new = draw.permutation(users)[: int(NEW_SHARE * users)]
        train = ratings.matrix(~np.isin(ratings.users, new))
        engine = Engine.fit(ratings.titles, train)
        liked = ratings.matrix(ratings.scores >= LIKED)[new]
        liked = liked[np.diff(liked.indptr) >= ENOUGH_LIKES]
        # Films in an order of each user's own: more likes are these and others.
        order = [draw.permutation(liked[user].indices) for user in range(liked.shape[0])]
        popular = np.asarray(train.sum(axis=0)).ravel()
        for count, into in results.items():
            rows = np.repeat(np.arange(len(order)), count)
            columns = np.concatenate([each[:count] for each in order])
            shape = (len(order), films)
            known = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape)
            rest = liked - known
            rest.eliminate_zeros()
            taste = tastes(known)
            for name, lists in (
                ("popularity", metrics.best(np.tile(popular, (len(order), 1)), known)),
                ("plain vectors", metrics.best(known @ ratings.plain @ ratings.plain.T, known)),
                (UNDIVERSIFIED, recommended(engine, taste, _wish(diverse=False))),
                (MARQUEE, recommended(engine, taste, _wish())),
            ):
                _add(into, name, ratings, lists, rest, train)
    return {count: _joined(into) for count, into in results.items()}


def unseen_films(ratings: Ratings, seeds: tuple[int, ...]) -> Results:
    """150 films that nobody has watched are ranked among themselves; those liked are relevant."""
    results: Results = {}
    for seed in seeds:
        draw = np.random.default_rng(seed)
        counts = np.bincount(ratings.items, minlength=len(ratings.titles.keys))
        possible = np.flatnonzero(ratings.described & (counts >= FEWEST))
        unseen = np.isin(np.arange(len(counts)), draw.choice(possible, UNSEEN, replace=False))
        hidden = unseen[ratings.items]
        train = ratings.matrix(~hidden)
        relevant = ratings.matrix(hidden & (ratings.scores >= LIKED))
        others = sp.csr_matrix(np.tile(~unseen, (train.shape[0], 1)).astype(np.float32))
        engine = Engine.fit(ratings.titles, train)
        taste = Tastes(train, sp.csr_matrix(train.shape, dtype=np.float32), others)
        likes = train.multiply(ratings.matrix(ratings.scores >= LIKED)).tocsr()
        genres = ratings.titles.genres
        for name, lists in (
            ("random", metrics.best(draw.random(train.shape), others)),
            ("genres", metrics.best((likes @ genres @ genres.T).toarray(), others)),
            ("plain vectors", metrics.best(likes @ ratings.plain @ ratings.plain.T, others)),
            (UNDIVERSIFIED, recommended(engine, taste, _wish(diverse=False))),
            (MARQUEE, recommended(engine, taste, _wish())),
        ):
            _add(results, name, ratings, lists, relevant, train)
    return _joined(results)


def _compare(ratings: Ratings, test: Flags, validation: Flags, results: Results) -> None:
    """All systems on one split. The test part is read once, when everything is chosen."""
    train, relevant = ratings.matrix(~test), ratings.matrix(test)
    inner, held_out = ratings.matrix(~test & ~validation), ratings.matrix(validation)
    for name, lists, option in _all(ratings, train, inner, held_out):
        _add(results, name, ratings, lists, relevant, train)
        results[name].options.append(option)


def _all(
    ratings: Ratings, train: sp.csr_matrix, inner: sp.csr_matrix, held_out: sp.csr_matrix
) -> Iterator[tuple[str, metrics.Lists, Option]]:
    for system in BASELINES:
        option = system.chosen(ratings, inner, held_out)
        yield system.name, system.lists(ratings, train, option), option
    engine = Engine.fit(ratings.titles, train)
    yield UNDIVERSIFIED, recommended(engine, tastes(train), _wish(diverse=False)), ()
    yield MARQUEE, recommended(engine, tastes(train), _wish()), ()


def _wish(*, diverse: bool = True) -> Wish:
    """What users get, without the evidence."""
    wish = Wish(count=metrics.K, evidence=0)
    return wish if diverse else replace(wish, weights=replace(wish.weights, diversity=0.0))


def _add(  # noqa: PLR0913, PLR0917 - all that is measured by
    results: Results,
    name: str,
    ratings: Ratings,
    lists: metrics.Lists,
    relevant: sp.csr_matrix,
    train: sp.csr_matrix,
) -> None:
    result = results.setdefault(name, Result())
    result.values.append(metrics.measured(lists, relevant, train, ratings.unit))
    result.coverage.append(metrics.coverage(lists, train))


def _joined(results: Results) -> Results:
    """Results whose seeds have other users each, as one after the other."""
    for result in results.values():
        names = result.values[0]
        whole = {name: np.concatenate([each[name] for each in result.values]) for name in names}
        result.values = [whole]
    return results


def _latest(groups: NDArray[np.int64], by: NDArray[np.float64], share: float) -> Flags:
    """The last share of each group in an order, rounded."""
    order = np.lexsort((by, groups))
    counts = np.bincount(groups)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.arange(len(groups)) - starts[groups[order]]
    known = np.round((1 - share) * counts).astype(int)
    found = np.zeros(len(groups), bool)
    found[order] = place >= known[groups[order]]
    return found
