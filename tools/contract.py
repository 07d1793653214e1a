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

import orjson
import yaml

from marquee.web import contract
from tools import contract_diff, contract_external, contract_table
from tools.contract_diff import DiffError
from tools.contract_lint import lint_document
from tools.node import NodeError

ROOT = Path(__file__).parents[1]
BUNDLE = ROOT / "build/openapi.json"
TABLE = ROOT / "openapi/operations.txt"


class _PlainDumper(yaml.CSafeDumper):
    """YAML without anchors: some readers of contracts do not know them."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write every node out."""
        return True


def write_bundle() -> Path:
    """Write the published contract as JSON and YAML; the path of the JSON."""
    document = contract.published(contract.load())
    BUNDLE.parent.mkdir(exist_ok=True)
    BUNDLE.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    text = yaml.dump(document, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True)
    BUNDLE.with_suffix(".yaml").write_text(text)
    return BUNDLE


def bundle() -> int:
    """Write the bundle and the table."""
    document = contract.load()
    write_bundle()
    TABLE.write_text(contract_table.table(document))
    print(f"{len(list(contract.operations(document)))} operations in {BUNDLE} and {TABLE}")
    return 0


def lint(*, external: bool) -> int:
    """Print what is wrong; 1 if anything is."""
    document = contract.load()
    findings = lint_document(document) + contract_table.check(document, TABLE)
    if external:
        findings += contract_external.lint(write_bundle())
    for finding in findings:
        print(finding, file=sys.stderr)
    if not findings:
        print("The contract keeps to its rules.")
    return 1 if findings else 0


def diff(revision: str | None, root: Path = ROOT) -> int:
    """Print what breaks; 1 if something does and the version does not announce it."""
    revision = revision or contract_diff.last_release(root)
    if revision is None:
        print("There is no release yet (no tag v*): nothing to compare with.")
        return 0
    old, before = contract_diff.contract_at(revision, root)
    new, now = contract_diff.present(root)
    found = contract_diff.breaking(old, new)
    if not found:
        print(f"Nothing breaks for clients of {revision}.")
        return 0
    for each in found:
        print(each, file=sys.stderr)
    versions = " to ".join(".".join(map(str, version)) for version in (before, now))
    if contract_diff.announced(before, now):
        print(f"{len(found)} breaking changes since {revision}, announced by {versions}.")
        return 0
    part = "minor" if before[0] == 0 else "major"
    print(
        f"{len(found)} breaking changes since {revision}: keep to what clients of it know, or "
        f"raise the {part} version in {contract_diff.VERSION_FILE} ({versions}).",
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
