"""What FastAPI's handlers ask the database, over SQLAlchemy: Marquee's statements, as they are."""

import hmac
import secrets
from typing import Any

from fastapi import HTTPException, Request
from fastapi_models import NewStarRating
from sqlalchemy import Row, TextClause, create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

Statements = dict[str, dict[str, dict[str, Any]]]
POOL = 16
JOBS = {
    "director": "directors",
    "writer": "writers",
    "cinematographer": "cinematographers",
    "composer": "composers",
    "editor": "editors",
    "actor": "cast_members",
}
READ, WRITE = frozenset(["read", "admin"]), frozenset(["write", "admin"])


def compiled(statements: Statements) -> dict[str, dict[str, TextClause]]:
    """Each statement as `text()`, made once."""
    return {
        operation: {purpose: text(each["sql"]) for purpose, each in purposes.items()}
        for operation, purposes in statements.items()
    }


def checked(caller: Row[Any] | None, permission: str, scopes: frozenset[str]) -> Row[Any]:
    """The caller, who may do this; or 401, or 403."""
    if caller is None:
        raise HTTPException(401)
    resource = permission.partition(":")[0]
    if scopes.isdisjoint(caller.scopes) or {permission, f"{resource}:*", "*:*"}.isdisjoint(
        caller.permissions
    ):
        raise HTTPException(403)
    return caller


def movie_details(movie: Row[Any] | None, people: Any) -> dict[str, Any]:  # noqa: ANN401 - rows
    """A film with its people."""
    if movie is None:
        raise HTTPException(404)
    by_job: dict[str, list[dict[str, Any]]] = {job: [] for job in JOBS}
    for person in people:
        if person.job in by_job:
            by_job[person.job].append(dict(person._mapping))  # noqa: SLF001 - SQLAlchemy's way
    values = {name.removeprefix("movies_"): value for name, value in movie._mapping.items()}  # noqa: SLF001
    scores = {each["source"]: each["score"] for each in values["external_ratings"]}
    audience = scores.get("rotten_tomatoes_audience")
    return {
        **values,
        **{name: by_job[job] for job, name in JOBS.items()},
        "studios": values["studios_named"] or [],
        "rt_audience_score": None if audience is None else round(audience * 10),
    }


