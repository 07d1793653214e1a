"""What comes out of TMDB, checked and cleaned.

Image paths stand behind https://image.tmdb.org/t/p/{size}; languages are ISO 639-1 codes, countries
ISO 3166-1 codes. Averages are from 0 to 10, and 0 without votes.
"""

from datetime import date
from typing import Literal, TypedDict


class TmdbTitle(TypedDict):
    """What lists show of films and series alike."""

    id: int
    title: str
    original_title: str
    original_language: str | None
    overview: str
    popularity: float
    vote_average: float
    vote_count: int
    genre_ids: list[int]
    poster_path: str | None
    backdrop_path: str | None
    adult: bool


class TmdbMovie(TmdbTitle):
    """A film as lists show it."""

    release_date: date | None


class TmdbShow(TmdbTitle):
    """A series as lists show it. TMDB calls its title a name."""

    first_air_date: date | None


class TmdbPage(TypedDict):
    """A page of 20, or fewer where TMDB sent bad ones. `total_pages` is at most 500."""

    page: int
    total_pages: int
    total_results: int
    results: list[TmdbMovie]


class TmdbShowPage(TypedDict):
    """A page of series, as `TmdbPage`."""

    page: int
    total_pages: int
    total_results: int
    results: list[TmdbShow]


class TmdbGenre(TypedDict):
    """A genre by TMDB's number and its name in the language that was asked for."""

    id: int
    name: str


class TmdbCollection(TypedDict):
    """The series of films that one belongs to."""

    id: int
    name: str
    poster_path: str | None
    backdrop_path: str | None


class TmdbWholeCollection(TmdbCollection):
    """A collection with its films, those first that came out first."""

    overview: str
    parts: list[TmdbMovie]


class TmdbCompany(TypedDict):
    """A studio or a network."""

    id: int
    name: str
    logo_path: str | None
    origin_country: str | None


class TmdbCastMember(TypedDict):
    """Somebody who played. `order` is that of the billing, from 0."""

    id: int
    name: str
    profile_path: str | None
    known_for_department: str | None
    popularity: float
    character: str
    order: int


class TmdbCrewMember(TypedDict):
    """Somebody who had a job."""

    id: int
    name: str
    profile_path: str | None
    known_for_department: str | None
    popularity: float
    job: str
    department: str | None


class TmdbImage(TypedDict):
    """A picture. `language` is that of the words in it; None for one without words."""

    image_type: Literal["poster", "backdrop", "logo"]
    path: str
    width: int
    height: int
    language: str | None
    vote_average: float
    vote_count: int


class TmdbProvider(TypedDict):
    """Where a title is to be seen in a country; JustWatch's data."""

    country: str
    kind: Literal["flatrate", "free", "ads", "rent", "buy"]
    provider_id: int
    name: str
    logo_path: str | None


class TmdbTranslation(TypedDict):
    """A title's words in a language; empty where nobody has translated them."""

    language: str
    country: str
    title: str
    overview: str
    tagline: str


class TmdbExternalIds(TypedDict):
    """What others call it; None where they do not know it."""

    imdb_id: str | None
    wikidata_id: str | None
    facebook_id: str | None
    instagram_id: str | None
    twitter_id: str | None
    tvdb_id: int | None


class TmdbWhole(TypedDict):
    """What we use beside the list's fields of films and series alike."""

    genres: list[TmdbGenre]
    tagline: str
    status: str
    homepage: str | None
    imdb_id: str | None
    wikidata_id: str | None
    external_ids: TmdbExternalIds
    studios: list[TmdbCompany]
    production_countries: list[str]
    """ISO 3166-1 codes, two letters."""
    spoken_languages: list[str]
    """ISO 639-1 codes, two letters."""
    country_names: list[str]
    """In English, as are those of the languages."""
    language_names: list[str]
    certifications: dict[str, str]
    """The age rating by country, e.g. `{"US": "R"}`; that of the cinemas if there are several."""
    keywords: list[str]
    cast: list[TmdbCastMember]
    crew: list[TmdbCrewMember]
    trailer_url: str | None
    """On YouTube; the official one if there are several."""
    images: list[TmdbImage]
    watch_providers: list[TmdbProvider]
    translations: list[TmdbTranslation]


class TmdbDetails(TmdbMovie, TmdbWhole):
    """All that we use of one film."""

    runtime_minutes: int | None
    budget_usd: int | None
    revenue_usd: int | None
    collection: TmdbCollection | None


class TmdbEpisode(TypedDict):
    """An episode. Season 0 holds the specials."""

    id: int
    season_number: int
    episode_number: int
    title: str
    overview: str
    air_date: date | None
    runtime_minutes: int | None
    vote_average: float
    vote_count: int
    still_path: str | None
    production_code: str | None
    crew: list[TmdbCrewMember]
    guest_stars: list[TmdbCastMember]


class TmdbSeasonHead(TypedDict):
    """A season as its series lists it."""

    id: int
    season_number: int
    name: str
    overview: str
    poster_path: str | None
    air_date: date | None
    episode_count: int
    vote_average: float


class TmdbSeason(TmdbSeasonHead):
    """A season with its episodes."""

    episodes: list[TmdbEpisode]


class TmdbShowDetails(TmdbShow, TmdbWhole):
    """All that we use of one series."""

    tvdb_id: int | None
    last_air_date: date | None
    show_type: str
    in_production: bool
    episode_runtime_minutes: int | None
    networks: list[TmdbCompany]
    seasons: list[TmdbSeasonHead]


class TmdbPerson(TypedDict):
    """Somebody, with the films and series that they had a part in, by TMDB's ids."""

    id: int
    name: str
    imdb_id: str | None
    biography: str
    birthday: date | None
    deathday: date | None
    place_of_birth: str | None
    known_for_department: str | None
    profile_path: str | None
    popularity: float
    movie_ids: list[int]
    tvshow_ids: list[int]


class TmdbFound(TypedDict):
    """What TMDB calls the title of an IMDb id."""

    movie_id: int | None
    tvshow_id: int | None
