"""Handlers of openapi/catalogue/genres.yaml."""

from marquee.catalogue.genres import service
from marquee.db import Rows
from marquee.viewer import Viewer


def list_genres(user: Viewer) -> dict[str, Rows]:
    return {"genres": service.genres()}