def movie_page(page: int, page_size: int, total: int, rows: Any) -> dict[str, Any]:  # noqa: ANN401
    """A page of films."""
    return {
        "page": page,
        "page_size": page_size,
        "total_pages": -(-total // page_size),
        "total_results": total,
        "total_is_estimate": False,
        "results": [row._mapping for row in rows],  # noqa: SLF001
    }


def favorite_page(rows: Any, limit: int) -> dict[str, Any]:  # noqa: ANN401 - rows
    """A page of favourites, with a signed cursor as Marquee's."""
    cursor = None
    if len(rows) > limit:
        last = f"favorites:{rows[limit - 1].id}"
        cursor = f"{last}.{hmac.digest(b'secret', last.encode(), 'sha256').hex()}"
    return {"favorites": [row._mapping for row in rows[:limit]], "next_cursor": cursor}  # noqa: SLF001


def audit_values(caller: Row[Any], rating: dict[str, Any], request: Request) -> dict[str, Any]:
    """The values of an audit line."""
    return {
        "resource_id": str(rating["id"]),
        "user_id": caller.id,
        "username": caller.username,
        "address": request.client.host if request.client else None,
        "user_agent": request.headers.get("user-agent"),
        "request_id": secrets.token_hex(12),
    }


def star_rating(rating: Row[Any] | None) -> dict[str, Any]:
    """A new rating, or 409."""
    if rating is None:
        raise HTTPException(409)
    values = {name.removeprefix("ratings_"): value for name, value in rating._mapping.items()}  # noqa: SLF001
    return {**values, "rating": round(values["score"]) / 2}


class Queries:
    """By psycopg2, one connection and transaction for each request."""

    def __init__(self, url: str, statements: Statements) -> None:
        named = make_url(url).set(drivername="postgresql+psycopg2")
        options = {"options": "-c timezone=UTC"}
        self.engine = create_engine(named, pool_size=POOL, max_overflow=0, connect_args=options)
        self.sql = compiled(statements)

    def get_movie(self, digest: bytes, movie_id: int) -> dict[str, Any]:
        """A film."""
        sql = self.sql["get_movie"]
        with self.engine.connect() as connection:
            caller = connection.execute(sql["caller"], {"digest": digest}).first()
            checked(caller, "movies:get", READ)
            movie = connection.execute(sql["movie"], {"movie_id": movie_id}).first()
            return movie_details(movie, connection.execute(sql["people"], {"movie_id": movie_id}))

    def list_movies(
        self, digest: bytes, page: int, page_size: int, year_from: int, min_score: float
    ) -> dict[str, Any]:
        """A page of films."""
        sql = self.sql["list_movies"]
        filters = {"year_from": year_from, "min_score": min_score}
        window = {"limit": page_size, "offset": (page - 1) * page_size}
        with self.engine.connect() as connection:
            caller = connection.execute(sql["caller"], {"digest": digest}).first()
            checked(caller, "movies:list", READ)
            total = connection.execute(sql["total"], filters).scalar_one()
            rows = connection.execute(sql["page"], filters | window).all()
            return movie_page(page, page_size, total, rows)

    def list_favorites(self, digest: bytes, user_id: int, limit: int) -> dict[str, Any]:
        """A page of favourites."""
        sql = self.sql["list_favorites"]
        with self.engine.connect() as connection:
            caller = connection.execute(sql["caller"], {"digest": digest}).first()
            if checked(caller, "favorites:list", READ).id != user_id:
                raise HTTPException(403)
            if connection.execute(sql["owner"], {"user_id": user_id}).first() is None:
                raise HTTPException(404)
            values = {"user_id": user_id, "limit_and_one": limit + 1}
            return favorite_page(connection.execute(sql["page"], values).all(), limit)

    def create_star_rating(
        self, digest: bytes, body: NewStarRating, request: Request
    ) -> dict[str, Any]:
        """A rating."""
        sql = self.sql["create_star_rating"]
        with self.engine.begin() as connection:
            caller = checked(
                connection.execute(sql["caller"], {"digest": digest}).first(),
                "ratings:create",
                WRITE,
            )
            values = {"user_id": caller.id, "movie_id": body.movie_id, "score": body.rating * 2}
            if connection.execute(sql["movie"], {"movie_id": body.movie_id}).first() is None:
                raise HTTPException(404)
            rating = star_rating(connection.execute(sql["rating"], values).first())
            connection.execute(sql["audit"], audit_values(caller, rating, request))
            return rating


class QueriesAsync:
    """By asyncpg, one connection and transaction for each request."""

    def __init__(self, url: str, statements: Statements) -> None:
        named = make_url(url)
        query = {name: value for name, value in named.query.items() if name == "host"}
        named = named.set(drivername="postgresql+asyncpg", query=query)
        options = {"server_settings": {"timezone": "UTC"}}
        self.engine = create_async_engine(
            named, pool_size=POOL, max_overflow=0, connect_args=options
        )
        self.sql = compiled(statements)

    async def get_movie(self, digest: bytes, movie_id: int) -> dict[str, Any]:
        """A film."""
        sql = self.sql["get_movie"]
        async with self.engine.connect() as connection:
            caller = (await connection.execute(sql["caller"], {"digest": digest})).first()
            checked(caller, "movies:get", READ)
            movie = (await connection.execute(sql["movie"], {"movie_id": movie_id})).first()
            people = await connection.execute(sql["people"], {"movie_id": movie_id})
            return movie_details(movie, people)

    async def list_movies(
        self, digest: bytes, page: int, page_size: int, year_from: int, min_score: float
    ) -> dict[str, Any]:
        """A page of films."""
        sql = self.sql["list_movies"]
        filters = {"year_from": year_from, "min_score": min_score}
        window = {"limit": page_size, "offset": (page - 1) * page_size}
        async with self.engine.connect() as connection:
            caller = (await connection.execute(sql["caller"], {"digest": digest})).first()
            checked(caller, "movies:list", READ)
            total = (await connection.execute(sql["total"], filters)).scalar_one()
            rows = (await connection.execute(sql["page"], filters | window)).all()
            return movie_page(page, page_size, total, rows)

    async def list_favorites(self, digest: bytes, user_id: int, limit: int) -> dict[str, Any]:
        """A page of favourites."""
        sql = self.sql["list_favorites"]
        async with self.engine.connect() as connection:
            caller = (await connection.execute(sql["caller"], {"digest": digest})).first()
            if checked(caller, "favorites:list", READ).id != user_id:
                raise HTTPException(403)
            if (await connection.execute(sql["owner"], {"user_id": user_id})).first() is None:
                raise HTTPException(404)
            values = {"user_id": user_id, "limit_and_one": limit + 1}
            return favorite_page((await connection.execute(sql["page"], values)).all(), limit)

    async def create_star_rating(
        self, digest: bytes, body: NewStarRating, request: Request
    ) -> dict[str, Any]:
        """A rating."""
        sql = self.sql["create_star_rating"]
        async with self.engine.begin() as connection:
            caller = checked(
                (await connection.execute(sql["caller"], {"digest": digest})).first(),
                "ratings:create",
                WRITE,
            )
            values = {"user_id": caller.id, "movie_id": body.movie_id, "score": body.rating * 2}
            found = await connection.execute(sql["movie"], {"movie_id": body.movie_id})
            if found.first() is None:
                raise HTTPException(404)
            rating = star_rating((await connection.execute(sql["rating"], values)).first())
            await connection.execute(sql["audit"], audit_values(caller, rating, request))
            return rating
