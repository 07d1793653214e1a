"""Rules of bodies: one media type a status, named schemas, real examples."""

from collections.abc import Callable, Iterator
from typing import Any

from marquee.web.schema import Schema
from marquee.web.specification import Specification
from tools.contract.exceptions import Exceptions
from tools.contract.walk import SCHEMAS, Node, follow, operations

JSON = "application/json"
FORM = "multipart/form-data"
TAKEN = (JSON, FORM)
SCALARS = ("boolean", "integer", "number", "string")
LARGEST_FORM = 64 * 1024 * 1024


def check_bodies(document: Node, _: Exceptions) -> Iterator[str]:
    """What goes in and out has one media type and a schema with a name."""
    for name, _path, _method, operation in operations(document):
        body = operation.get("requestBody")
        if body is not None:
            yield from _media(document, f"{name}: its body", body)
            if "required" not in body:
                yield f"{name}: say whether its body is `required`."
            for media_type in set(body["content"]) - set(TAKEN):
                yield f"{name}: take {' or '.join(TAKEN)}, not {media_type}."
        for status, response in operation["responses"].items():
            yield from _media(document, f"{name} {status}", follow(document, response))


def check_forms(document: Node, _: Exceptions) -> Iterator[str]:
    """A form has a size, fields that are texts or files, and of each file its types and size."""
    for name, _path, _method, operation in operations(document):
        body = operation.get("requestBody", {})
        media = body.get("content", {}).get(FORM)
        if media is None:
            continue
        largest = body.get("x-max-bytes")
        if not isinstance(largest, int) or not 0 < largest <= LARGEST_FORM:
            yield f"{name}: say by x-max-bytes how large its form is, at most {LARGEST_FORM}."
        for field, schema in follow(document, media["schema"]).get("properties", {}).items():
            each = follow(document, schema)
            if each.get("format") != "binary":
                if each.get("type") not in SCALARS:
                    yield f"{name}: the field {field} of a form is {', '.join(SCALARS)} or a file."
                continue
            if "maxLength" not in each:
                yield f"{name}: say by maxLength how many bytes the file {field} may have."
            if "contentType" not in media.get("encoding", {}).get(field, {}):
                yield f"{name}: say by `encoding` which media types the file {field} may have."


def check_examples(document: Node, _: Exceptions) -> Iterator[str]:
    """Every JSON body has an example, and every example keeps to its schema."""
    resolved = Specification(document)
    seen = set()
    for name, _path, _method, operation in operations(resolved):
        messages: list[tuple[str, Any]] = [("its body", operation.get("requestBody", {}))]
        messages += operation["responses"].items()
        for what, message in messages:
            media = message.get("content", {}).get(JSON)
            if media is None or id(media) in seen:
                continue
            seen.add(id(media))
            if "example" not in media:
                yield f"{name} {what}: write an `example` of what really is sent."
            elif (error := _error(media["schema"], media["example"])) is not None:
                yield f"{name} {what}: its example breaks its schema ({error}): correct it."
        item = resolved["paths"][_path]
        for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]:
            if "example" in parameter and (
                error := _error(parameter["schema"], parameter["example"])
            ):
                yield f"{name}: the example of {parameter['name']} breaks its schema ({error})."


def _media(document: Node, place: str, message: Node) -> Iterator[str]:
    content = message.get("content", {})
    if len(content) > 1:
        yield f"{place}: choose one media type of {', '.join(content)}."
    for media_type, media in content.items():
        schema = media["schema"]
        if media_type in TAKEN and not schema.get("$ref", "").startswith(SCHEMAS):
            yield f"{place}: give its schema a name among the components, and refer to it."
        elif media_type in TAKEN and follow(document, schema).get("type") == "array":
            yield f"{place}: wrap the list in an object, so that it can grow."


def _error(schema: Node, example: object) -> str | None:
    compiled = Schema(schema)
    return None if compiled.is_valid(example) else compiled.first_error(example)


RULES: tuple[Callable[[Node, Exceptions], Iterator[str]], ...] = (
    check_bodies,
    check_forms,
    check_examples,
)
