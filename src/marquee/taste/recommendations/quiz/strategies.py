"""Where the films of a recommendation are looked for first."""

from typing import Literal

from marquee.catalogue.movies.sources import client

Strategy = Literal[
    "curated", "compromise-hybrid", "tmdb-first", "memory-aware-local", "hybrid-fast"
]
BY_TMDB = frozenset(("normal-match", "taste-swipe"))


def strategy_of(mode: str, people: int, *, knows: bool) -> Strategy:
    """The strategy of a quiz; `knows` says whether anything is known of who asks."""
    if mode == "curated-showcase":
        return "curated"
    if people > 1:
        return "compromise-hybrid"
    if mode in BY_TMDB and client() is not None:
        return "tmdb-first"
    return "memory-aware-local" if knows else "hybrid-fast"
