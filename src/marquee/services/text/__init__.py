"""Text for people to read: by the narrator that Marquee brings along, or by a service that speaks
OpenAI's `/v1/chat/completions` where `TEXT_URL` names one.

Whoever asks gives both: a task with facts for a language model, and the same said plainly.
"""

from collections.abc import Hashable, Iterator
from functools import cache
from typing import Protocol

from marquee import settings
from marquee.services.text.briefs import Brief
from marquee.services.text.local import Narrator
from marquee.services.text.remote import RemoteWriter

__all__ = ["Brief", "Narrator", "Writer", "complete", "current", "of"]


class Writer(Hashable, Protocol):
    """What writes."""

    name: str
    """Of the model."""

    def write(self, brief: Brief) -> Iterator[str]:
        """The text in pieces, as they come. Raises Unavailable or TimedOut, also between them."""


def current() -> Writer:
    """The writer that the settings ask for; one for each process."""
    return of(settings.current())


@cache
def of(values: settings.Settings) -> Writer:
    """The writer of these settings."""
    if not values.text_url:
        return Narrator()
    return RemoteWriter(
        values.text_url, values.text_model, values.text_api_key, timeout=values.text_timeout
    )


def complete(brief: Brief) -> str:
    """The whole text. Raises Unavailable or TimedOut."""
    return "".join(current().write(brief)).strip()
