"""Jobs that have a name: what administrators see, start, stop and put on a schedule.

A domain lists its own as `NamedJob`s; `marquee.operations.jobs` runs them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self, get_args

Kind = Literal["daily", "weekly", "interval", "manual"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SUNDAY = datetime(1970, 1, 4, tzinfo=UTC)
"""A midnight from which all schedules are counted: their intervals divide a day."""
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
HOURS, MINUTES = (1, 2, 3, 4, 6, 8, 12), (15, 30)
"""What an interval may be."""
RESERVED = frozenset(("active", "progress", "scheduler"))
"""Words that follow `/jobs/` and are no job."""


@dataclass(frozen=True)
class Schedule:
    """When a job is due, in UTC. Day 0 is Sunday.

    `daily` and `weekly` have an hour and a minute; an `interval` has hours, and the minute of the
    hour, or minutes, which count from the full hour; `manual` is never due.
    """

    kind: Kind = "manual"
    hour: int = 0
    minute: int = 0
    day_of_week: int = 0
    interval_hours: int | None = None
    interval_minutes: int | None = None

    @classmethod
    def daily(cls, hour: int, minute: int = 0) -> Self:
        """Every day."""
        return cls("daily", hour, minute)

    @classmethod
    def weekly(cls, day_of_week: int, hour: int, minute: int = 0) -> Self:
        """Every week."""
        return cls("weekly", hour, minute, day_of_week)

    @classmethod
    def hourly(cls, hours: int = 1, minute: int = 0) -> Self:
        """Every so many hours: 1, 2, 3, 4, 6, 8 or 12."""
        return cls("interval", minute=minute, interval_hours=hours)

    @classmethod
    def minutely(cls, minutes: int) -> Self:
        """Every so many minutes: 15 or 30."""
        return cls("interval", interval_minutes=minutes)

    @property
    def cron(self) -> str | None:
        """The same as a cron expression; None where it is never due."""
        if self.kind == "manual":
            return None
        if self.interval_minutes:
            return f"*/{self.interval_minutes} * * * *"
        if self.interval_hours:
            return f"{self.minute} */{self.interval_hours} * * *"
        day = self.day_of_week if self.kind == "weekly" else "*"
        return f"{self.minute} {self.hour} * * {day}"

    @property
    def formatted(self) -> str:
        """The same for people."""
        at = f"at {self.hour:02}:{self.minute:02} UTC"
        if self.kind == "manual":
            return "By hand"
        if self.interval_minutes:
            return f"Every {self.interval_minutes} minutes"
        if self.interval_hours:
            hours = "hour" if self.interval_hours == 1 else f"{self.interval_hours} hours"
            return f"Every {hours} at minute {self.minute}"
        return f"{DAYS[self.day_of_week]}s {at}" if self.kind == "weekly" else f"Daily {at}"

    def next_after(self, moment: datetime) -> datetime | None:
        """When it is due next; None for never."""
        if self.kind == "manual":
            return None
        minute, hour = timedelta(minutes=self.minute), timedelta(hours=self.hour)
        if self.interval_minutes:
            period, offset = timedelta(minutes=self.interval_minutes), timedelta()
        elif self.interval_hours:
            period, offset = timedelta(hours=self.interval_hours), minute
        elif self.kind == "daily":
            period, offset = timedelta(days=1), hour + minute
        else:
            period, offset = timedelta(weeks=1), timedelta(days=self.day_of_week) + hour + minute
        first = SUNDAY + offset
        return first + period * ((moment - first) // period + 1)


@dataclass(frozen=True)
class NamedJob:
    """A job: what it is called, what it does, and when, unless administrators change that.

    `function` says by its first argument how far it is, and returns what it has counted. Others, by
    name, are those of `job_runs.start`; it does all of its work without. It must bear to be run
    again from the start, as happens when its worker is killed. Errors of `patient_with` make it try
    again later (`jobs.patiently`); any other is the end of the run.
    """

    name: str
    description: str
    function: Callable[..., dict[str, int]]
    schedule: Schedule = Schedule()
    patient_with: tuple[type[Exception], ...] = ()
    concurrency: int = 1
    """How many runs with the same arguments there may be at a time."""

    def __post_init__(self) -> None:
        """Refuse names that are other paths."""
        if self.name in RESERVED:
            raise ValueError(f"No job can be called {self.name}.")
