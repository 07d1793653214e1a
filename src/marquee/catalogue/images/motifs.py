"""What is on drawn posters: a motif for each kind of film, never twice the same.

Each is drawn over the background, on a canvas of any size; lengths are parts of `unit`, its shorter
side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from marquee.catalogue.images.palettes import Colour, Palette

if TYPE_CHECKING:
    from PIL import ImageDraw

Point = tuple[float, float]


class Scene:
    """A canvas, its colours, and chance."""

    def __init__(
        self, draw: ImageDraw.ImageDraw, size: tuple[int, int], palette: Palette, random: Random
    ) -> None:
        self.draw, self.palette, self.random = draw, palette, random
        self.width, self.height = size
        self.unit = min(size)

    def disc(self, at: Point, radius: float, colour: Colour, alpha: int = 255) -> None:
        """A filled circle."""
        x, y = at
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(*colour, alpha))

    def ring(self, at: Point, radius: float, width: float, colour: Colour, alpha: int) -> None:
        """The line of a circle."""
        x, y = at
        box = (x - radius, y - radius, x + radius, y + radius)
        self.draw.ellipse(box, outline=(*colour, alpha), width=max(1, round(width)))

    def area(self, points: list[Point], colour: Colour, alpha: int = 255) -> None:
        """A filled polygon."""
        self.draw.polygon(points, fill=(*colour, alpha))

    def ridge(self, heights: list[float], colour: Colour, alpha: int = 255) -> None:
        """Everything below a line that runs from side to side."""
        step = self.width / (len(heights) - 1)
        line = [(index * step, y) for index, y in enumerate(heights)]
        self.area([(0, self.height), *line, (self.width, self.height)], colour, alpha)

    def stars(self, number: int, below: float = 0.7) -> None:
        """Points of light in the upper part."""
        for _ in range(number):
            at = self.random.random() * self.width, self.random.random() * self.height * below
            radius = self.unit * self.random.choice((0.0015, 0.002, 0.004))
            self.disc(at, radius, self.palette.ink, self.random.randint(90, 230))

    def somewhere(self, left: float, right: float, top: float, bottom: float) -> Point:
        """A point between these parts of the width and of the height."""
        x, y = self.random.uniform(left, right), self.random.uniform(top, bottom)
        return x * self.width, y * self.height


def mixed(one: Colour, other: Colour, part: float) -> Colour:
    """A colour between two; at 0 it is the first."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


def planet(scene: Scene) -> None:
    """A planet with rings, a moon, stars."""
    scene.stars(110, 1)
    palette, at = scene.palette, scene.somewhere(0.3, 0.7, 0.28, 0.4)
    radius = scene.unit * scene.random.uniform(0.24, 0.34)
    for step in range(12):
        colour = mixed(palette.middle, palette.glow, step / 11)
        shift = radius * 0.05 * step
        scene.disc((at[0] - shift * 0.7, at[1] - shift), radius * (1 - step * 0.055), colour, 150)
    tilt = scene.random.uniform(-0.5, 0.5)
    for track in range(5):
        wide, narrow = radius * (1.45 + 0.09 * track), radius * (0.3 + 0.03 * track)
        line = []
        # In front of the planet: the lower half.
        for degree in range(-12, 193, 4):
            x, y = wide * math.cos(math.radians(degree)), narrow * math.sin(math.radians(degree))
            turned = (
                x * math.cos(tilt) - y * math.sin(tilt),
                x * math.sin(tilt) + y * math.cos(tilt),
            )
            line.append((at[0] + turned[0], at[1] + turned[1]))
        fill = (*palette.accent, 210 - 35 * track)
        scene.draw.line(line, fill=fill, width=max(1, round(scene.unit * 0.008)), joint="curve")
    scene.disc(scene.somewhere(0.1, 0.9, 0.06, 0.16), radius * 0.12, palette.accent, 235)


