"""Looking for films: what is gathered, how well each of it fits, and in which order it is given."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import structlog

from marquee import clock
from marquee.catalogue.embeddings import nearest, vectors
from marquee.catalogue.embeddings.kinds import MOVIES
from marquee.catalogue.embeddings.nearest import Meaning
from marquee.catalogue.titles import search_title
from marquee.catalogue.translations.models import Translation
from marquee.catalogue.translations.service import STORED, translated
from marquee.db import as_dict, checkpoint
from marquee.errors import Unavailable
from marquee.services import embeddings
from marquee.taste.recommendations.quiz import candidates, choosing, discovering, scoring, tastes
from marquee.taste.recommendations.quiz.candidates import Pool, Sought
from marquee.taste.recommendations.quiz.memory import Memory
from marquee.taste.recommendations.quiz.references import alike
from marquee.taste.recommendations.quiz.strategies import Strategy
from marquee.taste.recommendations.quiz.telling import Told
from marquee.taste.recommendations.quiz.vocabulary import MOODS
from marquee.taste.recommendations.quiz.wishes import Wish
from marquee.taste.recommending.titles import Floats

log = structlog.get_logger("marquee")

TASTED = 100
WANTED_GENRE = 0.8
CURATED_WORTH = 0.7
"""How much it counts in a showcase that a film is good and known."""
FEWEST_CURATED = 7.0
"""Films of a showcase have at least this rating."""
MEMORABLE = 0.5
"""From this likeness on to what the user liked, a film comes from memory."""


@dataclass(frozen=True)
class Order:
    """What is to be made."""

    people: Sequence[Mapping[str, Any]]
    mode: str
    language: str
    user_id: int
    recommendation_id: int
    """0 for one that is not stored."""
    seed: int
    is_more: bool = False
    page: int = 1
    """Of what TMDB discovers."""
    from_tmdb_alone: bool = False
    is_strict: bool = False
    """Whether TMDB's failures are ours, rather than that TMDB is left out."""
    vetoed_tmdb_ids: Collection[int] = ()


@dataclass(frozen=True)
class Embedded:
    """What people say, as vectors; None where nothing is said, or the embedder does not serve."""

    model: str
    size: int
    about: Sequence[Floats | None]

    @classmethod
    def of(cls, wished: Sequence[Wish]) -> Self:
        """Waits for the embedder, and holds no connection."""
        checkpoint()
        embedder = embeddings.current()
        try:
            about = [embedder.query(each.about) if each.about else None for each in wished]
            one = next((each for each in about if each is not None), None)
            one = embedder.query("film") if one is None else one
        except Unavailable as error:
            log.warning("quiz_not_embedded", error=error.message)
            return cls("", 0, [None] * len(wished))
        return cls(embeddings.model_of(embedder, one), len(one) + vectors.GENRE_NUMBERS, about)


