"""Bodies that no honest client sends: each gets its documented refusal, and none a 500."""

import json

import httpx
import pytest

from tests.contract import raw
from tests.contract.calls import refused
from tests.contract.conftest import Target

V1 = "/api/v1"
RATINGS = f"{V1}/movies/ratings"
JSON = "application/json"
DEEP = 100_000
DIGITS = b"9" * 5000


def post(target: Target, path: str, body: bytes, **headers: str) -> httpx.Response:
    """Send a body of JSON."""
    framing = {"content_type": JSON, "content_length": str(len(body)), **headers}
    return raw.exchange(target.url, "POST", path, target.headers(**framing), body)


NOT_JSON = {
    "nothing": b"",
    "a space": b" ",
    "an open object": b"{",
    "invalid UTF-8": b'{"movie_id": 1, "rating": "\xff"}',
    "invalid UTF-8 in a name": b'{"movie_id\xc3": 1, "rating": 1}',
    "an overlong form": b'{"movie_id": 1, "rating": "\xc0\x80"}',
    "an encoded surrogate": b'{"movie_id": 1, "rating": "\xed\xa0\x80"}',
    "a byte order mark": b'\xef\xbb\xbf{"movie_id": 1, "rating": 1}',
    "UTF-16": '{"movie_id": 1, "rating": 1}'.encode("utf-16"),
    "UTF-32": '{"movie_id": 1, "rating": 1}'.encode("utf-32-be"),
    "a raw NUL": b'{"movie_id": 1, "rating": "a\x00b"}',
    "a raw line feed in a string": b'{"movie_id": 1, "rating": "a\nb"}',
    "an escaped NUL": b'{"movie_id": 1, "rating": "a\\u0000b"}',
    "an escaped NUL in a name": b'{"movie_id": 1, "\\u0000": 1}',
    "a lone surrogate": b'{"movie_id": 1, "rating": "\\ud800"}',
    "surrogates the wrong way round": b'{"movie_id": 1, "rating": "\\udc00\\ud800"}',
    "a surrogate in a name": b'{"\\ud800": 1, "rating": 1}',
    "deep arrays": b"[" * DEEP + b"]" * DEEP,
    "deep open arrays": b"[" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep value": b'{"movie_id": 1, "rating": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "a name twice": b'{"movie_id": 1, "movie_id": 2, "rating": 1}',
    "a name twice, once escaped": b'{"movie_id": 1, "movie\\u005fid": 2}',
    "a name twice further down": b'{"movie_id": 1, "rating": {"a": 1, "a": 1}}',
    "NaN": b'{"movie_id": 1, "rating": NaN}',
    "Infinity": b'{"movie_id": 1, "rating": Infinity}',
    "minus Infinity": b'{"movie_id": 1, "rating": -Infinity}',
    "1e400": b'{"movie_id": 1, "rating": 1e400}',
    "-1E+400": b'{"movie_id": 1, "rating": -1E+400}',
    "a number that begins with 0": b'{"movie_id": 01, "rating": 1}',
    "a number that begins with +": b'{"movie_id": +1, "rating": 1}',
    "a number that ends with a point": b'{"movie_id": 1., "rating": 1}',
    "5,000 digits": b'{"movie_id": %b, "rating": 1}' % DIGITS,
    "an exponent of 5,000 digits": b'{"movie_id": 1, "rating": 1e%b}' % DIGITS,
    "a trailing comma": b'{"movie_id": 1, "rating": 1,}',
    "a comment": b'{"movie_id": 1, "rating": 1} // well',
    "two values": b'{"movie_id": 1, "rating": 1} {}',
    "single quotes": b"{'movie_id': 1, 'rating': 1}",
    "a form": b"movie_id=1&rating=1",
}
NOT_THE_SHAPE = {
    "null": b"null",
    "an array": b"[]",
    "a string": b'"movie_id"',
    "a number": b"1",
    "a boolean": b"true",
    "an empty object": b"{}",
    "a name too many": b'{"movie_id": 1, "rating": 1, "user_id": 1}',
    "a long name": b'{"movie_id": 1, "%b": 1}' % (b"x" * 100_000),
    "an empty name": b'{"movie_id": 1, "": 1}',
    "__proto__": b'{"movie_id": 1, "__proto__": {"rating": 1}}',
    "null for an id": b'{"movie_id": null, "rating": 1}',
    "0": b'{"movie_id": 0, "rating": 1}',
    "minus 0": b'{"movie_id": -0, "rating": 1}',
    "-1": b'{"movie_id": -1, "rating": 1}',
    "2^53": b'{"movie_id": 9007199254740992, "rating": 1}',
    "2^63": b'{"movie_id": 9223372036854775808, "rating": 1}',
    "2^64": b'{"movie_id": 18446744073709551616, "rating": 1}',
    "-2^63 - 1": b'{"movie_id": -9223372036854775809, "rating": 1}',
    "2^31 for TMDB": b'{"tmdb_id": 2147483648, "rating": 1}',
    "1e300": b'{"movie_id": 1e300, "rating": 1}',
    "a fraction": b'{"movie_id": 1.5, "rating": 1}',
    "a string for an id": b'{"movie_id": "1", "rating": 1}',
    "a boolean for an id": b'{"movie_id": true, "rating": 1}',
    "an array for an id": b'{"movie_id": [1], "rating": 1}',
    "an object for an id": b'{"movie_id": {"$gt": 0}, "rating": 1}',
    "a string for a number": b'{"movie_id": 1, "rating": "1"}',
    "a boolean for a number": b'{"movie_id": 1, "rating": true}',
    "both ids": b'{"movie_id": 1, "tmdb_id": 1, "rating": 1}',
    "many values": b'{"movie_id": 1, "rating": [%b]}' % b",".join([b"1"] * 100_000),
}


