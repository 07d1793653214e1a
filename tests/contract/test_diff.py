"""A breaking change is found, unless the version announces it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from marquee.web import contract
from tools.contract import __main__ as tool
from tools.contract.changes import DiffError, announced, contract_at

VERSION_FILE = "src/marquee/__init__.py"


class Repository:
    """A git repository with the contract in it, and a release."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(contract.root(), folder / "openapi")
        (folder / "src/marquee").mkdir(parents=True)
        self.set_version("0.4.1")
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def git(self, *words: str) -> None:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", "-C", self.folder, *identity, *words], check=True)

    def commit(self) -> None:
        self.git("add", ".")
        self.git("commit", "--quiet", "--message=Change")

    def set_version(self, version: str) -> None:
        (self.folder / VERSION_FILE).write_text(f'__version__ = "{version}"\n')

    def change(self, file: str, old: str, new: str) -> None:
        path = self.folder / "openapi" / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        contract.load.cache_clear()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository whose last release is `v0.4.1`."""
    made = Repository(tmp_path / "a repository")
    made.git("tag", "v0.4.1")
    return made


MOVIES, SYSTEM = "catalogue/movies.yaml", "operations/system.yaml"
FAVORITES, RATINGS = "taste/favorites.yaml", "taste/ratings.yaml"
POPULARITY = "        popularity: {type: number, minimum: 0, maximum: 1000000}\n"
FROM = "name: year_from\n          in: query\n"
BUILT = "`BUILD_BRANCH`.\n"
NEW = "NewFavorite:\n      type: object\n"
TAGGED = "get_movie\n      tags: [{}]"
BREAKS = [
    ("list_movies is called list_films now", MOVIES, ": list_movies", ": list_films"),
    ("get_movie has the tag system now", MOVIES, TAGGED.format("movies"), TAGGED.format("system")),
    ("list_movies: GET /movies is gone", MOVIES, "  /movies:\n", "  /films:\n"),
    ("get_build_info asks for a credential", SYSTEM, f"{BUILT}      security: []\n", BUILT),
    ("get_movie asks for the permission movies:read", MOVIES, "movies:get", "movies:read"),
    ("The schema PopularMovie is gone", MOVIES, "PopularMovie:", "Popular:"),
    ("'popularity' has been removed", FAVORITES, POPULARITY, ""),
    ("required", MOVIES, FROM, f"{FROM}          required: true\n"),
    ("'movie_id'", FAVORITES, NEW, f"{NEW}      required: [movie_id]\n"),
    ("Data type changed", RATINGS, "Stars:\n      type: number", "Stars:\n      type: string"),
    ("Enum values removed", MOVIES, "[under-90, 90-120, over-120]", "[under-90, over-120]"),
]


@pytest.mark.parametrize("seed", BREAKS, ids=[each[0] for each in BREAKS])
def test_break_is_found(
    repository: Repository, capsys: pytest.CaptureFixture[str], seed: tuple[str, str, str, str]
) -> None:
    expected, file, old, new = seed
    repository.change(file, old, new)
    assert tool.diff(None, repository.folder) == 1
    told = capsys.readouterr().err
    assert expected in told
    assert "raise the minor version in src/marquee/__init__.py (0.4.1 to 0.4.1)" in told


def test_version_announces(repository: Repository) -> None:
    repository.change(MOVIES, ": list_movies", ": list_films")
    repository.set_version("0.4.2")
    assert tool.diff("v0.4.1", repository.folder) == 1
    repository.set_version("0.5.0")
    assert tool.diff("v0.4.1", repository.folder) == 0
    repository.commit()
    assert tool.diff("HEAD", repository.folder) == 0


@pytest.mark.parametrize(
    "old,new,result",
    [
        ((0, 4, 1), (0, 4, 2), False),
        ((0, 4, 1), (0, 5, 0), True),
        ((0, 4, 1), (1, 0, 0), True),
        ((1, 4, 1), (1, 5, 0), False),
        ((1, 4, 1), (2, 0, 0), True),
        ((1, 4, 1), (0, 5, 0), False),
    ],
)
def test_announced(old: tuple[int, ...], new: tuple[int, ...], *, result: bool) -> None:
    assert announced(old, new) is result


def test_additions_break_nothing(repository: Repository) -> None:
    optional = "        - name: year_to\n"
    added = "        - name: studio\n          in: query\n          schema: {type: string}\n"
    repository.change(MOVIES, optional, added + optional)
    assert tool.diff(None, repository.folder) == 0


def test_moved_path_breaks_nothing(repository: Repository) -> None:
    repository.change(MOVIES, "  /movies:\n", "  /films:\n    x-moved-from: [/movies]\n")
    assert tool.diff(None, repository.folder) == 0


def test_nothing_to_compare_with(tmp_path: Path, make_repository: Callable[[], Repository]) -> None:
    untagged = make_repository()
    assert tool.diff(None, untagged.folder) == 0
    with pytest.raises(DiffError, match="v9"):
        contract_at("v9", untagged.folder)


@pytest.fixture
def make_repository(tmp_path: Path) -> Callable[[], Repository]:
    """A repository without a release."""
    return lambda: Repository(tmp_path / "untagged")
