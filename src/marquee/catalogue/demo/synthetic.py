"""A synthetic catalogue of any size, with people, users and ratings: `marquee demo --titles N`."""

import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from psycopg2 import extensions, sql
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Engine, text

from marquee import settings
from marquee.catalogue.changes.models import CHANNEL
from marquee.catalogue.demo import audience, belongings, invention, words
from marquee.catalogue.demo.invention import studios
from marquee.catalogue.importing import cursor_of

TITLES_PER_PERSON, TITLES_PER_USER, RATINGS_PER_TITLE = 5, 10, 10
TABLES = (
    "movies, tvshows, seasons, episodes, collections, genres, studios, networks, translations,"
    " media_files, people, credits, users, ratings, genre_tallies"
)
CHUNK = 4_000
"""Rows that are sent at once."""
PATIENCE = 5.0
"""Seconds between two lines about progress."""


class NotForProduction(RuntimeError):
    """Made-up titles were asked for in a database that real people use."""


@dataclass(frozen=True)
class Made:
    """How many rows of each kind there are now that were not there before."""

    movies: int
    tvshows: int
    seasons: int
    episodes: int
    collections: int
    translations: int
    media_files: int
    people: int
    credits: int
    users: int
    ratings: int


def generate(  # noqa: PLR0913, PLR0917 - what may be asked for
    engine: Engine,
    titles: int,
    seed: int = 1,
    users: int | None = None,
    ratings: int | None = None,
    progress: Callable[[str], object] = print,
    *,
    force: bool = False,
) -> Made:
    """Add so many titles, the same for the same seed, beside what is there; all of it or nothing.

    Unless told otherwise there are a tenth as many users, and ten times as many ratings, but no
    more than half of the titles by each user. Raises NotForProduction on a production server unless
    forced, and ValueError for numbers that cannot be.
    """
    if settings.current().production and not force:
        raise NotForProduction("This is a production server: made-up titles have to be forced.")
    users = -(-titles // TITLES_PER_USER) if users is None else users
    if ratings is None:
        ratings = min(titles * RATINGS_PER_TITLE, titles * users // 2)
    if titles < 1 or users < 0 or ratings < 0:
        raise ValueError("At least one title, and no negative number of users and ratings.")
    catalogue = invention.Catalogue(titles, seed)
    public = audience.Audience(catalogue, users, ratings)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        with cursor_of(connection) as cursor:
            made = _fill(_Loader(cursor, progress), catalogue, public)
            cursor.execute(f"ANALYZE {TABLES}")
    progress("vacuuming")
    _vacuum(engine)
    return made


def _vacuum(engine: Engine) -> None:
    """Let PostgreSQL know that everybody sees all rows: it then counts by indexes alone."""
    with engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        plain.execute(text("SET statement_timeout = 0"))
        try:
            plain.execute(text(f"VACUUM {TABLES}"))
        finally:
            plain.execute(text("RESET statement_timeout"))


def _fill(load: "_Loader", catalogue: invention.Catalogue, public: audience.Audience) -> Made:
    """Send everything, in the order in which rows refer to one another."""
    films, series = catalogue.films, catalogue.size - catalogue.films
    parts = belongings.Belongings(catalogue)
    film, show = load.reserve("movies", films), load.reserve("tvshows", series)
    season, user = load.reserve("seasons", len(parts.episodes)), load.reserve("users", public.size)
    load.copy(audience.USERS, public.users(user))
    load.give_role(user, public.size)
    trusted = load.trust()
    sagas, new_sagas = load.named("collections", parts.collections(), "tmdb_collection_id")
    load.copy(invention.MOVIES, catalogue.movies(film, belongings.collected(sagas)))
    load.copy(invention.TVSHOWS, catalogue.tvshows(show, parts.totals()))
    if trusted:
        load.names(film, show, catalogue)
    names = invention.people(-(-catalogue.size // TITLES_PER_PERSON))
    known, new = load.named("people", names, "tmdb_id")
    seasons = load.copy(belongings.SEASONS, parts.season_rows(season, show))
    episode = load.reserve("episodes", sum(parts.episodes))
    made = Made(
        movies=films,
        tvshows=series,
        seasons=seasons,
        episodes=load.copy(belongings.EPISODES, parts.episode_rows(episode, season, show)),
        collections=new_sagas,
        translations=load.copy(belongings.TRANSLATIONS, parts.translation_rows(film, show)),
        media_files=load.copy(belongings.FILES, parts.film_files(film))
        + load.copy(belongings.FILES, parts.episode_files(episode)),
        people=new,
        credits=load.copy(invention.CREDITS, catalogue.credits(known, film, show)),
        users=public.size,
        ratings=load.copy(audience.RATINGS, public.ratings(user, film, show)),
    )
    load.tell()
    return made


class _Loader:
    """Sends rows by COPY and tells how it goes."""

    def __init__(self, cursor: extensions.cursor, progress: Callable[[str], object]) -> None:
        self._cursor = cursor
        self._progress = progress

    def reserve(self, table: str, number: int) -> int:
        """Take so many ids of a table; return the first."""
        take = "SELECT setval(s, nextval(s) + %s) FROM pg_get_serial_sequence(%s, 'id') s"
        self._cursor.execute(take, (max(number - 1, 0), table))
        (last,) = self._cursor.fetchone() or (0,)
        return int(last) - max(number - 1, 0)

    def copy(self, columns: invention.Columns, rows: Iterator[str], what: str = "") -> int:
        """Send rows; return how many."""
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(columns.table),
            sql.SQL(", ").join(map(sql.Identifier, columns.names)),
        )
        stream = _Stream(rows, what or columns.table, self._progress)
        self._cursor.copy_expert(statement, stream)
        stream.tell()
        return stream.sent

    def named(self, table: str, names: Iterable[str], known: str) -> tuple[Sequence[int], int]:
        """Make rows of these names; return their ids and how many are new: a name may be there.

        `known` is the column that is null in rows that are known by name alone.
        """
        values = {"t": sql.Identifier(table), "known": sql.Identifier(known)}
        self._cursor.execute(
            "CREATE TEMP TABLE invented"
            " (place bigint GENERATED ALWAYS AS IDENTITY, name text) ON COMMIT DROP"
        )
        rows = (f"{name}\n" for name in names)
        self.copy(invention.Columns("invented", ("name",)), rows, what=table)
        insert = (
            "INSERT INTO {t} (name) SELECT name FROM invented ORDER BY place ON CONFLICT DO NOTHING"
        )
        self._cursor.execute(sql.SQL(insert).format(**values))
        new = int(self._cursor.rowcount)
        # The lock keeps those who were there before for as long as rows that name them are added.
        select = (
            "SELECT t.id FROM {t} t JOIN invented i USING (name)"
            " WHERE t.{known} IS NULL ORDER BY i.place FOR KEY SHARE OF t"
        )
        self._cursor.execute(sql.SQL(select).format(**values))
        ids = array("q")
        while rows_ := self._cursor.fetchmany(CHUNK):
            ids.extend(id_ for (id_,) in rows_)
        self._cursor.execute("DROP TABLE invented")
        return ids, new

    def names(self, film: int, show: int, catalogue: invention.Catalogue) -> None:
        """Do what the triggers would have done: rows for names, and titles counted by genre."""
        run = self._cursor.execute
        run(
            "INSERT INTO studios (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
            (studios(),),
        )
        networks = list(words.NETWORKS)
        run(
            "INSERT INTO networks (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
            (networks,),
        )
        run(
            "INSERT INTO genres (name, slug) SELECT name, marquee_slug(name)"
            " FROM unnest(%s::text[]) name ON CONFLICT DO NOTHING",
            ([genre.name for genre in words.GENRES],),
        )
        tally = (
            "INSERT INTO genre_tallies (kind, genre, titles) SELECT %s, genre, count(*)"
            " FROM {}, unnest(genres) genre WHERE id >= %s AND id < %s GROUP BY genre"
        )
        run(tally.format("movies"), ("movie", film, film + catalogue.films))
        run(tally.format("tvshows"), ("tvshow", show, show + catalogue.size - catalogue.films))

    def tell(self) -> None:
        """Have the search indexes built anew: a million changes one by one would take longer."""
        self._cursor.execute("SELECT nextval('search_generation'), pg_notify(%s, '')", (CHANNEL,))

    def give_role(self, first: int, number: int) -> None:
        """Give new users the role that every user has."""
        self._cursor.execute(
            "INSERT INTO user_roles (user_id, role_id) SELECT u.id, r.id FROM users u, roles r"
            " WHERE u.id BETWEEN %s AND %s AND r.name = 'user'",
            (first, first + number - 1),
        )

    def trust(self) -> bool:
        """Let PostgreSQL take foreign keys on trust, and leave triggers out, if it lets us: this
        almost halves the time. Whether it does.

        The rows that are referred to are of this transaction, which nobody else can delete from,
        or locked.
        """
        self._cursor.execute("SAVEPOINT trust")
        try:
            self._cursor.execute("SET LOCAL session_replication_role = replica")
        except InsufficientPrivilege:
            self._cursor.execute("ROLLBACK TO SAVEPOINT trust")
            return False
        return True


class _Stream:
    """Rows as a file that COPY reads."""

    def __init__(self, rows: Iterator[str], what: str, progress: Callable[[str], object]) -> None:
        self.sent = 0
        self._rows = rows
        self._what = what
        self._progress = progress
        self._started = self._told = time.monotonic()

    def read(self, _size: int = 0, /) -> bytes:
        """The next rows. COPY takes more than it asked for."""
        rows = list(islice(self._rows, CHUNK))
        self.sent += len(rows)
        if time.monotonic() - self._told >= PATIENCE:
            self.tell()
        return "".join(rows).encode()

    def readline(self, _size: int = 0, /) -> bytes:
        """The next row. psycopg2 wants it to be there, but does not call it."""
        return next(self._rows, "").encode()

    def tell(self) -> None:
        """Say how far it is."""
        self._told = time.monotonic()
        self._progress(f"{self._what}: {self.sent:,} rows, {self._told - self._started:.0f} s")
