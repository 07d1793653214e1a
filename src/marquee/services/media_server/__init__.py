"""The media server: Jellyfin or Emby.

- `accounts`: signing in with an account of it
- `library`: what it has, what of it is watched there, and its playlists, by an API key
- `dialects`: how one names oneself
"""

from functools import cache

from marquee import settings
from marquee.errors import NotConfigured
from marquee.services.media_server.accounts import MediaServer, MediaUser
from marquee.services.media_server.library import Item, Library, names

__all__ = ["Item", "Library", "MediaServer", "MediaUser", "current", "library", "names", "of"]

SLOWEST = 6
"""So many times longer than looking at a password may it take to list what the server has."""


def current() -> MediaServer:
    """The media server of this process. Raises NotConfigured where the settings name none."""
    values = settings.current()
    if not values.media_server_url:
        raise NotConfigured("MEDIA_SERVER_URL is not set.", retry_after=3600)
    return of(values)


@cache
def of(values: settings.Settings) -> MediaServer:
    """The media server that these settings name; one for each, as it knows how the server fares."""
    return MediaServer(
        values.media_server_url, values.media_server_kind, timeout=values.media_server_timeout
    )


def library() -> Library:
    """What the media server of this process has.

    Raises NotConfigured where the settings name none, or no API key for it.
    """
    values = settings.current()
    for name in ("media_server_url", "media_server_api_key"):
        if not getattr(values, name):
            raise NotConfigured(f"{name.upper()} is not set.", retry_after=3600)
    return _library_of(values)


@cache
def _library_of(values: settings.Settings) -> Library:
    return Library(
        values.media_server_url,
        values.media_server_kind,
        values.media_server_api_key,
        timeout=values.media_server_timeout * SLOWEST,
    )
