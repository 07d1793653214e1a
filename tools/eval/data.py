"""MovieLens 100K, out of the wheel of `recbole`: for evaluation alone, kept below build/.

Harper and Konstan 2015, "The MovieLens Datasets". Its terms: research, and no redistribution.
What the films are about comes from the demo catalogue, by title and year.
"""

import csv
import gzip
import hashlib
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import scipy.sparse as sp
from numpy.typing import NDArray

from marquee.catalogue import demo
from marquee.catalogue.embeddings import vectors
from marquee.catalogue.embeddings.texts import Content, content_of
from marquee.services.embeddings.local import LocalEmbedder
from marquee.taste.recommending.titles import Titles

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "eval"
PACKAGE = "recbole==1.2.1"
INSIDE = "recbole/dataset_example/ml-100k/ml-100k"
GENRES = {"Children's": "Family", "Sci-Fi": "Science Fiction"}
NAME_LAST = re.compile(r"^(.*), (the|a|an|les|la|le|il|el|das|der|die)\b")
IN_BRACKETS = re.compile(r"\(.*?\)")
"""Of titles: other names."""


class Missing(Exception):
    """The data are not to be had."""


@dataclass(frozen=True)
class Ratings:
    """All ratings, and the films."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    scores: NDArray[np.float64]
    """1 to 5."""
    times: NDArray[np.float64]
    titles: Titles
    plain: NDArray[np.float32]
    """Vectors of what the films are about, as the catalogue stores them."""
    described: NDArray[np.bool_]
    """Films that the demo catalogue knows, so that more than title and genres is told of them."""

    @cached_property
    def unit(self) -> NDArray[np.float32]:
        """The same, of length 1."""
        return self.plain / np.linalg.norm(self.plain, axis=1, keepdims=True)

    @property
    def shape(self) -> tuple[int, int]:
        """How many users and films."""
        return int(self.users.max()) + 1, len(self.titles.keys)

    def matrix(self, which: NDArray[np.bool_]) -> sp.csr_matrix:
        """1 for each of some ratings, (users, films)."""
        ones = np.ones(int(which.sum()), np.float32)
        return sp.csr_matrix((ones, (self.users[which], self.items[which])), shape=self.shape)


def load() -> Ratings:
    """The ratings; fetched at the first time. Raises Missing."""
    films = _read("item")
    numbers = {film["item_id:token"]: place for place, film in enumerate(films)}
    told = _read("inter")
    contents, described = _contents(films)
    plain = _embedded(contents)
    names = sorted({genre for each in contents for genre in each.genres})
    has = [[name in each.genres for name in names] for each in contents]
    none = np.full(len(films), np.nan, np.float32)
    titles = Titles(
        np.arange(1, len(films) + 1),
        plain,
        sp.csr_matrix(np.array(has, np.float32)),
        none,
        np.zeros(len(films), np.float32),
    )
    return Ratings(
        np.array([int(each["user_id:token"]) - 1 for each in told]),
        np.array([numbers[each["item_id:token"]] for each in told]),
        np.array([float(each["rating:float"]) for each in told]),
        np.array([float(each["timestamp:float"]) for each in told]),
        titles,
        plain,
        described,
    )


def _read(ending: str) -> list[dict[str, str]]:
    path = WORK / f"{INSIDE}.{ending}"
    if not path.exists():
        _fetch()
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def _fetch() -> None:
    WORK.mkdir(parents=True, exist_ok=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
    ]
    done = subprocess.run([*pip, "--dest", str(WORK), PACKAGE], check=False)
    wheels = sorted(WORK.glob("recbole-*.whl"))
    if done.returncode or not wheels:
        raise Missing(f"{PACKAGE} cannot be downloaded.")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        wheel.extractall(WORK, [name for name in wheel.namelist() if name.startswith(INSIDE)])


def _contents(films: list[dict[str, str]]) -> tuple[list[Content], NDArray[np.bool_]]:
    known = _demo()
    contents, described = [], []
    for film in films:
        title = IN_BRACKETS.sub("", film["movie_title:token_seq"]).strip()
        year = int(film["release_year:token"]) if film["release_year:token"].isdigit() else None
        same = [
            each
            for each in known.get(_plain(title), [])
            if year and abs((each.get("year") or 0) - year) <= 1
        ]
        facts = same[0] if same else {"title": title, "year": year}
        own = [each for each in film["class:token_seq"].split() if each != "unknown"]
        genres = {*(GENRES.get(each, each) for each in own), *facts.get("genres", [])}
        contents.append(_content(facts, sorted(genres)))
        described.append(bool(same))
    return contents, np.array(described)


def _content(facts: dict[str, Any], genres: list[str]) -> Content:
    listed = {name: facts.get(name, []) for name in ("studios", "keywords", "countries")}
    single = {
        name: facts.get(name) for name in ("title", "year", "tagline", "age_rating", "overview")
    }
    row: Any = SimpleNamespace(**listed, **single, genres=genres, awards_summary=None)
    people: list[Any] = [
        SimpleNamespace(name=name, job=job)
        for job, key in (("director", "directors"), ("actor", "cast_members"))
        for name in facts.get(key, [])
    ]
    return content_of(row, people)


def _demo() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    with gzip.open(Path(demo.__file__).with_name("titles.jsonl.gz")) as lines:
        for line in lines:
            facts = orjson.loads(line)
            if facts["kind"] == "movie":
                found.setdefault(_plain(facts["title"]), []).append(facts)
    return found


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", NAME_LAST.sub(r"\2 \1", title.lower()))


def _embedded(contents: list[Content]) -> NDArray[np.float32]:
    digest = hashlib.sha256(b"".join(each.digest for each in contents)).hexdigest()[:16]
    path = WORK / f"vectors-{digest}.npy"
    if not path.exists():
        made = LocalEmbedder().encode([each.text for each in contents])
        whole = [
            vectors.whole(text, each.genres) for text, each in zip(made, contents, strict=True)
        ]
        np.save(path, np.array(whole, np.float32))
    found: NDArray[np.float32] = np.load(path)
    return found
