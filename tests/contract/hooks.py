"""What Schemathesis cannot know from the contract, for requests that are meant to be valid.

Requests that are meant to be wrong are left as they are.
"""

import itertools
import os
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

DEEPEST = 10_000
KNOWN_FILMS = 60
PASSWORD = "the password of alice"
keys = itertools.count(1)


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Make a valid request one that the server can mean well by."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    path, query, headers = case.path_parameters or {}, case.query or {}, case.headers
    if "user_id" in path:
        # Who names another user gets 403 for anything: nothing behind it would be tried.
        path["user_id"] = int(os.environ["SCHEMATHESIS_USER_ID"])
    number = path.get("movie_id")
    if isinstance(number, int) and number % 2:
        # Of all ids that a film may have hardly any is one that a film has.
        path["movie_id"] = number % KNOWN_FILMS + 1
    # A cursor is signed: nobody can make one up.
    query.pop("cursor", None)
    page, size = (whole(query.get(name, 20)) for name in ("page", "page_size"))
    if "page" in query and page * size > DEEPEST:
        # Numbered pages end at the 10,000th result, which no schema of two parameters can say.
        query["page"] = max(1, DEEPEST // size)
    if headers is not None and "Idempotency-Key" in headers:
        # A key that was used for another request is refused, and so is what another body had.
        headers["Idempotency-Key"] = f"key-{os.getpid()}-{next(keys)}"
    if case.operation.definition.raw["operationId"] == "login" and isinstance(case.body, dict):
        # Nobody guesses a password.
        name = os.environ["SCHEMATHESIS_USERNAME"]
        case.body |= {"username": name, "password": PASSWORD, "provider": "local"}


def whole(value: object) -> int:
    """A number, perhaps written as text; 1 for anything else."""
    return int(str(value)) if str(value).isdecimal() else 1
