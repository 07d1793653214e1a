"""Headers and frames that no honest client sends: refused in the envelope where the application
sees them, by the server where it does not, and never answered by a 500.
"""

import http.client

import httpx
import pytest

from tests.contract import raw
from tests.contract.conftest import Target

V1 = "/api/v1"
ME = f"{V1}/users/me"
REFUSED_BY_SERVER = {400, 408, 413, 414, 431, 501, 505}


def get(target: Target, path: str = ME, **headers: str) -> httpx.Response:
    """Ask for a path with these headers, in Latin-1."""
    return raw.exchange(target.url, "GET", path, target.headers(**headers))


class TestCredentials:
    @pytest.mark.parametrize(
        "value",
        ["Bearer \xff", "Bearer \xe9.\xe9.\xe9", "\xff", "Bearer " + "x" * 5000, "Bearer a b"],
    )
    def test_strange_token(self, target: Target, value: str) -> None:
        assert get(target, Authorization=value).status_code == 401

    @pytest.mark.parametrize("value", ["\xff", "é", "x" * 5000, "'", "a, b"])
    def test_strange_key(self, target: Target, value: str) -> None:
        assert get(target, X_API_Key=value).status_code == 401

    @pytest.mark.parametrize(
        "value",
        [
            "marquee_session=x",
            "marquee_session=\xff",
            "marquee_session=a.b",
            'marquee_session="\\377.x"',
            "marquee_session=.",
            "marquee_session=MQ.x",
        ],
    )
    def test_strange_session(self, target: Target, value: str) -> None:
        assert get(target, Cookie=value).status_code == 401

    @pytest.mark.parametrize(
        "value", ["", ";", "=", ";;=;", "a", "a=b; a=c", "é=é", "a=" + "b" * 4000, "x" * 4000]
    )
    def test_strange_cookies_of_others(self, target: Target, value: str) -> None:
        assert get(target, Cookie=value).status_code == 200


class TestHeadersOfMeaning:
    @pytest.mark.parametrize("value", ["", "x", "\xff", "W/", '"', ",,,", '"' + "x" * 4000 + '"'])
    def test_if_none_match(self, target: Target, value: str) -> None:
        assert get(target, f"{V1}/movies", If_None_Match=value).status_code == 200

    @pytest.mark.parametrize("value", ["", "\xe9", "x" * 201])
    def test_if_match(self, target: Target, value: str) -> None:
        body = b'{"rating": 1}'
        framing = {"Content_Type": "application/json", "Content_Length": str(len(body))}
        headers = target.headers(If_Match=value, **framing)
        path = f"{V1}/movies/ratings/999999"
        answer = raw.exchange(target.url, "PUT", path, headers, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "value", ["", ",", "\xff", "application", "/", ";q=1", "text/html", "x" * 4000]
    )
    def test_accept(self, target: Target, value: str) -> None:
        assert get(target, Accept=value).status_code in (200, 406)

    @pytest.mark.parametrize(
        "value", ["", ",", "\xff", "gzip;q=abc", "br;q=", "gzip;q=-1", "x" * 4000, "*", "*;q=0"]
    )
    def test_accept_encoding(self, target: Target, value: str) -> None:
        assert get(target, f"{V1}/movies", Accept_Encoding=value).status_code == 200

    @pytest.mark.parametrize("value", ["\xff", "x" * 5000, "%s%n", "<script>", "a\tb", "é"])
    def test_user_agent(self, target: Target, value: str) -> None:
        """It is written to the audit log."""
        body = b'{"username": "nobody", "password": "nothing"}'
        headers = {
            "User-Agent": value,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }
        answer = raw.exchange(target.url, "POST", f"{V1}/auth/login", headers, body)
        assert answer.status_code == 401

    @pytest.mark.parametrize("value", ["\xff", "null", "https://evil.example", "x" * 4000, ""])
    def test_origin(self, target: Target, value: str) -> None:
        answer = get(target, Origin=value)
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("access-control-")]

    @pytest.mark.parametrize(
        "value", ["10.0.0.1", "x", "\xff", "::1, 1.2.3.4", "," * 2000, "127.0.0.1:80"]
    )
    def test_forwarded_for_is_believed_of_nobody(self, target: Target, value: str) -> None:
        assert get(target, X_Forwarded_For=value, Forwarded=f"for={value}").status_code == 200

    @pytest.mark.parametrize(
        "name",
        [
            "Forwarded",
            "X-Forwarded-Host",
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-HTTP-Method-Override",
        ],
    )
    def test_headers_that_reroute(self, target: Target, name: str) -> None:
        """No answer repeats them, and none takes another path for them."""
        headers = {**target.headers(), name: "evil.example"}
        answer = raw.exchange(target.url, "GET", f"{V1}/auth/me", headers)
        assert (answer.status_code, answer.headers["location"]) == (308, ME)
        headers[name] = "DELETE"
        assert raw.exchange(target.url, "GET", ME, headers).status_code == 200

    def test_range_is_ignored(self, target: Target) -> None:
        assert get(target, Range="bytes=0-1").status_code == 200

    def test_expect(self, target: Target) -> None:
        body = b"{}"
        headers = target.headers(
            Expect="100-continue",
            Content_Type="application/json",
            Content_Length="2",
            Connection="close",
        )
        with raw.connect(target.url) as connection:
            connection.sendall(raw.head("POST", f"{V1}/movies/ratings", headers))
            connection.sendall(body)
            answer = raw.answer(connection, "POST", f"{V1}/movies/ratings")
        assert answer.status_code == 400


