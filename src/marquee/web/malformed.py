"""What comes and is no request that can be answered: refused in the envelope, as all else."""

import re
from http import HTTPStatus

import httptools

from marquee.web.envelope import envelope

METHOD = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ ")
LARGEST_HEAD = 64 * 1024
"""Bytes of a request before its body."""


class Refused(Exception):
    """The last thing that is said on a connection: `answer`."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = envelope(status, code, message)

    @classmethod
    def malformed(cls, message: str) -> "Refused":
        """It is not what RFC 9112 says."""
        return cls(HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR", message)

    @classmethod
    def too_large(cls, target: bytes) -> "Refused":
        """Its head has too many bytes, perhaps because of its target."""
        if len(target) > LARGEST_HEAD // 2:
            status, code, what = HTTPStatus.REQUEST_URI_TOO_LONG, "URI_TOO_LONG", "target"
        else:
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            code, what = "HEADERS_TOO_LARGE", "headers"
        words = f"The head of a request has {LARGEST_HEAD} bytes at the most; see to the {what}."
        return cls(status, code, words)

    @classmethod
    def version(cls) -> "Refused":
        """It is not of a version that is spoken here."""
        status, code = HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP_VERSION_NOT_SUPPORTED"
        return cls(status, code, "HTTP/1.1 and HTTP/1.0 are spoken here.")

    @classmethod
    def by_parser(cls, error: httptools.HttpParserError, data: bytes) -> "Refused":
        """What the parser raised at some bytes, or one of these in a callback of its."""
        if isinstance(error.__context__, cls):
            return error.__context__
        if isinstance(error, httptools.HttpParserInvalidMethodError) and METHOD.match(data):
            words = "No method of this name is known."
            return cls(HTTPStatus.NOT_IMPLEMENTED, "NOT_IMPLEMENTED", words)
        return cls.malformed("This is not HTTP/1.1.")
