"""Posters of titles that have none: drawn from what they are called, when, and of what kind.

The same words make the same picture, byte by byte, as long as `VERSION` and Pillow stay. A poster
of 342 pixels' width takes about 50 ms of CPU time, an `original` 150, such a backdrop 250.
"""

from __future__ import annotations

import colorsys
import hashlib
from dataclasses import dataclass
from io import BytesIO
from random import Random
from typing import TYPE_CHECKING

from marquee.catalogue.images.lettering import SEMIBOLD, fitted, font, font_of, readable
from marquee.catalogue.images.motifs import MOTIFS, Scene, mixed
from marquee.catalogue.images.palettes import PALETTES, Colour, Palette, kind_of
from marquee.late import late

if TYPE_CHECKING:
    from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps
else:
    Image = late("PIL.Image")
    ImageChops = late("PIL.ImageChops")
    ImageDraw = late("PIL.ImageDraw")
    ImageFilter = late("PIL.ImageFilter")
    ImageOps = late("PIL.ImageOps")

VERSION = 1
"""Another one makes all pictures anew."""
MEDIA_TYPE = "image/webp"
QUALITY = 84
SHAPES = {"poster": (2, 3), "backdrop": (16, 9)}
ORIGINAL = {"poster": 1000, "backdrop": 1920}
"""The width of what is asked for as `original`."""
SMALLEST_ART, LARGEST_ART = 400, 640
"""The shorter side of the canvas for all but the letters, which is then brought to size."""
SMALLEST_TYPE = 200
"""Narrower pictures are drawn in this width at least, and made smaller."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a picture is drawn from."""

    title: str
    year: int | None
    genres: tuple[str, ...]

    @property
    def seed(self) -> str:
        """A name for these words and this way of drawing."""
        words = "\0".join([str(VERSION), self.title, str(self.year), *self.genres])
        return hashlib.sha256(words.encode()).hexdigest()


def size_of(image_type: str, size: str) -> tuple[int, int]:
    """Width and height in pixels of a type in a size: `w342`, `h632` or `original`."""
    across, down = SHAPES[image_type]
    if size.startswith("h"):
        height = int(size[1:])
        return round(height * across / down), height
    width = ORIGINAL[image_type] if size == "original" else int(size[1:])
    return width, round(width * down / across)


def drawn(subject: Subject, image_type: str, size: str) -> bytes:
    """A poster or a backdrop, as WebP."""
    wanted = size_of(image_type, size)
    scale = max(1.0, SMALLEST_TYPE / min(wanted))
    canvas = round(wanted[0] * scale), round(wanted[1] * scale)
    random, kind = Random(subject.seed), kind_of(list(subject.genres))  # noqa: S311 - no secret
    palette = _turned(random.choice(PALETTES[kind]), random.uniform(-0.05, 0.05))
    picture = _art(kind, palette, canvas, random)
    _write(picture, subject, palette)
    if canvas != wanted:
        picture = picture.resize(wanted, Image.Resampling.LANCZOS)
    written = BytesIO()
    picture.save(written, "WEBP", quality=QUALITY, method=2)
    return written.getvalue()


def _art(kind: str, palette: Palette, canvas: tuple[int, int], random: Random) -> Image.Image:
    """All but the letters."""
    factor = min(LARGEST_ART, max(SMALLEST_ART, 2 * min(canvas))) / min(canvas)
    size = round(canvas[0] * factor), round(canvas[1] * factor)
    foot = mixed(palette.middle, palette.glow, random.choice((0.25, 0.25, 0.25, 1)))
    art = ImageOps.colorize(
        Image.linear_gradient("L").resize(size),
        palette.deep,
        foot,
        palette.middle,
    )
    _glow(art, palette, random)
    draw = ImageDraw.Draw(art, "RGBA")
    random.choice(MOTIFS[kind])(Scene(draw, size, palette, random))
    art = art.resize(canvas, Image.Resampling.LANCZOS)
    _shade(art, palette)
    return _grain(art, random)


