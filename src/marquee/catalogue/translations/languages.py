"""Which languages somebody wants to read."""

import re
from functools import lru_cache
from typing import TypedDict

MOST = 10
RANGE = re.compile(
    r"\s*(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)\s*(?:;\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?",
    re.IGNORECASE | re.ASCII,
)


class Asked(TypedDict, total=False):
    """The two parameters by which operations are told."""

    language: str
    accept_language: str


def wanted(language: str | None = None, accept_language: str | None = None) -> tuple[str, ...]:
    """The language asked for, else those of an `Accept-Language`, best first, in small letters."""
    if language is not None:
        return (language.lower(),)
    return _accepted(accept_language) if accept_language else ()


@lru_cache(maxsize=1024)
def _accepted(accept: str) -> tuple[str, ...]:
    """By RFC 9110 §12.5.4. What is malformed counts as absent. `*` is satisfied with any language,
    so with the one that is there.
    """
    weights: dict[str, float] = {}
    for part in accept.lower().split(","):
        if found := RANGE.fullmatch(part):
            weights.setdefault(found[1], float(found[2] or 1))
    ordered = sorted(filter(weights.get, weights), key=weights.__getitem__, reverse=True)
    kept = ordered[: ordered.index("*")] if "*" in ordered else ordered
    return tuple(kept[:MOST])
