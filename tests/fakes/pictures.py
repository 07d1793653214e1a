"""TMDB's image server: pictures of any path, and some that are none."""

import hashlib
import io

from PIL import Image

from tests.fakes.exchange import Asked, Reply
from tests.fakes.server import FakeServer
from tests.identity.pictures import claiming

FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
LARGEST = 10 * 1024 * 1024


class FakePictures(FakeServer):
    """What a picture shows, its path says. `missing.jpg` is not there; `page.jpg` is a page,
    `text.jpg` claims to be a picture, `bomb.png` has too many pixels, `large.jpg` too many bytes.

    What is `unchanged` is so since any time.
    """

    prefix = "/t/p"
    unchanged = False

    def answer(self, asked: Asked) -> Reply:
        """A picture of 30 by 45 pixels, in the form that its name has."""
        name = asked.path.rpartition("/")[2]
        if name == "missing.jpg":
            return self.problem(404)
        if self.unchanged and "if-modified-since" in asked.headers:
            return Reply(304, b"")
        kind = "jpeg" if name.endswith("jpg") else name.rpartition(".")[2]
        declared = {"Content-Type": f"image/{kind}"}
        strange = {
            "page.jpg": Reply(200, b"<!doctype html>", {"Content-Type": "text/html"}),
            "text.jpg": Reply(200, b"<svg onload='alert(1)'/>", declared),
            "bomb.png": Reply(200, claiming(10_001, 10_000), declared),
            "large.jpg": Reply(200, picture("large.jpg") + bytes(LARGEST), declared),
        }
        return strange.get(name) or Reply(200, picture(asked.path), declared)

    def problem(self, status: int) -> Reply:
        """An error page."""
        return Reply(status, b"<h1>Sorry</h1>", {"Content-Type": "text/html"})


def picture(path: str) -> bytes:
    """The bytes of the picture at a path."""
    written = io.BytesIO()
    colour = tuple(hashlib.sha256(path.encode()).digest()[:3])
    Image.new("RGB", (30, 45), colour).save(written, FORMATS[path.rpartition(".")[2]])
    return written.getvalue()
