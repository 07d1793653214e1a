"""Trained engines in the file store, and the one that holds, in memory.

    recommender/current.json    which version holds, when and of what it was trained
    recommender/<version>.npz   its arrays

A version is written as a whole before it holds. The one before it stays for who is reading it.
"""

import io
import json
import threading
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from marquee.services import storage
from marquee.taste.recommending.collaborative import Models
from marquee.taste.recommending.engine import Engine
from marquee.taste.recommending.titles import Titles

FOLDER = "recommender"
CURRENT = f"{FOLDER}/current.json"
BINARY = "application/octet-stream"
LOOKED_AFTER = 60.0
"""Seconds after which a process looks again which version holds."""
FORM = 2
"""Of the arrays: another one is trained anew."""


@dataclass(frozen=True)
class State:
    """Which version holds."""

    version: str
    before: str | None
    trained_at: str
    """ISO 8601, UTC."""
    trained_of: str
    """What the database held: as long as it is the same, there is nothing to train."""
    users: int
    titles: int
    signals: int
    form: int = FORM


def state() -> State | None:
    """Which version holds; None where none was trained, or by another release.

    Raises Unavailable, as all of these do.
    """
    data = storage.current().get(CURRENT)
    if data is None:
        return None
    told = json.loads(data)
    return State(**told) if told.get("form") == FORM else None


def keep(engine: Engine, new: State) -> None:
    """Store an engine, and let it hold from now on."""
    store, old = storage.current(), state()
    store.put(_key(new.version), packed(engine), BINARY)
    store.put(CURRENT, json.dumps(asdict(new)).encode(), "application/json")
    if old and old.before and old.before not in {new.version, new.before}:
        store.delete(_key(old.before))


def packed(engine: Engine) -> bytes:
    """An engine as a file."""
    models, titles = engine.models, engine.titles
    arrays: dict[str, NDArray[Any]] = {
        "keys": titles.keys,
        "ratings": titles.ratings,
        "popularity": titles.popularity,
        "ages": np.full(len(titles.keys), -1) if titles.ages is None else titles.ages,
        "counts": engine.counts,
        "looks": engine.looks.astype(np.float16),
        "in_ease": models.in_ease,
        "factors": models.factors,
        "als": np.array([models.als_alpha, models.als_l2]),
        "directions": models.directions,
        **_sparse("ease", models.ease),
        **_sparse("genres", titles.genres),
    }
    stream = io.BytesIO()
    np.savez(stream, allow_pickle=False, **arrays)
    return stream.getvalue()


def unpacked(data: bytes) -> Engine:
    """The engine of a file."""
    with np.load(io.BytesIO(data), allow_pickle=False) as of:
        keys = of["keys"]
        genres = sp.csr_matrix(
            (of["genres data"], of["genres indices"], of["genres indptr"]),
            shape=tuple(of["genres shape"]),
        )
        ease = sp.csr_matrix(
            (of["ease data"], of["ease indices"], of["ease indptr"]), shape=tuple(of["ease shape"])
        )
        none = np.zeros((len(keys), 0), np.float32)
        titles = Titles(keys, none, genres, of["ratings"], of["popularity"], of["ages"])
        alpha, l2 = of["als"].tolist()
        models = Models(ease, of["in_ease"], of["factors"], alpha, l2, of["directions"])
        return Engine(titles, models, of["counts"], of["looks"].astype(np.float32))


class _Holding:
    """The engine that holds, for all threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._version: str | None = None
        self._looked = -LOOKED_AFTER

    def get(self) -> tuple[Engine, str] | None:
        with self._lock:
            if monotonic() - self._looked >= LOOKED_AFTER:
                self._look()
            return (self._engine, self._version) if self._engine and self._version else None

    def forget(self) -> None:
        with self._lock:
            self._looked = -LOOKED_AFTER

    def _look(self) -> None:
        found = state()
        if found is None:
            self._engine = self._version = None
        elif found.version != self._version:
            data = storage.current().get(_key(found.version))
            if data is None:
                return  # a newer one holds by now: the next look finds it
            self._engine, self._version = unpacked(data), found.version
        self._looked = monotonic()


_holding = _Holding()


def current() -> tuple[Engine, str] | None:
    """The engine that holds and its version; None where none was trained yet.

    A newer one is noticed within a minute. Raises Unavailable.
    """
    return _holding.get()


def forget() -> None:
    """Look again at the next call which version holds."""
    _holding.forget()


def _sparse(name: str, matrix: sp.csr_matrix) -> dict[str, NDArray[Any]]:
    return {
        f"{name} data": matrix.data,
        f"{name} indices": matrix.indices,
        f"{name} indptr": matrix.indptr,
        f"{name} shape": np.array(matrix.shape),
    }


def _key(version: str) -> str:
    return f"{FOLDER}/{version}.npz"
