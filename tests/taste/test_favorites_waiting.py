"""openapi/taste/favorites.yaml: a key while TMDB is waited for, which no transaction outlasts."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from marquee.web.idempotency import NO_ANSWER, StoredAnswer
from tests.answers import refused
from tests.catalogue.tmdb import Serve, real, serve, tmdb  # noqa: F401 - fixtures
from tests.committed import Committed
from tests.fakes.tmdb import FakeTmdb

BODY, HEADERS = {"tmdb_id": 240}, {"Idempotency-Key": "waits"}


class TestCreateFavoriteWaiting:
    def test_says_that_the_first_is_running(
        self,
        serve: Serve,  # noqa: F811
        real: Committed,  # noqa: F811
        tmdb: FakeTmdb,  # noqa: F811
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("TMDB_TIMEOUT", "20")
        client = serve()
        user_id = real.users[-1]
        path = f"/users/{user_id}/favorites"

        def is_running() -> bool:
            real.session.rollback()
            stored = select(StoredAnswer.status).where(StoredAnswer.user_id == user_id)
            return real.session.scalar(stored) == NO_ANSWER

        tmdb.breaks("slow", seconds=3)
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(client.post, path, json=BODY, headers=HEADERS)
            while not is_running():
                assert not first.done(), first.result().text
            again = client.post(path, json=BODY, headers=HEADERS)
            assert refused(again) == (409, "IDEMPOTENT_REQUEST_RUNNING")
            made = first.result()
        assert made.status_code == 201, made.text
        last = client.post(path, json=BODY, headers=HEADERS)
        assert last.content == made.content
        assert last.headers["idempotent-replayed"] == "true"

    def test_a_failure_leaves_the_key_free(
        self,
        serve: Serve,  # noqa: F811
        real: Committed,  # noqa: F811
        tmdb: FakeTmdb,  # noqa: F811
    ) -> None:
        client = serve()
        path = f"/users/{real.users[-1]}/favorites"
        tmdb.breaks("status", status=500)
        assert client.post(path, json=BODY, headers=HEADERS).status_code == 503
        tmdb.heals()
        # TMDB is left alone for a while; the key is not what stands in the way.
        assert client.post(path, json=BODY, headers=HEADERS).status_code in (201, 503)
