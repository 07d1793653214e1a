"""The sentences by which a film is recommended without a language model, in four languages.

What a language has no words for is said in English.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Phrases:
    """The patterns of one language."""

    by: str
    """A film of genres by somebody in a year: `{genres}`, `{people}`, `{year}`."""
    without_people: str
    like: str
    """What it shares with a film that was named: `{film}`, `{shared}`."""
    actor: str
    """`{actor}` plays in it, who was asked for."""
    conjunction: str
    film: str
    """What a film of no genre is called."""
    genres: Mapping[str, str] = field(default_factory=dict, hash=False)

    def listed(self, names: list[str]) -> str:
        """`this, that and another`."""
        *some, last = names
        return f"{', '.join(some)} {self.conjunction} {last}" if some else last

    def genre(self, name: str) -> str:
        """What a genre is called."""
        return self.genres.get(name) or name.lower()


def phrases_of(language: str) -> Phrases:
    """Those of a language such as `de-AT`."""
    return PHRASES.get(language.partition("-")[0], PHRASES["en"])


PHRASES: Final[dict[str, Phrases]] = {
    "en": Phrases(
        by="{genres} by {people} ({year}).",
        without_people="{genres} of {year}.",
        like="It shares {shared} with {film}.",
        actor="With {actor}.",
        conjunction="and",
        film="A film",
    ),
    "es": Phrases(
        by="{genres} de {people} ({year}).",
        without_people="{genres} de {year}.",
        like="Comparte con {film}: {shared}.",
        actor="Con {actor}.",
        conjunction="y",
        film="Una película",
        genres={
            "Action": "acción",
            "Adventure": "aventura",
            "Animation": "animación",
            "Biography": "biografía",
            "Comedy": "comedia",
            "Crime": "crimen",
            "Documentary": "documental",
            "Drama": "drama",
            "Family": "cine familiar",
            "Fantasy": "fantasía",
            "History": "historia",
            "Horror": "terror",
            "Music": "música",
            "Musical": "musical",
            "Mystery": "misterio",
            "Romance": "romance",
            "Science Fiction": "ciencia ficción",
            "Sport": "deporte",
            "Thriller": "suspense",
            "War": "guerra",
            "Western": "western",
        },
    ),
    "de": Phrases(
        by="{genres} von {people} ({year}).",
        without_people="{genres} von {year}.",
        like="Gemeinsam mit {film}: {shared}.",
        actor="Mit {actor}.",
        conjunction="und",
        film="Ein Film",
        genres={
            "Action": "Action",
            "Adventure": "Abenteuer",
            "Animation": "Animation",
            "Biography": "Biografie",
            "Comedy": "Komödie",
            "Crime": "Krimi",
            "Documentary": "Dokumentarfilm",
            "Drama": "Drama",
            "Family": "Familienfilm",
            "Fantasy": "Fantasy",
            "History": "Historienfilm",
            "Horror": "Horror",
            "Music": "Musik",
            "Musical": "Musical",
            "Mystery": "Mystery",
            "Romance": "Liebesfilm",
            "Science Fiction": "Science-Fiction",
            "Sport": "Sportfilm",
            "Thriller": "Thriller",
            "War": "Kriegsfilm",
            "Western": "Western",
        },
    ),
    "fr": Phrases(
        by="{genres} de {people} ({year}).",
        without_people="{genres} de {year}.",
        like="En commun avec {film} : {shared}.",
        actor="Avec {actor}.",
        conjunction="et",
        film="Un film",
        genres={
            "Action": "action",
            "Adventure": "aventure",
            "Animation": "animation",
            "Biography": "biographie",
            "Comedy": "comédie",
            "Crime": "film policier",
            "Documentary": "documentaire",
            "Drama": "drame",
            "Family": "film familial",
            "Fantasy": "fantastique",
            "History": "film historique",
            "Horror": "horreur",
            "Music": "musique",
            "Musical": "comédie musicale",
            "Mystery": "mystère",
            "Romance": "romance",
            "Science Fiction": "science-fiction",
            "Sport": "sport",
            "Thriller": "thriller",
            "War": "guerre",
            "Western": "western",
        },
    ),
}
