"""What can go wrong with a server."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from tests.fakes.exchange import Exchange, Reply, written

MEGABYTE = 1024 * 1024

Json = dict[str, Any]


@dataclass
class Fault:
    """Something that goes wrong, `times` times, or until it is healed.

    | kind | what the server does |
    |---|---|
    | slow | waits `seconds`, then answers well |
    | drip | sends the body a byte at a time, each after `seconds` |
    | drip_headers | sends all of it a byte at a time |
    | reset | resets the connection |
    | refused | does not listen for `seconds` |
    | halfway | sends half of the body, nothing more for `seconds`, and ends |
    | truncated | promises more than it sends |
    | status | answers `status` (503), with `retry_after` if that is given |
    | broken_json, html, empty | answers 200 with something that is no JSON |
    | wrong_types | numbers for words and words for numbers |
    | bad_items | every second item of `results` is bad |
    | huge | declares ten gigabytes |
    | endless | answers `status` (200) and never stops sending |
    | bomb | sends a megabyte that unfolds to a gigabyte |
    | encoding | uses an encoding that nobody asked for |
    | redirect | redirects to `location`, with `status` (302) |
    """

    kind: str
    times: int | None = None
    seconds: float = 1.0
    status: int | None = None
    retry_after: str | None = None
    location: str = "/"


def _slow(exchange: Exchange, fault: Fault) -> None:
    if not exchange.stopping.wait(fault.seconds):
        exchange.send(exchange.answer())


def _drip(exchange: Exchange, fault: Fault) -> None:
    head, end, body = written(exchange.answer(), exchange.asked).partition(b"\r\n\r\n")
    exchange.connection.sendall(head + end)
    exchange.drip(body, fault.seconds)


def _drip_headers(exchange: Exchange, fault: Fault) -> None:
    exchange.drip(written(exchange.answer(), exchange.asked), fault.seconds)


def _halfway(exchange: Exchange, fault: Fault) -> None:
    head, end, body = written(exchange.answer(), exchange.asked).partition(b"\r\n\r\n")
    exchange.over = True
    exchange.connection.sendall(head + end + body[: len(body) // 2])
    exchange.stopping.wait(fault.seconds)


def _reset(exchange: Exchange, _fault: Fault) -> None:
    exchange.reset()


def _truncated(exchange: Exchange, _fault: Fault) -> None:
    exchange.over = True
    exchange.connection.sendall(written(exchange.answer(), exchange.asked)[:-20])


def _status(exchange: Exchange, fault: Fault) -> None:
    problem = exchange.problem(fault.status or 503)
    headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
    exchange.send(Reply(problem.status, problem.value, {**problem.headers, **headers}))


def _broken_json(exchange: Exchange, _fault: Fault) -> None:
    exchange.raw(200, {"Content-Type": "application/json"}, b'{"page":1,"results":[{"id":550,')


def _html(exchange: Exchange, _fault: Fault) -> None:
    page = b"<!doctype html><title>Maintenance</title><p>Back in an hour."
    exchange.raw(200, {"Content-Type": "text/html"}, page)


def _empty(exchange: Exchange, _fault: Fault) -> None:
    exchange.raw(200, {"Content-Type": "application/json", "Content-Length": "0"}, b"")


def _wrong_types(exchange: Exchange, _fault: Fault) -> None:
    reply = exchange.answer()
    exchange.send(Reply(reply.status, twisted(reply.value)))


def _bad_items(exchange: Exchange, _fault: Fault) -> None:
    reply, harm = exchange.answer(), cycle(HARMS)
    results = reply.value["results"]
    for index in range(1, len(results), 2):
        results[index] = next(harm)(results[index])
    exchange.send(reply)


def _huge(exchange: Exchange, _fault: Fault) -> None:
    exchange.raw(200, {"Content-Length": str(10_000 * MEGABYTE)}, b"[")


def _endless(exchange: Exchange, fault: Fault) -> None:
    headers = {"Transfer-Encoding": "chunked", "Location": fault.location}
    exchange.raw(fault.status or 200, headers, b"")
    while not exchange.stopping.is_set():
        exchange.connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def _bomb(exchange: Exchange, _fault: Fault) -> None:
    body = gzip.compress(bytes(4 * MEGABYTE)) * 256
    exchange.raw(200, {"Content-Encoding": "gzip", "Content-Length": str(len(body))}, body)


def _encoding(exchange: Exchange, _fault: Fault) -> None:
    body = gzip.compress(gzip.compress(b"{}"))
    exchange.raw(200, {"Content-Encoding": "gzip, gzip"}, body)


def _redirect(exchange: Exchange, fault: Fault) -> None:
    headers = {"Location": fault.location, "Content-Length": "0"}
    exchange.raw(fault.status or 302, headers, b"")


FAULTS: Mapping[str, Callable[[Exchange, Fault], None]] = {
    "slow": _slow,
    "drip": _drip,
    "drip_headers": _drip_headers,
    "reset": _reset,
    "halfway": _halfway,
    "truncated": _truncated,
    "status": _status,
    "broken_json": _broken_json,
    "html": _html,
    "empty": _empty,
    "wrong_types": _wrong_types,
    "bad_items": _bad_items,
    "huge": _huge,
    "endless": _endless,
    "bomb": _bomb,
    "encoding": _encoding,
    "redirect": _redirect,
}

HARMS: tuple[Callable[[Json], Any], ...] = (
    lambda item: {**item, "id": str(item["id"])},
    lambda item: {**item, "title": None},
    lambda item: {**item, "vote_average": "8.4"},
    lambda item: {**item, "popularity": -1},
    lambda item: {**item, "genre_ids": "18"},
    lambda item: {**item, "id": True},
    lambda item: {**item, "vote_average": 11},
    lambda item: [item],
    lambda _: None,
    lambda item: {**item, "overview": {"en": item["overview"]}},
)


def twisted(value: Any) -> Any:
    """Give the same JSON with numbers for words and words for numbers."""
    if isinstance(value, dict):
        return {name: twisted(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [twisted(inner) for inner in value]
    return len(value) if isinstance(value, str) else str(value)
