"""Texts as vectors: by the model that Marquee brings along, or by a service that speaks OpenAI's
`/v1/embeddings` where `EMBEDDINGS_URL` names one.

Vectors of different models do not compare: each comes with the name of what made it.
"""

from collections.abc import Hashable, Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from marquee import settings
from marquee.services.embeddings.local import LocalEmbedder
from marquee.services.embeddings.remote import RemoteEmbedder

Floats = NDArray[np.float32]


class Embedder(Hashable, Protocol):
    """What turns texts into vectors. Raises Unavailable or TimedOut when it cannot."""

    name: str
    """The model's; with the number of dimensions it says which vectors compare: `model_of`."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """Vectors of length 1, a row for each text."""

    def query(self, text: str) -> Floats:
        """The vector of what somebody waits to find; sooner refused than late."""


def model_of(embedder: Embedder, vectors: Floats) -> str:
    """What made these vectors: `usem3@512`."""
    return f"{embedder.name}@{vectors.shape[-1]}"


def current() -> Embedder:
    """The embedder that the settings ask for; one for each process."""
    return of(settings.current())


@cache
def of(values: settings.Settings) -> Embedder:
    """The embedder of these settings."""
    if not values.embeddings_url:
        return LocalEmbedder()
    return RemoteEmbedder(
        values.embeddings_url,
        values.embeddings_model,
        values.embeddings_api_key,
        timeout=values.embeddings_timeout,
    )
