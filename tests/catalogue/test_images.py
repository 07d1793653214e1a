"""openapi/catalogue/images.yaml: pictures."""

import hashlib
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import Engine, delete, func, select, update

from marquee import clock, db, settings
from marquee.catalogue.images import keeping, service
from marquee.catalogue.images.drawing import Subject, drawn
from marquee.catalogue.images.keeping import key_of
from marquee.catalogue.images.models import KeptImage
from marquee.catalogue.images.tasks import trim
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow
from marquee.job_runs import JobRun
from marquee.progress import Progress
from marquee.services import storage
from tests.answers import refused
from tests.contract.checking import check_answer
from tests.fakes.pictures import FakePictures, picture
from tests.serving import serving_with

Make = Callable[..., Any]
PATH = "/images/poster/w342/abc.jpg"
BYTES = picture("/t/p/w342/abc.jpg")
PROXY = "/poster-proxy"
ADDRESS = "https://image.tmdb.org/t/p/w342/abc.jpg"


@pytest.fixture
def host(set_variables: Callable[..., None]) -> Iterator[FakePictures]:
    """TMDB's image server."""
    with FakePictures() as fake:
        set_variables(IMAGE_BASE_URL=fake.url, IMAGE_TIMEOUT="0.5")
        service.pictures.cache_clear()
        yield fake
    service.pictures.cache_clear()


def kept() -> list[KeptImage]:
    """All that is kept."""
    db.session.expire_all()
    return list(db.session.scalars(select(KeptImage).order_by(KeptImage.id)))


def age(**values: timedelta) -> None:
    """Let what is kept be older."""
    changed = {name: getattr(KeptImage, name) - value for name, value in values.items()}
    db.session.execute(update(KeptImage).values(changed))
    db.session.commit()


