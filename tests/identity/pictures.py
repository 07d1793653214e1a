"""Pictures to upload, good and bad."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

RED, BLUE = (255, 0, 0), (0, 0, 255)
ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F
SECRET = "the maker of the camera"


def halves(width: int = 40, height: int = 20) -> Image.Image:
    """Red on the left, blue on the right."""
    made = Image.new("RGB", (width, height), RED)
    made.paste(BLUE, (width // 2, 0, width, height))
    return made


def written(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tell_tale(kind: str) -> bytes:
    """A picture that lies on its side, and says where it was taken and by what."""
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = 6, SECRET
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)})
    options: dict[str, Any] = {"exif": exif, "icc_profile": b"an ICC profile, " + SECRET.encode()}
    if kind == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_text("Comment", SECRET)
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", f"<x>{SECRET}</x>")
    else:
        options["xmp"] = f"<x>{SECRET}</x>".encode()
    return written(halves(), kind, **options)


def moving(kind: str) -> bytes:
    """Two frames, the first of them red."""
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, BLUE)]
    return written(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says that it is large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def with_large_text() -> bytes:
    """A PNG with a text that is 100 MB when it is unpacked."""
    plain = written(halves())
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 * 2**20), 9))
    return plain[:33] + text + plain[33:]
