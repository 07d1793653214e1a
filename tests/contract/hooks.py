"""What Schemathesis cannot know from the contract: who may call what, and what is true.

Beyond their credential, requests that are meant to be wrong are left as they are.
"""

import itertools
import os
from collections.abc import MutableMapping
from functools import cache
from typing import Any

import httpx
import schemathesis
from schemathesis import Case, GenerationMode, HookContext

from marquee.viewer import ADMINISTRATIVE
from marquee.web.contract import load, operations

DEEPEST = 10_000
KNOWN_FILMS, KNOWN_SERIES = 60, 5
KNOWN = {
    "movie_id": KNOWN_FILMS,
    "collection_id": 1,
    "person_id": 1,
    **dict.fromkeys(("tvshow_id", "season_id", "episode_id"), KNOWN_SERIES),
}
"""How many there are of what a path may name: their ids begin with 1."""
AS_ADMIN = {
    *("refresh_movie_metadata", "refresh_tvshow_metadata"),
    *("unwatch_movie", "unwatch_episode", "unwatch_season", "unwatch_series"),
}
"""What users may not do unless they are given it."""
PASSWORD = "the password of alice, and of dave"
ENDING = {
    "change_password",
    "delete_account",
    "logout",
    "revoke_all_sessions",
    "revoke_current_session",
}
"""Operations after which all of the caller's sessions may be over: they are tried as somebody whom
nothing else is tried as, in a new session each time.
"""
OF_ANOTHER = {"assign_user_role", "remove_user_role", "update_user"}
"""What an administrator does to others: not to whom the other operations are tried as."""
keys = itertools.count(1)


@schemathesis.hook
def before_call(context: HookContext, case: "Case[Any]", kwargs: dict[str, Any]) -> None:
    """Send it as whom it is for; make a valid request one that the server can mean well by."""
    name: str = case.operation.definition.raw["operationId"]
    headers: MutableMapping[str, str] = case.headers or {}
    if headers.get("Authorization") == os.environ["SCHEMATHESIS_USER"]:
        if name in ENDING:
            headers["Authorization"] = signed_in(case.operation.base_url)
        elif administrative(name):
            headers["Authorization"] = os.environ["SCHEMATHESIS_ADMIN"]
    path = case.path_parameters or {}
    if str(path.get("session_id")) == os.environ["SCHEMATHESIS_USER_ID"]:
        # The session that all requests are made in has the number of its user.
        path["session_id"] = int(os.environ["SCHEMATHESIS_USER_ID"]) + 1
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    mean_well(name, path, case.query or {})
    # A version that was made up is never the present one.
    headers.pop("If-Match", None)
    if "Idempotency-Key" in headers:
        # A key that was used for another request is refused, and so is what another body had.
        headers["Idempotency-Key"] = f"key-{os.getpid()}-{next(keys)}"
    if name == "login" and isinstance(case.body, dict):
        # Nobody guesses a password.
        alice = {"username": os.environ["SCHEMATHESIS_USERNAME"], "password": PASSWORD}
        case.body |= {**alice, "provider": "local"}


def mean_well(name: str, path: dict[str, Any], query: dict[str, Any]) -> None:
    """Name what there is."""
    if "user_id" in path:
        # Who names another user gets 403 for anything: nothing behind it would be tried.
        whose = "SCHEMATHESIS_OTHER_ID" if name in OF_ANOTHER else "SCHEMATHESIS_USER_ID"
        path["user_id"] = int(os.environ[whose])
    for word, known in KNOWN.items():
        number = path.get(word)
        if isinstance(number, int) and number % 2:
            # Of all ids that a film may have hardly any is one that a film has.
            path[word] = number % known + 1
    # A cursor is signed: nobody can make one up.
    query.pop("cursor", None)
    # 50 is the largest size that a page has by default.
    page, size = (whole(query.get(word, 50)) for word in ("page", "page_size"))
    if "page" in query and page * size > DEEPEST:
        # Numbered pages end at the 10,000th result, which no schema of two parameters can say.
        query["page"] = max(1, DEEPEST // size)


@cache
def administrative(name: str) -> bool:
    """Whether an operation is for those who administer the server."""
    found = [each for _, _, each in operations(load()) if each["operationId"] == name]
    return name in AS_ADMIN or found[0].get("x-permission", "").partition(":")[0] in ADMINISTRATIVE


def signed_in(base_url: str | None) -> str:
    """The header of a new session of whoever signs out all the time."""
    body = {"username": os.environ["SCHEMATHESIS_LEAVING"], "password": PASSWORD}
    answer = httpx.post(f"{base_url}/auth/login", json=body)
    return f"Bearer {answer.raise_for_status().json()['access_token']}"


def whole(value: object) -> int:
    """A number, perhaps written as text; 1 for anything else."""
    return int(str(value)) if str(value).isdecimal() else 1
