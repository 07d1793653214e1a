"""FastAPI as one would write it: `response_model`, dependencies, uvicorn with uvloop and httptools.

In memory with `async def`. With the database over SQLAlchemy: `def` and psycopg2, or `async def`
and asyncpg, by `BENCH_ASYNC`; the statements are Marquee's own as `text()`, so that nothing is
spent on building them. Run under the peers' own environment, which has nothing of Marquee's.
"""
# ruff: noqa: ARG001 - FastAPI reads signatures

import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi_models import (
    FavoritePage,
    Film,
    FilmPage,
    FilmSort,
    Id,
    MovieDetails,
    MoviePage,
    NewRating,
    NewStarRating,
    Ping,
    Rating,
    StarRating,
)
from fastapi_queries import Queries, QueriesAsync

SHARED = json.loads(Path(os.environ["BENCH_SHARED"]).read_bytes())
FILMS = SHARED["films"]
TOKENS = {SHARED["token"]: 1}
MovieId = Annotated[Id, InPath()]


def bearer(request: Request) -> str:
    """The token of a request, or 401."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise HTTPException(401)
    return token


async def known(request: Request) -> int:
    """Whose token it is, from memory."""
    user = TOKENS.get(bearer(request))
    if user is None:
        raise HTTPException(401)
    return user


async def ping() -> Any:  # noqa: ANN401 - `response_model` says what
    """Say that it is there."""
    return {"ok": True}


async def list_films(
    user: Annotated[int, Depends(known)],
    page: Annotated[int, Query(ge=1, le=10000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
    sort: FilmSort = FilmSort.POPULARITY,
) -> Any:  # noqa: ANN401
    """List twenty films."""
    return {"items": FILMS, "page": page, "page_size": page_size, "total": 12345}


async def get_film(user: Annotated[int, Depends(known)], film_id: MovieId) -> Any:  # noqa: ANN401
    """Get a film."""
    return FILMS[film_id % 20]


async def create_rating(user: Annotated[int, Depends(known)], body: NewRating) -> Any:  # noqa: ANN401
    """Rate a film."""
    return {
        "id": 1,
        "movie_id": body.movie_id,
        "score": body.score,
        "user_id": user,
        "comment": body.comment,
        "tags": body.tags,
        "created_at": "2026-11-22T08:00:00.000000Z",
    }


def digest(request: Request) -> bytes:
    """The digest of a request's API key."""
    return hashlib.sha256(bearer(request).encode()).digest()


Digest = Annotated[bytes, Depends(digest)]
Page = Annotated[int, Query(ge=1, le=10000)]
PageSize = Annotated[int, Query(ge=1, le=100)]
Year = Annotated[int, Query(ge=1878, le=2100)]
Score = Annotated[float, Query(ge=0, le=10)]
Limit = Annotated[int, Query(ge=1, le=100)]


def with_threads(queries: Queries) -> dict[str, Any]:
    """Handlers as `def`, each in a thread of the pool."""

    def get_movie(key: Digest, movie_id: MovieId) -> Any:  # noqa: ANN401
        return queries.get_movie(key, movie_id)

    def list_movies(
        key: Digest, year_from: Year, min_score: Score, page: Page = 1, page_size: PageSize = 20
    ) -> Any:  # noqa: ANN401
        return queries.list_movies(key, page, page_size, year_from, min_score)

    def list_favorites(key: Digest, user_id: MovieId, limit: Limit = 50) -> Any:  # noqa: ANN401
        return queries.list_favorites(key, user_id, limit)

    def create_star_rating(key: Digest, body: NewStarRating, request: Request) -> Any:  # noqa: ANN401
        return queries.create_star_rating(key, body, request)

    return locals()


def without_threads(queries: QueriesAsync) -> dict[str, Any]:
    """Handlers as `async def`."""

    async def get_movie(key: Digest, movie_id: MovieId) -> Any:  # noqa: ANN401
        return await queries.get_movie(key, movie_id)

    async def list_movies(
        key: Digest, year_from: Year, min_score: Score, page: Page = 1, page_size: PageSize = 20
    ) -> Any:  # noqa: ANN401
        return await queries.list_movies(key, page, page_size, year_from, min_score)

    async def list_favorites(key: Digest, user_id: MovieId, limit: Limit = 50) -> Any:  # noqa: ANN401
        return await queries.list_favorites(key, user_id, limit)

    async def create_star_rating(key: Digest, body: NewStarRating, request: Request) -> Any:  # noqa: ANN401
        return await queries.create_star_rating(key, body, request)

    return locals()


async def synthetic(request: Request) -> Response:
    """The answer of every other operation."""
    return Response(b'{"id":1,"name":"synthetic"}', media_type="application/json")


def application() -> FastAPI:
    """The application, with its routes in the contract's order."""
    app = FastAPI(openapi_url=None)
    statements, url = SHARED["statements"], os.environ["BENCH_DATABASE"]
    if os.environ.get("BENCH_ASYNC"):
        database = without_threads(QueriesAsync(url, statements))
    else:
        database = with_threads(Queries(url, statements))
    models: dict[str, tuple[Any, Any, int]] = {
        "ping": (ping, Ping, 200),
        "list_films": (list_films, FilmPage, 200),
        "get_film": (get_film, Film, 200),
        "create_rating": (create_rating, Rating, 201),
        "get_movie": (database["get_movie"], MovieDetails, 200),
        "list_movies": (database["list_movies"], MoviePage, 200),
        "list_favorites": (database["list_favorites"], FavoritePage, 200),
        "create_star_rating": (database["create_star_rating"], StarRating, 201),
    }
    for method, path, name in SHARED["routes"]:
        endpoint, model, status = models.get(name, (synthetic, None, 200))
        app.add_api_route(
            path, endpoint, methods=[method], response_model=model, status_code=status, name=name
        )
    return app


if __name__ == "__main__":
    uvicorn.run(
        application(),
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        log_level="warning",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