class Search:
    """The films that are looked at for one order."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that is known by then
        self,
        order: Order,
        wished: Sequence[Wish],
        named: Sequence[tuple[int, ...]],
        memory: Memory,
        strategy: Strategy,
        embedded: Embedded,
    ) -> None:
        self._order, self._wished, self._memory = order, wished, memory
        self._strategy, self._embedded = strategy, embedded
        self._named = self._looked_at({id_ for ids in named for id_ in ids})
        liked = list(memory.liked)
        stored = candidates.stored_vectors(liked, embedded.model, embedded.size)
        self._liked = self._rows(stored[id_] for id_ in liked if id_ in stored)
        self._sought = [
            self._sought_by(about, ids) for about, ids in zip(embedded.about, named, strict=True)
        ]
        # Of a group the first is the one who asks. A new recommender comes from the file store.
        checkpoint()
        self._tastes = [
            tastes.of(None if number else order.user_id, ids) for number, ids in enumerate(named)
        ]
        self._actors = [frozenset(candidates.played_by(wish.actor)) for wish in wished]
        self._described = [candidates.described(wish.about) for wish in wished]
        self._discovered: set[int] = set()
        self._ids: set[int] = set()
        self._judge()

    def look_here(self) -> None:
        """Gather films of the catalogue, and judge them."""
        found = candidates.near(self._sought, self._embedded.model)
        found.update(id_ for each in self._described for id_ in each)
        for wish, taste, actors in zip(self._wished, self._tastes, self._actors, strict=True):
            wanted = {
                name
                for mood in wish.desired
                for name, weight in MOODS[mood].genres.items()
                if weight >= WANTED_GENRE
            }
            first = clock.now().year - scoring.STILL_NEW if wish.era == "new" else None
            last = scoring.CLASSIC if wish.era == "classic" else None
            found.update(candidates.popular(sorted(wanted), first, last), actors)
            found.update(taste.best(TASTED) if taste else ())
        self._ids |= found
        self._judge()

    def look_farther(self) -> bool:
        """Let TMDB discover more where that is the strategy, or there is too little; whether it
        did. Raises Unavailable or TimedOut for an order that is strict.
        """
        wanted = self._order.from_tmdb_alone or self._strategy == "tmdb-first"
        if not wanted and not choosing.is_weak([*map(self.similarity, self.ordered())]):
            return False
        try:
            found = discovering.found(self._wished, self._order.page, more=self._order.is_more)
        except Unavailable as error:
            if self._order.is_strict:
                raise
            log.warning("quiz_without_tmdb", error=error.message)
            return False
        self._discovered = set(found) - self._ids
        self._ids |= set(found)
        self._judge()
        return bool(found)

    def ordered(self) -> list[int]:
        """The rows of the films to give, the strongest first."""
        vetoed = {*self._memory.vetoed}
        if unwanted := self._order.vetoed_tmdb_ids:
            vetoed |= {film.id for film in self.pool.films if film.tmdb_id in unwanted}
        if self._strategy == "curated":
            vetoed |= {
                film.id for film in self.pool.films if (film.vote_average or 0) < FEWEST_CURATED
            }
        bounds = choosing.Bounds(self._named.films, vetoed, self._memory.max_age)
        similarities = self._each.mean(axis=0) + self._said
        return choosing.order(self.pool, self._total, similarities, bounds, self._order.seed)

    def id_of(self, row: int) -> int:
        """The id of a film."""
        return int(self.pool.films[row].id)

    def similarity(self, row: int) -> float:
        """How well a film fits people on average, 0 to 1."""
        mean = self._each[:, row].mean() + self._said[row]
        return round(float(np.clip(mean, 0, 1)), 4)

    def source_of(self, row: int) -> str:
        """Where a film comes from."""
        if self.id_of(row) in self._discovered:
            return "tmdb-discover"
        if self._strategy == "curated":
            return "curated"
        if self._strategy == "memory-aware-local" and len(self._liked):
            one = Pool([self.pool.films[row]], self.pool.vectors[row : row + 1])
            if scoring.story_likeness(one, self._liked)[0] >= MEMORABLE:
                return "memory"
        return "local-cache"

    def words(self, chosen: Sequence[int]) -> Mapping[int, dict[str, Any]]:
        """Titles and plots in the order's language, also of the films that were named, by ids;
        those that are translated.
        """
        language = self._order.language.lower()
        films = [*(self.pool.films[row] for row in chosen), *self._named.films]
        found = translated(films, Translation.movie_id, (language,))
        return {
            film.id: as_dict(each)
            for film, each in zip(films, found, strict=True)
            if each is not film
        }

    def told(self, row: int, words: Mapping[int, Mapping[str, Any]]) -> Told:
        """A film as it is told of."""
        film = self.pool.films[row]
        word = words.get(film.id, {})
        actors = film.actors or []
        wanted = [wish.actor for wish in self._wished if wish.actor]
        overview = word.get("overview") or film.overview or ""
        is_stored = overview == film.overview
        return Told(
            title=word.get("title", film.title),
            original=film.title,
            year=film.year,
            genres=sorted(film.genres, key=self._speaks_for, reverse=True),
            overview=overview,
            is_translated=not is_stored or self._order.language.partition("-")[0] == STORED,
            directors=film.directors or [],
            actors=actors,
            like=sorted(
                (
                    (
                        words.get(each.id, {}).get("title", each.title),
                        [genre for genre in each.genres if genre in film.genres],
                    )
                    for each in self._named.films
                ),
                key=lambda shared: -len(shared[1]),
            ),
            wanted_actor=next(filter(None, (_playing(each, actors) for each in wanted)), None),
        )

    def _speaks_for(self, genre: str) -> float:
        """How much a genre has to do with what was asked for."""
        moods = (MOODS[mood].genres for wish in self._wished for mood in wish.desired)
        named = sum(genre in film.genres for film in self._named.films)
        return named / 2 + sum(mood.get(genre, 0.0) for mood in moods)

    def _judge(self) -> None:
        """Look at all that was gathered."""
        self.pool = self._looked_at(self._ids)
        asked = [
            scoring.Asked(wish, sought, actors, taste, liked, described, self._passages(sought))
            for wish, sought, actors, taste, liked, described in zip(
                self._wished,
                self._sought,
                self._actors,
                self._tastes,
                (self._liked, *[self._rows(())] * (len(self._wished) - 1)),
                self._described,
                strict=True,
            )
        ]
        worth = CURATED_WORTH if self._strategy == "curated" else scoring.WORTH
        year = clock.now().year
        self._each = scoring.scores(self.pool, asked, year, worth_counts=worth)
        self._said = scoring.remembered(self.pool, self._memory.wrong_mood, self._memory.liked)
        self._total = scoring.together(self._each) + self._said

    def _passages(self, sought: Sought) -> Mapping[int, float]:
        if sought.about is None or not self._ids:
            return {}
        meaning = Meaning(self._embedded.model, sought.about, "")
        return nearest.passages(MOVIES, meaning, self.pool.ids)

    def _sought_by(self, about: Floats | None, ids: Collection[int]) -> Sought:
        rows = (
            vector
            for film, vector in zip(self._named.films, self._named.vectors, strict=True)
            if film.id in ids and vector.any()
        )
        named = self._rows(rows)
        whole = np.zeros(self._embedded.size, np.float32)
        if len(named):
            whole += scoring.REFERENCE * named.mean(axis=0)
        if about is not None:
            whole += scoring.DESIRED * vectors.padded(about)
        length = float(np.linalg.norm(whole))
        return Sought(named, about, whole / np.float32(length) if length else None)

    def _looked_at(self, ids: Collection[int]) -> Pool:
        return candidates.looked_at(ids, self._embedded.model, self._embedded.size)

    def _rows(self, vectors_: Any) -> Floats:  # noqa: ANN401 - any iterable of vectors
        found = [*vectors_]
        return np.array(found, np.float32).reshape(len(found), self._embedded.size)


def _playing(wanted: str, actors: Sequence[str]) -> str | None:
    """The name of the one who was asked for, if one of these is."""
    called = search_title(wanted)
    return next(
        (each for each in actors if alike(called, search_title(each)) >= candidates.SAME_NAME), None
    )
