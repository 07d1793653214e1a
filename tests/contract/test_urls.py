"""URLs and methods that no honest client sends: each gets its documented refusal, none a 500."""

import http.client

import httpx
import pytest

from tests.contract import raw
from tests.contract.calls import OPERATIONS, Operation, name_of, refused
from tests.contract.conftest import Target

V1 = "/api/v1"
DIGITS = "9" * 5000


def get(target: Target, path: str, **headers: str) -> httpx.Response:
    """Ask for a path, written as it is."""
    return raw.exchange(target.url, "GET", path, target.headers(**headers))


class TestQuery:
    @pytest.mark.parametrize(
        "value",
        [
            "1_0",
            "+5",
            "%2B5",
            "%205",
            "5%20",
            "%D9%A5",
            "5.0",
            "1e1",
            "0x5",
            "",
            "%31_",
            "five",
            "-1",
            "0",
            "101",
            "9223372036854775808",
            DIGITS,
            "%00",
            "5%00",
            "%FF",
            "%ED%A0%80",
            "%",
            "%zz",
            "5%0A",
            "true",
            "null",
            "[5]",
            "5,6",
            "NaN",
        ],
    )
    def test_what_is_no_limit(self, target: Target, value: str) -> None:
        path = f"{V1}/users/{target.user_id}/favorites?limit={value}"
        refused(get(target, path), 400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "value",
        [
            "nan",
            "NaN",
            "inf",
            "-inf",
            "Infinity",
            "1e999",
            "1e400",
            "1_0",
            "%D9%A3",
            "+5",
            "",
            ".",
            "5.",
            ".5",
            "0x1p3",
            "1,5",
            DIGITS,
            "10.1",
            "-0.1",
            "5%00",
        ],
    )
    def test_what_is_no_score(self, target: Target, value: str) -> None:
        refused(get(target, f"{V1}/movies?min_score={value}"), 400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "query",
        [
            "page=1&page=2",
            "page=1&page=1",
            "colour=red",
            "page[]=1",
            "page[gte]=1",
            "Page=1",
            "=1",
            "&=&",
            "%00=1",
            "%FF=1",
            "query=%00",
            "query=a%00b",
            "query=%FF",
            "query=%C3",
            "query=%ED%A0%80",
            "query=",
            "query=%0A",
            "query=" + "x" * 81,
            "genre=",
            "genre=a,b",
            "&".join(["genre=a"] * 11),
            "age_rating=Z",
            "sort=popularity&sort=title",
            "sort=POPULARITY",
            "order=random",
            "page=10000&page_size=100",
            "year_from=9999999999",
            "page=1;page_size=2",
        ],
    )
    def test_what_no_list_takes(self, target: Target, query: str) -> None:
        refused(get(target, f"{V1}/movies?{query}"), 400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "query",
        [
            "",
            "&",
            "page=1&",
            "query=%zz",
            "query=%F0%9F%A6%88",
            "query=a+b%20c",
            "query='%22%5C;:%26%7C!()*%3C-%3E",
            "query=%25_",
            "%70age=1",
            "genre=a&genre=b",
            "genre='%7B%7D",
            "min_score=5.2402103078987174",
            "min_score=5e-324",
            "min_score=0.00012345678901234567",
        ],
    )
    def test_what_every_list_takes(self, target: Target, query: str) -> None:
        assert get(target, f"{V1}/movies?{query}").status_code == 200

    @pytest.mark.parametrize(
        "cursor", ["x", "a.b", ".", "e30.e30", "-._=", "x" * 500, "x" * 501, "%C3%A9", "%00"]
    )
    def test_what_is_no_cursor(self, target: Target, cursor: str) -> None:
        path = f"{V1}/users/{target.user_id}/favorites?cursor={cursor}"
        answer = get(target, path)
        assert answer.status_code == 400, answer.text


