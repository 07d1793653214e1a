"""What titles name: genres, studios and networks, of which their own tables know more."""

from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute

from marquee.catalogue.companies.models import Network, Studio
from marquee.catalogue.genres.models import Genre

Names: TypeAlias = InstrumentedAttribute[list[str]]
"""The column of a title that holds names, e.g. `Movie.studios`."""
SHOWN: dict[type[Genre | Network | Studio], tuple[InstrumentedAttribute[Any], ...]] = {
    Genre: (Genre.id, Genre.slug, Genre.name),
    Studio: (Studio.id, Studio.name),
    Network: (
        *(Network.id, Network.tmdb_id, Network.name),
        *(Network.logo_path, Network.origin_country),
    ),
}
"""What is shown of each."""


def as_json(names: Names, model: type[Network | Studio]) -> ColumnElement[Any]:
    """What a title names, in its order, as a JSON array: the column `studios_named` or
    `networks_named`, null where it names none.
    """
    pairs = [part for each in SHOWN[model] for part in (each.key, each)]
    listed = aggregate_order_by(
        func.jsonb_build_object(*pairs), func.array_position(names, model.name)
    )
    return (
        select(func.jsonb_agg(listed, type_=JSONB))
        .where(model.name == any_(names))
        .label(f"{model.__tablename__}_named")
    )


def named_by(names: Names, model: type[Genre | Network]) -> Select[Any]:
    """What the title `title_id` names, in its order, a row for each."""
    title: Any = names.class_
    return (
        select(*SHOWN[model])
        .join(title, model.name == any_(names))
        .where(title.id == bindparam("title_id"))
        .order_by(func.array_position(names, model.name))
    )
