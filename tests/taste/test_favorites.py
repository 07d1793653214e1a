"""openapi/taste/favorites.yaml"""

from collections.abc import Callable
from typing import Any

import httpx
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User

Make = Callable[..., Any]


class TestCreateFavorite:
    def test_keeps_a_film_once(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie)
        first = client.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
        assert (first.status_code, first.json()["movie_id"]) == (201, film.id)
        again = client.post(f"/users/{me.id}/favorites", json={"movie_id": film.id})
        assert again.status_code == 409
        assert again.json()["error"]["details"] == {"existing_id": first.json()["id"]}
