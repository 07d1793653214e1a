"""Inventing titles and people: rows for COPY, the same for the same seed, made one by one.

A title is a number from 0: first the films, then the series. The few arrays over all of them take
20 bytes a title; everything else is made, sent and forgotten.
"""

# ruff: noqa: S311 - nothing here is a secret

from array import array
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, product
from random import Random

from marquee.catalogue.demo import words
from marquee.catalogue.titles import search_title, sort_title

TITLE_WORDS = 30_000
FAMILY_NAMES = 20_000
ONE_SERIES_IN = 8
FIRST_DAY, LAST_DAY = date(1920, 1, 1), date(2025, 12, 31)
DAYS = [
    (FIRST_DAY + timedelta(days=day)).isoformat() for day in range((LAST_DAY - FIRST_DAY).days + 1)
]
STUDIOS = 500
MOMENTS = 4_096
NULL = "\\N"
"""As COPY writes it."""
ACTORS = (2, 7)
"""The fewest and the most draws for a cast; a person drawn twice is in it once."""

HOMES = [f"{home.code}\t{{{home.language}}}\t{{{home.name}}}" for home in words.COUNTRIES]
"""The columns original_language, languages and countries."""


@dataclass(frozen=True)
class Columns:
    """A table and its columns, in the order of the rows."""

    table: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, table: str, names: str) -> "Columns":
        """From the names in one text, with blanks between them."""
        return cls(table, tuple(names.split()))


TITLES = (
    "id title search_title sort_title year overview original_language languages countries genres"
    " keywords studios age_rating vote_average vote_count popularity external_ratings attribution"
    " added_at updated_at"
)
MOVIES = Columns.of(
    "movies", f"{TITLES} release_date runtime_minutes status revenue_usd collection_id"
)
TVSHOWS = Columns.of(
    "tvshows",
    f"{TITLES} first_air_date episode_runtime_minutes status networks show_type air_days"
    " total_seasons total_episodes",
)
CREDITS = Columns.of("credits", "person_id movie_id tvshow_id job position")


class Weighted:
    """Draws numbers from 0 by weights."""

    def __init__(self, weights: Sequence[float]) -> None:
        """Take a weight for each number."""
        self._sums = list(accumulate(weights))
        self._all = self._sums.pop()

    def draw(self, chance: float) -> int:
        """The number at this point, from 0 to below 1, of all weights in a row."""
        return bisect(self._sums, chance * self._all)


class Ranked:
    """Draws ranks below `size` in proportion to 1 / (rank + flatness): Zipf's law, less steep."""

    def __init__(self, size: int, flatness: int) -> None:
        """Take a flatness of 1 for the steepest."""
        self.base = (size + flatness) / flatness
        self.flatness = flatness
        self._last = size - 1

    def draw(self, chance: float) -> int:
        """The rank at this point, from 0 to below 1."""
        rank = int(self.flatness * self.base**chance) - self.flatness
        return min(rank, self._last)


