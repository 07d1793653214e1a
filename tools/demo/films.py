"""Films of the demo catalogue, read from the bokeh-sampledata film database.

The facts come from ``movies.db`` of bokeh-sampledata 2026.1: films of 1940-2014 with an
IMDb identifier, taken from Wikidata and given to the public domain under CC0 1.0.  The
database has two tables joined on ``ID``: ``omdb`` (title, year, people, places, Oscars)
and ``tomatoes`` (review scores and box office).  The plot sentences come from
``synopses.tsv`` beside this file; a film without one gets sentences made of its facts.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
import sqlite3
import zlib
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

ATTRIBUTION = "Facts: Wikidata (CC0 1.0)"
MAX_CAST = 15
MAX_RUNTIME = 1500

# Ceilings of the popularity formula: a little above the greatest values in the database.
TOP_REVIEWS = 400
TOP_BOX_OFFICE_MILLIONS = 3000
TOP_OSCARS = 11

AGE_RATINGS = {
    "G": "G",
    "PG": "PG",
    "GP": "PG",
    "M": "PG",
    "M/PG": "PG",
    "PG-13": "PG-13",
    "R": "R",
    "NC-17": "NC-17",
    "X": "NC-17",
}

QUERY = """
SELECT o.imdbID AS imdb_id, o.Title AS title, o.Year AS year, o.Rating AS age_rating,
       o.Runtime AS runtime, o.Genre AS genres, o.Released AS released,
       o.Director AS directors, o.Writer AS writers, o."Cast" AS cast_members,
       o.Metacritic AS metacritic, o.Language AS languages, o.Country AS countries,
       o.Oscars AS oscars, t.Rating AS score, t.Meter AS meter, t.Reviews AS reviews,
       t.BoxOffice AS box_office
FROM omdb AS o JOIN tomatoes AS t USING (ID)
ORDER BY o.imdbID, o.Year, o.ID
"""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# What follows the comma of a single name: "Robert Downey, Jr.", "George Ward, 1st Baronet".
_NAME_SUFFIX = re.compile(r"(?:Jr\.?|Sr\.?|II|III|IV|\d+(?:st|nd|rd|th) [A-Z].*)")

GENRES = {"Sci-Fi": "Science Fiction"}
"""The source's names of genres that the catalogue calls otherwise."""


def films(database: Path, synopses: Path) -> Iterator[dict[str, Any]]:
    """Yield every film of the database once, in the order of the IMDb identifiers.

    ``database`` is ``movies.db``; ``synopses`` is a tab-separated file with the columns
    ``imdb_id``, ``title``, ``year`` and ``synopsis``.  Of two rows with one identifier
    (a film and its later cut) the one of the earlier year is kept.  Each film is
    JSON-ready; an unknown value is ``None`` and an unknown list is empty::

        {"kind": "movie", "imdb_id": "tt0073195", "tmdb_id": None, "title": "Jaws",
         "original_title": None, "year": 1975, "release_date": "1975-06-20",
         "runtime_minutes": 124, "age_rating": "PG", "genres": ["Adventure", ...],
         "languages": ["English"], "countries": ["United States"], "overview": "...",
         "tagline": None, "directors": ["Steven Spielberg"], "writers": [...],
         "cast_members": [...], "vote_average": 9.3, "vote_count": 146,
         "popularity": 77.495, "metacritic": 87, "rotten_tomatoes": 97,
         "box_office_usd": 497170756, "attribution": "Facts: Wikidata (CC0 1.0)"}
    """
    rows = list(_rows(database))
    plots = _synopses(synopses)
    fame = _fame(rows)
    for row in rows:
        film = _film(row, fame)
        plot = plots.get(film["imdb_id"])
        film["overview"] = fact_overview(film) if plot is None else plot
        yield film


