"""Handlers of openapi/catalogue/images.yaml."""

from typing import Any

from marquee.catalogue.images import posters, service
from marquee.web.answers import Content

FOR_GOOD = {"Cache-Control": "public, max-age=604800, immutable"}
"""A path of TMDB names the same picture always."""
FOR_A_DAY = {"Cache-Control": "public, max-age=86400"}
FOR_A_MINUTE = {"Cache-Control": "public, max-age=60"}


def get_image(image_type: str, size: str, path: str) -> tuple[Content, int, dict[str, str]]:
    image = service.shown(image_type, size, path)
    lifetime = FOR_A_DAY if service.is_drawn(path) else FOR_GOOD
    return Content(image.data, image.media_type, image.digest), 200, lifetime


def proxy_poster(url: str) -> Content:
    image = service.proxied(url)
    return Content(image.data, image.media_type, image.digest)


def list_poster_urls() -> tuple[dict[str, Any], int, dict[str, str]]:
    found, as_asked = posters.popular()
    return {"posters": found}, 200, {} if as_asked else FOR_A_MINUTE


def resolve_movie_posters(body: dict[str, Any]) -> dict[str, Any]:
    return {"results": posters.resolved(body["movies"], body["locale"])}