class TestBodies:
    @pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
    def test_what_is_not_json(self, target: Target, body: bytes) -> None:
        refused(post(target, RATINGS, body), 400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
    def test_what_is_not_json_from_nobody(self, target: Target, body: bytes) -> None:
        answer = post(target, f"{V1}/auth/login", body, Authorization="")
        refused(answer, 400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("body", NOT_THE_SHAPE.values(), ids=NOT_THE_SHAPE)
    def test_what_has_another_shape(self, target: Target, body: bytes) -> None:
        refused(post(target, RATINGS, body), 400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("rating", ["-0.5", "5.5", "4.7", "1e-300", "1e300", "0.25", "-1e-9"])
    def test_what_is_no_rating(self, target: Target, rating: str) -> None:
        body = f'{{"movie_id": 1, "rating": {rating}}}'.encode()
        refused(post(target, RATINGS, body), 400, "INVALID_RATING")

    @pytest.mark.parametrize(
        "text",
        [
            "é" * 128,
            "\U0001f600" * 64,
            "a\u202eb",
            "' or 1=1 --",
            "{{7*7}}",
            "%s%n",
            "\x7f",
            "\u2028",
        ],
    )
    def test_any_text_is_only_text(self, target: Target, text: str) -> None:
        body = json.dumps({"username": text, "password": text, "device_name": text[:100]}).encode()
        refused(post(target, f"{V1}/auth/login", body), 401, "INVALID_CREDENTIALS")

    def test_body_where_none_is_taken(self, target: Target) -> None:
        framing = {"content_type": JSON, "content_length": "2"}
        answer = raw.exchange(target.url, "GET", f"{V1}/users/me", target.headers(**framing), b"{}")
        assert answer.status_code == 200
        path = f"{V1}/users/{target.user_id}/favorites/1"
        answer = raw.exchange(target.url, "DELETE", path, target.headers(**framing), b"{}")
        refused(answer, 404, "FAVORITE_NOT_FOUND")


class TestFraming:
    BODY = b'{"movie_id": 999999, "rating": 1}'

    @pytest.mark.parametrize(
        "media_type",
        [
            "application/json",
            "APPLICATION/JSON",
            "application/json ;charset=utf-8",
            "application/json; charset=UTF-8",
            'application/json;charset="utf-8"',
            " application/json\t",
            "application/json;",
        ],
    )
    def test_ways_to_say_json(self, target: Target, media_type: str) -> None:
        answer = post(target, RATINGS, self.BODY, content_type=media_type)
        refused(answer, 404, "MOVIE_NOT_FOUND")

    def test_no_content_type(self, target: Target) -> None:
        headers = target.headers(content_length=str(len(self.BODY)))
        answer = raw.exchange(target.url, "POST", RATINGS, headers, self.BODY)
        refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize("size", [1, 7, 65536])
    def test_chunks(self, target: Target, size: int) -> None:
        headers = target.headers(content_type=JSON, transfer_encoding="chunked")
        body = raw.chunked(self.BODY, size)
        answer = raw.exchange(target.url, "POST", RATINGS, headers, body)
        refused(answer, 404, "MOVIE_NOT_FOUND")

    def test_identity_is_no_coding(self, target: Target) -> None:
        answer = post(target, RATINGS, self.BODY, content_encoding="identity")
        refused(answer, 404, "MOVIE_NOT_FOUND")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"--x",
            b"--x--",
            b'--x\r\nContent-Disposition: form-data; name="movie_id"\r\n\r\n1\r\n--x--\r\n',
            b"--x\r\nContent-Disposition: form-data; name=\r\n\r\n" + b"\x00" * 1000,
            b"--x\r\n" * 1000,
        ],
    )
    @pytest.mark.parametrize(
        "media_type", ["multipart/form-data", "multipart/form-data; boundary=x"]
    )
    def test_multipart(self, target: Target, media_type: str, body: bytes) -> None:
        answer = post(target, RATINGS, body, content_type=media_type)
        refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")

    def test_two_requests_on_one_connection(self, target: Target) -> None:
        """A refused body does not become the next request."""
        framing = target.headers(content_type="text/plain", content_length=str(len(self.BODY)))
        with raw.connect(target.url) as connection:
            connection.sendall(raw.head("POST", RATINGS, framing) + self.BODY)
            refused(raw.answer(connection, "POST", RATINGS), 415, "UNSUPPORTED_MEDIA_TYPE")
            connection.sendall(raw.head("GET", f"{V1}/users/me", target.headers()))
            assert raw.answer(connection, "GET", f"{V1}/users/me").status_code == 200
