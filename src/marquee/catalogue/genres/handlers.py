"""Handlers of openapi/catalogue/genres.yaml."""

from marquee.catalogue.genres import service
from marquee.viewer import Viewer


def list_genres(user: Viewer) -> dict[str, service.Rows]:
    return {"genres": service.genres()}
