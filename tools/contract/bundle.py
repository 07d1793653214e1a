"""The published contract as files, for other tools."""

from pathlib import Path

import orjson

from marquee.web import contract

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "build/openapi.json"


def write_bundle() -> Path:
    """Write the published contract as JSON and YAML; the path of the JSON."""
    document = contract.published(contract.load())
    BUNDLE.parent.mkdir(exist_ok=True)
    BUNDLE.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    BUNDLE.with_suffix(".yaml").write_bytes(contract.as_yaml(document))
    return BUNDLE
