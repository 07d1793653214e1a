"""Handlers of openapi/taste/trakt.yaml."""

from typing import Any

from marquee.taste.trakt import service
from marquee.taste.trakt.syncing import Counts
from marquee.viewer import Viewer


def get_trakt_auth_url(user: Viewer) -> dict[str, Any]:
    auth_url, expires_at = service.begin(user)
    return {"auth_url": auth_url, "expires_at": expires_at}


def handle_trakt_callback(user: Viewer, body: dict[str, Any]) -> dict[str, Any]:
    account = service.connect(user, body["code"], body["state"])
    return {"username": account.username, "connected_at": account.connected_at}


def sync_trakt_ratings(user: Viewer) -> dict[str, Any]:
    outcome = service.sync(user)
    return {
        **_counted("movies", outcome.movies),
        **_counted("tvshows", outcome.shows),
        "synced_at": outcome.synced_at,
    }


def disconnect_trakt(user: Viewer) -> None:
    service.disconnect(user)


def _counted(kind: str, counts: Counts) -> dict[str, int]:
    return {f"{kind}_{name}": count for name, count in vars(counts).items()}
