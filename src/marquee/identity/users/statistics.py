"""Figures about users. A column that leads to its user has the name of its figure in its `info`,
under `COUNTED_AS`: so that the domains above say what is counted of theirs, and nobody below them
has to know them. `COUNTED_IF` is a condition beside it, where not all rows count. What is no count
of rows is added by `add`.
"""

from sqlalchemy import Column, Select, func, select, true

from marquee.db import Model, as_dict, session

COUNTED_AS, COUNTED_IF = "counted_as", "counted_if"
_others: dict[str, Select[int]] = {}


def add(name: str, figure: Select[int]) -> None:
    """Tell a figure under this name too: the one number that a query finds of `user_id`."""
    _others[name] = figure


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
    others = [figure.scalar_subquery().label(name) for name, figure in _others.items()]
    return as_dict(session.execute(select(*counts, *others), {"user_id": user_id}).one())


def _counted() -> dict[str, Column[int]]:
    columns = [each for table in Model.metadata.tables.values() for each in table.columns]
    return {each.info[COUNTED_AS]: each for each in columns if COUNTED_AS in each.info}
