"""HTTP/1.1 byte by byte: the requests that `web/connection.py` reads, and those that it refuses."""

import gc
import socket
import time

import pytest

from marquee.web.exchange import Exchange
from tests.contract import raw
from tests.web.probing import HOST, Probe, body_of, request, rest, said, statuses, until


class TestRequests:
    def test_what_is_asked_arrives(self, url: str) -> None:
        head = ("POST /a%20b/%C3%A9?q=%41&r HTTP/1.1", HOST, "X-A:  b \t", "X-A: c", "X-E:")
        asked = body_of(
            said(url, request(*head, "Content-Length: 3", "Connection: close", body="abc"))
        )
        assert (asked["method"], asked["http_version"], asked["body"]) == ("POST", "1.1", "abc")
        assert (asked["path"], asked["raw_path"]) == ("/a b/é", "/a%20b/%C3%A9")
        assert asked["query"] == "q=%41&r"
        assert [pair for pair in asked["headers"] if pair[0].startswith("x-")] == [
            ["x-a", "b"],
            ["x-a", "c"],
            ["x-e", ""],
        ]

    def test_each_byte_by_itself(self, url: str) -> None:
        head = request(
            "POST /x HTTP/1.1", HOST, "Content-Length: 2", "Connection: close", body="ab"
        )
        with raw.connect(url) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in head:
                connection.sendall(bytes([byte]))
            assert body_of(rest(connection))["body"] == "ab"

    def test_chunks_and_trailers(self, url: str) -> None:
        body = "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Trailer: evil\r\nHost: y\r\n\r\n"
        head = ("POST /x HTTP/1.1", HOST, "Transfer-Encoding: chunked", "Connection: close")
        asked = body_of(said(url, request(*head, body=body)))
        assert asked["body"] == "abcde"
        assert "x-trailer" not in dict(asked["headers"])

    def test_requests_in_line_are_answered_in_order(self, url: str, probe: Probe) -> None:
        first = request("GET /slow HTTP/1.1", HOST)
        others = [request(f"GET /{number} HTTP/1.1", HOST) for number in range(50)]
        last = request("GET /last HTTP/1.1", HOST, "Connection: close")
        with raw.connect(url) as connection:
            connection.sendall(first + b"".join(others) + last)
            until(lambda: probe.asked)
            time.sleep(0.1)
            assert probe.asked == ["/slow"]
            probe.go_on.set()
            answers = rest(connection)
        assert statuses(answers) == [200] * 52
        assert probe.asked == ["/slow", *(f"/{number}" for number in range(50)), "/last"]

    @pytest.mark.parametrize("target", ["http://evil.example/x?q=1", "/x?q=1"])
    def test_both_forms_of_a_target(self, url: str, target: str) -> None:
        asked = body_of(said(url, request(f"GET {target} HTTP/1.1", HOST, "Connection: close")))
        assert (asked["path"], asked["query"]) == ("/x", "q=1")

    @pytest.mark.parametrize("hosts", [(), (HOST, HOST)])
    def test_one_host(self, url: str, hosts: tuple[str, ...]) -> None:
        answer = said(url, request("GET /x HTTP/1.1", *hosts))
        assert statuses(answer) == [400]
        assert body_of(answer)["error"]["code"] == "VALIDATION_ERROR"
        assert b"x-request-id: " in answer

    def test_the_version_before(self, url: str) -> None:
        assert statuses(said(url, request("GET /x HTTP/1.0"))) == [200]
        answer = said(url, request("GET /pieces HTTP/1.0", "Connection: keep-alive"))
        assert b"transfer-encoding" not in answer
        assert answer.endswith(b"\r\n\r\none two")

    def test_other_versions(self, url: str) -> None:
        answer = said(url, request("GET /x HTTP/2.0", HOST))
        assert body_of(answer)["error"]["code"] == "HTTP_VERSION_NOT_SUPPORTED"

    def test_an_unknown_method(self, url: str) -> None:
        assert statuses(said(url, request("BREW /x HTTP/1.1", HOST))) == [501]

    def test_an_upgrade_is_passed_over(self, url: str) -> None:
        """As Java's HttpClient asks for HTTP/2, with a body; the connection goes on."""
        upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMA")
        asking = request("POST /x HTTP/1.1", HOST, *upgrade, "Content-Length: 3", body="abc")
        last = request("GET /last HTTP/1.1", HOST, "Connection: close")
        assert statuses(said(url, asking * 1000 + last)) == [200] * 1001
        assert b'"body":"abc"' in said(url, asking[:-2], asking[-2:] + last)

    def test_many_in_line_take_no_room(self, url: str, probe: Probe) -> None:
        """They are read when it is their turn, however many come at once."""
        asking = request("GET /x HTTP/1.1", HOST)
        with raw.connect(url) as connection:
            connection.sendall(request("GET /slow HTTP/1.1", HOST) + asking * 5000)
            until(lambda: probe.asked)
            known = [each for each in gc.get_objects() if isinstance(each, Exchange)]
            assert len(known) < 1000
            probe.go_on.set()
            connection.sendall(request("GET /last HTTP/1.1", HOST, "Connection: close"))
            assert statuses(rest(connection)) == [200] * 5002

    @pytest.mark.parametrize(
        "target, path",
        [
            ("http://y?b=/secret", "/"),
            ("http://y", "/"),
            ("*", "*"),
            ("/a?b=http://c/d", "/a"),
        ],
    )
    def test_the_path_of_a_target(self, url: str, target: str, path: str) -> None:
        method = "OPTIONS" if target == "*" else "GET"
        asked = body_of(
            said(url, request(f"{method} {target} HTTP/1.1", HOST, "Connection: close"))
        )
        assert asked["path"] == path

    @pytest.mark.parametrize(
        "header",
        ["Transfer-Encoding: gzip", "Transfer-Encoding: identity", "Host: a b/c@d,e"],
    )
    def test_what_is_neither_here_nor_there(self, url: str, probe: Probe, header: str) -> None:
        hosts = () if header.startswith("Host") else (HOST,)
        answer = said(url, request("GET /x HTTP/1.1", *hosts, header))
        assert (statuses(answer), probe.asked) == ([400], [])

    def test_after_connect_nothing_is_read(self, url: str, probe: Probe) -> None:
        asking = request("CONNECT x:80 HTTP/1.1", HOST)
        assert statuses(said(url, asking + request("GET /inner HTTP/1.1", HOST))) == [200]
        assert "/inner" not in probe.asked


