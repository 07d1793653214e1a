"""The report: medians of all rounds as Markdown tables, ratios, and whether the targets are met."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from tools.bench import peers
from tools.bench.load import Figures
from tools.bench.operations import CACHED, DATABASE, MEMORY

Runs = dict[tuple[str, str], list[Figures]]
"""Figures of each round by server and operation."""

TITLES = {
    MEMORY: "Without a database",
    DATABASE: "With PostgreSQL, and an API key looked up by each request",
    CACHED: "A public list from the cache",
}


@dataclass(frozen=True)
class Target:
    """What must hold in one part: another server's CPU time over Marquee's, at least."""

    part: str
    over: tuple[str, ...]
    least: float
    words: str


TARGETS = (
    Target(MEMORY, (peers.FASTAPI,), 4.0, "at least 4 times less than FastAPI"),
    Target(
        DATABASE,
        (peers.FASTAPI, peers.FASTAPI_ASYNC),
        1.0,
        "less than FastAPI with either driver",
    ),
    Target(CACHED, (peers.RAW,), 0.5, "at most twice the raw server"),
)


def tables(part: str, runs: Runs) -> str:
    """The figures of one part, and the ratios."""
    operations = list(dict.fromkeys(operation for _, operation in runs))
    servers = list(dict.fromkeys(server for server, _ in runs))
    lines = [f"## {TITLES[part]}", ""]
    lines += _table(
        ["CPU µs a request, median (best)", *operations, "RSS MB"],
        [
            [
                server,
                *(_microseconds(runs[server, each]) for each in operations),
                f"{max(f.resident_mb for each in operations for f in runs[server, each]):.0f}",
            ]
            for server in servers
        ],
    )
    lines += _table(
        ["requests a second; p50 / p99 ms", *operations],
        [[server, *(_latency(runs[server, each]) for each in operations)] for server in servers],
    )
    others = [server for server in servers if server != peers.MARQUEE]
    lines += _table(
        ["CPU time over Marquee's", *operations],
        [
            [server, *(f"{ratio(runs, server, each):.2f}" for each in operations)]
            for server in others
        ],
    )
    return "\n".join(lines)


def verdicts(part: str, runs: Runs) -> list[tuple[bool, str]]:
    """Each target of a part with whether it is met."""
    found = []
    for target in TARGETS:
        over = [server for server in target.over if any(server == each for each, _ in runs)]
        if target.part != part or not over:
            continue
        operations = list(dict.fromkeys(operation for _, operation in runs))
        worst = {each: min(ratio(runs, server, each) for server in over) for each in operations}
        met = all(value >= target.least for value in worst.values())
        shown = ", ".join(f"{name} {value:.2f}" for name, value in worst.items())
        words = f"{TITLES[part]}: {target.words}"
        found.append((met, f"- {'met' if met else '**missed**'}: {words} ({shown})"))
    return found


def ratio(runs: Runs, server: str, operation: str) -> float:
    """Another server's CPU time over Marquee's: the median over the rounds of the ratio in each."""
    ours = runs[peers.MARQUEE, operation]
    return median(
        theirs.cpu_us / mine.cpu_us
        for theirs, mine in zip(runs[server, operation], ours, strict=True)
    )


def _microseconds(figures: Sequence[Figures]) -> str:
    each = [one.cpu_us for one in figures]
    return f"**{median(each):.0f}** ({min(each):.0f})"


def _latency(figures: Sequence[Figures]) -> str:
    def middle(of: Callable[[Figures], float]) -> float:
        return median(map(of, figures))

    p50, p99 = middle(lambda one: one.p50_ms), middle(lambda one: one.p99_ms)
    return f"{middle(lambda one: one.per_second):,.0f}; {p50:.1f} / {p99:.0f}"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
    ]
