"""The contract's tool: `python -m tools.contract bundle | lint [--external] | diff [REVISION]`.

- `bundle` writes build/openapi.json and .yaml, as the server publishes them, and the golden table
  openapi/operations.txt.
- `lint` checks OpenAPI's rules, ours and the table; with `--external`, Redocly's, Spectral's and
  OWASP's as well (these need Node).
- `diff` fails if something breaks for clients of a git revision (the last release, if none is
  named) and the version does not announce it.
"""

import argparse
import sys
from pathlib import Path

from marquee.web import contract
from tools.contract import changes, second_opinions, table
from tools.contract.bundle import BUNDLE, ROOT, write_bundle
from tools.contract.changes import DiffError
from tools.contract.lint import lint_document
from tools.node import NodeError

TABLE = ROOT / "openapi/operations.txt"


def bundle() -> int:
    """Write the bundle and the table."""
    document = contract.load()
    write_bundle()
    TABLE.write_text(table.table(document))
    print(f"{len(list(contract.operations(document)))} operations in {BUNDLE} and {TABLE}")
    return 0


def lint(*, external: bool) -> int:
    """Print what is wrong; 1 if anything is."""
    document = contract.load()
    findings = lint_document(document) + table.check(document, TABLE)
    if external:
        findings += second_opinions.lint(write_bundle())
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        print("The contract keeps to its rules.")
    return 1 if findings else 0


def diff(revision: str | None, root: Path = ROOT) -> int:
    """Print what breaks; 1 if something does and the version does not announce it."""
    revision = revision or changes.last_release(root)
    if revision is None:
        print("There is no release yet (no tag v*): nothing to compare with.")
        return 0
    old, before = changes.contract_at(revision, root)
    new, now = changes.present(root)
    found = changes.breaking(old, new)
    if not found:
        print(f"Nothing breaks for clients of {revision}.")
        return 0
    for each in found:
        print(each, file=sys.stderr)
    versions = " to ".join(".".join(map(str, version)) for version in (before, now))
    if changes.announced(before, now):
        print(f"{len(found)} breaking changes since {revision}, announced by {versions}.")
        return 0
    part = "minor" if before[0] == 0 else "major"
    print(
        f"{len(found)} breaking changes since {revision}: keep to what clients of it know, or "
        f"raise the {part} version in {changes.VERSION_FILE} ({versions}).",
        file=sys.stderr,
    )
    return 1


def main(words: list[str] | None = None) -> int:
    """Run one command; its exit status."""
    parser = argparse.ArgumentParser(prog="tools.contract", description="Tools of the contract.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("bundle", help="write build/openapi.* and openapi/operations.txt")
    linting = commands.add_parser("lint", help="check the contract's rules")
    linting.add_argument("--external", action="store_true", help="by Redocly and Spectral too")
    comparing = commands.add_parser("diff", help="look for unannounced breaking changes")
    comparing.add_argument("revision", nargs="?", help="a git revision; the last release if none")
    options = parser.parse_args(words)
    try:
        if options.command == "bundle":
            return bundle()
        if options.command == "lint":
            return lint(external=options.external)
        return diff(options.revision)
    except (DiffError, NodeError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
