"""The shapes of the contract as FastAPI has them: Pydantic models."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[int, Field(ge=1, le=9007199254740991)]
Genre = Literal["action", "comedy", "drama", "horror", "thriller", "romance", "animation", "crime"]


class FilmSort(StrEnum):
    """Orders of the films in memory."""

    TITLE, YEAR, RATING, POPULARITY = "title", "year", "rating", "popularity"


class Closed(BaseModel):
    """A request's object, which takes no names but its own."""

    model_config = ConfigDict(extra="forbid")


class Ping(BaseModel):
    """`ping`."""

    ok: bool


class PersonRef(BaseModel):
    """The director of a film in memory."""

    id: int
    name: str


class Film(BaseModel):
    """A film in memory."""

    id: int
    title: str
    original_title: str | None
    tagline: str | None
    year: int
    released: date
    runtime: int
    genres: list[Genre]
    rating: float
    votes: int
    language: str
    country: str
    overview: str
    poster: str | None
    director: PersonRef
    adult: bool
    updated_at: datetime


class FilmPage(BaseModel):
    """`list`."""

    items: list[Film]
    page: int
    page_size: int
    total: int


class Location(Closed):
    """Where a film was seen."""

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    city: str | None = None


class Context(Closed):
    """How a film was seen."""

    device: Literal["tv", "web", "phone", "tablet"]
    watched_at: datetime | None = None
    location: Location | None = None


class NewRating(Closed):
    """The body of `post`."""

    movie_id: Id
    score: Annotated[float, Field(ge=0.5, le=10)]
    comment: Annotated[str | None, Field(max_length=2000)] = None
    tags: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=20)] = []
    context: Context | None = None


class Rating(BaseModel):
    """`post`."""

    id: int
    movie_id: int
    score: float
    user_id: int
    comment: str | None
    tags: list[str]
    created_at: datetime


class Movie(BaseModel):
    """A film of the catalogue, in a list."""

    id: int
    tmdb_id: int | None
    imdb_id: str | None
    title: str
    original_title: str | None
    year: int | None
    release_date: date | None
    runtime_minutes: int | None
    overview: str | None
    tagline: str | None
    status: str | None
    original_language: str | None
    age_rating: str | None
    genres: list[str]
    poster_path: str | None
    backdrop_path: str | None
    trailer_url: str | None
    vote_average: float | None
    vote_count: int
    popularity: float
    rt_score: int | None
    awards_summary: str | None
    poster_url: str
    added_at: datetime
    updated_at: datetime


class MoviePage(BaseModel):
    """`list_movies`."""

    page: int
    page_size: int
    total_pages: int
    total_results: int
    total_is_estimate: bool
    results: list[Movie]


class ExternalRating(BaseModel):
    """What another source thinks of a film."""

    source: str
    value: str
    score: float


class CreditedPerson(BaseModel):
    """Who made a film."""

    person_id: int
    name: str


class CastMember(CreditedPerson):
    """Who played in it."""

    character: str | None
    profile_path: str | None


class Named(BaseModel):
    """A studio or a collection."""

    id: int
    name: str


class WatchProvider(BaseModel):
    """Where it can be watched."""

    country: str
    kind: str
    provider_id: int
    name: str
    logo_path: str | None


class MovieDetails(Movie):
    """`get_movie`."""

    languages: list[str]
    countries: list[str]
    keywords: list[str]
    studios: list[Named]
    collection: Named | None
    homepage: str | None
    budget_usd: int | None
    revenue_usd: int | None
    external_ratings: list[ExternalRating]
    rt_audience_score: int | None
    metacritic_score: int | None
    watch_providers: list[WatchProvider]
    directors: list[CreditedPerson]
    writers: list[CreditedPerson]
    cinematographers: list[CreditedPerson]
    composers: list[CreditedPerson]
    editors: list[CreditedPerson]
    cast_members: list[CastMember]
    attribution: str | None
    metadata_updated_at: datetime | None


class Favorite(BaseModel):
    """A film that a user keeps."""

    id: int
    movie_id: int
    title: str
    release_date: date | None
    overview: str | None
    popularity: float
    vote_average: float | None
    user_rating: float | None
    created_at: datetime


class FavoritePage(BaseModel):
    """`list_favorites`."""

    favorites: list[Favorite]
    next_cursor: str | None


class NewStarRating(Closed):
    """The body of `create_star_rating`."""

    movie_id: Id
    rating: Annotated[float, Field(ge=0, le=5, multiple_of=0.5)]


class StarRating(BaseModel):
    """`create_star_rating`."""

    id: int
    movie_id: int
    rating: float
    created_at: datetime