class TestPaths:
    @pytest.mark.parametrize(
        "segment",
        [
            "abc",
            "0",
            "-1",
            "+1",
            "1_0",
            "1.0",
            "1e3",
            "9007199254740992",
            "9223372036854775808",
            DIGITS,
            "%00",
            "1%00",
            "%FF",
            "%F0%28",
            "%ED%A0%80",
            "1%2F2",
            "%2e%2e",
            "..",
            ".",
            "42.json",
            "42;v=1",
            "%D9%A4%D9%A2",
            "%",
            "%zz",
            "4 2".replace(" ", "%20"),
            "*",
            "null",
        ],
    )
    def test_what_is_no_id(self, target: Target, segment: str) -> None:
        refused(get(target, f"{V1}/movies/{segment}"), 400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "path",
        [
            "/x",
            "/api",
            "/api/v1",
            V1 + "/",
            V1 + "//",
            V1 + "/movies/",
            V1 + "//movies",
            V1 + "/movies/1/",
            V1 + "/movies//1",
            V1 + "/Movies",
            V1 + "/movies/1/2/3",
            V1 + "/movies/../../../etc/passwd",
            V1 + "/%2e%2e/%2e%2e/etc/passwd",
            V1 + "/movies%2F1",
            V1 + "/movies%00",
            V1 + "/mo%76ies",
            V1 + "/%FF",
            "/api/v2/movies",
            "/api%2Fv1/movies",
            "/.git/config",
            "/healthz/",
            V1 + "/ui/../movies",
            V1 + "/ui/%2e%2e/secret",
        ],
    )
    def test_what_is_nowhere(self, target: Target, path: str) -> None:
        refused(get(target, path), 404, "NOT_FOUND")

    def test_an_id_may_be_written_in_code(self, target: Target) -> None:
        refused(get(target, f"{V1}/movies/%34%32%34%32%34%32"), 404, "MOVIE_NOT_FOUND")

    def test_a_long_path(self, target: Target) -> None:
        answer = get(target, f"{V1}/movies/{'1' * 20_000}")
        refused(answer, 400, "VALIDATION_ERROR")


class TestMethods:
    @pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)
    def test_405_names_what_is_allowed(self, target: Target, operation: Operation) -> None:
        path = V1 + operation.url(user_id=target.user_id)
        methods = {each.method.upper() for each in OPERATIONS if each.path == operation.path}
        allowed = {*methods, "OPTIONS", *({"HEAD"} if "GET" in methods else set())}
        for method in {
            "GET",
            "PUT",
            "POST",
            "PATCH",
            "DELETE",
            "TRACE",
            "PROPFIND",
            "HEAD",
        } - allowed:
            answer = raw.exchange(target.url, method, path, target.headers())
            if method != "HEAD":
                refused(answer, 405, "METHOD_NOT_ALLOWED")
            assert answer.status_code == 405
            assert set(answer.headers["allow"].split(", ")) == allowed
        answer = raw.exchange(target.url, "OPTIONS", path)
        assert (answer.status_code, answer.content) == (204, b"")
        assert set(answer.headers["allow"].split(", ")) == allowed

    @pytest.mark.parametrize(
        "operation", [each for each in OPERATIONS if each.method == "get"], ids=name_of
    )
    def test_head_is_get_without_a_body(self, target: Target, operation: Operation) -> None:
        path = V1 + operation.url(user_id=target.user_id)
        headers = target.headers() if operation.for_users else operation.secret()
        whole = raw.exchange(target.url, "GET", path, headers)
        only = raw.exchange(target.url, "HEAD", path, headers)
        assert (only.status_code, only.content) == (whole.status_code, b"")
        assert only.headers.get("content-type") == whole.headers.get("content-type")

    @pytest.mark.parametrize("method", ["get", "GeT", "G=T", "CONNECT", "X" * 100])
    def test_what_is_no_method(self, target: Target, method: str) -> None:
        try:
            answer = raw.exchange(target.url, method, f"{V1}/movies", target.headers())
        except (http.client.HTTPException, ConnectionError):
            return  # the server has closed the connection
        assert answer.status_code in (400, 405, 501)


@pytest.mark.parametrize("path", ["/", f"{V1}/ui/"])
def test_people_are_led_to_the_explorer(target: Target, path: str) -> None:
    answer = httpx.get(target.url + path)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{V1}/ui")


def test_server_still_answers(target: Target) -> None:
    answer = get(target, f"{V1}/health")
    assert (answer.status_code, answer.json()["checks"]["postgres"]) == (200, "ok")
