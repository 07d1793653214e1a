"""Load by wrk: one thread, so many connections, one request again and again."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.bench import places
from tools.bench.machine import LOAD_CORE, cpu_seconds, on_core, resident_bytes, tree
from tools.bench.operations import Operation
from tools.bench.peers import Running

CONNECTIONS = 16
SCRIPT = """\
wrk.method = {method}
{headers}
local body = {body}
local film, first, films = 0, {first}, {films}
if films > 0 then
  request = function()
    film = film % films + 1
    return wrk.format(nil, nil, nil, string.format(body, first + film - 1))
  end
elseif #body > 0 then
  wrk.body = body
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{{"requests":%d,"seconds":%f,"p50":%d,"p99":%d,"refused":%d,"broken":%d}}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout))
end
"""


class Failed(Exception):
    """A server did not answer as it must: its figures would mean nothing."""


class Silent(Failed):
    """There was no answer at all: on a busy machine a slow server may need longer."""


@dataclass(frozen=True)
class Figures:
    """One run. Times in the unit of their name."""

    requests: int
    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float
    resident_mb: float


def check() -> None:
    """Raise Missing unless wrk is installed."""
    if shutil.which("wrk") is None:
        raise places.Missing("wrk is missing: `apt-get install wrk` (Debian, Ubuntu).")


def script(operation: Operation, first: int, films: int) -> Path:
    """The Lua script of an operation; with `counting`, over so many films from the first."""
    body = operation.body.decode()
    if operation.counting:
        body = body.replace(f'"movie_id":{first}', '"movie_id":%d')
    headers = (
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}"
        for name, value in operation.headers.items()
    )
    text = SCRIPT.format(
        method=json.dumps(operation.method),
        headers="\n".join(headers),
        body=json.dumps(body),
        first=first,
        films=films if operation.counting else 0,
    )
    path = places.WORK / f"{operation.name}.lua"
    path.write_text(text)
    return path


def run(operation: Operation, lua: Path, server: Running, seconds: int) -> Figures:
    """Load one server with one operation. Raises Failed for any answer but the expected kind, and
    Silent where there was no answer in the time.
    """
    pids = tree(server.pid)
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout=30s", "-s", str(lua)]
    before = cpu_seconds(pids)
    with on_core(LOAD_CORE):
        done = subprocess.run(
            [*words, f"http://127.0.0.1:{server.port}{operation.url}"],
            capture_output=True,
            text=True,
            check=True,
        )
    used = cpu_seconds(pids) - before
    found = json.loads(done.stdout.splitlines()[-1])
    if found["refused"] or found["broken"]:
        raise Failed(f"{server.server.name}: {operation.name}: {found}")
    if not found["requests"]:
        raise Silent(f"{server.server.name}: {operation.name}: no answer in {seconds} s")
    return Figures(
        requests=found["requests"],
        cpu_us=used / found["requests"] * 1e6,
        per_second=found["requests"] / found["seconds"],
        p50_ms=found["p50"] / 1000,
        p99_ms=found["p99"] / 1000,
        resident_mb=resident_bytes(pids) / 2**20,
    )
