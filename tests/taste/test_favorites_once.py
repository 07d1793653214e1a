"""openapi/taste/favorites.yaml: what comes twice, or at once, has its effect once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func, select, update

from marquee import clock, db
from marquee.audit import Activity
from marquee.catalogue.movies.models import Movie
from marquee.identity.users.models import User
from marquee.taste.favorites.models import Favorite
from marquee.web import idempotency
from tests.answers import refused
from tests.committed import committed

Make = Callable[..., Any]


def kept(user: User) -> list[int]:
    """The films that a user keeps, by the database."""
    query = select(Favorite.movie_id).where(Favorite.user_id == user.id)
    return list(db.session.scalars(query.order_by(Favorite.id)))


class TestCreateFavoriteIdempotently:
    @pytest.fixture
    def path(self, me: User) -> str:
        return f"/users/{me.id}/favorites"

    def test_replays_the_answer(
        self, client: httpx.Client, make: Make, me: User, path: str
    ) -> None:
        body, headers = {"movie_id": make(Movie).id}, {"Idempotency-Key": "one"}
        first = client.post(path, json=body, headers=headers)
        again = client.post(path, json=body, headers=headers)
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert len(kept(me)) == 1
        recorded = select(func.count()).select_from(Activity)
        assert db.session.scalar(recorded) == 1

    def test_is_for_one_request(
        self, client: httpx.Client, make: Make, me: User, path: str
    ) -> None:
        headers = {"Idempotency-Key": "two"}
        first = make(Movie)
        client.post(path, json={"movie_id": first.id}, headers=headers)
        answer = client.post(path, json={"movie_id": make(Movie).id}, headers=headers)
        assert refused(answer) == (422, "IDEMPOTENCY_KEY_REUSED")
        assert kept(me) == [first.id]

    def test_is_of_one_caller(
        self, client: httpx.Client, admin: httpx.Client, make: Make, path: str
    ) -> None:
        body, headers = {"movie_id": make(Movie).id}, {"Idempotency-Key": "three"}
        client.post(path, json=body, headers=headers)
        answer = admin.post(path, json=body, headers=headers)
        assert refused(answer) == (409, "FAVORITE_EXISTS")

    def test_stores_no_refusal(self, client: httpx.Client, make: Make, path: str) -> None:
        headers = {"Idempotency-Key": "four"}
        body = {"tmdb_id": 578}
        assert client.post(path, json=body, headers=headers).status_code == 404
        make(Movie, tmdb_id=578)
        answer = client.post(path, json=body, headers=headers)
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (201, False)

    def test_is_forgotten_after_a_day(
        self, client: httpx.Client, make: Make, me: User, path: str
    ) -> None:
        headers = {"Idempotency-Key": "five"}
        first, second = make(Movie), make(Movie, title="Alien")
        client.post(path, json={"movie_id": first.id}, headers=headers)
        yesterday = clock.now() - idempotency.KEPT - timedelta(minutes=1)
        db.session.execute(update(idempotency.StoredAnswer).values(created_at=yesterday))
        db.session.commit()
        answer = client.post(path, json={"movie_id": second.id}, headers=headers)
        assert (answer.status_code, answer.json()["movie_id"]) == (201, second.id)
        again = client.post(path, json={"movie_id": second.id}, headers=headers)
        assert again.headers["idempotent-replayed"] == "true"
        assert kept(me) == [first.id, second.id]

    @pytest.mark.parametrize("key", ["", "a b", "x" * 256])
    def test_a_key_that_breaks_the_contract(
        self, client: httpx.Client, make: Make, me: User, path: str, key: str
    ) -> None:
        body = {"movie_id": make(Movie).id}
        answer = client.post(path, json=body, headers={"Idempotency-Key": key})
        assert refused(answer) == (400, "VALIDATION_ERROR")
        assert kept(me) == []


class TestCreateFavoriteAtOnce:
    def test_one_is_created_and_the_others_conflict(self, engine: Engine, base_url: str) -> None:
        with committed(engine) as real, ThreadPoolExecutor(4) as threads:
            user, film = real.user(), real.movie()
            clients = [real.client(base_url, user) for _ in range(4)]

            def post(client: httpx.Client) -> httpx.Response:
                return client.post(f"/users/{user.id}/favorites", json={"movie_id": film.id})

            for client in clients:
                client.get("/users/me")
            answers = list(threads.map(post, clients))
            assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
            (created,) = [each.json()["id"] for each in answers if each.status_code == 201]
            existing = [each.json()["error"] for each in answers if each.status_code == 409]
            assert {each["details"]["existing_id"] for each in existing} == {created}
            mine = select(func.count()).select_from(Favorite).where(Favorite.user_id == user.id)
            assert real.session.scalar(mine) == 1

    def test_beside_removals_every_answer_keeps_to_the_contract(
        self, engine: Engine, base_url: str
    ) -> None:
        with committed(engine) as real, ThreadPoolExecutor(2) as threads:
            user, film = real.user(), real.movie()
            path = f"/users/{user.id}/favorites"
            one, two = (real.client(base_url, user) for _ in range(2))

            def keep_and_remove(client: httpx.Client) -> set[int]:
                statuses = set()
                for _ in range(40):
                    made = client.post(path, json={"movie_id": film.id})
                    statuses.add(made.status_code)
                    if made.status_code == 201:
                        statuses.add(client.delete(f"{path}/{made.json()['id']}").status_code)
                return statuses

            for statuses in threads.map(keep_and_remove, (one, two)):
                assert statuses <= {201, 204, 409}
            assert one.get(path).json()["favorites"] == []

    def test_one_key_has_its_effect_once(self, engine: Engine, base_url: str) -> None:
        """Each of the others comes while the first is running, or gets its answer again."""
        with committed(engine) as real, ThreadPoolExecutor(4) as threads:
            user, film = real.user(), real.movie()
            clients = [real.client(base_url, user) for _ in range(4)]

            def post(client: httpx.Client) -> httpx.Response:
                return client.post(
                    f"/users/{user.id}/favorites",
                    json={"movie_id": film.id},
                    headers={"Idempotency-Key": "at-once"},
                )

            answers = list(threads.map(post, clients))
            made = [each for each in answers if each.status_code == 201]
            running = [each for each in answers if each.status_code == 409]
            assert len(made) + len(running) == 4
            assert {each.content for each in made} == {made[0].content}
            assert [each for each in made if "idempotent-replayed" not in each.headers] != []
            assert {refused(each)[1] for each in running} <= {"IDEMPOTENT_REQUEST_RUNNING"}

    def test_says_that_the_first_is_running(self, engine: Engine, base_url: str) -> None:
        with committed(engine) as real, engine.connect() as holder:
            user, film = real.user(), real.movie()
            name = f"idempotency:{user.id}:held"
            lock = select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0)))
            holder.execute(lock)
            answer = real.client(base_url, user).post(
                f"/users/{user.id}/favorites",
                json={"movie_id": film.id},
                headers={"Idempotency-Key": "held"},
            )
            assert refused(answer) == (409, "IDEMPOTENT_REQUEST_RUNNING")
            holder.rollback()
