"""Handlers of memory.yaml, for Marquee and for stock Connexion; and of the synthetic operations."""

from typing import Any

from marquee.viewer import Viewer
from tools.bench import films

FILMS = films.films()
TOKENS = {films.TOKEN: {"sub": Viewer(1, "bench", frozenset(["*:*"]))}}


def token_info(token: str) -> dict[str, Any] | None:
    """Connexion's token information of a bearer token, from memory."""
    return TOKENS.get(token)


def ping() -> dict[str, Any]:
    return {"ok": True}


ping_signed_in = ping


def list_films(page: int, page_size: int, sort: str) -> dict[str, Any]:
    return {"items": FILMS, "page": page, "page_size": page_size, "total": 12345}


def get_film(film_id: int) -> dict[str, Any]:
    return FILMS[film_id % films.PAGE]


def create_rating(user: Viewer, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    return {
        "id": 1,
        "movie_id": body["movie_id"],
        "score": body["score"],
        "user_id": user.id,
        "comment": body.get("comment"),
        "tags": body.get("tags", []),
        "created_at": films.CREATED_AT,
    }, 201


def synthetic(**_: object) -> dict[str, Any]:
    """The answer of every synthetic operation."""
    return {"id": 1, "name": "synthetic"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - what a module's attribute may be
    """Synthetic operations by their operationIds; nothing else."""
    if name.startswith("__"):
        raise AttributeError(name)
    return synthetic