class TestGetImage:
    def test_is_fetched_once(self, anonymous: httpx.Client, host: FakePictures) -> None:
        for _ in range(3):
            answer = anonymous.get(PATH)
            assert (answer.status_code, answer.content) == (200, BYTES)
        assert [asked.path for asked in host.seen] == ["/t/p/w342/abc.jpg"]
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "public, max-age=604800, immutable"
        assert answer.headers["etag"] == f'"{hashlib.sha256(BYTES).hexdigest()}"'
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize(
        "path", ["logo/w300/a.png", "profile/h632/a.webp", "backdrop/original/a.jpeg"]
    )
    def test_other_types(self, anonymous: httpx.Client, host: FakePictures, path: str) -> None:
        answer = anonymous.get(f"/images/{path}")
        kind = path.rpartition(".")[2]
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"image/{kind}")

    def test_an_svg_comes_as_png(self, anonymous: httpx.Client, host: FakePictures) -> None:
        answer = anonymous.get("/images/logo/w300/logo.svg")
        assert answer.headers["content-type"] == "image/png"
        assert host.seen[0].path == "/t/p/w300/logo.png"

    @pytest.mark.parametrize(
        "path",
        ["cover/w342/a.jpg", "poster/w341/a.jpg", "poster/w342/a.gif", "poster/w342/..%2Fa.jpg"],
    )
    def test_400(self, anonymous: httpx.Client, path: str) -> None:
        assert refused(anonymous.get(f"/images/{path}")) == (400, "VALIDATION_ERROR")

    def test_404(self, anonymous: httpx.Client, host: FakePictures) -> None:
        answer = anonymous.get("/images/poster/w342/missing.jpg")
        assert refused(answer) == (404, "IMAGE_NOT_FOUND")
        assert answer.headers["cache-control"] == "no-store"

    @pytest.mark.parametrize("name", ["page.jpg", "text.jpg", "bomb.png", "large.jpg"])
    def test_what_is_no_picture(
        self, anonymous: httpx.Client, host: FakePictures, name: str
    ) -> None:
        for _ in range(6):
            assert anonymous.get(f"/images/poster/w342/{name}").status_code == 503
        # Whoever asks for such things breaks nothing for others.
        assert anonymous.get(PATH).status_code == 200
        assert [each.source for each in kept()] == ["tmdb/w342/abc.jpg"]

    def test_no_redirect_is_followed(self, anonymous: httpx.Client, host: FakePictures) -> None:
        host.breaks("redirect", location=f"{host.url}/w342/other.jpg")
        assert anonymous.get(PATH).status_code == 503
        assert len(host.seen) == 1

    def test_503_and_504(self, anonymous: httpx.Client, host: FakePictures) -> None:
        host.breaks("status", status=500)
        assert refused(anonymous.get(PATH)) == (503, "EXTERNAL_API_ERROR")
        host.breaks("slow", seconds=3)
        answer = anonymous.get("/images/poster/w342/other.jpg")
        assert refused(answer) == (504, "EXTERNAL_API_TIMEOUT")

    def test_416_and_parts(self, anonymous: httpx.Client, host: FakePictures) -> None:
        size, etag = len(BYTES), anonymous.get(PATH).headers["etag"]
        part = anonymous.get(PATH, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, BYTES[10:20])
        assert part.headers["content-range"] == f"bytes 10-19/{size}"
        assert (part.headers["etag"], part.headers["content-type"]) == (etag, "image/jpeg")
        answer = anonymous.get(PATH, headers={"Range": f"bytes={size}-"})
        assert refused(answer) == (416, "RANGE_NOT_SATISFIABLE")
        assert answer.headers["content-range"] == f"bytes */{size}"

    def test_304_and_head(self, anonymous: httpx.Client, host: FakePictures) -> None:
        whole = anonymous.get(PATH)
        same = anonymous.get(PATH, headers={"If-None-Match": whole.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["cache-control"] == whole.headers["cache-control"]
        head = anonymous.head(PATH)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(BYTES))

    def test_after_a_week_it_is_looked_for_again(
        self, anonymous: httpx.Client, host: FakePictures
    ) -> None:
        anonymous.get(PATH)
        age(fetched_at=timedelta(days=8), used_at=timedelta(days=8))
        host.unchanged = True
        assert anonymous.get(PATH).content == BYTES
        assert "if-modified-since" in host.seen[1].headers
        (row,) = kept()
        assert clock.now() - row.fetched_at < timedelta(hours=1)
        assert clock.now() - row.used_at < timedelta(hours=1)
        anonymous.get(PATH)
        assert len(host.seen) == 2

    def test_what_is_kept_is_served_when_the_host_fails(
        self, anonymous: httpx.Client, host: FakePictures
    ) -> None:
        anonymous.get(PATH)
        age(fetched_at=timedelta(days=8))
        host.stop()
        assert anonymous.get(PATH).content == BYTES

    def test_a_file_that_has_gone_is_fetched_again(
        self, anonymous: httpx.Client, host: FakePictures
    ) -> None:
        anonymous.get(PATH)
        storage.current().delete(key_of(kept()[0].digest))
        assert anonymous.get(PATH).content == BYTES
        assert len(host.seen) == 2

    def test_many_at_once_are_one_request(self, engine: Engine, host: FakePictures) -> None:
        host.breaks("slow", seconds=0.2)
        try:
            with (
                serving_with() as url,
                httpx.Client(
                    base_url=f"{url}/api/v1", event_hooks={"response": [check_answer]}
                ) as client,
                ThreadPoolExecutor(8) as pool,
            ):
                answers = list(pool.map(lambda _: client.get(PATH), range(8)))
            assert {answer.content for answer in answers} == {BYTES}
            assert len(host.seen) == 1
        finally:
            with db.transaction():
                db.session.execute(delete(KeptImage))


class TestDrawn:
    def test_a_poster(self, anonymous: httpx.Client, make: Make) -> None:
        movie = make(Movie, title="Amélie", year=2001, genres=["Comedy", "Romance"])
        first, second = (anonymous.get(f"/images/poster/w342/movies-{movie.id}.webp") for _ in "ab")
        assert first.content == second.content
        assert first.headers["content-type"] == "image/webp"
        assert first.headers["cache-control"] == "public, max-age=86400"
        assert Image.open(io.BytesIO(first.content)).size == (342, 513)
        (row,) = kept()
        assert row.digest == hashlib.sha256(first.content).hexdigest()
        assert first.content == drawn(
            Subject("Amélie", 2001, ("Comedy", "Romance")), "poster", "w342"
        )

    def test_another_title_is_another_picture(self, anonymous: httpx.Client, make: Make) -> None:
        movie = make(Movie, title="Jaws", year=1975)
        path = f"/images/poster/w185/movies-{movie.id}.webp"
        before = anonymous.get(path).headers["etag"]
        movie.year = 1976
        db.session.commit()
        assert anonymous.get(path, headers={"If-None-Match": before}).status_code == 200

    @pytest.mark.parametrize(
        "size,wanted", [("w780", (780, 439)), ("h632", (1124, 632)), ("w45", (45, 25))]
    )
    def test_a_backdrop(
        self, anonymous: httpx.Client, make: Make, size: str, wanted: tuple[int, int]
    ) -> None:
        show = make(TVShow, title="The Wire", genres=["Crime"])
        answer = anonymous.get(f"/images/backdrop/{size}/tvshows-{show.id}.webp")
        assert Image.open(io.BytesIO(answer.content)).size == wanted

    @pytest.mark.parametrize(
        "path",
        [
            *("logo/w300/movies-{id}.webp", "poster/w342/movies-999999.webp"),
            *("poster/w342/movies-0.webp", "poster/w342/tvshows-0{id}.webp"),
            "poster/w342/movies-99999999999999999.webp",
        ],
    )
    def test_404(self, anonymous: httpx.Client, host: FakePictures, make: Make, path: str) -> None:
        movie = make(Movie)
        answer = anonymous.get(f"/images/{path.format(id=movie.id)}")
        assert refused(answer) == (404, "IMAGE_NOT_FOUND")
        assert host.seen == []

    @pytest.mark.parametrize(
        "title",
        [
            "A",
            "x" * 500,
            "word " * 100,
            "千と千尋の神隠し",
            "Ирония судьбы",
            "شمس",
            "🎬",
            "8½ · “Ω”",
            "\u200b",
        ],
    )
    @pytest.mark.parametrize("kind", ["poster", "backdrop"])
    def test_any_title_can_be_drawn(self, title: str, kind: str) -> None:
        assert drawn(Subject(title, None, ()), kind, "w185")

    @pytest.mark.parametrize(
        "genre",
        [
            *("Action", "Comedy", "Crime", "Documentary", "Drama", "Family", "Fantasy", "Horror"),
            *("Music", "Romance", "Science Fiction", "Western", "Nothing that is known"),
        ],
    )
    def test_every_kind_can_be_drawn(self, genre: str) -> None:
        made = {drawn(Subject(title, 2000, (genre,)), "poster", "w185") for title in "abc"}
        assert len(made) == 3


class TestProxyPoster:
    def test_is_the_same_picture(self, anonymous: httpx.Client, host: FakePictures) -> None:
        answer = anonymous.get(PROXY, params={"url": ADDRESS})
        assert (answer.status_code, answer.content) == (200, BYTES)
        lifetime = "public, max-age=86400, stale-while-revalidate=3600"
        assert answer.headers["cache-control"] == lifetime
        part = anonymous.get(PROXY, params={"url": ADDRESS}, headers={"Range": "bytes=-5"})
        assert (part.status_code, part.content) == (206, BYTES[-5:])
        anonymous.get(PATH)
        assert len(host.seen) == 1

    @pytest.mark.parametrize(
        "url",
        [
            *("", "abc", "/t/p/w342/a.jpg", "https://[", "https://image.tmdb.org/"),
            *(f"{ADDRESS}?a=b", f"{ADDRESS}#a", "https:///t/p/w342/a.jpg"),
            "https://image.tmdb.org/t/p/w342/../a.jpg",
        ],
    )
    def test_400(self, anonymous: httpx.Client, url: str) -> None:
        assert refused(anonymous.get(PROXY, params={"url": url})) == (400, "VALIDATION_ERROR")

    def test_400_without_one(self, anonymous: httpx.Client) -> None:
        assert refused(anonymous.get(PROXY)) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "start",
        [
            *("http://image.tmdb.org", "https://image.tmdb.org:443", "https://a:b@image.tmdb.org"),
            *("https://image.tmdb.org.example.org", "https://127.0.0.1", "ftp://image.tmdb.org"),
            *("https://image.tmdb.org@example.org", "https://169.254.169.254"),
        ],
    )
    def test_403(self, anonymous: httpx.Client, host: FakePictures, start: str) -> None:
        answer = anonymous.get(PROXY, params={"url": f"{start}/t/p/w342/abc.jpg"})
        assert refused(answer) == (403, "HOST_NOT_ALLOWED")
        assert host.seen == []

    def test_404_416_and_504(self, anonymous: httpx.Client, host: FakePictures) -> None:
        missing = {"url": ADDRESS.replace("abc", "missing")}
        assert refused(anonymous.get(PROXY, params=missing)) == (404, "IMAGE_NOT_FOUND")
        far = anonymous.get(PROXY, params={"url": ADDRESS}, headers={"Range": "bytes=999999-"})
        assert refused(far) == (416, "RANGE_NOT_SATISFIABLE")
        same = {"If-None-Match": f'"{hashlib.sha256(BYTES).hexdigest()}"'}
        assert anonymous.get(PROXY, params={"url": ADDRESS}, headers=same).status_code == 304
        host.breaks("slow", seconds=3)
        slow = anonymous.get(PROXY, params={"url": ADDRESS.replace("abc", "slow")})
        assert refused(slow) == (504, "EXTERNAL_API_TIMEOUT")


