"""Rules of channels: who may read and change them, and what they are made of."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select, text

from marquee.catalogue.genres.models import Genre
from marquee.catalogue.movies.models import Movie
from marquee.db import find, missing, session
from marquee.errors import Conflict, Forbidden, NotFound
from marquee.identity.users.models import User
from marquee.taste.channels.models import Channel, ChannelExample
from marquee.viewer import Viewer

MOST = 100
"""Channels of one user."""
KNOWN_GENRES = select(Genre.name).where(Genre.name.in_(bindparam("names", expanding=True)))
ADD_EXAMPLES = text("""
INSERT INTO channel_examples (channel_id, movie_id)
SELECT :channel_id, movies.id FROM unnest(cast(:ids AS bigint[])) WITH ORDINALITY AS given (id, at)
JOIN movies ON movies.id = given.id ORDER BY given.at RETURNING movie_id
""")


def readable(viewer: Viewer, channel_id: int) -> Channel:
    """A channel of one's own, a shared one, any for administrators. Raises NotFound."""
    return find(Channel.visible_to(viewer), channel_id)


def writable(viewer: Viewer, channel_id: int, *, to_change: bool = False) -> Channel:
    """A channel of one's own, any for administrators; locked `to_change` it.

    Raises NotFound, and Forbidden for a shared one of another user.
    """
    query: Select[Channel] = Channel.visible_to(viewer)
    if to_change:
        query = query.with_for_update().execution_options(populate_existing=True)
    channel = find(query, channel_id)
    if channel.owner_id != viewer.id and not viewer.may("users:write"):
        raise Forbidden("This is another user's.")
    return channel


def create(viewer: Viewer, values: Mapping[str, Any]) -> Channel:
    """A new channel of the viewer, without films yet.

    Raises Conflict (CHANNEL_LIMIT) beside `MOST` others, and NotFound for a genre or an example
    that the catalogue lacks.
    """
    # Of two requests at once, the second counts the first's channel.
    session.execute(select(User.id).where(User.id == viewer.id).with_for_update(key_share=True))
    mine = select(func.count()).where(Channel.owner_id == viewer.id)
    if session.execute(mine).scalar_one() >= MOST:
        raise Conflict(f"A user has {MOST} channels at the most.", "CHANNEL_LIMIT")
    channel = Channel(owner_id=viewer.id)
    change(channel, values)
    return channel


def change(channel: Channel, values: Mapping[str, Any]) -> None:
    """Change what is named; its films stay until it is generated anew.

    Raises NotFound for a genre or an example that the catalogue lacks.
    """
    columns = dict(values)
    examples: Sequence[int] | None = columns.pop("example_movie_ids", None)
    _require_genres(columns.get("genre_filters", ()))
    for name, value in columns.items():
        setattr(channel, name, value)
    # What belongs to the channel is a part of its version.
    channel.updated_at = func.clock_timestamp()
    session.add(channel)
    session.flush()
    if examples is not None:
        _replace_examples(channel, examples)
    session.refresh(channel)


def _replace_examples(channel: Channel, ids: Sequence[int]) -> None:
    session.execute(delete(ChannelExample).where(ChannelExample.channel_id == channel.id))
    values = {"channel_id": channel.id, "ids": list(ids)}
    known = set(session.scalars(ADD_EXAMPLES, values))
    for each in ids:
        if each not in known:
            raise missing(Movie, each)


def _require_genres(names: Sequence[str]) -> None:
    if not names:
        return
    known = set(session.scalars(KNOWN_GENRES, {"names": list(names)}))
    for name in names:
        if name not in known:
            raise NotFound(f"There is no genre {name}.", "GENRE_NOT_FOUND")
