"""marquee/web/multipart.py, by HTTP, under a contract of its own."""

import gc
import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from marquee import settings
from marquee.web.app import create_app
from tests.contract import raw
from tests.serving import serving
from tests.web import forms_handlers

CONTRACT = Path(__file__).with_name("forms.yaml")
LARGEST = 700_000
FORM = "multipart/form-data; boundary=b"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server of the forms that waits for a second."""
    document = yaml.safe_load(CONTRACT.read_text())
    values = replace(settings.current(), request_timeout=1)
    with serving(create_app(values, document)) as base:
        yield f"{base}/forms"


def part(
    content: bytes = b"x", disposition: str = 'form-data; name="title"', **headers: str
) -> bytes:
    """One part, as it goes over the wire."""
    lines = [f"Content-Disposition: {disposition}"] if disposition else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(["--b", *lines, "", ""]).encode("latin-1") + content + b"\r\n"


END = b"--b--\r\n"
TITLE = part()
FILE = part(b"abc", 'form-data; name="file"; filename="a.txt"')
GOOD = TITLE + FILE + END


def post(
    url: str, body: bytes, media_type: str = FORM, path: str = "/reports", **headers: str
) -> httpx.Response:
    """Send bytes as they are."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(url + path, content=body, headers={"Content-Type": media_type, **more})


def by_hand(url: str, headers: dict[str, str], body: bytes = b"") -> httpx.Response:
    """Send a head that need not be true, and a body as it is."""
    with raw.connect(url) as connection:
        head = raw.head("POST", "/forms/reports", {"Content-Type": FORM, **headers})
        connection.sendall(head + body)
        return raw.read(connection, "POST")


def heard(answer: httpx.Response) -> Any:
    """What the handler was given."""
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(answer: httpx.Response, status: int, code: str) -> list[dict[str, str]]:
    """The values at fault."""
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), answer.text
    errors: list[dict[str, str]] = error.get("details", {}).get("errors", [])
    return errors


def at_fault(answer: httpx.Response) -> tuple[str, str]:
    """The one value at fault of a 400, and what is wrong with it."""
    [error] = refused(answer, 400, "VALIDATION_ERROR")
    assert error["in"] == "body"
    return error["path"], error["message"]


class TestGood:
    def test_fields_are_coerced_and_files_come_whole(self, url: str) -> None:
        data = {"title": "Ä", "count": "7", "score": "0.5", "public": "true", "day": "2026-01-02"}
        file = ("über.TXT", b"\r\n--not a boundary\r\n\0\xff", "Text/Plain; charset=utf-8")
        got = heard(httpx.post(f"{url}/reports", data=data, files={"file": file}))
        assert got.pop("file") == {
            "name": "über.TXT",
            "type": "text/plain",
            "size": len(file[1]),
            "digest": hashlib.sha256(file[1]).hexdigest(),
            "on_disk": False,
        }
        day = ["date", "2026-01-02"]
        assert got == {"title": "Ä", "count": 7, "score": 0.5, "public": True, "day": day}

    def test_what_is_left_out_has_its_default(self, url: str) -> None:
        assert heard(post(url, GOOD))["count"] == 3

    @pytest.mark.parametrize("size", [0, 1, 65535, 65536, 262_144, 262_145, 600_000])
    def test_large_ones_go_to_disk(self, url: str, size: int) -> None:
        content = os.urandom(size)
        sent = {"file": ("f", content, "application/x-any")}
        got = heard(httpx.post(f"{url}/reports", data={"title": "t"}, files=sent))["file"]
        assert (got["size"], got["digest"]) == (size, hashlib.sha256(content).hexdigest())
        assert got["on_disk"] == (size > 256 * 1024)

    def test_any_cut_of_the_bytes_reads_the_same(self, url: str) -> None:
        tricky = b"\r\n--b\r\r\n--\r\n--bb\r\n-" * 3000
        content = part(tricky.replace(b"--b", b"--c"), 'form-data; name="file"; filename="x"')
        body = TITLE + content + END
        whole = heard(post(url, body))
        for width in (1000, 4096, 65537):
            cut = (body[at : at + width] for at in range(0, len(body), width))
            answer = httpx.post(f"{url}/reports", content=cut, headers={"Content-Type": FORM})
            assert heard(answer) == whole

    @pytest.mark.parametrize(
        "sent,shown",
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\\\temp\\\\a.png", "a.png"),
            ("/", ""),
            ("a\x01\x7fb", "ab"),
            ("x" * 300, "x" * 255),
        ],
    )
    def test_names_are_shown_only(self, url: str, sent: str, shown: str) -> None:
        body = TITLE + part(b"abc", f'form-data; name="file"; filename="{sent}"') + END
        assert heard(post(url, body))["file"]["name"] == shown

    @pytest.mark.parametrize(
        "media_type",
        ['Multipart/Form-Data; boundary="b"', "multipart/form-data;charset=utf-8; boundary=b"],
    )
    def test_the_header_has_several_forms(self, url: str, media_type: str) -> None:
        heard(post(url, GOOD, media_type))

    def test_a_file_that_was_not_chosen_is_not_there(self, url: str) -> None:
        empty = part(b"", 'form-data; name="cover"; filename=""')
        assert "cover" not in heard(post(url, TITLE + FILE + empty + END))
        missing = part(b"", 'form-data; name="file"; filename=""')
        assert "file" in at_fault(post(url, TITLE + missing + END))[1]

    def test_an_optional_form_may_be_absent(self, url: str) -> None:
        assert heard(httpx.post(f"{url}/reports/optional")) == {"body": None}
        assert heard(post(url, GOOD, path="/reports/optional"))["body"] == [
            "count",
            "file",
            "title",
        ]


