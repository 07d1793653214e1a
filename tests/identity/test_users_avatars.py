"""openapi/identity/users.yaml: the users' pictures."""

import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import Engine, select, update

from marquee import db
from marquee.audit import Activity
from marquee.identity.users.avatars import service
from marquee.identity.users.avatars.models import Avatar
from marquee.identity.users.models import User
from marquee.services import storage
from tests.answers import refused
from tests.committed import committed
from tests.identity import pictures

Make = Callable[..., Any]
PATH = "/users/me/avatar"
LARGEST = 2 * 2**20
GOOD = pictures.written(pictures.halves(600, 300), "JPEG")


def upload(
    client: httpx.Client, data: bytes = GOOD, media_type: str = "image/png", **headers: str
) -> httpx.Response:
    """Send a picture, as a browser does."""
    return client.post(PATH, files={"file": ("me.png", data, media_type)}, headers=headers)


def shown(client: httpx.Client, user: User) -> Image.Image:
    """The picture that a client gets to see."""
    answer = client.get(f"/users/{user.id}/avatar")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    return image


def row_of(user: User) -> Avatar:
    """What is known of a user's picture."""
    db.session.expire_all()
    return db.session.scalars(select(Avatar).where(Avatar.user_id == user.id)).one()


def is_red(pixel: Any) -> bool:
    """Nearly: pictures lose a little."""
    red, green, blue = pixel[:3]
    return bool(red > 200 and green < 60 and blue < 60)


