"""What the engine knows of titles besides who watched them: plain arrays, given from outside."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
Kind = Literal["movie", "tvshow"]

KNOWN_STEPS = (0.0, 5.0, 6.0, 7.0, 8.0, 10.0)
WORTH = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
UNRATED = 0.4
MOSTLY = 0.7


@dataclass(frozen=True)
class Titles:
    """All titles that may be recommended, `n` of them, the same row everywhere."""

    keys: Whole
    """(n) Ascending: a film's id, or a series' id below zero."""
    content: Floats
    """(n, d) Vectors of what they are about; zeros where nothing is known. d may be 0."""
    genres: sp.csr_matrix
    """(n, g) 1 where a title has a genre."""
    ratings: Floats
    """(n) What others give them, of 10; NaN where nobody has said."""
    popularity: Floats
    """(n) The catalogue's, 0 to 100: it tells apart what nobody here has watched."""
    ages: Whole | None = None
    """(n) From which age on each is fit, as `ages.age_of`; -1 where nobody has said. None: of all
    of them."""

    @property
    def first_film(self) -> int:
        """The row of the first film; all series come before it."""
        return int(np.searchsorted(self.keys, 0))

    def of_kind(self, kind: Kind) -> Flags:
        """(n) The films, or the series."""
        return self.keys > 0 if kind == "movie" else self.keys < 0

    def fit_for(self, age: int | None) -> Flags:
        """(n) What is not above an age; everything where that is None."""
        if age is None or self.ages is None:
            return np.ones(len(self.keys), bool)
        return self.ages <= age

    def positions(self, keys: Whole) -> Whole:
        """The rows of keys; -1 for those that are not there."""
        at = np.searchsorted(self.keys, keys)
        at[at == len(self.keys)] = 0
        return np.where(self.keys[at] == keys, at, -1) if len(self.keys) else at - 1


def rating_worth(ratings: Floats) -> Floats:
    """How good others find titles, 0 to 1: lines between 5, 6, 7, 8 and 10 of 10, 0.4 for unknown.

    It rises everywhere, so that 9 always beats 5.
    """
    worth = np.interp(np.clip(np.nan_to_num(ratings), 0, 10), KNOWN_STEPS, WORTH)
    return np.where(np.isnan(ratings), UNRATED, worth).astype(np.float32)


def genre_novelty(genres: sp.csr_matrix, own: sp.csr_matrix, to: slice = slice(None)) -> Floats:
    """How new the genres of titles, or of some of them, are to users, 0 to 1, (users, n).

    `own` (users, n) has 1 where a user knows a title. A title with some genres that the user has
    never met is newest; one that has nothing else is as far off as one of the same old genres.
    """
    met = np.asarray((own @ genres).todense(), np.float32)
    total = np.maximum(np.asarray(own.sum(axis=1), np.float32), 1)
    genres = genres[to]
    count = np.maximum(np.asarray(genres.sum(axis=1), np.float32).ravel(), 1)
    rare = np.asarray(genres @ (1 - np.minimum(met / total, 1)).T).T / count
    unmet = np.asarray(genres @ (met == 0).T.astype(np.float32)).T / count
    start = np.select([unmet == 0, unmet < MOSTLY], [0.4, 0.5], 0.3)
    slope = np.select([(unmet > 0) & (unmet < MOSTLY)], [0.4], 0.2)
    novelty = start + slope * rare
    novelty[:, np.diff(genres.indptr) == 0] = 0.5
    return novelty.astype(np.float32)