NOT_ONE = [
    b"",
    b"--b",
    b"--c\r\n",
    b"{}",
    END[:-4],
    GOOD[:-4],
    GOOD[: -len(END)],
    GOOD[: len(TITLE) + 30],
    TITLE[2:] + FILE + END,
    GOOD.replace(b"\r\n", b"\n"),
    part(b"x", "") + FILE + END,
    part(b"x", "form-data") + FILE + END,
    part(b"x", 'attachment; name="title"') + FILE + END,
    part(b"x", 'form-data; name="title"', **{"Content-disposition": "form-data"}) + FILE + END,
    part(b"x", 'form-data; name="title"', **{"X" * 5000: "y"}) + FILE + END,
    part(b"x", 'form-data; name="title"', X="y" * 5000) + FILE + END,
    part(b"x", 'form-data; name="title"', **{f"X-{n}": "y" for n in range(9)}) + FILE + END,
    part(b"x", 'form-data; name="title"', **{"X Y": "y"}) + FILE + END,
    part(b"x", 'form-data; name="\xff"') + FILE + END,
    part(b"x", 'form-data; name="ti\0tle"') + FILE + END,
    TITLE + part(b"x", 'form-data; name="file"; filename="a\0b"') + END,
]


class TestRefusals:
    @pytest.mark.parametrize("body", NOT_ONE, ids=range(len(NOT_ONE)))
    def test_what_is_no_form(self, url: str, body: bytes) -> None:
        assert at_fault(post(url, body))[0] == "/"

    @pytest.mark.parametrize(
        "body,path",
        [
            (TITLE + FILE + part(b"1", 'form-data; name="colour"') + END, "/colour"),
            (TITLE + FILE + part(b"1", 'form-data; name=""') + END, "/"),
            (TITLE + TITLE + FILE + END, "/title"),
            (TITLE + FILE + FILE + END, "/file"),
            (part(b"\xff") + FILE + END, "/title"),
            (part(b"a\0b") + FILE + END, "/title"),
            (part(b"x" * 70_000) + FILE + END, "/title"),
            (part(b"x" * 21) + FILE + END, "/title"),
            (part(b"") + FILE + END, "/title"),
            (TITLE + FILE + part(b"1_0", 'form-data; name="count"') + END, "/count"),
            (TITLE + FILE + part(b"10", 'form-data; name="count"') + END, "/count"),
            (TITLE + FILE + part(b"2026-02-30", 'form-data; name="day"') + END, "/day"),
            (TITLE + FILE + part(b"True", 'form-data; name="public"') + END, "/public"),
            (TITLE + part(b"abc", 'form-data; name="file"') + END, "/file"),
            (part(b"x", 'form-data; name="title"; filename="t"') + FILE + END, "/title"),
            (part(b"eA==", Content_Transfer_Encoding="base64") + FILE + END, "/title"),
        ],
    )
    def test_name_the_field_at_fault(self, url: str, body: bytes, path: str) -> None:
        assert at_fault(post(url, body))[0] == path

    @pytest.mark.parametrize("body,missing", [(TITLE + END, "file"), (FILE + END, "title")])
    def test_what_is_missing(self, url: str, body: bytes, missing: str) -> None:
        path, message = at_fault(post(url, body))
        assert (path, f'"{missing}"' in message) == ("/", True)

    @pytest.mark.parametrize(
        "boundary", ["", "; boundary=", '; boundary=""', f"; boundary={'x' * 71}"]
    )
    def test_no_boundary(self, url: str, boundary: str) -> None:
        answer = post(url, GOOD, f"multipart/form-data{boundary}")
        [error] = refused(answer, 400, "VALIDATION_ERROR")
        assert (error["in"], error["path"]) == ("header", "/content-type")

    @pytest.mark.parametrize(
        "media_type",
        [
            "",
            "application/json",
            "multipart/mixed; boundary=b",
            "application/x-www-form-urlencoded",
        ],
    )
    def test_another_media_type(self, url: str, media_type: str) -> None:
        refused(post(url, GOOD, media_type), 415, "UNSUPPORTED_MEDIA_TYPE")

    def test_a_content_coding(self, url: str) -> None:
        answer = post(url, GOOD, Content_Encoding="gzip")
        refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize(
        "declared,status",
        [("image/png", 200), ("IMAGE/JPEG; q=1", 200), ("image/gif", 415), ("", 415)],
    )
    def test_a_file_of_another_type(self, url: str, declared: str, status: int) -> None:
        headers = {"Content-Type": declared} if declared else {}
        cover = part(b"abc", 'form-data; name="cover"; filename="c"', **headers)
        answer = post(url, TITLE + FILE + cover + END)
        assert answer.status_code == status
        if status == 415:
            refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")
            assert "cover" in answer.json()["error"]["message"]

    def test_a_file_that_is_too_large(self, url: str) -> None:
        cover = part(b"x" * 1001, 'form-data; name="cover"; filename="c"')
        answer = post(url, TITLE + FILE + cover + END)
        refused(answer, 413, "PAYLOAD_TOO_LARGE")
        assert "cover" in answer.json()["error"]["message"]

    def test_a_form_that_is_too_large(self, url: str) -> None:
        head = {"Content-Length": str(LARGEST + 1)}
        refused(by_hand(url, head), 413, "PAYLOAD_TOO_LARGE")
        head = {"Transfer-Encoding": "chunked"}
        body = raw.chunked(b"x" * (LARGEST + 1))
        answer = by_hand(url, head, body)
        refused(answer, 413, "PAYLOAD_TOO_LARGE")

    def test_a_form_that_does_not_come(self, url: str) -> None:
        head = {"Content-Length": str(len(GOOD))}
        answer = by_hand(url, head, GOOD[:-1])
        refused(answer, 408, "REQUEST_TIMEOUT")

    def test_many_parts_cost_nothing(self, url: str) -> None:
        """The first that is not in the contract ends it."""
        started = time.monotonic()
        refused(post(url, part(b"", 'form-data; name="x"') * 10_000 + END), 400, "VALIDATION_ERROR")
        assert time.monotonic() - started < 1


class TestFiles:
    def test_are_closed_when_all_is_well(self, url: str) -> None:
        forms_handlers.seen.clear()
        heard(post(url, GOOD))
        [file] = forms_handlers.seen
        assert file.closed

    def test_are_closed_after_a_bug(self, url: str) -> None:
        forms_handlers.seen.clear()
        assert post(url, GOOD, path="/reports/broken").status_code == 500
        [file] = forms_handlers.seen
        assert file.closed

    def test_none_is_left_open(self, url: str) -> None:
        """On disk too, whatever went wrong with the form."""
        large = part(b"x" * 500_000, 'form-data; name="file"; filename="f"')
        before = temporary_files()
        for body in (TITLE + large + END, TITLE + large, large + large + END, large + END):
            post(url, body)
        head = {"Content-Length": str(LARGEST)}
        answer = by_hand(url, head, large)
        refused(answer, 408, "REQUEST_TIMEOUT")
        gc.collect()
        assert temporary_files() == before


def temporary_files() -> int:
    """How many files that have no name any more this process has open."""
    links = Path("/proc/self/fd").iterdir()
    return sum("(deleted)" in str(each.readlink()) for each in links if each.is_symlink())
