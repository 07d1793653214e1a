"""Handlers of openapi/taste/channels.yaml."""

from typing import Any

from marquee.db import session
from marquee.job_runs import accepted
from marquee.taste.channels import generating, listing, service, syncing
from marquee.viewer import Viewer
from marquee.web.conditions import require_version, version_tag
from marquee.web.paging import CursorPage, by_cursor

Answer = dict[str, Any]
Versioned = tuple[Answer, int, dict[str, str]]


def list_channels(user: Viewer, limit: int, cursor: str | None = None) -> CursorPage:
    query, key = listing.LISTED, listing.LATEST_FIRST
    values, name = {"viewer_id": user.id}, f"channels:{user.id}"
    return by_cursor(query, values, key=key, name=name, descending=True, limit=limit, cursor=cursor)


def create_channel(user: Viewer, body: Answer) -> Versioned:
    channel = service.create(user, body)
    return listing.shown(channel), 201, {"ETag": version_tag(channel)}


def get_channel(user: Viewer, channel_id: int) -> Versioned:
    channel = service.readable(user, channel_id)
    return listing.detailed(channel), 200, {"ETag": version_tag(channel)}


def update_channel(user: Viewer, channel_id: int, body: Answer) -> Versioned:
    channel = service.writable(user, channel_id, to_change=True)
    require_version(channel)
    service.change(channel, body)
    return listing.shown(channel), 200, {"ETag": version_tag(channel)}


def delete_channel(user: Viewer, channel_id: int) -> None:
    channel = service.writable(user, channel_id, to_change=True)
    require_version(channel)
    session.delete(channel)


def generate_channel(user: Viewer, channel_id: int) -> Answer:
    return generating.generate(user, channel_id)


def sync_channel(user: Viewer, channel_id: int) -> tuple[Answer, int]:
    run = syncing.start(user, channel_id)
    return accepted(run, "The playlist is written.")