def _turned(palette: Palette, part: float) -> Palette:
    """A palette turned by a part of the circle of colours; the letters stay as they are."""
    turned: list[Colour] = []
    for colour in palette[:-1]:
        hue, light, strength = colorsys.rgb_to_hls(*(each / 255 for each in colour))
        red, green, blue = colorsys.hls_to_rgb((hue + part) % 1, light, strength)
        turned.append((round(red * 255), round(green * 255), round(blue * 255)))
    return Palette._make([*turned, palette.ink])


def _glow(art: Image.Image, palette: Palette, random: Random) -> None:
    """A soft light behind everything."""
    side = round(max(art.size) * 1.3)
    light = ImageOps.invert(Image.radial_gradient("L")).resize((side, side))
    at = round(art.width * random.uniform(0.2, 0.8)), round(art.height * random.uniform(0.15, 0.45))
    # Pillow's gradient ends in the corners; this one ends at the sides.
    mask = light.point(lambda value: max(0, round((value - 75) * 0.9)))
    art.paste(palette.glow, (at[0] - side // 2, at[1] - side // 2), mask)


def _shade(art: Image.Image, palette: Palette) -> None:
    """Darken the foot, where the letters stand, and a little the corners."""
    dark = mixed(palette.deep, (0, 0, 0), 0.45)
    foot = Image.linear_gradient("L").resize(art.size)
    art.paste(dark, mask=foot.point(lambda value: max(0, min(235, round((value - 118) * 3.1)))))
    edge = Image.radial_gradient("L").resize(art.size)
    art.paste(dark, mask=edge.point(lambda value: max(0, round((value - 110) * 0.75))))


def _grain(art: Image.Image, random: Random) -> Image.Image:
    """The grain of film."""
    size = art.width // 2 + 1, art.height // 2 + 1
    noise = Image.frombytes("L", size, random.randbytes(size[0] * size[1]))
    noise = noise.filter(ImageFilter.BoxBlur(1)).resize(art.size)
    soft = noise.point(lambda value: 128 + round((value - 128) * 0.16)).convert("RGB")
    return ImageChops.overlay(art, soft)


def _write(picture: Image.Image, subject: Subject, palette: Palette) -> None:
    """The title at the foot, under it a line, the year and the genres."""
    draw, (width, height) = ImageDraw.Draw(picture, "RGBA"), picture.size
    unit, is_tall = min(width, height), height > width
    margin, foot = unit * 0.075, height - unit * 0.075
    small = max(7, round(unit * (0.047 if is_tall else 0.042)))
    details = readable(_details(subject))
    if details:
        letters = font(font_of(details, SEMIBOLD), small)
        while letters.getlength(details) > width - 2 * margin and "·" in details:
            details = details.rpartition("·")[0].rstrip()
        draw.text((margin, foot), details, (*palette.ink, 225), letters, anchor="ls")
        foot -= small * 1.65
    stroke = max(1, round(unit * 0.009))
    draw.rectangle((margin, foot - stroke, margin + unit * 0.14, foot), fill=(*palette.accent, 255))
    foot -= stroke + unit * 0.03
    _title(draw, subject, palette, (width, height, margin, foot))


def _title(
    draw: ImageDraw.ImageDraw,
    subject: Subject,
    palette: Palette,
    place: tuple[float, float, float, float],
) -> None:
    width, height, margin, foot = place
    title = readable(subject.title)
    if not title:
        return
    unit = min(width, height)
    across = (width if height > width else width * 0.62) - 2 * margin
    lines = fitted(title, across, height * (0.3 if height > width else 0.36), unit * 0.19)
    y = foot - (len(lines.lines) - 1) * lines.leading - lines.font.size * 0.1
    shadow = max(1, round(lines.font.size * 0.035))
    for line in lines.lines:
        draw.text((margin + shadow, y + shadow), line, (0, 0, 0, 110), lines.font, anchor="ls")
        draw.text((margin, y), line, (*palette.ink, 255), lines.font, anchor="ls")
        y += lines.leading


def _details(subject: Subject) -> str:
    parts = [str(subject.year)] if subject.year else []
    return "  ·  ".join([*parts, *subject.genres[:3]]).replace("  ·  ", " · ")
