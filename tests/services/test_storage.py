"""marquee/services/storage.py: a folder, and a bucket of a server that others wrote."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest
import structlog
from obstore.store import S3Store
from prometheus_client import REGISTRY

from marquee import settings
from marquee.errors import Unavailable
from marquee.services import storage
from marquee.services.storage import Storage
from tests.services.s3_server import BUCKET, KEY, SECRET, S3Server, s3_server

KEY_OF_FILE = "avatars/7/0123abcd.webp"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A server with a bucket, which it makes when it is first written to."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        of(server.variables()).put("first", b"1", "text/plain")
        yield server


def of(variables: dict[str, str]) -> Storage:
    """The store that an environment names."""
    return storage.of(settings.read(variables))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, folder: Path) -> Storage:
    """Each kind of store in turn."""
    if request.param == "folder":
        return of({"MARQUEE_DATA": str(folder)})
    return of(request.getfixturevalue("bucket").variables())


class TestBoth:
    def test_what_is_put_can_be_got(self, store: Storage) -> None:
        for data in (b"", b"\0\xff", bytes(3 * 2**20)):
            store.put(KEY_OF_FILE, data, "image/webp")
            assert store.get(KEY_OF_FILE) == data
        assert store.exists(KEY_OF_FILE)

    def test_what_is_not_there(self, store: Storage) -> None:
        assert store.get("no/such.webp") is None
        assert not store.exists("no/such.webp")
        store.delete("no/such.webp")

    def test_what_is_deleted_is_gone(self, store: Storage) -> None:
        store.put("a/b.webp", b"x", "image/webp")
        store.delete("a/b.webp")
        assert store.get("a/b.webp") is None
        store.delete("a/b.webp")

    @pytest.mark.parametrize(
        "key", ["", "/a", "a/", "a//b", "..", "a/../b", ".a", "a b", "ä", "a\n", "a%2fb", "a\\b"]
    )
    def test_keys_are_ours(self, store: Storage, key: str) -> None:
        for use in (store.get, store.exists, store.delete):
            with pytest.raises(ValueError, match="is no key"):
                use(key)
        with pytest.raises(ValueError, match="is no key"):
            store.put(key, b"x", "text/plain")

    def test_a_file_is_whole_whoever_looks(self, store: Storage) -> None:
        one, other = b"1" * 2**20, b"2" * 2**20
        store.put("whole", one, "text/plain")
        ended = threading.Event()

        def write() -> None:
            for number in range(20):
                store.put("whole", other if number % 2 else one, "text/plain")
            ended.set()

        writing = threading.Thread(target=write)
        writing.start()
        while not ended.is_set():
            assert store.get("whole") in (one, other)
        writing.join()

    def test_is_counted(self, store: Storage) -> None:
        before = requests("ok")
        store.put("counted", b"x", "text/plain")
        store.get("counted")
        assert requests("ok") == before + 2


def requests(outcome: str) -> float:
    """How many have ended in this way."""
    labels = {"upstream": "storage", "outcome": outcome}
    return REGISTRY.get_sample_value("upstream_requests_total", labels) or 0


class TestFolder:
    def test_is_made_and_holds_nothing_else(self, folder: Path) -> None:
        store = of({"MARQUEE_DATA": str(folder)})
        store.put(KEY_OF_FILE, b"x", "image/webp")
        files = [each for each in folder.rglob("*") if each.is_file()]
        assert files == [folder / "files" / KEY_OF_FILE]
        assert files[0].read_bytes() == b"x"

    def test_stays_where_it_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        store = of({"MARQUEE_DATA": "data"})
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.put("a", b"x", "text/plain")
        assert (tmp_path / "data" / "files" / "a").exists()

    def test_that_cannot_be_made(self, folder: Path) -> None:
        folder.write_text("not a folder")
        with structlog.testing.capture_logs() as lines, pytest.raises(Unavailable) as raised:
            of({"MARQUEE_DATA": str(folder)})
        assert raised.value.code == "STORAGE_UNAVAILABLE"
        assert [line["event"] for line in lines] == ["storage_failed"]

    def test_that_cannot_be_written_to(self, folder: Path) -> None:
        store = of({"MARQUEE_DATA": str(folder)})
        (folder / "files" / "a").write_text("not a folder")
        with structlog.testing.capture_logs(), pytest.raises(Unavailable):
            store.put("a/b", b"x", "text/plain")


class TestBucket:
    def test_serves_files_with_their_type(self, bucket: S3Server) -> None:
        of(bucket.variables()).put(KEY_OF_FILE, b"x", "image/webp")
        plain = S3Store(
            BUCKET,
            config={"endpoint": bucket.url, "access_key_id": KEY, "secret_access_key": SECRET},
            client_options={"allow_http": True},
        )
        found = obstore.get(plain, f"of/tests/{KEY_OF_FILE}")
        assert found.attributes["Content-Type"] == "image/webp"

    def test_is_closed_to_strangers(self, bucket: S3Server) -> None:
        of(bucket.variables()).put("mine", b"x", "text/plain")
        assert httpx.get(f"{bucket.url}/{BUCKET}/of/tests/mine").status_code == 403

    @pytest.mark.parametrize(
        "changes",
        [
            {"S3_SECRET_ACCESS_KEY": "wrong"},
            {"S3_ACCESS_KEY_ID": "nobody"},
            {"S3_ENDPOINT_URL": "http://127.0.0.1:1"},
            {"S3_ENDPOINT_URL": "http://nowhere.invalid"},
        ],
        ids=str,
    )
    def test_that_cannot_be_used(self, bucket: S3Server, changes: dict[str, str]) -> None:
        store = of(bucket.variables(**changes))
        uses: list[Callable[[], Any]] = [
            lambda: store.put("a", b"x", "text/plain"),
            lambda: store.get("a"),
            lambda: store.exists("a"),
            lambda: store.delete("a"),
        ]
        before = requests("failed")
        for use in uses:
            with structlog.testing.capture_logs() as lines, pytest.raises(Unavailable) as raised:
                use()
            assert (raised.value.status, raised.value.code) == (503, "STORAGE_UNAVAILABLE")
            assert 1 <= int(raised.value.headers["Retry-After"]) <= 30
            assert [line["event"] for line in lines] == ["storage_failed"]
            assert SECRET not in str(lines)
        assert requests("failed") == before + 4

    def test_that_does_not_answer_is_waited_for_so_long(self, bucket: S3Server) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen(64)
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            store = of(bucket.variables(S3_ENDPOINT_URL=url, STORAGE_TIMEOUT="0.2"))
            for number in range(7):
                started = time.monotonic()
                with structlog.testing.capture_logs(), pytest.raises(Unavailable) as raised:
                    store.get("a")
                took = time.monotonic() - started
                # Five failures in a row, and it is left alone.
                assert took < (2 if number < 5 else 0.1)
        assert int(raised.value.headers["Retry-After"]) > 5

    def test_that_has_ended(self, tmp_path: Path) -> None:
        with s3_server(tmp_path) as server:
            store = of(server.variables())
            store.put("a", b"x", "text/plain")
            assert store.get("a") == b"x"
        with structlog.testing.capture_logs(), pytest.raises(Unavailable):
            store.get("a")