def popularity(reviews: int, box_office_usd: int | None, oscars: int) -> float:
    """Return how widely seen and discussed a film is, from 0 to 100, to three decimals.

    A weighted sum of three logarithms, each scaled to at most 1::

        55 * log(1 + reviews) / log(1 + 400)
      + 30 * log(1 + box office in millions of dollars) / log(1 + 3000)
      + 15 * log(1 + Oscars won) / log(1 + 11)

    A film whose box office is unknown gets nothing for it.
    """

    def share(value: float, top: int) -> float:
        return min(1.0, math.log1p(value) / math.log1p(top))

    points = (
        55 * share(reviews, TOP_REVIEWS)
        + 30 * share((box_office_usd or 0) / 1_000_000, TOP_BOX_OFFICE_MILLIONS)
        + 15 * share(oscars, TOP_OSCARS)
    )
    return round(points, 3)


def _rows(database: Path) -> Iterator[sqlite3.Row]:
    """Yield the joined rows of the database, one for each IMDb identifier."""
    uri = f"{database.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        previous = None
        for row in connection.execute(QUERY):
            if row["imdb_id"] != previous:
                previous = row["imdb_id"]
                yield row


def _synopses(path: Path) -> dict[str, str]:
    """Return the plot sentences of the tab-separated file by IMDb identifier."""
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["imdb_id"]: _clean(row["synopsis"]) for row in reader}


def _fame(rows: Iterable[sqlite3.Row]) -> dict[str, float]:
    """Return a weight for every actor: the sum of log(1 + reviews) / cast size of the films.

    It makes up for the order of billing, which the source does not have: leading actors
    are in much reviewed films and share them with few others.
    """
    fame: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        cast = _people(row["cast_members"])
        for name in cast:
            fame[name] += math.log1p(row["reviews"] or 0) / len(cast)
    return fame


def _film(row: sqlite3.Row, fame: dict[str, float]) -> dict[str, Any]:
    """Return the film of a row, all but its overview; ``fame`` puts the cast in order."""
    year = int(row["year"])
    reviews = int(row["reviews"] or 0)
    box_office = _dollars(row["box_office"])
    # The database lists the cast by the alphabet, which would cut off "Tom Hanks".
    cast = sorted(_people(row["cast_members"]), key=lambda name: (-fame[name], name))
    return {
        "kind": "movie",
        "imdb_id": _clean(row["imdb_id"]),
        "tmdb_id": None,
        "title": _clean(row["title"]),
        "original_title": None,
        "year": year,
        "release_date": _release_date(row["released"], year),
        "runtime_minutes": _runtime(row["runtime"]),
        "age_rating": AGE_RATINGS.get(_clean(row["age_rating"])),
        "genres": sorted(GENRES.get(genre, genre) for genre in _items(row["genres"])),
        "languages": _items(row["languages"]),
        "countries": _items(row["countries"]),
        "overview": None,
        "tagline": None,
        "directors": _people(row["directors"]),
        "writers": _people(row["writers"]),
        "cast_members": cast[:MAX_CAST],
        "vote_average": _vote_average(row["score"], row["meter"], row["metacritic"]),
        "vote_count": reviews,
        "popularity": popularity(reviews, box_office, int(row["oscars"] or 0)),
        "metacritic": row["metacritic"],
        "rotten_tomatoes": row["meter"],
        "box_office_usd": box_office,
        "attribution": ATTRIBUTION,
    }


def _clean(text: str | None) -> str:
    """Return the text without control characters and with single, inner spaces only."""
    return " ".join(_CONTROL.sub(" ", text or "").split())


def _items(text: str | None) -> list[str]:
    """Return the distinct items of a list such as ``"Drama, War"``, in their order."""
    items = (_clean(item) for item in (text or "").split(", "))
    return list(dict.fromkeys(item for item in items if item))


def _people(text: str | None) -> list[str]:
    """Return the distinct names of a list, keeping "Jr." and titles with their owners."""
    names: list[str] = []
    for item in (text or "").split(", "):
        name = _clean(item)
        if names and _NAME_SUFFIX.fullmatch(name):
            names[-1] = f"{names[-1]}, {name}"
        elif name and not name.startswith("list of "):
            names.append(name)
    return list(dict.fromkeys(names))


