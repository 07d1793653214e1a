"""openapi/taste/ratings.yaml: scores of 1 to 10, beside the stars."""

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
from tests.queries import statements

Make = Callable[..., Any]
NOBODY = 9_007_199_254_740_991
NOTHING = {"rating": None, "source": None, "created_at": None, "updated_at": None}


@pytest.fixture(params=["movie", "series"])
def kind(request: pytest.FixtureRequest) -> str:
    """Of films and of series the operations are alike."""
    name: str = request.param
    return name


@pytest.fixture
def title(make: Make, kind: str) -> Movie | TVShow:
    made: Movie | TVShow = make(Movie) if kind == "movie" else make(TVShow, title="Twin Peaks")
    return made


@pytest.fixture
def path(kind: str, title: Movie | TVShow) -> str:
    return f"/ratings/{kind}/{title.id}"


@pytest.fixture
def column(kind: str) -> str:
    return "movie_id" if kind == "movie" else "tvshow_id"


def unknown(kind: str) -> str:
    return "MOVIE_NOT_FOUND" if kind == "movie" else "TV_SHOW_NOT_FOUND"


def scores() -> list[tuple[int, float, str]]:
    """All ratings by the database: whose, what, from where."""
    rows = db.session.execute(select(Rating.user_id, Rating.score, Rating.source))
    return sorted((row.user_id, row.score, row.source) for row in rows)


class TestListRatings:
    def test_films_and_series_the_newest_first(
        self, client: httpx.Client, make: Make, me: User, make_user: Make
    ) -> None:
        film = make(Movie, title="Jaws", year=1975)
        show = make(TVShow, title="Twin Peaks", year=1990)
        first = make(Rating, user_id=me.id, movie_id=film.id, score=9)
        second = make(Rating, user_id=me.id, tvshow_id=show.id, score=0, source="trakt")
        make(Rating, user_id=make_user().id, movie_id=film.id, score=2)
        answer = client.get("/ratings").json()
        assert answer["next_cursor"] is None
        assert (answer["movies_count"], answer["tvshows_count"]) == (1, 1)
        series, movie = answer["items"]
        assert series == {
            "id": second.id,
            "kind": "tvshow",
            "movie_id": None,
            "tvshow_id": show.id,
            "rating": 1,
            "source": "trakt",
            "title": "Twin Peaks",
            "year": 1990,
            "poster_url": f"/api/v1/images/poster/w342/tvshows-{show.id}.webp",
            "created_at": series["created_at"],
            "updated_at": series["updated_at"],
        }
        assert (movie["id"], movie["kind"], movie["movie_id"]) == (first.id, "movie", film.id)
        assert (movie["rating"], movie["tvshow_id"], movie["title"]) == (9, None, "Jaws")

    @pytest.mark.parametrize("kind, shown", [("movie", "Jaws"), ("tvshow", "Twin Peaks")])
    def test_only_one_kind(
        self, client: httpx.Client, make: Make, me: User, kind: str, shown: str
    ) -> None:
        make(Rating, user_id=me.id, movie_id=make(Movie, title="Jaws").id, score=9)
        make(Rating, user_id=me.id, tvshow_id=make(TVShow, title="Twin Peaks").id, score=7)
        answer = client.get("/ratings", params={"kind": kind}).json()
        assert [each["title"] for each in answer["items"]] == [shown]
        assert (answer["movies_count"], answer["tvshows_count"]) == (1, 1)

    def test_pages_hold_while_ratings_are_added(
        self, client: httpx.Client, make: Make, me: User
    ) -> None:
        made = [make(Rating, user_id=me.id, movie_id=make(Movie).id, score=8) for _ in range(5)]
        seen: list[int] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            page = client.get("/ratings", params=query).json()
            seen += [each["id"] for each in page["items"]]
            make(Rating, user_id=me.id, movie_id=make(Movie).id, score=1)
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert seen == [each.id for each in reversed(made)]

    def test_a_cursor_of_another_list(self, client: httpx.Client, make: Make, me: User) -> None:
        for _ in range(2):
            make(Rating, user_id=me.id, movie_id=make(Movie).id, score=8)
        cursor = client.get("/ratings", params={"limit": 1}).json()["next_cursor"]
        answer = client.get("/ratings", params={"kind": "movie", "cursor": cursor})
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_costs_the_same_however_many(
        self, client: httpx.Client, make: Make, me: User, engine: Engine
    ) -> None:
        costs = []
        for number in (1, 6):
            for _ in range(number):
                make(Rating, user_id=me.id, movie_id=make(Movie).id, score=8)
            client.get("/ratings")
            with statements(engine) as sent:
                client.get("/ratings")
            costs.append(len(sent))
        assert costs[0] == costs[1] <= 3


