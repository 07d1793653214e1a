"""Bodies of `multipart/form-data` (RFC 7578): fields by the contract, files as they came.

The bytes are kept in memory up to `SPOOLED`, then on disk, while they arrive; they are parsed in
the handler's thread, when it is known who sent them. What a file is called by its client is a text
to show, never a path.
"""

import hashlib
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import Any, Self

import orjson
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from marquee.errors import Invalid
from marquee.web import codec
from marquee.web.bodies import LARGEST, PayloadTooLarge, UnsupportedMediaType, check_coding
from marquee.web.parameters import COERCE
from marquee.web.schema import Schema

FORM = "multipart/form-data"
SPOOLED = 256 * 1024
"""Bytes of a body, and of a file in it, that are kept in memory."""
PIECE = 64 * 1024
LONGEST_FIELD = 64 * 1024
LONGEST_NAME = 255
LONGEST_BOUNDARY = 70
MOST_HEADERS, LONGEST_HEADER = 8, 4096
"""Of each part; a part that is not in the contract is refused, which bounds their number."""
AS_IT_IS = frozenset(("", "binary", "7bit", "8bit"))
OCTETS = "application/octet-stream"

# It warns of what clients do wrong, which is told to them.
logging.getLogger("python_multipart").setLevel(logging.ERROR)

File = SpooledTemporaryFile[bytes]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form. It is open at its beginning, and closed when the handler has returned.

    `name` is what its client called it, without folders; `content_type` is what its client said
    that it is, in lower case and without parameters. Neither is to be believed.
    """

    name: str
    content_type: str
    size: int
    file: File


class Spool:
    """The bytes of one form, and the files that were found in them; closed together."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self.raw = self.new_file()

    def new_file(self) -> File:
        """An empty file, which is closed with the others."""
        return self._open.enter_context(SpooledTemporaryFile(SPOOLED))

    def __enter__(self) -> Self:
        """As it is."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all files, which removes them."""
        self._open.close()


class Form:
    """The form of one operation."""

    def __init__(self, request_body: dict[str, Any]) -> None:
        self.required = bool(request_body.get("required"))
        self.largest: int = request_body.get("x-max-bytes", LARGEST)
        media = request_body["content"][FORM]
        schema, encoding = media["schema"], media.get("encoding", {})
        self.files: dict[str, FileRule] = {}
        self.fields: dict[str, Any] = {}
        checked = {}
        for name, each in schema["properties"].items():
            if each.get("format") == "binary":
                self.files[name] = FileRule(each, encoding.get(name, {}))
                checked[name] = {"type": "boolean"}
            else:
                self.fields[name] = COERCE[each["type"]]
                checked[name] = each
        self.schema = Schema({**schema, "properties": checked})
        self.decode = codec.decoder(schema)

    def read(self, spool: Spool, headers: Mapping[str, str]) -> tuple[dict[str, Any] | None, bytes]:
        """Fields as Python and files as `Upload`; and what tells this form from another, whatever
        its boundary.

        None for an optional form that is absent. Raises Invalid, PayloadTooLarge for a file, 415.
        """
        if not spool.raw.tell() and not self.required:
            return None, b""
        reading = _Reading(self, spool)
        reading.read(_boundary(headers))
        uploads = reading.uploads()
        texts = reading.texts
        values = {name: self.fields[name](text) for name, text in texts.items()}
        self.schema.check({**values, **dict.fromkeys(uploads, True)})
        decoded = self.decode(values) if self.decode else values
        parts = sorted([*texts.items(), *reading.described.items()])
        return {**decoded, **uploads}, orjson.dumps(parts)


class FileRule:
    """What the contract says of one file: how large, and of which media types."""

    def __init__(self, schema: dict[str, Any], encoding: dict[str, Any]) -> None:
        self.largest: int | None = schema.get("maxLength")
        self.media_types = [
            each.strip() for each in encoding.get("contentType", "").split(",") if each.strip()
        ]

    def check_type(self, name: str, content_type: str) -> None:
        """Raise UnsupportedMediaType for a file that is said to be something else."""
        if self.media_types and content_type not in self.media_types:
            words = ", ".join(self.media_types)
            raise UnsupportedMediaType(f"The file {name} must be one of {words}.")

    def check_size(self, name: str, size: int) -> None:
        """Raise PayloadTooLarge for one that has too many bytes."""
        if self.largest is not None and size > self.largest:
            raise PayloadTooLarge(f"The file {name} may have {self.largest} bytes at the most.")


class _Part:
    """One part while it is read: its headers, then its content."""

    def __init__(self) -> None:
        self.headers: dict[str, bytes] = {}
        self.header_name, self.header_value = bytearray(), bytearray()
        self.name = ""
        self.client_name: str | None = None
        self.content_type = OCTETS
        self.text = bytearray()
        self.file: File | None = None
        self.size = 0
        self.digest = hashlib.sha256()


