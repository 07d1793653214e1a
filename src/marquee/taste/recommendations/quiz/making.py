"""Making a recommendation: from the answers of a quiz to films.

It waits for outside services, and holds no connection then: what it writes and reads before is
committed at each stage.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from marquee.db import checkpoint
from marquee.taste.recommendations.quiz import memory, references, telling, wishes
from marquee.taste.recommendations.quiz.searching import Embedded, Order, Search
from marquee.taste.recommendations.quiz.strategies import Strategy, strategy_of


@dataclass(frozen=True)
class Given:
    """A film that is recommended."""

    movie_id: int
    similarity: float
    source: str
    is_main: bool
    description: str


@dataclass(frozen=True)
class Made:
    """A recommendation."""

    films: Sequence[Given]
    strategy: Strategy
    used_broader_search: bool


def make(order: Order, stage: Callable[[str], None]) -> Made:
    """Find the films. `stage` hears which stage begins, by the contract's words, and commits.

    Raises Unavailable or TimedOut where TMDB does not serve one that `is_strict`.
    """
    stage("preparing")
    remembered = memory.of(order.user_id, order.recommendation_id, is_more=order.is_more)
    checkpoint()
    wished = wishes.understood(order.people)
    strategy = strategy_of(order.mode, len(wished), knows=remembered.is_known)
    stage("embedding")
    embedded = Embedded.of(wished)
    named = references.found([each.favorite for each in wished], is_strict=order.is_strict)
    search = Search(order, wished, named, remembered, strategy, embedded)
    stage("local-search")
    if not order.from_tmdb_alone:
        search.look_here()
    stage("tmdb-search")
    used_broader_search = search.look_farther()
    stage("ai-ranking")
    chosen = search.ordered()
    checkpoint()
    main = telling.main_of([search.told(row, {}) for row in chosen], wished)
    stage("posters")
    words = search.words(chosen)
    stage("descriptions")
    told = [search.told(row, words) for row in chosen]
    said = telling.descriptions(told, wished, order.language)
    films = [
        Given(search.id_of(row), search.similarity(row), search.source_of(row), place == main, each)
        for place, (row, each) in enumerate(zip(chosen, said, strict=True))
    ]
    return Made(films, strategy, used_broader_search)
