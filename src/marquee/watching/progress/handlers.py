"""Handlers of openapi/watching/progress.yaml."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from marquee.catalogue.tvshows.models import Episode
from marquee.viewer import Viewer
from marquee.watching.progress import continuing, service
from marquee.watching.progress.items import EPISODES, FILMS

Found = Row[*tuple[Any, ...]]


def get_movie_progress(user: Viewer, movie_id: int) -> Found:
    return service.position(user, FILMS, movie_id)


def update_movie_progress(user: Viewer, movie_id: int, body: dict[str, Any]) -> Found:
    return service.report(user, FILMS, movie_id, body)


def delete_movie_progress(user: Viewer, movie_id: int) -> None:
    service.forget_position(user, FILMS, movie_id)


def mark_movie_watched(user: Viewer, movie_id: int) -> None:
    service.complete(user, FILMS, movie_id)


def list_continue_watching_movies(user: Viewer, limit: int) -> dict[str, Sequence[Found]]:
    return {"movies": continuing.films(user, limit)}


def get_episode_progress(user: Viewer, episode_id: int) -> Found:
    return service.position(user, EPISODES, episode_id)


def update_episode_progress(user: Viewer, episode_id: int, body: dict[str, Any]) -> Found:
    return service.report(user, EPISODES, episode_id, body)


def delete_episode_progress(user: Viewer, episode_id: int) -> None:
    service.forget_position(user, EPISODES, episode_id)


def mark_episode_watched(user: Viewer, episode_id: int) -> None:
    service.complete(user, EPISODES, episode_id)


def mark_episodes_watched(user: Viewer, body: dict[str, Any]) -> dict[str, int]:
    changed = service.complete_episodes(user, body["episode_ids"])
    return {"requested": len(body["episode_ids"]), "changed": changed}


def list_continue_watching_tvshows(user: Viewer, limit: int) -> dict[str, Sequence[Found]]:
    return {"tvshows": continuing.series(user, limit)}


def get_next_episode(user: Viewer, tvshow_id: int) -> Episode:
    return continuing.next_episode(user, tvshow_id)