def _release_date(text: str | None, year: int) -> str | None:
    """Return a date the source knows to the day and within a year of ``year``.

    Two thirds of the films have 1 January, which there stands for "the day is unknown".
    """
    try:
        date = dt.date.fromisoformat(_clean(text))
    except ValueError:
        return None
    known = (date.month, date.day) != (1, 1)
    return date.isoformat() if known and abs(date.year - year) <= 1 else None


def _runtime(minutes: float | None) -> int | None:
    """Return whole minutes from 1 to 1500."""
    whole = round(minutes or 0)
    return whole if 1 <= whole <= MAX_RUNTIME else None


def _dollars(amount: float | None) -> int | None:
    """Return whole dollars; the few amounts with a fraction are in another unit."""
    return int(amount) if amount and amount == int(amount) else None


def _vote_average(score: float | None, meter: int | None, metascore: int | None) -> float | None:
    """Return the first score there is, from 0 to 10; the last two are given out of 100."""
    if score is not None:
        return round(float(score), 1)
    percent = metascore if meter is None else meter
    return None if percent is None else round(percent / 10, 1)


# Overviews made of facts.  Every sentence pattern leaves out what is not known.

ADJECTIVES = {
    "Afghanistan": "Afghan",
    "Albania": "Albanian",
    "Algeria": "Algerian",
    "Argentina": "Argentine",
    "Armenia": "Armenian",
    "Australia": "Australian",
    "Austria": "Austrian",
    "Bangladesh": "Bangladeshi",
    "Belarus": "Belarusian",
    "Belgium": "Belgian",
    "Bolivia": "Bolivian",
    "Bosnia and Herzegovina": "Bosnian",
    "Brazil": "Brazilian",
    "British Hong Kong": "Hong Kong",
    "Bulgaria": "Bulgarian",
    "Cambodia": "Cambodian",
    "Canada": "Canadian",
    "Chile": "Chilean",
    "Colombia": "Colombian",
    "Croatia": "Croatian",
    "Cuba": "Cuban",
    "Cyprus": "Cypriot",
    "Czech Republic": "Czech",
    "Czechoslovakia": "Czechoslovak",
    "Denmark": "Danish",
    "Dominican Republic": "Dominican",
    "Ecuador": "Ecuadorian",
    "Egypt": "Egyptian",
    "Estonia": "Estonian",
    "Ethiopia": "Ethiopian",
    "Federal Republic of Yugoslavia": "Yugoslav",
    "Finland": "Finnish",
    "France": "French",
    "Georgia": "Georgian",
    "Germany": "German",
    "Ghana": "Ghanaian",
    "Greece": "Greek",
    "Guatemala": "Guatemalan",
    "Hong Kong": "Hong Kong",
    "Hungary": "Hungarian",
    "Iceland": "Icelandic",
    "India": "Indian",
    "Indonesia": "Indonesian",
    "Iran": "Iranian",
    "Iraq": "Iraqi",
    "Ireland": "Irish",
    "Israel": "Israeli",
    "Italy": "Italian",
    "Jamaica": "Jamaican",
    "Japan": "Japanese",
    "Jordan": "Jordanian",
    "Kazakhstan": "Kazakh",
    "Kenya": "Kenyan",
    "Kingdom of Italy": "Italian",
    "Kingdom of the Netherlands": "Dutch",
    "Kosovo": "Kosovan",
    "Kyrgyzstan": "Kyrgyz",
    "Laos": "Laotian",
    "Latvia": "Latvian",
    "Lebanon": "Lebanese",
    "Lithuania": "Lithuanian",
    "Malaysia": "Malaysian",
    "Mali": "Malian",
    "Malta": "Maltese",
    "Mauritania": "Mauritanian",
    "Mexico": "Mexican",
    "Mongolia": "Mongolian",
    "Morocco": "Moroccan",
    "Nepal": "Nepalese",
    "Netherlands": "Dutch",
    "New Zealand": "New Zealand",
    "Nigeria": "Nigerian",
    "North Macedonia": "Macedonian",
    "Norway": "Norwegian",
    "Occupied Palestinian territory": "Palestinian",
    "Pakistan": "Pakistani",
    "Palestine": "Palestinian",
    "Panama": "Panamanian",
    "Paraguay": "Paraguayan",
    "People's Republic of China": "Chinese",
    "Peru": "Peruvian",
    "Philippines": "Philippine",
    "Poland": "Polish",
    "Portugal": "Portuguese",
    "Romania": "Romanian",
    "Russia": "Russian",
    "Rwanda": "Rwandan",
    "Saudi Arabia": "Saudi",
    "Senegal": "Senegalese",
    "Serbia": "Serbian",
    "Singapore": "Singaporean",
    "Slovakia": "Slovak",
    "Slovenia": "Slovenian",
    "Socialist Federal Republic of Yugoslavia": "Yugoslav",
    "South Africa": "South African",
    "South Korea": "South Korean",
    "Soviet Union": "Soviet",
    "Spain": "Spanish",
    "Sweden": "Swedish",
    "Switzerland": "Swiss",
    "Syria": "Syrian",
    "Taiwan": "Taiwanese",
    "Tajikistan": "Tajik",
    "Tanzania": "Tanzanian",
    "Thailand": "Thai",
    "Tunisia": "Tunisian",
    "Turkey": "Turkish",
    "Ukraine": "Ukrainian",
    "United Kingdom": "British",
    "United States": "American",
    "Uruguay": "Uruguayan",
    "Venezuela": "Venezuelan",
    "Vietnam": "Vietnamese",
    "Wales": "Welsh",
    "West Germany": "West German",
    "Yemen": "Yemeni",
    "Yugoslavia": "Yugoslav",
}

