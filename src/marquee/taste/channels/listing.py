"""Channels as they are shown."""

from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select

from marquee.catalogue.images.addresses import poster_url
from marquee.catalogue.movies.models import Movie
from marquee.db import as_dict, rows
from marquee.taste.channels.models import Channel, ChannelExample, ChannelItem

EXAMPLE_IDS = func.array(
    select(ChannelExample.movie_id)
    .where(ChannelExample.channel_id == Channel.id)
    .order_by(ChannelExample.id)
    .scalar_subquery()
)
ITEM_COUNT = (
    select(func.count())
    .select_from(ChannelItem)
    .where(ChannelItem.channel_id == Channel.id)
    .scalar_subquery()
)
SHOWN: Select[*tuple[Any, ...]] = select(
    *Channel.__table__.columns,
    EXAMPLE_IDS.label("example_movie_ids"),
    ITEM_COUNT.label("item_count"),
)
LISTED = SHOWN.where(or_(Channel.owner_id == bindparam("viewer_id"), Channel.is_shared))
"""One's own, and those that are shared."""
LATEST_FIRST = (Channel.id.expression,)
ONE = SHOWN.where(Channel.id == bindparam("channel_id"))
ITEMS: Select[*tuple[Any, ...]] = (
    select(
        *(ChannelItem.movie_id, ChannelItem.position, ChannelItem.score),
        *(Movie.title, Movie.year, Movie.genres, poster_url(Movie)),
    )
    .join(Movie, Movie.id == ChannelItem.movie_id)
    .where(ChannelItem.channel_id == bindparam("channel_id"))
    .order_by(ChannelItem.position)
)


def shown(channel: Channel) -> dict[str, Any]:
    """A channel with its examples and the number of its films."""
    (row,) = rows(ONE, {"channel_id": channel.id})
    return as_dict(row)


def detailed(channel: Channel) -> dict[str, Any]:
    """The same with its films, in their order."""
    return {**shown(channel), "items": rows(ITEMS, {"channel_id": channel.id})}
