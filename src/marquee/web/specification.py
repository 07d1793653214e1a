"""The contract as Connexion's specification."""

from typing import Any

import jsonschema_rs
from connexion.exceptions import InvalidSpecification
from connexion.spec import OpenAPISpecification


class Specification(OpenAPISpecification):
    """An OpenAPI 3.0 document. Raises InvalidSpecification where it is none.

    Connexion's own way to find that out takes half of a start. It looks at defaults too, as the
    contract's lint does.
    """

    _valid = jsonschema_rs.Draft4Validator(OpenAPISpecification.openapi_schema)

    @classmethod
    def _validate_spec(cls, spec: dict[str, Any]) -> None:
        try:
            cls._valid.validate(spec)
        except jsonschema_rs.ValidationError as error:
            place = "/".join(map(str, error.instance_path))
            raise InvalidSpecification(f"{place}: {error.message}") from error