class TestExpect:
    HEAD = ("POST {} HTTP/1.1", HOST, "Expect: 100-continue", "Content-Length: 3")

    def test_leave_is_given(self, url: str) -> None:
        with raw.connect(url) as connection:
            connection.sendall(
                request(self.HEAD[0].format("/x"), *self.HEAD[1:], "Connection: close")
            )
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"abc")
            assert body_of(rest(connection))["body"] == "abc"

    def test_who_gets_an_answer_without_it_cannot_go_on(self, url: str) -> None:
        """It may send the body or not: what follows could be either."""
        answer = said(url, request(self.HEAD[0].format("/deaf"), *self.HEAD[1:]), b"GET")
        assert statuses(answer) == [200]
        assert b"connection: close" in answer

    def test_leave_is_not_given_once_the_answer_has_begun(self, url: str) -> None:
        head = ("GET /events HTTP/1.1", HOST, "Expect: 100-continue")
        with raw.connect(url) as connection:
            connection.sendall(request(*head))
            time.sleep(0.3)
            assert b"100 Continue" not in connection.recv(65536)


class TestRefused:
    def test_trailers_without_end(self, url: str) -> None:
        head = request("POST /x HTTP/1.1", HOST, "Transfer-Encoding: chunked")
        with raw.connect(url) as connection:
            connection.sendall(head + b"1\r\n{\r\n0\r\nX-T: " + b"a" * 100_000)
            assert connection.recv(9) == b"HTTP/1.1 "

    def test_a_head_that_begins_behind_a_body_is_not_charged_with_it(self, url: str) -> None:
        first = request("POST /x HTTP/1.1", HOST, "Content-Length: 100000")
        last = request("GET /last HTTP/1.1", HOST, "Connection: close")
        pieces = (first[:20], first[20:] + b"x" * 100_000 + last[:25], last[25:])
        assert statuses(said(url, *pieces)) == [200, 200]

    def test_a_long_target(self, url: str) -> None:
        answer = said(url, request("GET /" + "x" * 90_000 + " HTTP/1.1", HOST))
        assert (statuses(answer), body_of(answer)["error"]["code"]) == ([414], "URI_TOO_LONG")

    @pytest.mark.parametrize("pieces", [1, 9])
    def test_long_headers(self, url: str, pieces: int) -> None:
        whole = request(
            "GET /x HTTP/1.1", HOST, *(f"X-{number}: {'x' * 990}" for number in range(90))
        )
        size = -(-len(whole) // pieces)
        answer = said(url, *(whole[at : at + size] for at in range(0, len(whole), size)))
        assert (statuses(answer), body_of(answer)["error"]["code"]) == ([431], "HEADERS_TOO_LARGE")

    def test_a_large_body_is_no_large_head(self, url: str) -> None:
        first = request("POST /x HTTP/1.1", HOST, "Content-Length: 200000", body="x" * 200_000)
        assert statuses(
            said(
                url, first + request("GET /last HTTP/1.1", HOST)[:-2], b"Connection: close\r\n\r\n"
            )
        ) == [200, 200]

    def test_what_came_before_is_answered(self, url: str) -> None:
        first = request("GET /x HTTP/1.1", HOST)
        assert statuses(said(url, first * 3, b"\0nonsense\r\n\r\n")) == [200, 200, 200, 400]
        assert statuses(said(url, first * 3 + request("GET /x HTTP/1.1", "a b"))) == [
            *(200, 200, 200),
            400,
        ]

    def test_the_answer_is_read_though_the_client_sends_on(self, url: str) -> None:
        """Were the connection closed at once, the client would be told so, and not why."""
        with raw.connect(url) as connection:
            connection.sendall(request("NO SENSE", HOST))
            assert connection.recv(12) == b"HTTP/1.1 501"
            for _ in range(20):
                connection.sendall(b"x" * 100_000)
            assert b'"error"' in rest(connection)