class TestTrimImages:
    @pytest.fixture
    def three(self, anonymous: httpx.Client, host: FakePictures) -> list[KeptImage]:
        """Three pictures, the second of them used long ago."""
        for name in ("a", "b", "c"):
            anonymous.get(f"/images/poster/original/picture-{name}.png")
        rows = kept()
        rows[1].used_at -= timedelta(days=3)
        for row in rows:
            row.size_bytes = 1_000_000
        db.session.commit()
        return rows

    def trimmed(self, set_variables: Callable[..., None], most: int) -> dict[str, int]:
        set_variables(IMAGES_MAX_BYTES=str(most))
        db.session.remove()
        return trim(Progress())

    def test_the_longest_unused_go(
        self, three: list[KeptImage], set_variables: Callable[..., None]
    ) -> None:
        digests = [row.digest for row in three]
        done = self.trimmed(set_variables, 2_500_000)
        assert done == {"removed": 1, "freed_bytes": 1_000_000}
        assert [row.digest for row in kept()] == [digests[0], digests[2]]
        there = [storage.current().exists(key_of(each)) for each in digests]
        assert there == [True, False, True]

    def test_a_file_that_another_has_stays(
        self, three: list[KeptImage], make: Make, set_variables: Callable[..., None]
    ) -> None:
        digest = three[1].digest
        make(KeptImage, source="other", digest=digest, media_type="image/png", size_bytes=1)
        self.trimmed(set_variables, 2_500_000)
        assert storage.current().exists(key_of(digest))

    def test_nothing_goes_while_there_is_room(
        self, three: list[KeptImage], set_variables: Callable[..., None]
    ) -> None:
        assert self.trimmed(set_variables, 3_000_000) == {"removed": 0, "freed_bytes": 0}


class TestKeep:
    def test_much_asks_for_room(
        self, database: None, set_variables: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeping, "growth", keeping.Growth())
        set_variables(IMAGES_MAX_BYTES="1000000")
        runs = []
        for number in range(4):
            keeping.keep(f"tmdb/w342/{number}.png", bytes(30_000), "image/png")
            query = select(func.count()).where(JobRun.job_name == keeping.TRIM)
            runs.append(db.session.scalar(query))
        assert runs == [0, 1, 1, 1]


def test_the_default_is_tmdb_itself() -> None:
    assert settings.Settings().image_base_url == "https://image.tmdb.org/t/p"
