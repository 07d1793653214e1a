"""The contract as Connexion's specification."""

from typing import Any

import jsonschema_rs
from connexion.exceptions import InvalidSpecification
from connexion.spec import OpenAPISpecification

_FORM = jsonschema_rs.Draft4Validator(OpenAPISpecification.openapi_schema)


def is_openapi(document: dict[str, Any]) -> bool:
    """Whether a document has the form of OpenAPI 3.0."""
    return _FORM.is_valid(document)


class Specification(OpenAPISpecification):  # type: ignore[misc] # its base has no types
    """An OpenAPI 3.0 document, its references resolved. Raises InvalidSpecification where it is
    none.

    Connexion's own way to find that out takes half of a start. It looks at defaults too, as the
    contract's lint does.
    """

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        try:
            _FORM.validate(spec)
        except jsonschema_rs.ValidationError as error:
            place = "/".join(map(str, error.instance_path))
            raise InvalidSpecification(f"{place}: {error.message}") from error