def forest(scene: Scene) -> None:
    """A low moon behind bare trunks."""
    palette, at = scene.palette, scene.somewhere(0.35, 0.65, 0.26, 0.4)
    radius = scene.unit * scene.random.uniform(0.25, 0.33)
    for step in range(6):
        scene.disc(at, radius * (1.5 - step * 0.1), palette.glow, 14)
    scene.disc(at, radius, palette.glow, 235)
    scene.disc((at[0] - radius * 0.3, at[1] + radius * 0.2), radius * 0.2, palette.middle, 50)
    scene.disc((at[0] + radius * 0.35, at[1] - radius * 0.25), radius * 0.13, palette.middle, 50)
    for depth in range(3):
        colour = mixed(palette.middle, palette.deep, 0.35 + 0.3 * depth)
        for _ in range(3 + 2 * depth):
            _tree(scene, colour, 0.012 + 0.012 * depth)
    heights = [scene.height * scene.random.uniform(0.74, 0.78) for _ in range(24)]
    scene.ridge(heights, palette.deep)


def _tree(scene: Scene, colour: Colour, width: float) -> None:
    x, lean = scene.random.random() * scene.width, scene.random.uniform(-0.04, 0.04) * scene.unit
    thick = scene.unit * width * scene.random.uniform(0.5, 1)
    top = scene.height * scene.random.uniform(-0.05, 0.35)
    foot = scene.height * 0.85
    scene.area(
        [
            (x - thick, foot),
            (x + lean - thick / 4, top),
            (x + lean + thick / 4, top),
            (x + thick, foot),
        ],
        colour,
    )
    for _ in range(5):
        part = scene.random.uniform(0.05, 0.6)
        y, from_x = top + (foot - top) * part, x + lean * (1 - part)
        reach = scene.random.choice((-1, 1)) * scene.unit * scene.random.uniform(0.05, 0.16)
        end = from_x + reach, y - abs(reach) * scene.random.uniform(0.5, 1.1)
        scene.area([(from_x, y), (from_x, y + thick * 0.7), end], colour)


def blinds(scene: Scene) -> None:
    """Light through blinds, and rings that close in on a point."""
    palette, at = scene.palette, scene.somewhere(0.35, 0.65, 0.3, 0.42)
    slant = scene.random.uniform(0.12, 0.3) * scene.random.choice((-1, 1)) * scene.width
    gap = scene.height * 0.052
    for index in range(-8, 26):
        y = index * gap
        scene.area(
            [
                (0, y),
                (scene.width, y + slant),
                (scene.width, y + slant + gap * 0.42),
                (0, y + gap * 0.42),
            ],
            palette.glow,
            34,
        )
    radius = scene.unit * 0.36
    for index in range(9):
        part = 1 - index / 9
        scene.ring(at, radius * part, scene.unit * 0.011, palette.accent, 110 + 15 * index)
    scene.disc(at, scene.unit * 0.028, palette.accent)


def sunburst(scene: Scene) -> None:
    """Rays of a sun that rises behind peaks."""
    palette, at = scene.palette, scene.somewhere(0.35, 0.65, 0.4, 0.46)
    far, turn = scene.width + scene.height, scene.random.random()
    number = scene.random.choice((18, 22, 26))
    for index in range(number):
        one, other = (math.tau * (index + turn + part) / number for part in (0, 0.5))
        tips = [
            (at[0] + far * math.cos(each), at[1] + far * math.sin(each)) for each in (one, other)
        ]
        scene.area([at, *tips], palette.glow, 46)
    scene.disc(at, scene.unit * 0.25, palette.glow, 70)
    scene.disc(at, scene.unit * 0.2, palette.accent)
    for depth in range(3):
        colour = mixed(palette.middle, palette.deep, 0.4 + 0.3 * depth)
        peaks(scene, 0.52 + 0.09 * depth, 0.16, colour)


def peaks(scene: Scene, at: float, size: float, colour: Colour) -> None:
    """A range of mountains, at this part of the height."""
    heights = []
    for index in range(scene.random.choice((7, 9, 11))):
        high = size * scene.random.uniform(0.35, 1) if index % 2 else 0.0
        heights.append(scene.height * (at - high + scene.random.uniform(0, 0.03)))
    scene.ridge(heights, colour)


def discs(scene: Scene) -> None:
    """Large discs and half discs that lie over each other."""
    palette = scene.palette
    colours = (palette.glow, palette.accent, palette.ink, palette.deep)
    for index in range(9):
        at = scene.somewhere(0.05, 0.95, 0.04, 0.62)
        radius = scene.unit * scene.random.uniform(0.07, 0.27)
        colour = colours[index % 4]
        if index % 3 == 1:
            box = (at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius)
            start = scene.random.choice((0, 90, 180, 270))
            scene.draw.pieslice(box, start, start + 180, fill=(*colour, 225))
        elif index % 3 == 2:  # noqa: PLR2004 - every third
            scene.ring(at, radius, scene.unit * 0.03, colour, 225)
        else:
            scene.disc(at, radius, colour, 205)
    for _ in range(26):
        at = scene.somewhere(0, 1, 0, 0.66)
        scene.disc(at, scene.unit * scene.random.uniform(0.006, 0.014), palette.ink, 220)


