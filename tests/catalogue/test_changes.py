"""What is told of changes to titles."""

from typing import Any

from sqlalchemy import Connection, Engine, text

from marquee.catalogue.changes.models import CHANNEL

FILM = "INSERT INTO movies (title, search_title, sort_title) VALUES ('Jaws', 'jaws', 'jaws')"


def heard(connection: Connection, statement: str) -> int:
    """How often the listening connection hears of what a statement changes."""
    raw: Any = connection.connection.driver_connection
    raw.notifies.clear()
    connection.execute(text(statement))
    connection.commit()
    raw.poll()
    return len(raw.notifies)


def test_nothing_is_told_where_nothing_has_changed(scratch: Engine) -> None:
    with scratch.connect() as connection:
        connection.execute(text(f"LISTEN {CHANNEL}"))
        connection.commit()
        assert heard(connection, FILM) == 1
        assert heard(connection, "UPDATE movies SET year = 1975") == 1
        for nothing in (
            "UPDATE movies SET year = 1975 WHERE false",
            "DELETE FROM credits",
            "UPDATE translations SET title = 'x'",
        ):
            assert heard(connection, nothing) == 0
        connection.execute(text(f"UNLISTEN {CHANNEL}"))
