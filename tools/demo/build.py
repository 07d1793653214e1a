"""Build the demo catalogue: `python tools/demo/build.py [movies.db]`.

The films come from the database of bokeh-sampledata>=2026.1: give its path, or install the package
(`pip install --no-deps`). Synopses, series, collections, studios, keywords and titles in other
languages come from the files beside this one. The same sources make the same file, byte for byte,
with the same zlib. The best known films come first, so they get the lowest ids.
"""

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import facts
import films
import series

from marquee.catalogue.line_checks import BadLine
from marquee.catalogue.title_lines import read_title

HERE = Path(__file__).parent
RESULT = HERE.parents[1] / "src/marquee/catalogue/demo/titles.jsonl.gz"
LIMIT = 4_000_000
"""Bytes of the result. It is in every installation."""


def main() -> None:
    """Build the file, and say what is in it."""
    parser = argparse.ArgumentParser(description="Build the demo catalogue.")
    parser.add_argument("database", type=Path, nargs="?", help="movies.db of bokeh-sampledata")
    database = parser.parse_args().database or installed_database()
    if database is None or not database.is_file():
        sys.exit("No movies.db: give its path, or install bokeh-sampledata>=2026.1.")
    known = sorted(films.films(database, HERE / "synopses.tsv"), key=by_fame)
    facts.add_facts(known, HERE)
    shows = sorted(series.series(HERE / "series.jsonl"), key=by_fame)
    try:
        content = packed([*known, *shows])
    except BadLine as error:
        sys.exit(str(error))
    if len(content) >= LIMIT:
        sys.exit(f"{len(content):,} bytes are too many: {LIMIT:,} is the limit.")
    RESULT.write_bytes(content)
    sys.stdout.write(
        f"{RESULT}: {len(known):,} films, {len(shows)} series, {len(content):,} bytes\n"
    )


def installed_database() -> Path | None:
    """The database of the installed package, which need not be imported: that takes pandas."""
    spec = find_spec("bokeh_sampledata")
    folders = (spec and spec.submodule_search_locations) or []
    return next((Path(folder) / "_data/movies.db" for folder in folders), None)


def by_fame(title: dict[str, Any]) -> tuple[float, str, str]:
    """What to sort titles by: the best known first."""
    return -title["popularity"], title["imdb_id"] or "", title["title"]


def packed(titles: Iterable[dict[str, Any]]) -> bytes:
    """The titles as gzipped JSON lines. Raises BadLine for one that could not be loaded."""
    result = BytesIO()
    # gzip.compress writes another header with each version of Python.
    with gzip.GzipFile("", "wb", compresslevel=9, fileobj=result, mtime=0) as file:
        file.writelines(lines(titles))
    return result.getvalue()


def lines(titles: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """A line for each title, without what it says nothing about. Raises BadLine."""
    seen = set()
    for title in titles:
        said = {name: value for name, value in title.items() if value not in (None, [])}
        line = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        try:
            read_title(line)
        except BadLine as error:
            raise BadLine(f"{title['title']}: {error}") from error
        if said.get("imdb_id") in seen:
            raise BadLine(f"{title['title']}: {said['imdb_id']} is there twice")
        seen.add(said.get("imdb_id") or id(title))
        yield line


if __name__ == "__main__":
    main()
