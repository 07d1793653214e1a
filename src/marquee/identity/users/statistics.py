"""Figures about users. A column that leads to its user has the name of its figure in its `info`,
under `COUNTED_AS`: so that the domains above say what is counted of theirs, and nobody below them
has to know them. `COUNTED_IF` is a condition beside it, where not all rows count.
"""

from sqlalchemy import Column, func, select, true

from marquee.db import Model, as_dict, session

COUNTED_AS, COUNTED_IF = "counted_as", "counted_if"


def of(user_id: int) -> dict[str, int]:
    """Every figure of a user, in one query."""
    columns = _counted()
    counts = [
        select(func.count())
        .where(column == user_id, column.info.get(COUNTED_IF, true()))
        .scalar_subquery()
        .label(name)
        for name, column in columns.items()
    ]
    return as_dict(session.execute(select(*counts)).one())


def _counted() -> dict[str, Column[int]]:
    columns = [each for table in Model.metadata.tables.values() for each in table.columns]
    return {each.info[COUNTED_AS]: each for each in columns if COUNTED_AS in each.info}
