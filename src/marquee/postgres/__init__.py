"""The embedded PostgreSQL, for whoever has none of their own.

`place` decides where programs and files are and which account runs it, `cluster` makes and tunes
the files, `server` starts, adopts and stops the server.
"""

from marquee.postgres.place import PostgresError
from marquee.postgres.server import Postgres, temporary

__all__ = ["Postgres", "PostgresError", "temporary"]
