"""Inventing an audience: users with a taste, and what they think of the titles of a catalogue."""

# ruff: noqa: S311 - nothing here is a secret

from array import array
from collections.abc import Iterator
from random import Random

from marquee.catalogue.demo import words
from marquee.catalogue.demo.invention import (
    MOMENTS,
    Catalogue,
    Columns,
    Ranked,
    Weighted,
    members,
    moments,
    people,
)

USERS = Columns.of("users", "id username email display_name created_at updated_at")
RATINGS = Columns.of("ratings", "user_id movie_id tvshow_id score created_at updated_at")

FAVOURITES = 3
"""Genres that a user loves; one more is disliked."""
LOYALTY = 0.65
"""Part of a user's ratings that goes to favourite genres."""
LIKED, DISLIKED = 1.6, -2.0
DRAWS = 20
"""For each title that is still wanted; then what is missing is taken by popularity."""


class Audience:
    """Users, and how many ratings each of them gives."""

    def __init__(self, catalogue: Catalogue, users: int, ratings: int) -> None:
        """Share the ratings out. Raises ValueError if there are fewer pairs of user and title."""
        if ratings > users * catalogue.size:
            raise ValueError(f"{users} users cannot rate {catalogue.size} titles {ratings} times.")
        self.size = users
        self._catalogue = catalogue
        self.counts = _shares(Random(f"{catalogue.seed} users"), users, ratings, catalogue.size)

    def users(self, first_id: int) -> Iterator[str]:
        """Rows of `users`, without passwords: nobody can sign in as one of them."""
        random = Random(f"{self._catalogue.seed} moments")
        times = moments(random)
        for number, name in enumerate(people(self.size)):
            user, joined = first_id + number, times[int(random.random() * MOMENTS)]
            yield f"{user}\tviewer-{user}\tviewer-{user}@example.org\t{name}\t{joined}\t{joined}\n"

    def ratings(self, first_user: int, first_film: int, first_series: int) -> Iterator[str]:
        """Rows of `ratings`, those of a user together: most are of popular titles they love."""
        catalogue = self._catalogue
        random = Random(f"{catalogue.seed} ratings")
        chance = random.random
        times = moments(random)
        noise = [random.gauss(0, 1.1) for _ in range(MOMENTS)]
        quality, genres, films = catalogue.quality, catalogue.genres, catalogue.films
        chooser = _Chooser(catalogue, random)
        for number, count in enumerate(self.counts):
            user = first_user + number
            loved, disliked = chooser.taste()
            liked, mood = sum(1 << genre for genre in set(loved)), chance() - 0.5
            for title in sorted(chooser.choose(count, loved)):
                score = quality[title] + mood + noise[int(chance() * MOMENTS)]
                if genres[title] & liked:
                    score += LIKED
                if genres[title] >> disliked & 1:
                    score += DISLIKED
                score = min(10, max(1, round(score)))
                at = times[int(chance() * MOMENTS)]
                if title < films:
                    yield f"{user}\t{first_film + title}\t\\N\t{score}\t{at}\t{at}\n"
                else:
                    yield f"{user}\t\\N\t{first_series + title - films}\t{score}\t{at}\t{at}\n"


class _Chooser:
    """Chooses what a user watches."""

    def __init__(self, catalogue: Catalogue, random: Random) -> None:
        self._chance = random.random
        self._genre = Weighted([genre.weight for genre in words.GENRES]).draw
        shelves = [array("i") for _ in words.GENRES]
        for title in catalogue.by_rank:
            for genre in members(catalogue.genres[title]):
                shelves[genre].append(title)
        flatness = 5 + catalogue.size // 50_000
        self._by_rank = catalogue.by_rank
        self._all = (catalogue.by_rank, Ranked(catalogue.size, flatness))
        self._shelves = [
            (shelf, Ranked(len(shelf), flatness)) if shelf else self._all for shelf in shelves
        ]

    def taste(self) -> tuple[list[int], int]:
        """The genres that a user loves, and one that is disliked."""
        loved = [self._genre(self._chance()) for _ in range(FAVOURITES)]
        return loved, int(self._chance() * len(words.GENRES))

    def choose(self, count: int, loved: list[int]) -> set[int]:
        """So many different titles."""
        chance = self._chance
        chosen: set[int] = set()
        for _ in range(DRAWS * count):
            if len(chosen) == count:
                return chosen
            if chance() < LOYALTY:
                shelf, ranked = self._shelves[loved[int(chance() * FAVOURITES)]]
            else:
                shelf, ranked = self._all
            chosen.add(shelf[ranked.draw(chance())])
        for title in self._by_rank:
            if len(chosen) == count:
                break
            chosen.add(title)
        return chosen


def _shares(random: Random, users: int, ratings: int, most: int) -> "array[int]":
    """How many of the ratings each user gives: few give many, none gives over `most`."""
    weights = array("d", (random.lognormvariate(0, 1.1) for _ in range(users)))
    each = ratings / sum(weights) if users else 0.0
    counts = array("i", (min(most, round(weight * each)) for weight in weights))
    missing = ratings - sum(counts)
    step = 1 if missing > 0 else -1
    user = 0
    while missing:
        if 0 <= counts[user] + step <= most:
            counts[user] += step
            missing -= step
        user = (user + 1) % users
    return counts
