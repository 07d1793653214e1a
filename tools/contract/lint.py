"""The contract's own rules, as `make check` and the tests ask for them.

`lint_document(contract)` takes the contract as `marquee.web.contract.load()` gives it, and returns
what is wrong with it: a line for each finding, which names the place and says what to do. The rules
stand in the modules beside this one, by subject; exceptions stand in `exceptions.py`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator

from marquee.web.specification import is_openapi
from tools.contract import (
    bodies,
    exceptions,
    extensions,
    operations,
    parameters,
    references,
    schemas,
)
from tools.contract.exceptions import Exceptions

Document = dict[str, Any]
Rule = Callable[[Document, Exceptions], Iterator[str]]

RULES: tuple[Rule, ...] = (
    *references.RULES,
    *operations.RULES,
    *parameters.RULES,
    *bodies.RULES,
    *schemas.RULES,
    *extensions.RULES,
)


def lint_document(document: Document, exceptions: Exceptions = exceptions.AGREED) -> list[str]:
    """What is wrong with a contract; nothing, if nothing is."""
    # The rules walk over what OpenAPI says is there: they need a document without loose ends.
    loose = list(references.check_references(document, exceptions))
    if loose:
        return loose
    if not is_openapi(document):
        return _invalid(document)
    # Only the validator's Python sees all that OpenAPI says, which takes longer than our rules do.
    return [each for rule in RULES for each in rule(document, exceptions)] or _invalid(document)


def _invalid(document: Document) -> list[str]:
    return [
        f"{'/'.join(map(str, error.absolute_path)) or 'the document'}: {error.message[:300]} "
        "- write it as OpenAPI 3.0.3 says."
        for error in OpenAPIV30SpecValidator(document).iter_errors()
    ]