def hearts(scene: Scene) -> None:
    """Two discs that meet, and what they share."""
    palette, at = scene.palette, scene.somewhere(0.46, 0.54, 0.3, 0.38)
    radius = scene.unit * scene.random.uniform(0.25, 0.29)
    apart, lift = radius * scene.random.uniform(0.45, 0.6), radius * scene.random.uniform(-0.2, 0.2)
    left, right = (at[0] - apart, at[1] - lift), (at[0] + apart, at[1] + lift)
    for step in range(5):
        wide = radius * (1.6 - 0.12 * step)
        scene.disc(at, wide, palette.glow, 12)
    scene.disc(left, radius, palette.glow, 205)
    scene.disc(right, radius, palette.accent, 160)
    for centre in (left, right):
        for step in range(3):
            scene.ring(
                centre,
                radius * (1.1 + 0.12 * step),
                scene.unit * 0.004,
                palette.ink,
                120 - 30 * step,
            )
    for _ in range(30):
        spot = scene.somewhere(0, 1, 0, 0.75)
        scene.disc(spot, scene.unit * scene.random.uniform(0.003, 0.008), palette.ink, 150)


def waves(scene: Scene) -> None:
    """A sun over a sea in many layers."""
    palette, at = scene.palette, scene.somewhere(0.3, 0.7, 0.24, 0.34)
    for step in range(7):
        scene.disc(at, scene.unit * (0.36 - 0.025 * step), palette.glow, 20)
    scene.disc(at, scene.unit * 0.19, palette.accent, 245)
    for depth in range(7):
        colour = mixed(mixed(palette.glow, palette.middle, 0.55), palette.deep, depth / 6)
        turn, high = scene.random.random() * math.tau, scene.height * (0.018 + 0.004 * depth)
        long = scene.random.uniform(1.2, 2.4) * math.tau
        base = scene.height * (0.4 + 0.058 * depth)
        heights = [
            base
            + high * math.sin(turn + long * x / 40)
            + high * 0.5 * math.sin(2.3 * long * x / 40)
            for x in range(41)
        ]
        scene.ridge(heights, colour, 225)


def hills(scene: Scene) -> None:
    """Round hills under a sun, with clouds."""
    palette, at = scene.palette, scene.somewhere(0.2, 0.8, 0.16, 0.28)
    for step in range(4):
        scene.disc(at, scene.unit * (0.3 - 0.045 * step), palette.accent, 40 + 55 * step)
    for _ in range(4):
        x, y = scene.somewhere(0, 1, 0.06, 0.4)
        size = scene.unit * scene.random.uniform(0.035, 0.06)
        for shift, part in ((-1.5, 0.7), (-0.6, 1), (0.5, 1.2), (1.5, 0.8)):
            scene.disc((x + shift * size, y - size * (part - 0.7)), size * part, palette.ink, 215)
    for depth in range(4):
        colour = mixed(palette.glow, palette.deep, 0.3 + 0.23 * depth)
        for _ in range(3):
            x = scene.random.uniform(-0.1, 1.1) * scene.width
            wide = scene.width * scene.random.uniform(0.32, 0.5)
            high = scene.height * scene.random.uniform(0.1, 0.17)
            y = scene.height * (0.56 + 0.08 * depth)
            scene.draw.ellipse((x - wide, y - high, x + wide, y + high), fill=(*colour, 255))
        scene.draw.rectangle(
            (0, scene.height * (0.58 + 0.08 * depth), scene.width, scene.height),
            fill=(*colour, 255),
        )


