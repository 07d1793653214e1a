"""`make where` finds contract, handler, files and tests of an operation."""

from pathlib import Path

import pytest

from marquee.web import contract
from tools.where import find, places

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "words,name",
    [
        ("GET /api/v1/movies/42", "get_movie"),
        ("GET /api/v1/movies/popular", "list_popular_movies"),
        ("get http://127.0.0.1:8080/api/v1/movies?page=2", "list_movies"),
        ("DELETE /users/3/favorites/9", "delete_favorite"),
        ("GET /api/movies/42", "get_movie"),
        ("GET /api/v1/auth/me", "get_current_user"),
        ("GET /healthz", "get_liveness"),
        ("create_favorite", "create_favorite"),
    ],
)
def test_find(words: str, name: str) -> None:
    assert find(contract.load(), words)["operationId"] == name


@pytest.mark.parametrize("words", ["GET /api/v1/nothing", "PUT /api/v1/movies/42", "nothing", ""])
def test_find_nothing(words: str) -> None:
    with pytest.raises(LookupError):
        find(contract.load(), words)


def test_places_of_every_operation() -> None:
    """Each line that names a place names the right one: all have handlers and tests."""
    for _, _, operation in contract.operations(contract.load()):
        name, in_contract, handler, beside, *tests = places(operation, ROOT)
        test_class = f"class Test{name.title().replace('_', '')}"
        for line, expected in (
            (in_contract, f"operationId: {name}"),
            (handler, f"def {name}("),
            *((line, test_class) for line in tests),
        ):
            file, number, _ = line.split(":", maxsplit=2)
            assert expected in (ROOT / file).read_text().splitlines()[int(number) - 1]
        assert beside.startswith("  beside it: ")


def test_places_that_are_missing(tmp_path: Path) -> None:
    operation = find(contract.load(), "get_movie")
    told = places(operation, tmp_path)
    assert "openapi/catalogue/movies.yaml: there is no such file yet" in told
    file = tmp_path / "tests/catalogue/test_movies.py"
    file.parent.mkdir(parents=True)
    file.write_text("class TestGetMovies:\n    pass\n")
    assert "tests/catalogue/test_movies.py: nothing of it yet" in places(operation, tmp_path)
