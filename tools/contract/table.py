"""The golden table of operations: what there is, who may call it, where it stands. A change of the
contract shows in it as a line or two, so that a review sees at once what the public will see.
"""

from pathlib import Path

from marquee.web import contract
from marquee.web.contract import Document

HEADINGS = ("operationId", "method", "URL", "auth", "permission", "file")


def table(document: Document) -> str:
    """A line for each operation, sorted by URL, in aligned columns."""
    base = document["servers"][0]["url"]
    default: list[Document] = document.get("security", [])
    rows = [HEADINGS]
    for path, method, operation in contract.operations(document):
        module = operation["x-openapi-router-controller"].split(".")
        rows.append(
            (
                operation["operationId"],
                method.upper(),
                base + path,
                authentication(operation.get("security", default)),
                operation.get("x-permission", "-"),
                "/".join(module[1:-1]) + ".yaml",
            )
        )
    rows[1:] = sorted(rows[1:], key=lambda row: (row[2], row[1]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
    return "\n".join(lines) + "\n"


def authentication(alternatives: list[Document]) -> str:
    """Alternatives as `bearer|api_key|session+csrf`; `public` where there are none, and with a
    question mark where none is needed.
    """
    words = ["+".join(each) for each in alternatives if each]
    return "|".join(words) + ("?" if {} in alternatives else "") if words else "public"


def check(document: Document, file: Path) -> list[str]:
    """What to do if the file is not the table of this contract."""
    if file.is_file() and file.read_text() == table(document):
        return []
    return [f"{file} is not the contract's table: run `make contract`, and look at what changed."]
