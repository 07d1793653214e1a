"""Inventing what belongs to titles: seasons, episodes, collections, translations, files."""

# ruff: noqa: S311 - nothing here is a secret

from array import array
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cached_property
from random import Random

from marquee import clock
from marquee.catalogue.demo import words
from marquee.catalogue.demo.invention import (
    DAYS,
    FIRST_DAY,
    TITLE_WORDS,
    Catalogue,
    Columns,
    Ranked,
    invented_words,
    title_maker,
)

SEASONS = Columns.of("seasons", "id tvshow_id season_number name air_date episode_count")
EPISODES = Columns.of(
    "episodes",
    "id tvshow_id season_id season_number episode_number title air_date runtime_minutes"
    " vote_average vote_count added_at updated_at",
)
TRANSLATIONS = Columns.of("translations", "movie_id tvshow_id language title")
FILES = Columns.of(
    "media_files",
    "movie_id episode_id file_path file_name file_size_bytes resolution quality_profile video_codec"
    " audio_codec container duration_seconds bitrate_kbps framerate dynamic_range audio_channels"
    " audio_languages subtitle_languages is_monitored last_scanned_at",
)

FEWEST_EPISODES, MOST_EPISODES = 4, 13
RUNNING_ONE_IN = 6
"""Of the series with several seasons, so many are in the middle of their last one today."""
TRANSLATED_ONE_IN = 30
OWNED_ONE_IN = 10
"""Of films, and of series, whose episodes then all have a file."""
COLLECTED = 40
"""The first `MEMBERS` of so many films in a row are a collection."""
MEMBERS = 3