def sent(target: Target, data: bytes) -> int | None:
    """The status of the first answer to these bytes; None where the server closes."""
    with raw.connect(target.url, timeout=30) as connection:
        try:
            connection.sendall(data)
            got = http.client.HTTPResponse(connection)
            got.begin()
        except (http.client.HTTPException, ConnectionError):
            return None
        return got.status


def request(*lines: str, body: str = "") -> bytes:
    """A request of these lines."""
    return ("\r\n".join([*lines, "", ""]) + body).encode("latin-1")


LINE = f"GET {V1}/healthz HTTP/1.1"
POST = f"POST {V1}/auth/login HTTP/1.1"
HOST = "Host: x"
CLOSE = "Connection: close"
REFUSED = {
    "a header without a colon": request(LINE, HOST, "Broken"),
    "a space before the colon": request(LINE, HOST, "X-A : b"),
    "a NUL in a header": request(LINE, HOST, "X-A: a\0b"),
    "a bare CR in a header": request(LINE, HOST, "X-A: a\rb"),
    "a NUL in the target": request(f"GET {V1}/health\0z HTTP/1.1", HOST),
    "a space in the target": request(f"GET {V1}/movies/4 2 HTTP/1.1", HOST),
    "two lengths": request(POST, HOST, "Content-Length: 2", "Content-Length: 3", body="{} "),
    "a list of lengths": request(POST, HOST, "Content-Length: 2, 3", body="{} "),
    "a negative length": request(POST, HOST, "Content-Length: -1", body="{}"),
    "a length with a sign": request(POST, HOST, "Content-Length: +2", body="{}"),
    "a length in hexadecimal": request(POST, HOST, "Content-Length: 0x2", body="{}"),
    "a length of 5,000 digits": request(POST, HOST, "Content-Length: " + "9" * 5000, body="{}"),
    "a coding that nobody has": request(POST, HOST, "Transfer-Encoding: cow", body="{}"),
    "a bad chunk": request(
        POST, HOST, CLOSE, "Transfer-Encoding: chunked", body="zz\r\n{}\r\n0\r\n\r\n"
    ),
    "no request": b"\r\n\r\n\x00\x01\x02\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + b"\0" * 189,
    "a long line": b"GET /" + b"x" * 2_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long header": request(LINE, HOST, "X-A: " + "x" * 2_000_000),
    "a flood of headers": request(LINE, HOST, *(f"X-{number}: x" for number in range(50_000))),
}
TAKEN = {
    "no host": request(LINE, CLOSE),
    "HTTP/1.0": request(f"GET {V1}/healthz HTTP/1.0"),
    "an absolute target": request(f"GET http://evil.example{V1}/healthz HTTP/1.1", HOST, CLOSE),
    "some headers": request(LINE, HOST, CLOSE, *(f"X-{number}: x" for number in range(50))),
    "one header often": request(LINE, HOST, CLOSE, *(["X-A: b"] * 50)),
}


class TestFrames:
    @pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
    def test_what_the_server_refuses(self, target: Target, data: bytes) -> None:
        assert sent(target, data) in {None, *REFUSED_BY_SERVER}
        assert get(target).status_code == 200

    @pytest.mark.parametrize("data", TAKEN.values(), ids=TAKEN)
    def test_what_is_odd_but_taken(self, target: Target, data: bytes) -> None:
        assert sent(target, data) in {200, 400, 404}
        assert get(target).status_code == 200

    def test_no_second_request_is_smuggled_in(self, target: Target) -> None:
        """A length and chunks at once: what follows is never read as another request."""
        inner = request(f"GET {V1}/build HTTP/1.1", HOST).decode()
        data = request(
            POST,
            HOST,
            "Content-Type: application/json",
            f"Content-Length: {5 + len(inner)}",
            "Transfer-Encoding: chunked",
            body="0\r\n\r\n" + inner,
        )
        with raw.connect(target.url, timeout=2) as connection:
            connection.sendall(data)
            received = b""
            try:
                while piece := connection.recv(65536):
                    received += piece
            except (TimeoutError, ConnectionError):
                pass
        assert b'"app":"marquee"' not in received