class _Reading:
    """One pass over the bytes of a form. Every refusal names the field at fault."""

    def __init__(self, form: Form, spool: Spool) -> None:
        self.form, self.spool = form, spool
        self.part = _Part()
        self.texts: dict[str, str] = {}
        self.found: dict[str, _Part] = {}
        self.ended = False

    @property
    def described(self) -> dict[str, list[str]]:
        """What tells the files from others."""
        return {
            name: [part.client_name or "", part.content_type, part.digest.hexdigest()]
            for name, part in self.found.items()
        }

    def read(self, boundary: bytes) -> None:
        """Read all parts. Raises Invalid, PayloadTooLarge, UnsupportedMediaType."""
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self.begin,
                "on_header_field": self.header_field,
                "on_header_value": self.header_value,
                "on_header_end": self.header_end,
                "on_headers_finished": self.headers_finished,
                "on_part_data": self.data,
                "on_part_end": self.end,
                "on_end": self.finish,
            },
            max_header_count=MOST_HEADERS,
            max_header_size=LONGEST_HEADER,
        )
        raw = self.spool.raw
        raw.seek(0)
        try:
            while piece := raw.read(PIECE):
                parser.write(piece)
        except FormParserError as error:
            raise _broken(f"is no well-formed {FORM}: {error}") from error
        if not self.ended:
            raise _broken("ended before its last boundary")
        raw.close()

    def uploads(self) -> dict[str, Upload]:
        """The files by name; a form that was sent without choosing one has an empty one."""
        uploads = {}
        for name, part in list(self.found.items()):
            if part.file is None or not (part.size or part.client_name):
                del self.found[name]
                continue
            part.file.seek(0)
            client_name = part.client_name or ""
            uploads[name] = Upload(client_name, part.content_type, part.size, part.file)
        return uploads

    def begin(self) -> None:
        self.part = _Part()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.part.header_name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.part.header_value += data[start:end]

    def header_end(self) -> None:
        part = self.part
        name = part.header_name.decode("ascii").lower()
        if name in part.headers:
            raise _broken(f"has a part with two headers {name}")
        part.headers[name] = bytes(part.header_value)
        part.header_name, part.header_value = bytearray(), bytearray()

    def headers_finished(self) -> None:
        """Know which field it is, or refuse it before any of its content is kept."""
        part, form = self.part, self.form
        kind, options = _options(part.headers.get("content-disposition", b""))
        if kind != "form-data" or "name" not in options:
            raise _broken("has a part without a name")
        part.name, part.client_name = options["name"], options.get("filename")
        if part.name not in form.files and part.name not in form.fields:
            raise _wrong(part.name, "is not a field of this operation")
        if part.name in self.texts or part.name in self.found:
            raise _wrong(part.name, "is given more than once")
        coding = part.headers.get("content-transfer-encoding", b"").decode("latin-1")
        if coding.strip().lower() not in AS_IT_IS:
            raise _wrong(part.name, "must come without a transfer encoding")
        if part.name in form.fields:
            if part.client_name is not None:
                raise _wrong(part.name, "is a field, not a file")
            return
        if part.client_name is None:
            raise _wrong(part.name, "is a file: it needs a filename")
        part.client_name = _shown(part.client_name)
        part.content_type = _options(part.headers.get("content-type", b""))[0] or OCTETS
        part.file = self.spool.new_file()

    def data(self, data: bytes, start: int, end: int) -> None:
        part, piece = self.part, memoryview(data)[start:end]
        part.size += len(piece)
        if part.file is None:
            if part.size > LONGEST_FIELD:
                raise _wrong(part.name, f"is longer than {LONGEST_FIELD} bytes")
            part.text += piece
            return
        self.form.files[part.name].check_size(part.name, part.size)
        part.file.write(piece)
        part.digest.update(piece)

    def end(self) -> None:
        part = self.part
        if part.file is None:
            self.texts[part.name] = _text(part.name, bytes(part.text))
            return
        if part.size or part.client_name:
            self.form.files[part.name].check_type(part.name, part.content_type)
        self.found[part.name] = part

    def finish(self) -> None:
        self.ended = True


def _boundary(headers: Mapping[str, str]) -> bytes:
    """What stands between the parts. Raises Invalid where there is none, 415 for no form."""
    media_type, options = parse_options_header(headers.get("content-type"))
    if media_type != FORM.encode():
        raise UnsupportedMediaType(f"This operation takes {FORM}.")
    check_coding(headers)
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= LONGEST_BOUNDARY:
        raise Invalid.value("header", "/content-type", "has no boundary of 1 to 70 characters")
    return boundary


def _options(header: bytes) -> tuple[str, dict[str, str]]:
    """A part's header as its value in lower case and its parameters. Raises Invalid."""
    value, options = parse_options_header(header.decode("latin-1"))
    try:
        texts = {name.decode(): text.decode() for name, text in options.items()}
        first = value.decode()
    except UnicodeDecodeError as error:
        raise _broken("has a part whose headers are not UTF-8") from error
    if any("\0" in each for each in (first, *texts.values())):
        raise _broken("has a NUL character in the headers of a part")
    return first, texts


def _shown(name: str) -> str:
    """A client's name of a file without folders and control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable())[:LONGEST_NAME]


def _text(name: str, raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise _wrong(name, "is not UTF-8") from error
    if "\0" in text:
        raise _wrong(name, "has a NUL character")
    return text


def _wrong(name: str, message: str) -> Invalid:
    return Invalid.value("body", f"/{name[:100]}", message)


def _broken(message: str) -> Invalid:
    return Invalid.value("body", "/", message[:300])