# Words before the noun of a genre phrase, in the order in which English puts them.
MODIFIERS = {
    "Animation": "animated",
    "History": "historical",
    "Biography": "biographical",
    "Romance": "romantic",
    "Family": "family",
    "Sport": "sports",
    "Music": "music",
    "War": "war",
    "Science Fiction": "science fiction",
    "Fantasy": "fantasy",
    "Mystery": "mystery",
    "Horror": "horror",
    "Action": "action",
    "Crime": "crime",
    "Adventure": "adventure",
    "Western": "western",
    "Musical": "musical",
}
# The noun is that of the first of these which a film has all of.
NOUNS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"Documentary"}), "documentary"),
    (frozenset({"Comedy", "Drama"}), "comedy drama"),
    (frozenset({"Thriller"}), "thriller"),
    (frozenset({"Comedy"}), "comedy"),
    (frozenset({"Drama"}), "drama"),
    (frozenset({"Western"}), "western"),
    (frozenset({"Musical"}), "musical"),
)
DOCUMENTARY_MODIFIERS = frozenset({"Animation", "Biography", "History", "Music", "Sport", "War"})
MAX_MODIFIERS = 2
MAX_COUNTRIES = 3
MAX_NAMES = 3
SHORT = 30


@dataclass(frozen=True)
class _Facts:
    """A film's facts as phrases; an empty string, or no minutes, stands for "unknown"."""

    year: int
    kind: str
    """The country and genre: "French crime drama"."""
    minutes: int | None
    directors: str
    writers: str
    cast: str
    one_director: bool
    one_actor: bool
    one_hand: bool
    """The writers and the directors are the same people."""
    documentary: bool

    @property
    def timed_kind(self) -> str:
        """The kind with the running time: "103-minute French crime drama"."""
        return f"{self.minutes}-minute {self.kind}" if self.minutes else self.kind

    @property
    def length(self) -> str:
        """The running time: "103 minutes"."""
        if not self.minutes:
            return ""
        return f"{self.minutes} minute{'' if self.minutes == 1 else 's'}"

    @property
    def credit(self) -> str:
        """Who made it: "directed by X and written by Y", or the half that is known."""
        if self.one_hand:
            return f"written and directed by {self.directors}"
        if self.directors and self.writers:
            link = ", and" if " and " in self.directors else " and"
            return f"directed by {self.directors}{link} written by {self.writers}"
        if self.directors:
            return f"directed by {self.directors}"
        return f"written by {self.writers}" if self.writers else ""

    @property
    def casting(self) -> str:
        """Who is in it, as a sentence without its full stop."""
        if not self.cast:
            return ""
        return f"It features {self.cast}" if self.documentary else f"The cast includes {self.cast}"


