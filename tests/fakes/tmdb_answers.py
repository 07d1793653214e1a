"""What all answers of the fake TMDB share: pages, words, and the ways to say no."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tests.fakes.exchange import Asked, Reply

Json = dict[str, Any]
PAGE_SIZE, LAST_PAGE, MOST_APPENDED = 20, 500, 20
T = TypeVar("T")

PROBLEMS = {
    2: (501, "Invalid service: this service does not exist."),
    7: (401, "Invalid API key: You must be granted a valid key."),
    9: (503, "Service offline: This service is temporarily offline, try again later."),
    11: (500, "Internal error: Something went wrong, contact TMDB."),
    22: (400, "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer."),
    24: (504, "Your request to the backend server timed out. Try again."),
    25: (429, "Your request count (#) is over the allowed limit of (40)."),
    27: (400, "Too many append to response objects: The maximum number of remote calls is 20."),
    34: (404, "The resource you requested could not be found."),
    42: (405, "This resource does not support this request method."),
    43: (502, "Couldn't connect to the backend server."),
    45: (403, "This user has been suspended."),
    47: (400, "The input is not valid."),
}


class Refused(Exception):
    """TMDB says no, with a status code of its own."""

    def __init__(self, code: int) -> None:
        """Take one of PROBLEMS."""
        super().__init__(code)
        self.code = code


def plain(text: str) -> str:
    """Give a text without case and accents, as TMDB compares them."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def paged(asked: Asked, titles: Sequence[T], show: Callable[[T], Json]) -> Reply:
    """Give the page that was asked for, of 20."""
    text = asked.query.get("page", "1")
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= LAST_PAGE:
        raise Refused(22)
    page, start = int(text), (int(text) - 1) * PAGE_SIZE
    results = [show(title) for title in titles[start : start + PAGE_SIZE]]
    pages = -(-len(titles) // PAGE_SIZE)
    value = {"page": page, "results": results, "total_pages": pages, "total_results": len(titles)}
    return Reply(200, value)


def appended(asked: Asked, parts: dict[str, Callable[[], Json]]) -> Json:
    """Give the parts that `append_to_response` names; TMDB leaves out what it does not know."""
    names = [name for name in asked.query.get("append_to_response", "").split(",") if name]
    if len(names) > MOST_APPENDED:
        raise Refused(27)
    return {name: parts[name]() for name in names if name in parts}
