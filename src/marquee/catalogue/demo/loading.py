"""The demo catalogue: `titles.jsonl.gz`, which `tools/demo/build.py` makes."""

from pathlib import Path

from sqlalchemy import Engine, select, text

from marquee.catalogue.importing import Report, import_titles, read_lines
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.tvshows.models import TVShow

TITLES = Path(__file__).with_name("titles.jsonl.gz")

# Two statements: the limits of the first hold from the second on.
PATIENCE = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0"
ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('demo catalogue', 0))"


def load(engine: Engine) -> Report | None:
    """Load the demo's films and series into an empty catalogue, all of them or none.

    Returns None if there is a title already. Of several processes one loads; the others wait.
    """
    with engine.begin() as connection:
        connection.execute(text(PATIENCE))
        connection.execute(text(ALONE))
        if any(connection.scalar(select(model.id).limit(1)) for model in (Movie, TVShow)):
            return None
        report = import_titles(read_lines(TITLES), connection)
        connection.execute(text("ANALYZE movies, tvshows, seasons, people, credits"))
    return report
