"""Finding films by describing them: how well words, vectors, and both together do.

    MARQUEE_BENCH_TITLES=plots.jsonl.gz python -m tools.bench --part meaning

The files, separated by colons, hold films with their plots, as `marquee import titles` takes them.
They are loaded into a database of their own, embedded and indexed; both stay below build/ for the
next run. Then each query of `queries.jsonl` is asked. Its film counts by its place among the first
ten: R@1, R@10 and MRR@10, the mean of one over the place.

Queries are `plain`, as one would tell a friend; or `hard`: other words than a plot's. The weights
of the ranking were chosen by one half of them; the other is `held out`.
"""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from sqlalchemy import Engine, select

from marquee import db, settings
from marquee.catalogue.embeddings import making, nearest
from marquee.catalogue.embeddings.kinds import MOVIES
from marquee.catalogue.importing import import_titles, read_lines
from marquee.catalogue.movies.models import Movie
from marquee.catalogue.search import building, folder, service, words
from marquee.catalogue.search.index import reader
from marquee.migrations import running
from marquee.postgres import Postgres
from marquee.progress import Progress
from tools.bench import places

PART = "meaning"
VARIABLE = "MARQUEE_BENCH_TITLES"
QUERIES = Path(__file__).with_name("queries.jsonl")
WORK = places.WORK / "meaning"
FIRST = 10
LEAST_PLAIN = 0.60
LEAST_QUERIES = 100
WORDS, VECTORS, PRODUCT = "words alone", "vectors alone", "the product's answer"

Search = Callable[[str], list[int]]


@dataclass(frozen=True)
class Asked:
    """A query, and the film that it means."""

    query: str
    kind: str
    language: str
    movie_id: int

    @property
    def held_out(self) -> bool:
        """Whether it had no part in choosing the weights of the ranking."""
        return hashlib.sha256(self.query.encode()).digest()[0] % 2 == 1


@dataclass(frozen=True)
class Figures:
    """How a way of searching does on some queries."""

    queries: int
    at_1: float
    at_10: float
    mrr: float


def main() -> int:
    """Measure, and print; 1 where a target is missed, 2 where it cannot be run."""
    try:
        text, verdicts = measured()
    except places.Missing as error:
        places.say(f"bench: {error}")
        return 2
    sys.stdout.write(text)
    return 0 if all(met for met, _ in verdicts) else 1


def apart(*, asked: bool) -> int:
    """The same in a process of its own, which has a database of its own; 0 where it is left out for
    want of files, unless it was asked for.
    """
    if not asked and not os.environ.get(VARIABLE):
        places.say(f"The part {PART} is left out: {VARIABLE} names no files.")
        return 0
    command = [sys.executable, "-m", "tools.bench.meaning"]
    return subprocess.run(command, cwd=places.ROOT, check=False).returncode


def measured() -> tuple[str, list[tuple[bool, str]]]:
    """A table, and whether each target is met. Raises Missing without files."""
    files = [Path(each) for each in os.environ.get(VARIABLE, "").split(":") if each]
    if missing := [str(each) for each in files if not each.is_file()]:
        raise places.Missing(f"{VARIABLE}: there is no {', '.join(missing)}.")
    if not files:
        raise places.Missing(f"{VARIABLE} names no file with films and their plots.")
    with _database() as engine:
        _load(engine, files)
        asked = _queries()
        places.say(f"{len(asked)} queries.")
        ways = {WORDS: _by_words, VECTORS: _by_vectors, PRODUCT: _by_product}
        ranks, costs = {}, {}
        for name, search in ways.items():
            _ranks(asked[:3], search)  # the model is loaded, caches are warm
            nearest._meaning_of.cache_clear()  # noqa: SLF001 - a query that comes again costs less
            started = time.process_time()
            ranks[name] = _ranks(asked, search)
            costs[name] = (time.process_time() - started) / len(asked) * 1000
    return _told(asked, ranks, costs)


@contextmanager
def _database() -> Iterator[Engine]:
    """A PostgreSQL of its own, with this process connected to it."""
    WORK.mkdir(parents=True, exist_ok=True)
    with Postgres(WORK / "postgres") as postgres:
        os.environ |= {"DATABASE_URL": postgres.url(), "MARQUEE_DATA": str(WORK)}
        settings.current.cache_clear()
        engine = db.engine_for(postgres.url(), statement_timeout=0)
        running.migrate(engine)
        db.connect(engine)
        yield engine
        engine.dispose()