class Belongings:
    """What belongs to the titles of a catalogue, and the rows that follow from it."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Decide how many seasons each series has, and how many episodes each season."""
        self._catalogue = catalogue
        random = Random(f"{catalogue.seed} seasons")
        last = FIRST_DAY.toordinal() + len(DAYS) - 1
        self.seasons = array("b")
        self.episodes = array("b")
        for show in range(catalogue.films, catalogue.size):
            years = 1 + (last - FIRST_DAY.toordinal() - catalogue.day[show]) // 365
            seasons = min(1 + int(8 ** random.random()), years)
            self.seasons.append(seasons)
            for _ in range(seasons):
                self.episodes.append(random.randint(FEWEST_EPISODES, MOST_EPISODES))

    def totals(self) -> Iterator[tuple[int, int]]:
        """The number of seasons and of episodes of each series."""
        first = 0
        for seasons in self.seasons:
            yield seasons, sum(self.episodes[first : first + seasons])
            first += seasons

    def season_rows(self, first_id: int, first_show: int) -> Iterator[str]:
        """Rows of `seasons`, the first with this id, for series of which the first has this id."""
        for place, (show, number, starts) in enumerate(self._starts()):
            yield (
                f"{first_id + place}\t{first_show + show}\t{number}\tSeason {number}"
                f"\t{_iso(starts)}\t{self.episodes[place]}\n"
            )

    def episode_rows(self, first_id: int, first_season: int, first_show: int) -> Iterator[str]:
        """Rows of `episodes`, the first with this id: one a week."""
        random = Random(f"{self._catalogue.seed} episodes")
        chance, today, id_ = random.random, self._today, first_id
        adjectives = [adjective.capitalize() for adjective in words.ADJECTIVES]
        nouns = [noun.capitalize() for noun in words.NOUNS]
        for place, (show, season, starts) in enumerate(self._starts()):
            owner = f"{first_show + show}\t{first_season + place}\t{season}"
            minutes = 22 + 19 * int(chance() * 3)
            score = self._catalogue.quality[self._catalogue.films + show]
            votes = 10_000 // (self._catalogue.rank[self._catalogue.films + show] + 10)
            for number in range(1, 1 + self.episodes[place]):
                day = starts + 7 * (number - 1)
                aired = _iso(day)
                added = f"{aired if day < today else _iso(today)} 06:00:00+00"
                average = min(9.9, max(1.0, score + chance() - 0.5))
                yield (
                    f"{id_}\t{owner}\t{number}\tThe {adjectives[int(chance() * len(adjectives))]}"
                    f" {nouns[int(chance() * len(nouns))]}\t{aired}\t{minutes}\t{average:.1f}"
                    f"\t{votes}\t{added}\t{added}\n"
                )
                id_ += 1

    def collections(self) -> Sequence[str]:
        """Names of collections, all different."""
        named = title_maker(Random(f"{self._catalogue.seed} collections"))
        number = -(-self._catalogue.films // COLLECTED)
        names: dict[str, None] = {}
        while len(names) < number:
            names.setdefault(f"{named()} Collection")
        return list(names)

    def translation_rows(self, first_film: int, first_show: int) -> Iterator[str]:
        """Rows of `translations`: titles in one or two languages."""
        random = Random(f"{self._catalogue.seed} translations")
        chance = random.random
        nouns = invented_words(TITLE_WORDS, words.ENDINGS)
        draw = Ranked(len(nouns), 8).draw
        films = self._catalogue.films
        for title in range(0, self._catalogue.size, TRANSLATED_ONE_IN):
            film = title < films
            owner = f"{first_film + title}\t\\N" if film else f"\\N\t{first_show + title - films}"
            for language in random.sample(sorted(words.TRANSLATED), 1 + int(chance() * 2)):
                name = words.TRANSLATED[language].format(noun=nouns[draw(chance())])
                yield f"{owner}\t{language}\t{name}\n"

    def film_files(self, first_film: int) -> Iterator[str]:
        """Rows of `media_files` of films."""
        random = Random(f"{self._catalogue.seed} files of films")
        for film in range(0, self._catalogue.films, OWNED_ONE_IN):
            id_ = first_film + film
            minutes = 80 + int(70 * random.random())
            yield f"{id_}\t\\N\t{_file(f'/media/films/{id_}', minutes, random)}\n"

    def episode_files(self, first_episode: int) -> Iterator[str]:
        """Rows of `media_files` of episodes, of which the first has this id."""
        random = Random(f"{self._catalogue.seed} files of episodes")
        id_ = first_episode
        for place, (show, _, _) in enumerate(self._starts()):
            for _ in range(self.episodes[place]):
                if show % (10 * OWNED_ONE_IN) == 0:
                    yield f"\\N\t{id_}\t{_file(f'/media/series/{id_}', 45, random)}\n"
                id_ += 1

    def _starts(self) -> Iterator[tuple[int, int, int]]:
        """For each season its series, from 0, its number, and the day of its first episode."""
        first = 0
        for show, seasons in enumerate(self.seasons):
            premiere = FIRST_DAY.toordinal() + self._catalogue.day[self._catalogue.films + show]
            for number in range(1, 1 + seasons):
                starts = premiere + 365 * (number - 1)
                if number == seasons > 1 and show % RUNNING_ONE_IN == 0:
                    weeks = show // RUNNING_ONE_IN % self.episodes[first + number - 1]
                    starts = self._today - 7 * weeks - show % 7
                yield show, number, starts
            first += seasons

    @cached_property
    def _today(self) -> int:
        return clock.now().date().toordinal()


def collected(ids: Sequence[int]) -> Callable[[int], int | None]:
    """A function for the id of a film's collection, out of these."""

    def of(film: int) -> int | None:
        place, member = divmod(film, COLLECTED)
        return ids[place] if member < MEMBERS else None

    return of


def _iso(day: int) -> str:
    """The date of a day, by its number."""
    place = day - FIRST_DAY.toordinal()
    return DAYS[place] if 0 <= place < len(DAYS) else date.fromordinal(day).isoformat()


def _file(folder: str, minutes: int, random: Random) -> str:
    """The columns of a file from its path on."""
    resolution, profile, kbps, video, colours = words.QUALITIES[
        int(random.random() * len(words.QUALITIES))
    ]
    audio, channels = words.SOUNDS[int(random.random() * len(words.SOUNDS))]
    name = f"{resolution}.mkv"
    return (
        f"{folder}/{name}\t{name}\t{minutes * 60 * kbps * 125}\t{resolution}\t{profile}\t{video}"
        f"\t{audio}\tmkv\t{minutes * 60}\t{kbps}\t23.976\t{colours}\t{channels}\t{{en}}\t{{en,de}}"
        "\tt\t2025-12-01 06:00:00+00"
    )
