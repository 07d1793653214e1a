"""A part of an answer, by `Range` (RFC 9110 §14): one range of bytes; of several, all is sent."""

import re
from http import HTTPStatus

from marquee.errors import Refusal
from marquee.web.answers import Answer, matches
from marquee.web.envelope import answer_to
from marquee.web.request import Request

ACCEPTED = (b"accept-ranges", b"bytes")
ONE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


class RangeNotSatisfiable(Refusal):
    """The range begins behind the end (416)."""

    status, code = 416, "RANGE_NOT_SATISFIABLE"


def ranged(request: Request, answer: Answer) -> Answer:
    """The part of a whole answer that was asked for: 206, or 416; else the answer, which says that
    parts can be had.

    `If-Range` with another version, or with a date, asks for the whole. What is no range of bytes
    counts as none.
    """
    answer.headers.append(ACCEPTED)
    asked = ONE.fullmatch(request.headers.get("range", ""))
    if asked is None or asked[0].endswith("=-") or request.method != "GET":
        return answer
    etag, condition = answer.header(b"etag"), request.headers.get("if-range")
    if condition is not None and not (etag and matches(condition, etag, strong=True)):
        return answer
    return _part(answer, *asked.groups())


def _part(answer: Answer, first: str, last: str) -> Answer:
    size = len(answer.body)
    # Without a first byte, it is so many from the end.
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) if first and last else size - 1, size - 1)
    if start >= size:
        whole = {"Content-Range": f"bytes */{size}"}
        return answer_to(RangeNotSatisfiable(f"There are {size} bytes.", headers=whole))
    if end < start:
        return answer
    span = (b"content-range", b"bytes %d-%d/%d" % (start, end, size))
    part = answer.body[start : end + 1]
    return Answer(HTTPStatus.PARTIAL_CONTENT, part, answer.content_type, [*answer.headers, span])