class TestUploadAvatar:
    def test_keeps_a_square(self, client: httpx.Client, me: User) -> None:
        answer = upload(client)
        assert answer.status_code == 201
        made = answer.json()
        assert made["url"] == f"/api/v1/users/{me.id}/avatar"
        assert (made["user_id"], made["width"], made["height"]) == (me.id, 300, 300)
        assert (made["mime_type"], made["version"], made["is_current"]) == ("image/webp", 1, True)
        assert made["is_animated"] is False
        image = shown(client, me)
        assert (image.format, image.size) == ("WEBP", (300, 300))
        stored = client.get(f"/users/{me.id}/avatar").content
        assert len(stored) == made["file_size_bytes"]

    def test_the_profile_names_it_until_it_is_taken_away(
        self, client: httpx.Client, me: User
    ) -> None:
        upload(client)
        assert client.get("/users/me").json()["avatar_url"] == f"/api/v1/users/{me.id}/avatar"
        client.delete("/users/me/avatar")
        assert client.get("/users/me").json()["avatar_url"] is None

    def test_is_recorded(self, client: httpx.Client, me: User) -> None:
        upload(client)
        action = select(Activity.action).where(Activity.user_id == me.id)
        assert db.session.scalar(action) == "user.upload_avatar"

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    @pytest.mark.parametrize("declared", ["image/jpeg", "image/png", "image/webp"])
    def test_the_bytes_say_what_it_is(
        self, client: httpx.Client, me: User, kind: str, declared: str
    ) -> None:
        data = pictures.written(pictures.halves(2000, 900), kind)
        assert upload(client, data, declared).status_code == 201
        assert shown(client, me).size == (512, 512)

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_stands_upright_and_tells_nothing(
        self, client: httpx.Client, me: User, kind: str
    ) -> None:
        sent = pictures.tell_tale(kind)
        assert pictures.SECRET.encode() in sent
        assert upload(client, sent).status_code == 201
        image = shown(client, me)
        assert is_red(image.getpixel((10, 2)))
        assert not is_red(image.getpixel((10, 17)))
        assert not image.getexif()
        assert {"exif", "icc_profile", "xmp"}.isdisjoint(image.info)
        stored = client.get(f"/users/{me.id}/avatar").content
        for word in (b"EXIF", b"ICCP", b"XMP ", b"GPS", pictures.SECRET.encode()):
            assert word not in stored

    def test_what_follows_the_picture_is_not_kept(self, client: httpx.Client, me: User) -> None:
        assert upload(client, GOOD + b"<script>alert(1)</script>").status_code == 201
        assert b"script" not in client.get(f"/users/{me.id}/avatar").content

    @pytest.mark.parametrize(
        "image,corner",
        [
            (Image.new("RGBA", (9, 9), (255, 0, 0, 0)), 0),
            (Image.new("LA", (9, 9), (9, 0)), 0),
            (Image.new("CMYK", (9, 9)), 255),
            (Image.new("I;16", (9, 9), 65535), 255),
            (Image.new("1", (9, 9), 1), 255),
            (Image.new("P", (1, 1)), 255),
        ],
        ids=["RGBA", "LA", "CMYK", "I;16", "1", "P"],
    )
    def test_every_kind_of_colour(
        self, client: httpx.Client, me: User, image: Image.Image, corner: int
    ) -> None:
        data = pictures.written(image, "JPEG" if image.mode == "CMYK" else "PNG")
        assert upload(client, data).status_code == 201
        pixel: Any = shown(client, me).convert("RGBA").getpixel((0, 0))
        assert pixel[3] == corner
        if image.mode in ("I;16", "1"):
            assert min(pixel) > 250

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_of_a_moving_one_the_first_frame(
        self, client: httpx.Client, me: User, kind: str
    ) -> None:
        answer = upload(client, pictures.moving(kind))
        assert answer.json()["is_animated"] is True
        image: Any = shown(client, me)
        assert (image.n_frames, is_red(image.getpixel((9, 9)))) == (1, True)

    def test_forty_megapixels_are_taken(self, client: httpx.Client) -> None:
        data = pictures.written(Image.new("1", (8000, 5000)))
        assert upload(client, data).status_code == 201

    @pytest.mark.parametrize(
        "data",
        [
            pictures.written(Image.new("1", (8000, 5001))),
            pictures.claiming(10_000, 10_000),
            pictures.claiming(60_000, 60_000),
            pictures.claiming(2**31 - 1, 2**31 - 1),
        ],
        ids=["40 MP", "100 MP", "3600 MP", "most"],
    )
    def test_more_are_refused_unseen(self, client: httpx.Client, data: bytes) -> None:
        started = time.monotonic()
        assert refused(upload(client, data)) == (422, "IMAGE_TOO_LARGE")
        assert time.monotonic() - started < 1

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"not a picture",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            GOOD[:1000],
            GOOD[: len(GOOD) // 2],
            pictures.written(pictures.halves(500, 500))[:-200],
            pictures.written(pictures.halves(), "WEBP")[:-10],
            pictures.claiming(1000, 1000),
            pictures.claiming(0, 9),
            pictures.with_large_text(),
            pictures.written(pictures.halves(), "GIF"),
            pictures.written(pictures.halves(), "BMP"),
            pictures.written(pictures.halves(), "TIFF"),
            pictures.written(pictures.halves(), "ICO"),
        ],
    )
    def test_what_is_no_picture(self, client: httpx.Client, me: User, data: bytes) -> None:
        started = time.monotonic()
        assert refused(upload(client, data)) == (422, "INVALID_IMAGE")
        assert time.monotonic() - started < 1
        assert client.get(f"/users/{me.id}/avatar").status_code == 404

    def test_size_and_type(self, client: httpx.Client) -> None:
        padded = GOOD + bytes(LARGEST - len(GOOD))
        assert upload(client, padded).status_code == 201
        assert refused(upload(client, padded + b"\0")) == (413, "PAYLOAD_TOO_LARGE")
        for media_type in ("image/gif", "text/html", "application/octet-stream"):
            answer = upload(client, GOOD, media_type)
            assert refused(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")
        assert refused(client.post(PATH, json={})) == (415, "UNSUPPORTED_MEDIA_TYPE")

    def test_fields(self, client: httpx.Client) -> None:
        other = {"picture": ("a.png", GOOD, "image/png")}
        assert refused(client.post(PATH, files=other)) == (400, "VALIDATION_ERROR")
        mine = {"file": ("a.png", GOOD, "image/png")}
        answer = client.post(PATH, files=mine, data={"user_id": "7"})
        assert refused(answer) == (400, "VALIDATION_ERROR")
        answer = client.post(PATH, files=[*mine.items(), *mine.items()])
        assert refused(answer) == (400, "VALIDATION_ERROR")

    def test_takes_the_place_of_the_one_before(self, client: httpx.Client, me: User) -> None:
        first = upload(client).json()
        old = row_of(me).file_key
        second = upload(client, pictures.written(pictures.halves())).json()
        assert (first["version"], second["version"]) == (1, 2)
        assert second["uploaded_at"] > first["uploaded_at"]
        assert shown(client, me).size == (20, 20)
        assert not storage.current().exists(old)
        assert storage.current().exists(row_of(me).file_key)

    def test_a_bad_one_changes_nothing(self, client: httpx.Client, me: User) -> None:
        upload(client)
        before = client.get(f"/users/{me.id}/avatar")
        upload(client, b"nothing")
        after = client.get(f"/users/{me.id}/avatar")
        assert after.content == before.content
        assert row_of(me).version == 1

    def test_a_retry_is_the_same_whatever_its_boundary(
        self, client: httpx.Client, me: User
    ) -> None:
        first, again = (upload(client, **{"Idempotency-Key": "k"}) for _ in range(2))
        assert first.request.headers["content-type"] != again.request.headers["content-type"]
        assert again.content == first.content
        assert again.headers["idempotent-replayed"] == "true"
        assert row_of(me).version == 1
        other = upload(client, pictures.moving("PNG"), **{"Idempotency-Key": "k"})
        assert refused(other) == (422, "IDEMPOTENCY_KEY_REUSED")

    def test_two_at_once_are_two_versions(self, engine: Engine, base_url: str) -> None:
        with committed(engine) as rows:
            user = rows.user()
            clients = [rows.client(base_url, user) for _ in range(4)]
            with ThreadPoolExecutor(4) as threads:
                answers = list(threads.map(upload, clients))
            assert sorted(each.json()["version"] for each in answers) == [1, 2, 3, 4]
            row = rows.session.scalars(select(Avatar).where(Avatar.user_id == user.id)).one()
            assert row.version == 4
            folder = storage.current()
            assert folder.exists(row.file_key)
            folder.delete(row.file_key)

    def test_where_files_cannot_be_stored(
        self, client: httpx.Client, me: User, set_variables: Callable[..., None]
    ) -> None:
        set_variables(
            STORAGE_URL="s3://bucket",
            STORAGE_TIMEOUT="0.5",
            S3_ENDPOINT_URL="http://127.0.0.1:1",
            S3_ACCESS_KEY_ID="key",
            S3_SECRET_ACCESS_KEY="secret",
        )
        answer = upload(client)
        assert refused(answer) == (503, "STORAGE_UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1
        assert db.session.scalar(select(Avatar).where(Avatar.user_id == me.id)) is None


class TestDeleteAvatar:
    def test_leaves_none(self, client: httpx.Client, me: User) -> None:
        upload(client)
        key = row_of(me).file_key
        assert client.delete(PATH).status_code == 204
        assert refused(client.get(f"/users/{me.id}/avatar")) == (404, "AVATAR_NOT_FOUND")
        assert not storage.current().exists(key)
        assert refused(client.delete(PATH)) == (404, "AVATAR_NOT_FOUND")

    def test_versions_go_on(self, client: httpx.Client) -> None:
        upload(client)
        client.delete(PATH)
        assert upload(client).json()["version"] == 2

    def test_where_there_was_none(self, client: httpx.Client) -> None:
        assert refused(client.delete(PATH)) == (404, "AVATAR_NOT_FOUND")

    def test_is_ones_own(self, client: httpx.Client, admin: httpx.Client, me: User) -> None:
        upload(client)
        assert refused(admin.delete(PATH)) == (404, "AVATAR_NOT_FOUND")
        assert shown(client, me).size == (300, 300)

    def test_a_file_that_cannot_be_removed_is_left_behind(
        self, client: httpx.Client, me: User, set_variables: Callable[..., None]
    ) -> None:
        upload(client)
        key = row_of(me).file_key
        set_variables(
            STORAGE_URL="s3://bucket",
            S3_ENDPOINT_URL="http://127.0.0.1:1",
            S3_ACCESS_KEY_ID="key",
            S3_SECRET_ACCESS_KEY="secret",
        )
        assert client.delete(PATH).status_code == 204
        assert row_of(me).is_current is False
        set_variables(STORAGE_URL=None)
        assert storage.current().exists(key)


class TestGetAvatar:
    def test_is_for_those_who_may_see_the_profile(
        self,
        client: httpx.Client,
        admin: httpx.Client,
        client_of: Callable[..., httpx.Client],
        make_user: Make,
        me: User,
    ) -> None:
        upload(client)
        stranger = client_of(make_user("user"))
        path = f"/users/{me.id}/avatar"
        assert refused(stranger.get(path)) == (404, "USER_NOT_FOUND")
        assert admin.get(path).status_code == 200
        db.session.execute(
            update(User)
            .where(User.id == me.id)
            .values(preferences={"profile_visibility": "public"})
        )
        db.session.commit()
        assert stranger.get(path).status_code == 200
        assert refused(stranger.get(f"/users/{2**40}/avatar")) == (404, "USER_NOT_FOUND")

    def test_where_there_is_none(self, client: httpx.Client, me: User) -> None:
        assert refused(client.get(f"/users/{me.id}/avatar")) == (404, "AVATAR_NOT_FOUND")

    def test_is_asked_for_again_cheaply(self, client: httpx.Client, me: User) -> None:
        upload(client)
        path = f"/users/{me.id}/avatar"
        first = client.get(path)
        assert first.headers["cache-control"] == "private, no-cache"
        condition = {"If-None-Match": first.headers["etag"]}
        assert client.get(path, headers=condition).status_code == 304
        upload(client, pictures.moving("WEBP"))
        assert client.get(path, headers=condition).status_code == 200

    def test_a_file_that_is_gone(self, client: httpx.Client, me: User) -> None:
        upload(client)
        storage.current().delete(row_of(me).file_key)
        assert refused(client.get(f"/users/{me.id}/avatar")) == (404, "AVATAR_NOT_FOUND")


class TestRemoveFilesOf:
    def test_when_the_deletion_is_committed(self, client: httpx.Client, me: User) -> None:
        db.session.remove()  # else all that follows would be in its transaction
        upload(client)
        key = row_of(me).file_key
        db.session.remove()
        with suppress(ZeroDivisionError), db.transaction():
            service.remove_files_of(me.id)
            raise ZeroDivisionError
        assert storage.current().exists(key)
        with db.transaction():
            service.remove_files_of(me.id)
        assert not storage.current().exists(key)

    def test_of_a_user_without_files(self, me: User) -> None:
        db.session.remove()
        with db.transaction():
            service.remove_files_of(me.id)
