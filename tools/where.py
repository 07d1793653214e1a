"""Where an operation stands: `python -m tools.where 'GET /api/v1/movies/42'`.

Prints the contract's line, the handler's, the files beside it and the tests' classes, each as
`file:line`, which terminals and editors open. An operationId will do as well as a URL.
"""

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

from marquee.web import contract
from marquee.web.contract import Document
from marquee.web.routing import TEMPLATE

ROOT = Path(__file__).parents[1]
METHOD = re.compile(r"(GET|PUT|POST|PATCH|DELETE)\s+(\S+)", re.IGNORECASE)


def find(document: Document, words: str) -> Document:
    """The operation of `METHOD URL` or of an operationId. Raises LookupError."""
    asked = METHOD.fullmatch(words.strip())
    if asked is None:
        for _, _, operation in contract.operations(document):
            if operation["operationId"] == words.strip():
                return operation
        raise LookupError(
            f"{words!r} is neither an operationId nor METHOD URL (GET /api/v1/movies)."
        )
    path = urlsplit(asked[2]).path
    return contract.operation_at(document, asked[1], _served_at(document, path))


def places(operation: Document, root: Path = ROOT) -> list[str]:
    """Lines that say where an operation stands."""
    name = operation["operationId"]
    domain, tag = operation["x-openapi-router-controller"].split(".")[1:3]
    folder = root / "src/marquee" / domain / tag
    test_class = "Test" + "".join(word.capitalize() for word in name.split("_"))
    tests = root / "tests" / domain
    beside = sorted(file.name for file in folder.glob("*.py") if file.name != "handlers.py")
    lines = [
        _line(root, root / "openapi" / domain / f"{tag}.yaml", rf"\s+operationId: {name}\b"),
        _line(root, folder / "handlers.py", rf"def {name}\("),
        f"  beside it: {', '.join(each for each in beside if each != '__init__.py')}",
        *_tests(root, tests, tag, rf"class {test_class}\b"),
    ]
    return [f"{name}", *lines]


def _tests(root: Path, folder: Path, tag: str, pattern: str) -> list[str]:
    """All that the files of a domain have of it, those named after the tag first."""
    usual = folder / f"test_{tag}.py"
    files = sorted(
        folder.glob("test_*.py"), key=lambda file: (not file.stem.startswith(usual.stem), file.name)
    )
    found = [
        _line(root, file, pattern)
        for file in files
        if re.search(f"^{pattern}", file.read_text(), re.MULTILINE)
    ]
    return found or [_line(root, usual, pattern)]


def _served_at(document: Document, path: str) -> str:
    """The path in the contract that serves a path from the server's root, perhaps a moved one."""
    base: str = document["servers"][0]["url"]
    path = re.sub(r"^/api/(?!v\d+/)", f"{base}/", path)
    for now, item in document["paths"].items():
        if path == item.get("x-also-at"):
            return f"{base}{now}"
        for old in item.get("x-moved-from", []):
            pattern = TEMPLATE.sub(r"(?P<\1>[^/]+)", old)
            if moved := re.fullmatch(pattern, path.removeprefix(base)):
                return base + str(now).format_map(moved.groupdict())
    return path


def _line(root: Path, file: Path, pattern: str) -> str:
    shown = file.relative_to(root)
    if not file.is_file():
        return f"{shown}: there is no such file yet"
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if re.match(pattern, line):
            return f"{shown}:{number}: {line.strip()}"
    return f"{shown}: nothing of it yet"


def main() -> int:
    """Print where an operation stands; the exit status."""
    words = " ".join(sys.argv[1:])
    try:
        print("\n".join(places(find(contract.load(), words))))
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
