"""A channel's list as a playlist of the media server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from marquee import clock, job_runs
from marquee.catalogue.movies.models import Movie
from marquee.db import first, rows, session, transaction
from marquee.errors import Conflict
from marquee.identity.users.models import User
from marquee.job_runs import JobRun
from marquee.services import media_server
from marquee.services.media_server import Library
from marquee.taste.channels.models import Channel, ChannelItem
from marquee.taste.channels.service import writable
from marquee.viewer import Viewer

JOB = "sync-channel"


@dataclass(frozen=True)
class Wanted:
    """What is to be written, and for whom."""

    name: str
    account: str
    playlist_id: str | None
    films: Sequence[tuple[str, frozenset[str]]]
    """Titles, in their order, and what others call them."""


def start(viewer: Viewer, channel_id: int) -> JobRun:
    """Ask for a channel's list to be written.

    Raises NotFound; Forbidden for a shared channel of another user; NotConfigured without a media
    server or a key of it; Conflict (NO_MEDIA_SERVER_ACCOUNT, CHANNEL_NOT_GENERATED, JOB_RUNNING).
    """
    channel = writable(viewer, channel_id)
    kind = media_server.library().kind
    if _account(channel.owner_id, kind) is None:
        message = "The channel's owner has no account of the media server."
        raise Conflict(message, "NO_MEDIA_SERVER_ACCOUNT")
    if channel.last_generated_at is None:
        raise Conflict("The channel has no list yet.", "CHANNEL_NOT_GENERATED")
    return job_runs.start(JOB, viewer.id, channel_id=channel.id)


def due() -> list[int]:
    """The active channels whose list has changed since it was written, as far as their owners have
    wanted it to be written once.
    """
    query = select(Channel.id).where(Channel.is_active, Channel.playlist_id.is_not(None))
    changed = Channel.last_generated_at > Channel.last_synced_at
    return list(session.scalars(query.where(changed).order_by(Channel.id)))


def sync(
    server: Library, channel_id: int, check: Callable[[], None]
) -> tuple[int, list[str]] | None:
    """Write a channel's list: how many films it has there, and the titles that the server lacks.
    None where nobody wants it any more.

    A playlist is made once, and again where it is gone there; its name stays. `check` is called
    now and then. Raises Unavailable and TimedOut; what was written until then is written again the
    next time.
    """
    with transaction():
        begun, wanted = clock.now(), _wanted(channel_id, server.kind)
    if wanted is None:
        return None
    items = _items(server, wanted, check)
    ids = [items[names] for _, names in wanted.films if names in items]
    lacking = [title for title, names in wanted.films if names not in items]
    playlist_id, account = wanted.playlist_id, wanted.account
    if playlist_id is None or not server.fill_playlist(account, playlist_id, ids):
        playlist_id = server.create_playlist(account, wanted.name, ids)
    with transaction():
        said = {"playlist_id": playlist_id, "last_synced_at": begun}
        session.execute(update(Channel).where(Channel.id == channel_id).values(said))
    return len(ids), lacking


def _items(server: Library, wanted: Wanted, check: Callable[[], None]) -> dict[frozenset[str], str]:
    """The server's ids, by what others call the films; as many are looked at as that takes."""
    by_name = {name: names for _, names in wanted.films for name in names}
    missing = set(by_name.values())
    found: dict[frozenset[str], str] = {}
    if not missing:
        return found
    for item in server.items(wanted.account, "Movie"):
        check()
        for names in {by_name[name] for name in item.names if name in by_name} & missing:
            found[names] = item.id
            missing.discard(names)
        if not missing:
            break
    return found


def _wanted(channel_id: int, kind: str) -> Wanted | None:
    channel = first(
        select(Channel.name, Channel.owner_id, Channel.playlist_id).where(Channel.id == channel_id)
    )
    account = _account(channel.owner_id, kind) if channel else None
    if channel is None or account is None:
        return None
    films = (
        select(Movie.title, Movie.imdb_id, Movie.tmdb_id)
        .join(ChannelItem, ChannelItem.movie_id == Movie.id)
        .where(ChannelItem.channel_id == channel_id)
        .order_by(ChannelItem.position)
    )
    named = [
        (row.title, media_server.names(imdb_id=row.imdb_id, tmdb_id=row.tmdb_id))
        for row in rows(films)
    ]
    return Wanted(channel.name, account, channel.playlist_id, named)


def _account(user_id: int, kind: str) -> str | None:
    """The user's account of a media server of this kind."""
    mine = select(User.provider_user_id).where(User.id == user_id, User.provider == kind)
    return session.scalar(mine)
