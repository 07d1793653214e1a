"""The results as a page of Markdown, and as bars."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tools.eval import metrics
from tools.eval.protocols import Results

SHOWN = metrics.NAMES
WIDTH, ROW, LEFT, MARGIN = 900, 34, 240, 20
INK, PALE, OURS, OTHERS = "#222222", "#dddddd", "#c2410c", "#64748b"


def table(results: Results) -> str:
    """A row for each system, best NDCG first."""
    head = ["system", *SHOWN, "coverage"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    ordered = sorted(results.items(), key=lambda item: -item[1].of("NDCG@10").mean)
    for name, result in ordered:
        cells = [result.of(each).told for each in SHOWN]
        share = sum(result.coverage) / len(result.coverage)
        lines.append("| " + " | ".join([name, *cells, f"{share:.3f}"]) + " |")
    return "\n".join(lines)


def chosen(results: Results) -> str:
    """What the validation splits chose."""
    told = [
        f"{name}: {', '.join(sorted({_numbers(each) for each in result.options}))}"
        for name, result in results.items()
        if any(result.options)
    ]
    return "Chosen on validation splits, one for each seed: " + "; ".join(told) + "."


def verdicts(targets: Mapping[str, tuple[float, float]]) -> str:
    """A row for each target: what it is, what was measured, whether it is met."""
    lines = ["| target | at least | measured | |", "|---|---|---|---|"]
    for name, (least, value) in targets.items():
        word = "met" if value >= least else "**missed**"
        lines.append(f"| {name} | {least:.4f} | {value:.4f} | {word} |")
    return "\n".join(lines)


def bars(path: Path, title: str, results: Results) -> None:
    """NDCG@10 of each system with its interval, as a PNG."""
    ordered = sorted(
        ((name, result.of("NDCG@10")) for name, result in results.items()),
        key=lambda item: -item[1].mean,
    )
    height = 2 * MARGIN + ROW * (len(ordered) + 1)
    image = Image.new("RGB", (WIDTH, height), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(16)
    draw.text((MARGIN, MARGIN), title, INK, font)
    longest = max(each.high for _, each in ordered)
    scale = (WIDTH - LEFT - 100) / longest
    for place, (name, value) in enumerate(ordered, 1):
        top = MARGIN + ROW * place
        color = OURS if "Marquee" in name else OTHERS
        draw.text((MARGIN, top + 6), name.replace("*", ""), INK, font)
        end = LEFT + value.mean * scale
        draw.rectangle((LEFT, top + 4, end, top + ROW - 6), color)
        low, high = LEFT + value.low * scale, LEFT + value.high * scale
        draw.line((low, top + ROW // 2 - 1, high, top + ROW // 2 - 1), INK, 2)
        draw.text((high + 8, top + 6), f"{value.mean:.3f}", INK, font)
    image.save(path)


def _numbers(option: Sequence[float]) -> str:
    return "/".join(f"{each:g}" for each in option)