class TestGetMovieRating:
    def test_none_is_null(self, client: httpx.Client, path: str) -> None:
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, NOTHING)
        assert "etag" not in answer.headers

    @pytest.mark.parametrize("score, shown", [(9, 9), (0, 1), (0.4, 1), (7.6, 8), (10, 10)])
    def test_is_a_whole_number_from_1(
        self, client: httpx.Client, make: Make, me: User, make_user: Make, score: float, shown: int
    ) -> None:
        film = make(Movie)
        make(Rating, user_id=me.id, movie_id=film.id, score=score, source="trakt")
        make(Rating, user_id=make_user().id, movie_id=film.id, score=5)
        answer = client.get(f"/ratings/movie/{film.id}").json()
        assert (answer["rating"], answer["source"]) == (shown, "trakt")

    def test_is_what_the_stars_say(self, client: httpx.Client, make: Make) -> None:
        film = make(Movie)
        client.post("/movies/ratings", json={"movie_id": film.id, "rating": 4.5})
        assert client.get(f"/ratings/movie/{film.id}").json()["rating"] == 9

    def test_an_unknown_film(self, client: httpx.Client) -> None:
        assert refused(client.get(f"/ratings/movie/{NOBODY}")) == (404, "MOVIE_NOT_FOUND")


class TestGetSeriesRating:
    def test_not_that_of_a_film_with_the_same_id(
        self, client: httpx.Client, make: Make, me: User
    ) -> None:
        show = make(TVShow, title="Twin Peaks", id=800_001)
        film = make(Movie, id=800_001)
        make(Rating, user_id=me.id, movie_id=film.id, score=3)
        assert client.get(f"/ratings/series/{show.id}").json() == NOTHING
        make(Rating, user_id=me.id, tvshow_id=show.id, score=8)
        assert client.get(f"/ratings/series/{show.id}").json()["rating"] == 8

    def test_an_unknown_series(self, client: httpx.Client) -> None:
        assert refused(client.get(f"/ratings/series/{NOBODY}")) == (404, "TV_SHOW_NOT_FOUND")