def _load(engine: Engine, files: Sequence[Path]) -> None:
    """Import, embed and index what is new."""
    for file in files:
        with engine.begin() as connection:
            report = import_titles(read_lines(file), connection)
        places.say(f"{file.name}: {report.read} lines, {report.inserted} new.")
    started = time.process_time()
    made = making.make(MOVIES, Progress())
    places.say(f"{made['embedded']} embedded in {time.process_time() - started:.0f} s of CPU time.")
    kept = folder.folder()
    kept.path.mkdir(parents=True, exist_ok=True)
    path = kept.new()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        building.build(connection, path, 1, lambda _built: None)
    kept.switch(path)
    kept.clear(path)
    reader.refresh()


def _queries() -> list[Asked]:
    """Those whose film is there, by its IMDb id. Raises Missing where these are few."""
    lines = [orjson.loads(line) for line in QUERIES.read_bytes().splitlines()]
    with db.transaction():
        imdb_ids = {line["imdb_id"] for line in lines}
        found = db.rows(select(Movie.imdb_id, Movie.id).where(Movie.imdb_id.in_(imdb_ids)))
    by_imdb_id: dict[str, int] = {row.imdb_id: row.id for row in found}
    asked = [
        Asked(line["query"], line["kind"], line["language"], by_imdb_id[line["imdb_id"]])
        for line in lines
        if line["imdb_id"] in by_imdb_id
    ]
    if len(asked) < LEAST_QUERIES:
        raise places.Missing(f"The files have the films of {len(asked)} queries only.")
    return asked


def _ranks(asked: Sequence[Asked], search: Search) -> list[int | None]:
    """The place of each query's film among the first ten."""
    ranks = []
    for each in asked:
        with db.transaction():
            found = search(each.query)[:FIRST]
        ranks.append(found.index(each.movie_id) + 1 if each.movie_id in found else None)
    return ranks


def _by_words(query: str) -> list[int]:
    with reader.searching() as searcher:
        how = {"limit": FIRST, "weight_by_field": "weight"}
        found = words.search(searcher, words.words_of(query), [words.only("movie")], **how)
        return [id_ for _, id_ in words.keys_of(searcher, found.best)]


def _by_vectors(query: str) -> list[int]:
    meaning = nearest.meaning_of(query)
    return nearest.nearest(MOVIES, meaning, FIRST) if meaning else []


def _by_product(query: str) -> list[int]:
    page = service.search(
        "movie", query, {}, page=1, page_size=FIRST, sort_by="relevance", facets=False
    )
    return [hit["document"]["id"] for hit in page.hits]


def _figures(ranks: Sequence[int | None]) -> Figures:
    many = max(1, len(ranks))
    found = [rank for rank in ranks if rank]
    return Figures(
        len(ranks), found.count(1) / many, len(found) / many, sum(1 / rank for rank in found) / many
    )


def _told(
    asked: Sequence[Asked], ranks: dict[str, list[int | None]], costs: dict[str, float]
) -> tuple[str, list[tuple[bool, str]]]:
    groups: dict[str, Callable[[Asked], bool]] = {
        "plain": lambda each: each.kind == "plain" and each.language == "en",
        "hard": lambda each: each.kind == "hard",
        "es, de, fr": lambda each: each.language != "en",
        "all": lambda _each: True,
        "held out": lambda each: each.held_out,
    }
    lines = [
        "# Finding by meaning",
        "",
        "| queries | | R@1 | R@10 | MRR@10 |",
        "|---|---|---|---|---|",
    ]
    figures: dict[tuple[str, str], Figures] = {}
    for group, belongs in groups.items():
        for way, found in ranks.items():
            mine = [rank for rank, each in zip(found, asked, strict=True) if belongs(each)]
            one = figures[group, way] = _figures(mine)
            lines.append(
                f"| {group} ({one.queries}) | {way} | {one.at_1:.3f} | {one.at_10:.3f} "
                f"| {one.mrr:.3f} |"
            )
    spent = ", ".join(f"{way} {cost:.1f} ms" for way, cost in costs.items())
    lines += ["", f"CPU time a query, without PostgreSQL's: {spent}.", ""]
    verdicts = [_best(group, figures) for group in ("plain", "hard", "all")]
    plain = figures["plain", PRODUCT].mrr
    verdicts.append(_verdict(plain >= LEAST_PLAIN, f"plain MRR@10 {plain:.3f} >= {LEAST_PLAIN}"))
    lines += [words_ for _, words_ in verdicts]
    return "\n".join(lines) + "\n", verdicts


def _best(group: str, figures: dict[tuple[str, str], Figures]) -> tuple[bool, str]:
    ours = figures[group, PRODUCT].mrr
    others = max(figures[group, way].mrr for way in (WORDS, VECTORS))
    return _verdict(
        ours >= others, f"{group}: the product's {ours:.3f} >= {others:.3f} of the best"
    )


def _verdict(met: bool, words_: str) -> tuple[bool, str]:  # noqa: FBT001
    return met, f"- {'met' if met else 'MISSED'}: {words_}"


if __name__ == "__main__":
    sys.exit(main())
