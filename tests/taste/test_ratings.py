"""openapi/taste/ratings.yaml."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from marquee import db
from marquee.audit import Activity
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.identity.users.models import User
from marquee.taste.ratings.models import Rating
from tests.answers import refused
from tests.committed import committed

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991


def scores() -> dict[tuple[int, int | None], float]:
    """All scores by user and film, by the database."""
    rows = db.session.execute(select(Rating.user_id, Rating.movie_id, Rating.score))
    return {(row.user_id, row.movie_id): row.score for row in rows}


class TestCreateStarRating:
    @pytest.mark.parametrize("stars", [0, 0.5, 1, 2.5, 4.5, 5, 5.0])
    def test_takes_half_stars(
        self, client: httpx.Client, make: Make, me: User, stars: float
    ) -> None:
        film = make(Movie)
        answer = client.post("/movies/ratings", json={"movie_id": film.id, "rating": stars})
        assert answer.status_code == 201
        assert set(answer.json()) == {"id", "movie_id", "rating", "created_at"}
        assert (answer.json()["movie_id"], answer.json()["rating"]) == (film.id, stars)
        assert scores() == {(me.id, film.id): stars * 2}

    @pytest.mark.parametrize("stars", [-0.5, 5.5, 0.1, 4.75, 6, -1, 1e300, 4.499999])
    def test_no_other_number_of_stars(self, client: httpx.Client, make: Make, stars: float) -> None:
        body = {"movie_id": make(Movie).id, "rating": stars}
        answer = client.post("/movies/ratings", json=body)
        assert refused(answer) == (400, "INVALID_RATING")
        (error,) = answer.json()["error"]["details"]["errors"]
        assert (error["in"], error["path"]) == ("body", "/rating")
        assert scores() == {}

    @pytest.mark.parametrize(
        "body",
        [
            {"movie_id": 1},
            {"rating": 5},
            {"movie_id": 1, "rating": "5"},
            {"movie_id": 1, "rating": None},
            {"movie_id": 1, "rating": True},
            {"movie_id": 1, "tmdb_id": 1, "rating": 5},
            {"movie_id": 1, "rating": 5, "user_id": 2},
            {"movie_id": 0, "rating": 6},
        ],
    )
    def test_a_body_that_breaks_the_contract(
        self, client: httpx.Client, body: dict[str, object]
    ) -> None:
        answer = client.post("/movies/ratings", json=body)
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_a_second_time_conflicts_and_changes_nothing(
        self, client: httpx.Client, make: Make, me: User
    ) -> None:
        film = make(Movie)
        first = client.post("/movies/ratings", json={"movie_id": film.id, "rating": 4})
        again = client.post("/movies/ratings", json={"movie_id": film.id, "rating": 1})
        assert refused(again) == (409, "RATING_EXISTS")
        assert again.json()["error"]["details"] == {"existing_id": first.json()["id"]}
        assert scores() == {(me.id, film.id): 8}

    def test_each_user_has_one(self, client: httpx.Client, admin: httpx.Client, make: Make) -> None:
        film = make(Movie)
        for caller, stars in ((client, 1), (admin, 5)):
            answer = caller.post("/movies/ratings", json={"movie_id": film.id, "rating": stars})
            assert answer.status_code == 201
        assert sorted(scores().values()) == [2, 10]

    def test_takes_the_id_of_tmdb(self, client: httpx.Client, make: Make) -> None:
        film = make(Movie, tmdb_id=578)
        answer = client.post("/movies/ratings", json={"tmdb_id": 578, "rating": 3})
        assert (answer.status_code, answer.json()["movie_id"]) == (201, film.id)

    @pytest.mark.parametrize("named", [{"movie_id": NOBODY}, {"tmdb_id": 2147483647}])
    def test_an_unknown_film(self, client: httpx.Client, named: dict[str, int]) -> None:
        answer = client.post("/movies/ratings", json=named | {"rating": 3})
        assert refused(answer) == (404, "MOVIE_NOT_FOUND")
        assert scores() == {}

    def test_needs_a_credential(self, anonymous: httpx.Client, make: Make) -> None:
        body = {"movie_id": make(Movie).id, "rating": 3}
        answer = anonymous.post("/movies/ratings", json=body)
        assert refused(answer) == (401, "INVALID_TOKEN")
        assert scores() == {}

    def test_replays_its_answer_for_the_same_key(
        self, client: httpx.Client, make: Make, me: User
    ) -> None:
        film, headers = make(Movie), {"Idempotency-Key": "rate-1"}
        body = {"movie_id": film.id, "rating": 3.5}
        first = client.post("/movies/ratings", json=body, headers=headers)
        again = client.post("/movies/ratings", json=body, headers=headers)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["idempotent-replayed"] == "true"
        other = client.post("/movies/ratings", json=body | {"rating": 4}, headers=headers)
        assert refused(other) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert scores() == {(me.id, film.id): 7}

    def test_is_recorded(self, client: httpx.Client, make: Make, me: User) -> None:
        body = {"movie_id": make(Movie).id, "rating": 3}
        created = client.post("/movies/ratings", json=body)
        client.post("/movies/ratings", json=body)
        lines = db.session.scalars(select(Activity).order_by(Activity.id)).all()
        assert [(line.action, line.user_id, line.error_code) for line in lines] == [
            ("rating.create", me.id, None),
            ("rating.create", me.id, "RATING_EXISTS"),
        ]
        assert [line.resource_id for line in lines] == [str(created.json()["id"]), None]


class TestUpdateStarRating:
    @pytest.fixture
    def film(self, make: Make) -> Movie:
        film: Movie = make(Movie)
        return film

    @pytest.fixture
    def rating(self, make: Make, me: User, film: Movie) -> Rating:
        """Four stars, which came from elsewhere."""
        rating: Rating = make(Rating, user_id=me.id, movie_id=film.id, score=8, source="trakt")
        return rating

    def test_changes_it_and_nothing_else(
        self, client: httpx.Client, make: Make, make_user: Make, me: User, rating: Rating
    ) -> None:
        other = make_user()
        make(Rating, user_id=other.id, movie_id=rating.movie_id, score=6)
        mine = make(Rating, user_id=me.id, movie_id=make(Movie).id, score=4)
        created_at = rating.created_at
        answer = client.put(f"/movies/ratings/{rating.id}", json={"rating": 2.5})
        assert answer.status_code == 200
        assert set(answer.json()) == {"id", "movie_id", "rating", "updated_at"}
        assert (answer.json()["id"], answer.json()["rating"]) == (rating.id, 2.5)
        assert scores() == {
            (me.id, rating.movie_id): 5,
            (me.id, mine.movie_id): 4,
            (other.id, rating.movie_id): 6,
        }
        db.session.refresh(rating)
        assert rating.source == "manual"
        assert rating.created_at == created_at < rating.updated_at

    @pytest.mark.parametrize("stars", [-0.5, 5.5, 0.25])
    def test_no_other_number_of_stars(
        self, client: httpx.Client, rating: Rating, stars: float
    ) -> None:
        answer = client.put(f"/movies/ratings/{rating.id}", json={"rating": stars})
        assert refused(answer) == (400, "INVALID_RATING")
        assert list(scores().values()) == [8]

    @pytest.mark.parametrize("body", [{}, {"rating": "3"}, {"rating": 3, "movie_id": 1}, []])
    def test_a_body_that_breaks_the_contract(
        self, client: httpx.Client, rating: Rating, body: object
    ) -> None:
        answer = client.put(f"/movies/ratings/{rating.id}", json=body)
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_another_users_is_unknown_even_to_administrators(
        self, admin: httpx.Client, client: httpx.Client, rating: Rating
    ) -> None:
        for answer in (
            admin.put(f"/movies/ratings/{rating.id}", json={"rating": 1}),
            client.put(f"/movies/ratings/{NOBODY}", json={"rating": 1}),
        ):
            assert refused(answer) == (404, "RATING_NOT_FOUND")
        assert list(scores().values()) == [8]

    def test_the_rating_of_a_series_is_not_one_of_a_film(
        self, client: httpx.Client, make: Make, me: User
    ) -> None:
        words = {"title": "Twin Peaks", "search_title": "twin peaks", "sort_title": "twin peaks"}
        show = make(TVShow, **words)
        rating = make(Rating, user_id=me.id, tvshow_id=show.id, score=9)
        answer = client.put(f"/movies/ratings/{rating.id}", json={"rating": 1})
        assert refused(answer) == (404, "RATING_NOT_FOUND")

    def test_only_the_version_that_is_meant(self, client: httpx.Client, film: Movie) -> None:
        created = client.post("/movies/ratings", json={"movie_id": film.id, "rating": 1})
        path, tag = f"/movies/ratings/{created.json()['id']}", created.headers["etag"]
        changed = client.put(path, json={"rating": 2}, headers={"If-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag
        late = client.put(path, json={"rating": 3}, headers={"If-Match": tag})
        assert refused(late) == (412, "PRECONDITION_FAILED")
        weak = {"If-Match": f"W/{changed.headers['etag']}"}
        assert client.put(path, json={"rating": 3}, headers=weak).status_code == 412
        assert list(scores().values()) == [4]
        for condition in (f'"other", {changed.headers["etag"]}', "*"):
            answer = client.put(path, json={"rating": 3}, headers={"If-Match": condition})
            assert answer.status_code == 200

    def test_without_a_version_the_last_one_wins(
        self, client: httpx.Client, rating: Rating
    ) -> None:
        for stars in (1, 2):
            assert (
                client.put(f"/movies/ratings/{rating.id}", json={"rating": stars}).status_code
                == 200
            )
        assert list(scores().values()) == [4]

    def test_is_recorded(self, client: httpx.Client, me: User, rating: Rating) -> None:
        path = f"/movies/ratings/{rating.id}"
        client.put(path, json={"rating": 1})
        client.put(path, json={"rating": 1}, headers={"If-Match": '"old"'})
        client.put(path, json={"rating": 9})
        lines = db.session.scalars(select(Activity).order_by(Activity.id)).all()
        assert [line.error_code for line in lines] == [
            None,
            "PRECONDITION_FAILED",
            "INVALID_RATING",
        ]
        assert {(line.action, line.user_id, line.resource_id) for line in lines} == {
            ("rating.update", me.id, str(rating.id))
        }


class TestRatingsAtOnce:
    def test_one_first_rating_is_stored(self, engine: Engine, base_url: str) -> None:
        with committed(engine) as real, ThreadPoolExecutor(4) as threads:
            user, film = real.user(), real.movie()
            clients = [real.client(base_url, user) for _ in range(4)]

            def rate(client: httpx.Client) -> httpx.Response:
                return client.post("/movies/ratings", json={"movie_id": film.id, "rating": 4})

            answers = list(threads.map(rate, clients))
            assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
            (created,) = [each.json()["id"] for each in answers if each.status_code == 201]
            conflicts = [each.json()["error"] for each in answers if each.status_code == 409]
            assert {each["details"]["existing_id"] for each in conflicts} == {created}

    def test_of_changes_to_one_version_only_one_is_made(
        self, engine: Engine, base_url: str
    ) -> None:
        with committed(engine) as real, ThreadPoolExecutor(4) as threads:
            user, film = real.user(), real.movie()
            clients = [real.client(base_url, user) for _ in range(4)]
            body = {"movie_id": film.id, "rating": 0}
            created = clients[0].post("/movies/ratings", json=body)
            path, headers = (
                f"/movies/ratings/{created.json()['id']}",
                {"If-Match": created.headers["etag"]},
            )

            def change(numbered: tuple[int, httpx.Client]) -> httpx.Response:
                number, client = numbered
                return client.put(path, json={"rating": number}, headers=headers)

            answers = list(threads.map(change, enumerate(clients, 1)))
            assert sorted(each.status_code for each in answers) == [200, 412, 412, 412]
            (stars,) = [each.json()["rating"] for each in answers if each.status_code == 200]
            query = select(Rating.score).where(Rating.user_id == user.id)
            assert real.session.scalar(query) == stars * 2