def fact_overview(film: dict[str, Any]) -> str:
    """Return one or two sentences that say nothing but what the film's fields say.

    Reads ``imdb_id``, ``year``, ``runtime_minutes``, ``genres``, ``countries``,
    ``directors``, ``writers`` and ``cast_members``.  The identifier picks the pattern.
    """
    directors, writers, cast = film["directors"], film["writers"], film["cast_members"]
    nation, genre = _nation(film["countries"]), _genre(film["genres"])
    facts = _Facts(
        year=film["year"],
        kind=f"{nation} {genre}".strip(),
        minutes=film["runtime_minutes"],
        directors=_names(directors),
        writers=_names(writers),
        cast=_listed(cast[:MAX_NAMES]),
        one_director=len(directors) == 1,
        one_actor=len(cast) == 1,
        one_hand=bool(directors) and set(directors) == set(writers),
        documentary=genre.endswith("documentary"),
    )
    start = zlib.crc32(film["imdb_id"].encode()) % len(PATTERNS)
    turns = (*PATTERNS[start:], *PATTERNS[:start])
    text = next((text for pattern in turns if (text := pattern(facts))), "") or _plain(facts)
    return text[0].upper() + text[1:].replace("..", ".")  # "Lon Chaney Jr."


def _listed(words: Sequence[str]) -> str:
    """Return "A", "A and B" or "A, B and C"."""
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _names(names: Sequence[str]) -> str:
    """Return up to three names in a row, of a longer list two "and others"."""
    return _listed(names if len(names) <= MAX_NAMES else [*names[: MAX_NAMES - 1], "others"])


def _article(phrase: str) -> str:
    """Return the phrase after "a" or "an": "an 85-minute film", "a Ukrainian drama"."""
    an = re.match(r"(?:[aeio]|u(?!k|ru|ni)|8|1[18]-)", phrase, re.IGNORECASE)
    return f"{'an' if an else 'a'} {phrase}"


def _nation(countries: Iterable[str]) -> str:
    """Return the countries as an adjective: "French-Italian"."""
    known = list(countries)
    words = list(dict.fromkeys(ADJECTIVES[name] for name in known if name in ADJECTIVES))
    if len(words) > MAX_COUNTRIES:
        return "internationally co-produced"
    return "-".join(words) if all(name in ADJECTIVES for name in known) else ""


def _genre(genres: Iterable[str]) -> str:
    """Return the genres as a phrase with a noun: "romantic crime drama", "horror film"."""
    left = set(genres)
    group, noun = next((pair for pair in NOUNS if pair[0] <= left), (frozenset[str](), "film"))
    left -= group
    if noun == "documentary":
        left &= DOCUMENTARY_MODIFIERS
    words = [word for name, word in MODIFIERS.items() if name in left]
    return " ".join([*words[:MAX_MODIFIERS], noun])


def _plain(facts: _Facts) -> str:
    """Return "A 1994 French crime drama directed by X, with A and B; it runs 103 minutes."."""
    cast = facts.cast and f"{'featuring' if facts.documentary else 'with'} {facts.cast}"
    clauses = ", ".join(clause for clause in (facts.credit, cast) if clause)
    text = f"a {facts.year} {facts.kind} {clauses}".strip()
    text += f"; it runs {facts.length}." if facts.length else "."
    return text if len(text) >= SHORT else f"{_article(facts.timed_kind)} released in {facts.year}."


