"""Pictures of strangers made safe: decoded, and written anew with nothing but their pixels."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import IO, TYPE_CHECKING

from marquee import settings
from marquee.errors import Unprocessable
from marquee.late import late
from marquee.turns import Turns

if TYPE_CHECKING:
    from PIL import Image, ImageOps
else:
    Image = late("PIL.Image")
    ImageOps = late("PIL.ImageOps")

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 40_000_000
"""Of one picture, as its header says, before any of it is decoded: 160 MB in memory."""
AT_A_TIME = 2
"""Pictures that a process decodes at once."""
LARGEST_SIDE = 512
QUALITY = 85
MEDIA_TYPE = "image/webp"

# Pillow has a limit of its own, higher than ours, and would only warn.
warnings.filterwarnings("error", message=".*decompression bomb")


@dataclass(frozen=True, slots=True)
class Picture:
    """A square WebP without metadata. `moved` says that the picture it was made from did."""

    data: bytes
    side: int
    moved: bool


def square(file: IO[bytes]) -> Picture:
    """The middle of the first frame of a picture, upright, of at most 512 by 512 pixels.

    What it is, its bytes say: neither its name nor its declared type is looked at. Transparency
    stays; colour profiles and all other metadata go. A small picture is not enlarged.

    Raises Unprocessable: INVALID_IMAGE for what is no whole JPEG, PNG or WebP, IMAGE_TOO_LARGE for
    more than 40 megapixels. Raises Unavailable where too many wait for their turn.
    """
    with _turns().one():
        pixels, moved = _decoded(file)
    written = BytesIO()
    pixels.save(written, "WEBP", quality=QUALITY)
    return Picture(written.getvalue(), pixels.width, moved)


def _decoded(file: IO[bytes]) -> tuple[Image.Image, bool]:
    try:
        with Image.open(file, formats=FORMATS) as image:
            _refuse_bomb(image)
            # Cameras put a second, still picture into a JPEG.
            moved = image.format != "MPO" and bool(getattr(image, "is_animated", False))
            side = min(LARGEST_SIDE, image.width, image.height)
            # A large JPEG is decoded at a fraction of its size: no more will be left of it.
            image.draft(None, (2 * side, 2 * side))
            image.load()
            # The middle of a picture is the middle however it is turned.
            small = ImageOps.fit(_in_colour(image), (side, side), Image.Resampling.LANCZOS)
            upright = ImageOps.exif_transpose(small)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error
    except Unprocessable:
        raise
    except Exception as error:  # decoders of broken data raise what they like
        raise Unprocessable("This is no whole JPEG, PNG or WebP.", "INVALID_IMAGE") from error
    upright.info.clear()
    return upright, moved


def _in_colour(image: Image.Image) -> Image.Image:
    """In RGB, with alpha where something is transparent."""
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda grey: grey / 256).convert("L")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _refuse_bomb(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise _too_large()


def _too_large() -> Unprocessable:
    words = f"A picture may have {MOST_PIXELS // 1_000_000} megapixels at the most."
    return Unprocessable(words, "IMAGE_TOO_LARGE")


@cache
def _turns() -> Turns:
    return Turns(
        AT_A_TIME,
        waiting=settings.current().marquee_threads // 2,
        refusal="Too many pictures are being uploaded.",
        retry_after=2,
    )
