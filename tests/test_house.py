"""Rules of the house that a test can hold. Exceptions are lists that only shrink."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST_FILE, LONGEST_HANDLER = 400, 15

LONG_FILES = {
    "tests/test_postgres.py",
    "tools/demo/films.py",
}
"""Files of more lines than a file may have."""

COMMITTING = {
    "src/marquee/db.py",  # transaction() itself
    "src/marquee/migrations/running.py",  # a connection of its own, before there are tables
}
"""Files that commit."""

READING_THE_TIME = {
    "src/marquee/clock.py",
    "src/marquee/services/circuit.py",  # pybreaker wants a date; the circuit counts monotonic time
}
"""Files that ask the system for the date."""


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """Every Python file of these folders: its name from the root, and its text."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if not {"node_modules", "versions"} & set(file.parts):  # Alembic writes versions
                yield file.relative_to(ROOT).as_posix(), file.read_text()


def test_files_are_short() -> None:
    long = {
        name for name, text in sources("src", "tests", "tools") if text.count("\n") > LONGEST_FILE
    }
    assert long == LONG_FILES, (
        f"A file has {LONGEST_FILE} lines at the most: split it by subject. A file that has become "
        "short leaves the list."
    )


def test_contract_files_are_short() -> None:
    long = [
        file.name
        for file in (ROOT / "openapi").rglob("*.yaml")
        if file.read_text().count("\n") > 2 * LONGEST_FILE
    ]
    assert long == [], "A contract file is one tag: split the tag."


def test_handlers_are_short() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}"
        for name, text in sources("src")
        if name.endswith("/handlers.py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_HANDLER
    ]
    assert long == [], (
        f"A handler has {LONGEST_HANDLER} lines at the most: it translates, rules stand in "
        "service.py."
    )


def test_handlers_have_no_docstring() -> None:
    wrong = [
        f"{name}:{node.lineno} {node.name}"
        for name, text in sources("src")
        if name.endswith("/handlers.py")
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node)
    ]
    assert wrong == [], "The contract has the summary: two texts would come to disagree."


OTHERS = ("build", "writer")
"""What else has a commit: that of the source, and that of the search index."""


def test_nothing_but_transaction_commits() -> None:
    committing = {
        name
        for name, text in sources("src")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id in OTHERS)
    }
    assert committing == COMMITTING, "Use db.transaction(): it is the only boundary."


def test_time_comes_from_the_clock() -> None:
    reading = {
        name
        for name, text in sources("src")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute)
        and node.attr in ("now", "utcnow", "today")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("datetime", "date")
    }
    assert reading == READING_THE_TIME, "Use clock.now(), which tests can set."


def test_no_module_is_named_for_nothing() -> None:
    empty_words = {"utils", "util", "common", "helpers", "manager", "misc", "base"}
    wrong = [name for name, _ in sources("src", "tests", "tools") if Path(name).stem in empty_words]
    assert wrong == [], "Name a module for its subject."


def test_nothing_is_left_to_do_later() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X ")
    wrong = [
        name
        for name, text in sources("src", "tests", "tools")
        if any(word in text for word in words)
    ]
    assert wrong == []