def _director_first(facts: _Facts) -> str:
    """Return "X directed this 1994 French drama, written by Y. The cast includes A."."""
    if not facts.directors:
        return ""
    verb = "wrote and directed" if facts.one_hand else "directed"
    script = f", written by {facts.writers}" if facts.writers and not facts.one_hand else ""
    ending = facts.length and f"It runs {facts.length}"
    if facts.casting:
        ending = facts.casting + (facts.length and f"; the running time is {facts.length}")
    sentence = f"{facts.directors} {verb} this {facts.year} {facts.kind}{script}."
    return f"{sentence} {ending}." if ending else sentence


def _credit_first(facts: _Facts) -> str:
    """Return "Directed by X, this 103-minute French drama came out in 1994, with A ..."."""
    if not facts.credit:
        return ""
    released = f"came out in {facts.year}"
    if facts.cast and facts.documentary:
        released = f"features {facts.cast}; it {released}"
    elif facts.cast:
        released += f", with {facts.cast} in the cast"
    return f"{facts.credit}, this {facts.timed_kind} {released}."


def _cast_first(facts: _Facts) -> str:
    """Return "A and B are in the cast of this 1994 French drama, directed by X."."""
    if not facts.cast:
        return ""
    if facts.documentary:
        verb = "appears in" if facts.one_actor else "appear in"
    else:
        verb = "is in the cast of" if facts.one_actor else "are in the cast of"
    credit = facts.credit and f", {facts.credit}"
    ending = facts.length and f" It lasts {facts.length}."
    return f"{facts.cast} {verb} this {facts.year} {facts.kind}{credit}.{ending}"


def _year_first(facts: _Facts) -> str:
    """Return "Released in 1994, this 103-minute French drama was directed by X."."""
    if not facts.credit:
        return ""
    ending = facts.casting and f" {facts.casting}."
    return f"released in {facts.year}, this {facts.timed_kind} was {facts.credit}.{ending}"


def _director_and_cast(facts: _Facts) -> str:
    """Return "In this French drama from 1994, X directs A and B; it was written by Y."."""
    if not facts.directors or not facts.cast or facts.one_hand or facts.documentary:
        return ""
    verb = "directs" if facts.one_director else "direct"
    script = facts.writers and f"; it was written by {facts.writers}"
    ending = facts.length and f" The film lasts {facts.length}."
    place = f"in this {facts.kind} from {facts.year}"
    return f"{place}, {facts.directors} {verb} {facts.cast}{script}.{ending}"


def _length_first(facts: _Facts) -> str:
    """Return "Running 103 minutes, this French drama has A in its cast. It was directed by X."."""
    if not facts.length or not facts.cast:
        return ""
    where = f"features {facts.cast}" if facts.documentary else f"has {facts.cast} in its cast"
    ending = facts.credit and f" It was {facts.credit}."
    return f"running {facts.length}, this {facts.kind} from {facts.year} {where}.{ending}"


def _author_aside(facts: _Facts) -> str:
    """Return "X, who also wrote it, directed a 103-minute French drama released in 1994."."""
    if not facts.directors:
        return ""
    aside = ", who also wrote it," if facts.one_hand else ""
    script = f"; it was written by {facts.writers}" if facts.writers and not facts.one_hand else ""
    cast = facts.cast and f", {'featuring' if facts.documentary else 'with'} {facts.cast}"
    kind = _article(facts.timed_kind)
    return f"{facts.directors}{aside} directed {kind} released in {facts.year}{cast}{script}."


PATTERNS: tuple[Callable[[_Facts], str], ...] = (
    _plain,
    _director_first,
    _credit_first,
    _cast_first,
    _year_first,
    _director_and_cast,
    _length_first,
    _author_aside,
)
