"""A channel's list, made anew."""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert

from marquee import clock
from marquee.db import checkpoint, session
from marquee.identity.users.models import User
from marquee.taste.channels.models import Channel, ChannelItem
from marquee.taste.channels.service import writable
from marquee.viewer import Viewer

if TYPE_CHECKING:
    from marquee.catalogue.embeddings.nearest import Meaning

LENGTH = 20
POOL = 3 * LENGTH
LEAST_WEIGHT = 0.1


def generate(viewer: Viewer, channel_id: int) -> dict[str, Any]:
    """Make the list anew: of the films that fit best, a sample that is another one each time.

    Of two at once, the later one's list takes the place of the earlier one's. Raises NotFound, and
    Forbidden for a shared channel of another user.
    """
    from marquee.taste.channels import candidates  # noqa: PLC0415 - 12 MB of NumPy

    channel, meaning = _locked(viewer, channel_id)
    owner = session.get_one(User, channel.owner_id)
    pool = candidates.found(channel, owner, meaning, POOL)
    # It changes with each generation, and tells nobody what comes next.
    seed = f"{channel.id} {channel.last_generated_at}"
    films = sampled(pool, Random(seed))  # noqa: S311 - nothing here is a secret
    session.execute(delete(ChannelItem).where(ChannelItem.channel_id == channel.id))
    items = [
        {"channel_id": channel.id, "movie_id": each.id, "position": place, "score": each.score}
        for place, each in enumerate(films, 1)
    ]
    if items:
        session.execute(insert(ChannelItem), items)
    channel.last_generated_at = clock.now()
    session.flush()
    message = "1 film" if len(items) == 1 else f"{len(items)} films"
    return {
        "playlist_id": channel.playlist_id,
        "item_count": len(items),
        "message": f"{channel.name} has {message} now.",
    }


def sampled(pool: Sequence[Any], random: Random) -> list[Any]:
    """Up to `LENGTH` of a pool, drawn one after the other without putting back, each by the square
    of its score (Efraimidis and Spirakis, 2006: https://doi.org/10.1016/j.ipl.2005.11.003).
    """
    keys = [random.random() ** (1 / max(each.score**2, LEAST_WEIGHT)) for each in pool]
    order = sorted(range(len(pool)), key=lambda place: keys[place], reverse=True)
    return [pool[place] for place in order[:LENGTH]]


def _locked(viewer: Viewer, channel_id: int) -> "tuple[Channel, Meaning | None]":
    """The channel, locked, and the meaning of its words. Nobody waits for the embedder with a
    connection or a lock in hand.
    """
    from marquee.catalogue.embeddings.nearest import meaning_of  # noqa: PLC0415 - see above

    words = writable(viewer, channel_id).text_preferences
    while True:
        checkpoint()
        meaning = meaning_of(words) if words else None
        channel = writable(viewer, channel_id, to_change=True)
        if channel.text_preferences == words:
            return channel, meaning
        words = channel.text_preferences