class Catalogue:
    """What is decided about all titles beforehand, and the rows that follow from it."""

    def __init__(self, titles: int, seed: int) -> None:
        """Decide kind, popularity, quality, genres and day of every title."""
        self.seed = seed
        self.size = titles
        self.films = titles - titles // ONE_SERIES_IN
        random = Random(f"{seed} catalogue")
        self.by_rank = array("i", range(titles))
        random.shuffle(self.by_rank)
        self.rank = array("i", bytes(4 * titles))
        for rank, title in enumerate(self.by_rank):
            self.rank[title] = rank
        self.quality = array("f", (random.gauss(6.3, 1.2) for _ in self.by_rank))
        self.genres = array("i", _genre_sets(random, titles))
        last = len(DAYS) - 1
        self.day = array("i", (last - int(last * random.random() ** 2) for _ in self.by_rank))
        """Days since `FIRST_DAY`."""

    def movies(self, first_id: int, collection: Callable[[int], int | None]) -> Iterator[str]:
        """Rows of `movies`, the first with this id; of each number `collection` knows the id."""
        random = Random(f"{self.seed} movies")
        chance = random.random
        for title, common in self._common(range(self.films), first_id, random):
            genre = words.GENRES[members(self.genres[title])[0]]
            minutes = genre.minutes + int(40 * (chance() - 0.5))
            revenue = int(4e9 * chance() / (self.rank[title] + 10) ** 0.8)
            of = collection(title)
            yield f"{common}\t{minutes}\treleased\t{revenue}\t{NULL if of is None else of}\n"

    def tvshows(self, first_id: int, totals: Iterator[tuple[int, int]]) -> Iterator[str]:
        """Rows of `tvshows`, the first with this id, with totals of seasons and episodes."""
        random = Random(f"{self.seed} tvshows")
        chance = random.random
        for title, common in self._common(range(self.films, self.size), first_id, random):
            seasons, episodes = next(totals)
            status = words.STATUSES[int(chance() * len(words.STATUSES))]
            network = words.NETWORKS[int(chance() * len(words.NETWORKS))]
            minutes = 22 + 19 * int(chance() * 3)
            kind = words.SHOW_TYPES.get(_genre_names(self.genres[title]), "scripted")
            day = words.DAYS[int(chance() * len(words.DAYS))]
            yield (
                f"{common}\t{minutes}\t{status}\t{{{network}}}\t{kind}\t{{{day}}}"
                f"\t{seasons}\t{episodes}\n"
            )

    def credits(self, people: Sequence[int], first_film: int, first_series: int) -> Iterator[str]:
        """Rows of `credits`: one or two directors or creators, writers, and a cast of up to seven.

        `people` are ids, those who work most first.
        """
        random = Random(f"{self.seed} credits")
        chance, draw = random.random, Ranked(len(people), 1 + len(people) // 200).draw
        few, more = ACTORS
        for title in range(self.size):
            if title < self.films:
                owner, head = f"{first_film + title}\t\\N", "director"
            else:
                owner, head = f"\\N\t{first_series + title - self.films}", "creator"
            numbers = (
                (head, 1 + int(chance() * 1.1)),
                ("writer", 1 + int(chance() * 1.6)),
                ("actor", few + int(chance() * (1 + more - few))),
            )
            for job, number in numbers:
                team = {people[draw(chance())]: None for _ in range(number)}
                for position, person in enumerate(team):
                    yield f"{person}\t{owner}\t{job}\t{position}\n"

    def _common(self, titles: range, first_id: int, random: Random) -> Iterator[tuple[int, str]]:
        """Each title with its columns up to the date, which films and series have in common."""
        chance = random.random
        named, keywords, studio = title_maker(random), _keywords(random), _studio(random)
        country = Weighted([country.weight for country in words.COUNTRIES]).draw
        times = moments(random)
        for title in titles:
            rank, genres = self.rank[title], self.genres[title]
            name, home = named(), HOMES[country(chance())]
            day = DAYS[self.day[title]]
            votes = int(300_000 / (rank + 5) ** 0.75 * (0.5 + chance()))
            average = min(9.7, max(1.0, self.quality[title]))
            added = times[int(chance() * MOMENTS)]
            yield (
                title,
                (
                    f"{first_id + title - titles.start}\t{name}\t{search_title(name)}"
                    f"\t{sort_title(name)}\t{day[:4]}\t{_overview(genres, chance)}\t{home}"
                    f"\t{{{_genre_names(genres)}}}\t{{{keywords()}}}\t{{{studio()}}}"
                    f"\t{words.AGE_RATINGS[int(chance() * len(words.AGE_RATINGS))]}\t{average:.1f}"
                    f"\t{votes}\t{1000 / (rank + 1) ** 0.6:.4f}\t{_scores(average, chance)}"
                    f"\tSynthetic\t{added}\t{added}\t{day}"
                ),
            )


def people(number: int) -> Iterator[str]:
    """Names of as many people, all different."""
    family = invented_words(FAMILY_NAMES, words.FAMILY_ENDINGS)
    pairs = len(words.FIRST_NAMES) * len(family)
    for person in range(number):
        # 7,919 has no divisor in common with the number of pairs: each comes once.
        round_, pair = divmod(person, pairs)
        first, last = divmod(pair * 7_919 % pairs, len(family))
        yield f"{words.FIRST_NAMES[first]} {family[last]}{f' {round_ + 1}' if round_ else ''}"


def _genre_sets(random: Random, titles: int) -> Iterator[int]:
    """For each title one to three genres, as bits: bit 0 is the first of `words.GENRES`."""
    chance = random.random
    draw = Weighted([genre.weight for genre in words.GENRES]).draw
    for _ in range(titles):
        genres = 0
        for _ in range(1 + int(chance() * 3)):
            genres |= 1 << draw(chance())
        yield genres


@cache
def members(genres: int) -> tuple[int, ...]:
    """The numbers of the genres in a set of bits."""
    return tuple(number for number in range(len(words.GENRES)) if genres >> number & 1)


@cache
def _genre_names(genres: int) -> str:
    return ",".join(words.GENRES[number].name for number in members(genres))


def _overview(genres: int, chance: Callable[[], float]) -> str:
    """Two or three sentences with words of the first and of the last genre."""
    first, last = words.GENRES[members(genres)[0]], words.GENRES[members(genres)[-1]]
    person = first.people[int(chance() * len(first.people))]
    return words.TELLINGS[int(chance() * len(words.TELLINGS))].format(
        person=person,
        opening=person.capitalize(),
        deed=last.deeds[int(chance() * len(last.deeds))],
        place=words.PLACES[int(chance() * len(words.PLACES))],
        turn=words.TURNS[int(chance() * len(words.TURNS))],
        adjective=words.ADJECTIVES[int(chance() * len(words.ADJECTIVES))],
        noun=words.NOUNS[int(chance() * len(words.NOUNS))],
    )


def _scores(average: float, chance: Callable[[], float]) -> str:
    """What critics gave, as JSON: two titles of three have it."""
    if chance() < 1 / 3:
        return "[]"
    tomatoes = min(100, max(1, int(10 * average + 30 * (chance() - 0.5))))
    metacritic = min(100, max(1, int(9 * average + 20 * (chance() - 0.5))))
    return (
        f'[{{"source": "rotten_tomatoes", "value": "{tomatoes}%", "score": {tomatoes / 10}}}, '
        f'{{"source": "metacritic", "value": "{metacritic}/100", "score": {metacritic / 10}}}]'
    )


def _keywords(random: Random) -> Callable[[], str]:
    """A function that draws two to four keywords, with commas between them."""
    chance, draw = random.random, Ranked(len(words.NOUNS), 20).draw

    def make() -> str:
        number = 2 + int(chance() * 3)
        return ",".join({words.NOUNS[draw(chance())]: None for _ in range(number)})

    return make


def studios() -> list[str]:
    """Names of all studios, the busiest first."""
    made = invented_words(STUDIOS, words.ENDINGS)
    forms = words.STUDIOS
    return [forms[place % len(forms)].format(noun=noun) for place, noun in enumerate(made)]


def _studio(random: Random) -> Callable[[], str]:
    """A function that draws one or two studios, with a comma between them."""
    chance, draw, names = random.random, Ranked(STUDIOS, 10).draw, studios()

    def make() -> str:
        first, second = draw(chance()), draw(chance())
        both = first != second and chance() < 1 / 4
        return f"{names[first]},{names[second]}" if both else names[first]

    return make


def title_maker(random: Random) -> Callable[[], str]:
    """A function that makes up titles, of common words much more often than of rare ones."""
    chance = random.random
    nouns = [noun.capitalize() for noun in words.NOUNS]
    nouns += invented_words(TITLE_WORDS, words.ENDINGS)
    adjectives = [adjective.capitalize() for adjective in words.ADJECTIVES]
    noun, adjective = Ranked(len(nouns), 8).draw, Ranked(len(adjectives), 5).draw
    place = Ranked(len(words.PLACES), 20).draw
    form = Ranked(len(words.FORMS), 5).draw

    def make() -> str:
        return words.FORMS[form(chance())].format(
            noun=nouns[noun(chance())],
            other=nouns[noun(chance())],
            adjective=adjectives[adjective(chance())],
            place=words.PLACES[place(chance())],
        )

    return make


def invented_words(number: int, endings: Sequence[str]) -> list[str]:
    """So many different words, the same ones for every seed."""
    parts = (words.ONSETS, words.VOWELS, words.CODAS, endings)
    made = dict.fromkeys("".join(each).capitalize() for each in product(*parts))
    return Random("words").sample(list(made), number)


def moments(random: Random) -> list[str]:
    """Some moments of the years from 2015 to 2024, as PostgreSQL reads them."""
    return [
        f"{2015 + int(random.random() * 10)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
        f" {random.randint(0, 23):02}:{random.randint(0, 59):02}:00+00"
        for _ in range(MOMENTS)
    ]
