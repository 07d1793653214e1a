"""Handlers of openapi/catalogue/collections.yaml."""

from typing import Unpack

from marquee.catalogue.collections.models import Collection
from marquee.catalogue.movies import service
from marquee.catalogue.translations.languages import Asked
from marquee.db import find
from marquee.viewer import Viewer
from marquee.web.paging import NumberedPage, numbered


def get_collection(user: Viewer, collection_id: int) -> Collection:
    return find(Collection.visible_to(user), collection_id)


def list_collection_movies(
    user: Viewer, collection_id: int, page: int, page_size: int, **asked: Unpack[Asked]
) -> NumberedPage:
    collection = find(Collection.visible_to(user), collection_id)
    listed = service.listed("release_date", "asc", collection_id=collection.id, **asked)
    return numbered(**listed, page=page, page_size=page_size)
