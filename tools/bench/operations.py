"""What is measured: the requests that every server gets."""

from dataclasses import dataclass, field

import orjson

from tools.bench import films

BASE = "/api/v1"
PAGE, PAGE_SIZE, YEAR_FROM, MIN_SCORE = 3, 20, 1980, 6.5
FAVORITES_LIMIT = 50
STARS = 4.5


@dataclass(frozen=True)
class Operation:
    """One request. `counting` makes each request of a run name the next film, as a write must."""

    name: str
    method: str
    url: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    counting: bool = False


MEMORY, DATABASE, CACHED, SESSIONS = "memory", "database", "cached", "sessions"


def memory() -> list[Operation]:
    """Without a database."""
    bearer = {"Authorization": f"Bearer {films.TOKEN}"}
    rating = orjson.dumps(films.RATING)
    return [
        Operation("ping", "GET", f"{BASE}/memory/ping"),
        Operation(
            "list", "GET", f"{BASE}/memory/films?page=2&page_size=20&sort=year", headers=bearer
        ),
        Operation("get", "GET", f"{BASE}/memory/films/7", headers=bearer),
        Operation(
            "post",
            "POST",
            f"{BASE}/memory/ratings",
            201,
            bearer | {"Content-Type": "application/json"},
            rating,
        ),
    ]


def database(reader: int, reader_key: str, writer_key: str, movie: int) -> list[Operation]:
    """With one, each with the look-up of an API key. `reader` has the favourites."""
    reads = {"Authorization": f"Bearer {reader_key}"}
    writes = {"Authorization": f"Bearer {writer_key}", "Content-Type": "application/json"}
    listed = f"page={PAGE}&page_size={PAGE_SIZE}&year_from={YEAR_FROM}&min_score={MIN_SCORE}"
    rating = orjson.dumps({"movie_id": movie, "rating": STARS})
    return [
        Operation("get_movie", "GET", f"{BASE}/movies/{movie}", headers=reads),
        Operation("list_movies", "GET", f"{BASE}/movies?{listed}&sort=rating", headers=reads),
        Operation("list_favorites", "GET", f"{BASE}/users/{reader}/favorites", headers=reads),
        Operation(
            "create_star_rating",
            "POST",
            f"{BASE}/movies/ratings",
            201,
            writes,
            rating,
            counting=True,
        ),
    ]


def cached(etag: str) -> list[Operation]:
    """A public list from the cache, whole and not modified."""
    url = f"{BASE}/movies/popular?page=1"
    return [
        Operation("popular_200", "GET", url),
        Operation("popular_304", "GET", url, 304, {"If-None-Match": etag}),
    ]