def mesas(scene: Scene) -> None:
    """A sun in stripes, behind table mountains."""
    palette, at = scene.palette, scene.somewhere(0.4, 0.6, 0.34, 0.4)
    radius = scene.unit * scene.random.uniform(0.3, 0.36)
    for step in range(5):
        scene.disc(at, radius * (1.35 - 0.06 * step), palette.glow, 16)
    for index in range(int(2 * radius)):
        y = index - radius
        # The lower, the wider are the gaps.
        if (index / radius * 6.5) % 1 < max(0.0, index / radius - 0.7) * 0.62:
            continue
        half = math.sqrt(max(0, radius**2 - y**2))
        colour = mixed(palette.accent, palette.glow, index / (2 * radius))
        scene.draw.line((at[0] - half, at[1] + y, at[0] + half, at[1] + y), fill=(*colour, 255))
    for depth in range(3):
        colour = mixed(palette.middle, palette.deep, 0.2 + 0.38 * depth)
        base = scene.height * (0.56 + 0.08 * depth)
        heights, level = [], base
        for index in range(60):
            if index % scene.random.choice((4, 6, 9)) == 0:
                level = base - scene.height * scene.random.choice((0, 0, 0.03, 0.09, 0.13))
            heights.append(level)
        scene.ridge(heights, colour)


def rings(scene: Scene) -> None:
    """Lines of height, as on a map."""
    palette = scene.palette
    centres = [scene.somewhere(0.1, 0.9, 0.1, 0.6) for _ in range(3)]
    turns = [scene.random.random() * math.tau for _ in range(6)]
    scene.disc(centres[0], scene.unit * 0.17, palette.accent, 240)
    for centre in centres:
        for step in range(1, 13):
            radius, line = scene.unit * 0.055 * step, []
            for degree in range(0, 361, 6):
                angle = math.radians(degree)
                bend = sum(math.sin(angle * n + turns[n]) / n for n in (2, 3, 5))
                far = radius * (1 + 0.1 * bend)
                line.append((centre[0] + far * math.cos(angle), centre[1] + far * math.sin(angle)))
            alpha = max(20, 150 - 10 * step)
            scene.draw.line(
                line, fill=(*palette.glow, alpha), width=max(1, round(scene.unit * 0.005))
            )


def mountains(scene: Scene) -> None:
    """A moon over many ranges, in mist, with stars."""
    scene.stars(90, 0.5)
    palette, at = scene.palette, scene.somewhere(0.25, 0.75, 0.14, 0.28)
    radius = scene.unit * scene.random.uniform(0.13, 0.19)
    for step in range(8):
        scene.disc(at, radius * (2.2 - 0.15 * step), palette.glow, 12)
    scene.disc(at, radius, mixed(palette.ink, palette.glow, 0.25), 240)
    for across, down, size in ((-0.35, -0.2, 0.24), (0.3, 0.32, 0.17), (0.25, -0.4, 0.11)):
        crater = at[0] + across * radius, at[1] + down * radius
        scene.disc(crater, size * radius, palette.glow, 120)
    for depth in range(5):
        colour = mixed(mixed(palette.glow, palette.middle, 0.5), palette.deep, depth / 4)
        peaks(scene, 0.44 + 0.085 * depth, 0.2 - 0.02 * depth, colour)


def bars(scene: Scene) -> None:
    """A record, and how loud it is."""
    palette, at = scene.palette, scene.somewhere(0.4, 0.6, 0.3, 0.36)
    radius = scene.unit * 0.34
    scene.disc(at, radius, palette.deep, 235)
    for step in range(13):
        scene.ring(at, radius * (0.97 - 0.048 * step), scene.unit * 0.003, palette.glow, 95)
    scene.disc(at, radius * 0.34, palette.accent)
    scene.disc(at, radius * 0.05, palette.deep)
    number = max(14, round(scene.width / scene.unit * 18))
    wide, turn = scene.width / number, scene.random.random() * math.tau
    for index in range(number):
        wave = abs(math.sin(turn + index * 0.55)) * 0.6 + scene.random.random() * 0.4
        top = scene.height * (0.74 - 0.2 * wave)
        colour = mixed(palette.glow, palette.accent, wave)
        x = index * wide
        scene.draw.rectangle(
            (x + wide * 0.16, top, x + wide * 0.84, scene.height), fill=(*colour, 190)
        )


MOTIFS: dict[str, tuple[Callable[[Scene], None], ...]] = {
    "action": (sunburst,),
    "comedy": (discs,),
    "crime": (blinds,),
    "documentary": (rings, waves),
    "drama": (waves, mountains, rings),
    "family": (hills, discs),
    "fantasy": (mountains,),
    "horror": (forest,),
    "music": (bars,),
    "romance": (hearts, waves),
    "science": (planet,),
    "western": (mesas,),
}
