"""wrk as the load generator: it needs a fraction of a core for what a server does with a whole."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from regisseur_bench.serving.processes import BenchError, Running

GENERATOR_CORE: Final = "1"

_SCRIPT: Final = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local file = io.open(os.getenv("BENCH_BODY"), "rb")
wrk.body = file:read("*a")
file:close()
local threads = {}
function setup(thread) table.insert(threads, thread) end
other = 0
if os.getenv("BENCH_STATUSES") then
  function response(status) if status ~= 200 and status ~= 429 then other = other + 1 end end
end
function done(summary, latency, requests)
  local failed, strange = summary.errors, 0
  local broken = failed.connect + failed.read + failed.write + failed.timeout
  for _, thread in ipairs(threads) do strange = strange + thread:get("other") end
  io.write(string.format(
    '\\nRESULT {"requests":%d,"refused":%d,"strange":%d,"broken":%d,' ..
    '"seconds":%f,"p50":%f,"p99":%f}\\n',
    summary.requests, failed.status, strange, broken,
    summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
"""


@dataclass(frozen=True)
class Measured:
    """What a server did under a load.

    Attributes:
        rate: Good answers a second.
        refused: Answers with a status from 400 on.
        strange: Answers that are neither 200 nor 429, where they were told apart.
        broken: Connections or answers that failed altogether.
        p50: Median time to an answer, in seconds.
        p99: Time that one of a hundred answers exceeds, in seconds.
    """

    rate: float
    refused: int
    strange: int
    broken: int
    p50: float
    p99: float


def put_load(
    running: Running,
    scratch: Path,
    connections: int,
    seconds: float,
    *,
    tells_statuses: bool = False,
) -> Measured:
    """Send as much as so many connections can for a time.

    Args:
        running: The server.
        scratch: Folder for what wrk reads.
        connections: Clients that send their next request when they have their answer.
        seconds: How long.
        tells_statuses: Whether to tell 200 and 429 from others, which costs the generator time.

    Raises:
        BenchError: The load generator failed.
    """
    script, body = scratch / "post.lua", scratch / "body.json"
    script.write_text(_SCRIPT)
    body.write_bytes(running.body)
    url = f"http://127.0.0.1:{running.port}{running.contestant.path}"
    arguments = ["-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s"]
    ended = subprocess.run(
        ["taskset", "-c", GENERATOR_CORE, "wrk", *arguments, "--timeout", "10s", "-s", script, url],
        env={
            "BENCH_BODY": str(body),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            **({"BENCH_STATUSES": "yes"} if tells_statuses else {}),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith("RESULT ")]
    if ended.returncode != 0 or not lines:
        raise BenchError(f"wrk failed: {ended.stderr.strip() or ended.stdout.strip()}")
    return read_result(json.loads(lines[0].removeprefix("RESULT ")))


def read_result(found: dict[str, float]) -> Measured:
    """Return what wrk has counted."""
    good = found["requests"] - found["refused"]
    return Measured(
        rate=good / found["seconds"],
        refused=round(found["refused"]),
        strange=round(found["strange"]),
        broken=round(found["broken"]),
        p50=found["p50"],
        p99=found["p99"],
    )
