"""The generated Python client, against a running server."""

import importlib
import sys
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from tools.sdk import PACKAGE, PYTHON


@pytest.fixture(scope="module")
def marquee_client() -> Iterator[Any]:
    """The generated package."""
    assert (PYTHON / PACKAGE).is_dir(), "run `make sdk` first"
    sys.path.insert(0, str(PYTHON))
    yield importlib.import_module(PACKAGE)
    sys.path.remove(str(PYTHON))


PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel."""


def test_account(marquee_client: Any, server: str) -> None:
    """Register, go on with the session, make a key and use it, show a picture, sign out."""
    models, errors = marquee_client.models, marquee_client.exceptions
    configuration = marquee_client.Configuration(host=f"{server}/api/v1")
    with marquee_client.ApiClient(configuration) as api:
        auth, users = marquee_client.AuthApi(api), marquee_client.UsersApi(api)
        new = models.NewAccount(email="robin@example.org", password="correct horse battery staple")
        registered = auth.register(new)
        assert registered.user.username == "robin"
        refreshed = auth.refresh_token(models.Refresh(refresh_token=registered.refresh_token))
        assert refreshed.session_id == registered.session_id
        configuration.access_token = refreshed.access_token

        assert marquee_client.MfaApi(api).get_mfa_status().has_totp is False
        picture = users.upload_avatar(file=("me.png", PICTURE))
        assert (picture.mime_type, picture.version) == ("image/webp", 1)
        assert users.get_avatar(registered.user.id)[8:12] == b"WEBP"

        keys = marquee_client.ApiKeysApi(api)
        made = keys.create_api_key(models.NewApiKey(name="script", scopes=["read"]))
        configuration.access_token = made.api_key
        assert users.get_current_user().id == registered.user.id
        with pytest.raises(errors.ForbiddenException) as refused:
            users.delete_avatar()
        assert refused.value.data.error.code == models.ErrorCode.INSUFFICIENT_PERMISSIONS

        configuration.access_token = refreshed.access_token
        sessions = marquee_client.SessionsApi(api).list_sessions()
        assert [each.is_current for each in sessions.items] == [True]
        auth.logout()
        with pytest.raises(errors.UnauthorizedException):
            users.get_current_user()

        configuration.access_token = "abcdef1234567890"
        lines = marquee_client.ActivityApi(api).list_activity(user_id=registered.user.id).items
        assert "user.logout" in {line.action for line in lines}
        roles = marquee_client.RbacApi(api).list_roles().roles
        assert {"admin", "guest", "moderator", "user"} <= {role.name for role in roles}


def test_client(marquee_client: Any, server: str) -> None:
    """Sign in, list, create, be refused, call too often: each with its type."""
    models, errors = marquee_client.models, marquee_client.exceptions
    configuration = marquee_client.Configuration(host=f"{server}/api/v1")
    with marquee_client.ApiClient(configuration) as api:
        auth = marquee_client.AuthApi(api)
        credentials = models.Credentials(username="casey", password="marquee-casey")
        signed_in = auth.login(credentials)
        assert isinstance(signed_in, models.SignedIn)
        assert signed_in.user.username == "casey"
        configuration.access_token = signed_in.access_token

        page = marquee_client.MoviesApi(api).list_movies(sort="title", page_size=5)
        assert isinstance(page, models.MoviePage)
        assert len(page.results) == 5
        film = page.results[0]
        assert isinstance(film.title, str)
        assert film.added_at.tzinfo is not None

        favorites = marquee_client.FavoritesApi(api)
        new = models.NewFavorite(movie_id=film.id)
        created = favorites.create_favorite_with_http_info(signed_in.user.id, new)
        assert created.status_code == 201
        assert created.data.movie_id == film.id
        kept = favorites.list_favorites(signed_in.user.id).favorites
        assert [each.title for each in kept] == [film.title]

        with pytest.raises(errors.ConflictException) as conflict:
            favorites.create_favorite(signed_in.user.id, new)
        assert conflict.value.data.error.code == models.ErrorCode.FAVORITE_EXISTS
        assert conflict.value.data.error.details.existing_id == created.data.id
        favorites.delete_favorite(signed_in.user.id, created.data.id)

        with pytest.raises(errors.UnauthorizedException) as refused:
            auth.login(models.Credentials(username="casey", password="wrong"))
        assert refused.value.data.error.code == models.ErrorCode.INVALID_CREDENTIALS
        limited = refused.value
        for _ in range(6):
            with pytest.raises(errors.ApiException) as last:
                auth.login(models.Credentials(username="casey", password="wrong"))
            limited = last.value
        assert limited.status == 429
        assert limited.data.error.code == models.ErrorCode.RATE_LIMITED
        assert int(limited.headers["Retry-After"]) > 0