class TestRateMovie:
    """And a series: both in turn."""

    def test_first_and_again(self, client: httpx.Client, me: User, path: str) -> None:
        first = client.post(path, json={"rating": 9})
        assert (first.status_code, first.json()["rating"], first.json()["source"]) == (
            201,
            9,
            "manual",
        )
        again = client.post(path, json={"rating": 4})
        assert (again.status_code, again.json()["rating"]) == (200, 4)
        assert again.json()["created_at"] == first.json()["created_at"]
        assert again.json()["updated_at"] > first.json()["updated_at"]
        assert again.headers["etag"] != first.headers["etag"]
        assert scores() == [(me.id, 4, "manual")]
        got = client.get(path)
        assert (got.json(), got.headers["etag"]) == (again.json(), again.headers["etag"])

    def test_is_ones_own_from_now_on(
        self, client: httpx.Client, make: Make, me: User, path: str, column: str, title: Movie
    ) -> None:
        make(Rating, user_id=me.id, score=3, source="trakt", **{column: title.id})
        assert client.post(path, json={"rating": 3}).json()["source"] == "manual"

    @pytest.mark.parametrize("score", [0, 11, -1, 7.5, 0.5, 1e300])
    def test_no_other_number(self, client: httpx.Client, path: str, score: float) -> None:
        assert refused(client.post(path, json={"rating": score})) == (400, "INVALID_RATING")
        assert scores() == []

    @pytest.mark.parametrize(
        "body", [{}, {"rating": "7"}, {"rating": None}, {"rating": True}, {"rating": 7, "id": 1}]
    )
    def test_a_body_that_breaks_the_contract(
        self, client: httpx.Client, path: str, body: dict[str, object]
    ) -> None:
        assert refused(client.post(path, json=body)) == (400, "VALIDATION_ERROR")

    def test_an_unknown_title(self, client: httpx.Client, kind: str) -> None:
        answer = client.post(f"/ratings/{kind}/{NOBODY}", json={"rating": 7})
        assert refused(answer) == (404, unknown(kind))

    def test_replays_its_answer(self, client: httpx.Client, me: User, path: str) -> None:
        headers = {"Idempotency-Key": "score-1"}
        first = client.post(path, json={"rating": 7}, headers=headers)
        client.post(path, json={"rating": 2})
        again = client.post(path, json={"rating": 7}, headers=headers)
        assert (again.status_code, again.content) == (201, first.content)
        other = client.post(path, json={"rating": 8}, headers=headers)
        assert refused(other) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert scores() == [(me.id, 2, "manual")]

    def test_the_stars_show_it(self, client: httpx.Client, make: Make, me: User) -> None:
        film = make(Movie)
        client.post(f"/ratings/movie/{film.id}", json={"rating": 7})
        again = client.post("/movies/ratings", json={"movie_id": film.id, "rating": 1})
        assert refused(again) == (409, "RATING_EXISTS")
        assert scores() == [(me.id, 7, "manual")]

    def test_is_recorded(self, client: httpx.Client, me: User, path: str) -> None:
        client.post(path, json={"rating": 7})
        line = db.session.scalars(select(Activity)).one()
        rating_id = db.session.scalar(select(Rating.id))
        assert (line.action, line.user_id) == ("rating.set", me.id)
        assert line.resource_id == str(rating_id)

    def test_several_at_once_are_one(self, engine: Engine, base_url: str) -> None:
        with committed(engine) as real, ThreadPoolExecutor(4) as threads:
            user, film = real.user(), real.movie()
            clients = [real.client(base_url, user) for _ in range(4)]

            def rate(client: httpx.Client) -> httpx.Response:
                return client.post(f"/ratings/movie/{film.id}", json={"rating": 8})

            answers = list(threads.map(rate, clients))
            assert sorted(each.status_code for each in answers) == [200, 200, 200, 201]


class TestRateSeries:
    def test_needs_a_credential(self, anonymous: httpx.Client, make: Make) -> None:
        path = f"/ratings/series/{make(TVShow, title='Twin Peaks').id}"
        assert refused(anonymous.post(path, json={"rating": 3})) == (401, "INVALID_TOKEN")

    def test_guests_rate_nothing(self, client_of: Make, make_user: Make, make: Make) -> None:
        path = f"/ratings/series/{make(TVShow, title='Twin Peaks').id}"
        answer = client_of(make_user("guest")).post(path, json={"rating": 3})
        assert refused(answer) == (403, "INSUFFICIENT_PERMISSIONS")


class TestDeleteMovieRating:
    """And that of a series: both in turn."""

    def test_only_ones_own(
        self, client: httpx.Client, admin: httpx.Client, path: str, me: User
    ) -> None:
        client.post(path, json={"rating": 7})
        assert refused(admin.delete(path)) == (404, "RATING_NOT_FOUND")
        assert scores() == [(me.id, 7, "manual")]
        answer = client.delete(path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert scores() == []
        assert refused(client.delete(path)) == (404, "RATING_NOT_FOUND")

    def test_only_the_version_that_is_meant(self, client: httpx.Client, path: str) -> None:
        old = client.post(path, json={"rating": 7}).headers["etag"]
        new = client.post(path, json={"rating": 8}).headers["etag"]
        late = client.delete(path, headers={"If-Match": old})
        assert refused(late) == (412, "PRECONDITION_FAILED")
        assert client.delete(path, headers={"If-Match": new}).status_code == 204

    def test_is_recorded(self, client: httpx.Client, path: str) -> None:
        client.post(path, json={"rating": 7})
        rating_id = db.session.scalar(select(Rating.id))
        client.delete(path)
        line = db.session.scalars(select(Activity).order_by(Activity.id.desc())).first()
        assert line is not None
        assert (line.action, line.resource_id) == ("rating.delete", str(rating_id))


class TestDeleteSeriesRating:
    def test_not_that_of_a_film(self, client: httpx.Client, make: Make, me: User) -> None:
        make(TVShow, title="Twin Peaks", id=800_001)
        make(Rating, user_id=me.id, movie_id=make(Movie, id=800_001).id, score=3)
        answer = client.delete("/ratings/series/800001")
        assert refused(answer) == (404, "RATING_NOT_FOUND")
        assert len(scores()) == 1
