"""Vectors of titles, as they are stored.

The text's vector has the length 1; behind it stand 64 numbers for the genres, of the length 0.35,
in which films of the same genres are near each other. By the whole vector similar titles are found
(measured better than text alone); a query, which has zeros there, compares with the text alone. So
one index serves both.

Beside it are the vectors of the plot's sentences: who describes a film tells one thing of it, which
the vector of all of its text hardly shows.
"""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

GENRE_NUMBERS = 64
GENRE_WEIGHT = 0.35
WITH_ITSELF = 1 + GENRE_WEIGHT**2
"""The product of a whole vector with itself, where there are genres."""
BYTE = 127


def whole(text: Floats, genres: Iterable[str]) -> Floats:
    """The vector to be stored."""
    return np.concatenate([text, GENRE_WEIGHT * _genre_block(frozenset(genres))])


def padded(query: Floats) -> Floats:
    """A query that compares with whole vectors."""
    return np.concatenate([query, np.zeros(GENRE_NUMBERS, np.float32)])


def packed(passages: Floats) -> bytes:
    """Vectors with a byte for each number; their lengths are lost."""
    if not len(passages):
        return b""
    largest = np.abs(passages).max(axis=1, keepdims=True)
    packed: bytes = np.rint(passages / largest * BYTE).astype(np.int8).tobytes()
    return packed


def nearest_passages(query: Floats, stored: list[bytes]) -> Floats:
    """For each title the cosine of its passage that is nearest to a query; -1 for one without."""
    found = np.full(len(stored), -1.0, np.float32)
    counts = [len(each) // len(query) for each in stored]
    total = sum(counts)
    if not total:
        return found
    rows = np.frombuffer(b"".join(stored), np.int8).reshape(total, len(query)).astype(np.float32)
    # Not `@`, whose threads would wait for each other for longer than this takes.
    cosines = np.einsum("ij,j->i", rows, query) / np.sqrt(np.einsum("ij,ij->i", rows, rows))
    present = np.flatnonzero(counts)
    starts = np.concatenate([[0], np.cumsum([counts[each] for each in present])[:-1]])
    found[present] = np.maximum.reduceat(cosines, starts.astype(np.intp))
    return found


def text_of(vector: Floats) -> str:
    """A vector as PostgreSQL reads it."""
    return "[" + ",".join(f"{number:.5g}" for number in vector.tolist()) + "]"


@lru_cache(maxsize=10_000)
def _genre_block(genres: frozenset[str]) -> Floats:
    """The sum of the genres' directions, of length 1; zeros where there is none."""
    block = np.zeros(GENRE_NUMBERS, np.float32)
    for name in sorted(genres):
        block += _direction(name)
    return _unit(block) if genres else block


@lru_cache(maxsize=1000)
def _direction(name: str) -> Floats:
    """The same direction for a genre everywhere, nearly at right angles to all others."""
    digest = hashlib.sha512(name.casefold().encode()).digest()
    return _unit(np.frombuffer(digest, np.uint8).astype(np.float32) - np.float32(127.5))


def _unit(vector: Floats) -> Floats:
    return vector / np.float32(np.linalg.norm(vector))
