"""Rounds of load, and what each server spends on a request.

The metric is CPU time, user and system, of the server's processes divided by the requests answered: it survives other
work on the machine much better than time on the wall does. The load generator is not counted. Servers take turns within
a round, and ratios are made within a round.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from processes import STARTS_WITHIN_SECS, Failure, Process

HERE = Path(__file__).resolve().parent
CONNECTIONS = 32
# What a server still does after its last answer (usage written down, logs) belongs to the requests.
SETTLE_SECS = 1.0
# A server may end a connection while wrk writes the next request on it; more than one in so many is a failure.
BROKEN_ONE_IN = 1_000
# A process that spends less than this on a request takes no part in it: something is not wired as it should be.
IDLE_MICROS = 0.5
LOW_RATE_CONNECTIONS = 8
LOW_RATE_PAUSE_MS = 16


@dataclass
class Load:
    """What is asked, in the words of load.lua."""

    port: int
    list: Path
    ask: str = "gateway"
    scheme: str = "Bearer"
    gateway: str = ""
    credential: str = ""


class Watch(Protocol):
    """Looks at a round from the side of the server; `end` raises where the round does not count."""

    def begin(self) -> None: ...

    def end(self, said: dict[str, float]) -> None: ...


@dataclass
class Contestant:
    """A server, or several that answer together, under one load."""

    name: str
    title: str
    load: Load
    processes: list[Process]
    # Counts what was decided, where Countersign decides.
    watch: Watch | None = None
    micros: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    latency: dict[str, float] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return statistics.median(self.micros)


def wrk(load: Load, secs: float, connections: int = CONNECTIONS, pause_ms: int | None = None) -> dict[str, float]:
    """One run of the load generator. It ends by itself."""
    environment = {
        "PATH": os.environ["PATH"],
        "LIST": str(load.list),
        "ASK": load.ask,
        "SCHEME": load.scheme,
        "GATEWAY": load.gateway,
        "CREDENTIAL": load.credential,
    }
    if pause_ms is not None:
        environment["PAUSE_MS"] = str(pause_ms)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{secs:g}s", "--timeout", "60s", "-s", str(HERE / "load.lua"),
               f"http://127.0.0.1:{load.port}/"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=secs + 60)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    if done.returncode != 0 or not last.startswith("{"):
        raise Failure(f"the load generator failed on port {load.port}:\n{done.stdout}")
    return json.loads(last)


def one_round(contestant: Contestant, secs: float) -> None:
    """Loads a contestant once and notes what a request cost."""
    before = [process.cpu_secs() for process in contestant.processes]
    said = watched(contestant, secs)
    time.sleep(SETTLE_SECS)  # poll
    spent = [process.cpu_secs() - was for process, was in zip(contestant.processes, before, strict=True)]
    if min(spent) * 1e6 < IDLE_MICROS * said["requests"]:
        raise Failure(f"{contestant.title}: one of its processes had nothing to do: {spent} s")
    contestant.micros.append(sum(spent) * 1e6 / said["requests"])
    contestant.rates.append(said["requests"] * 1e6 / said["microseconds"])


def watched(contestant: Contestant, secs: float, connections: int = CONNECTIONS,
            pause_ms: int | None = None) -> dict[str, float]:
    """One run. With a failure, or an answer that should not be, it does not count: the measurement ends."""
    if contestant.watch is not None:
        contestant.watch.begin()
    said = wrk(contestant.load, secs, connections, pause_ms)
    if said["requests"] < 10 or said["failed"] * BROKEN_ONE_IN > said["requests"]:
        raise Failure(f"{contestant.title}: {said}")
    if said["refused"] > 0:
        raise Failure(f"{contestant.title} refused {said['refused']} of {said['requests']} good requests")
    if contestant.watch is not None:
        contestant.watch.end(said)
    return said


def prove(contestant: Contestant, unknown: str | None, body: bytes | None = None) -> None:
    """That a good token passes, to the back end where there is one, and that one which nobody was given does not."""
    with contestant.load.list.open() as lines:
        sid, secret = lines.readline().split()
    end = time.monotonic() + STARTS_WITHIN_SECS
    status, answer = get(contestant.load.port, sid, secret)
    # Some listen before they have read all of their configuration.
    while status not in (200, 204) and time.monotonic() < end:
        time.sleep(0.2)  # poll
        status, answer = get(contestant.load.port, sid, secret)
    if status not in (200, 204) or (body is not None and answer != body):
        raise Failure(f"{contestant.title} answered a good token with {status} {answer[:200]!r}")
    if unknown is not None:
        status, _ = get(contestant.load.port, sid, unknown)
        if status not in (401, 403):
            raise Failure(f"{contestant.title} answered an unknown token with {status}")


def get(port: int, sid: str, secret: str) -> tuple[int, bytes]:
    """The request that load.lua makes of a gateway, once."""
    headers = {"Host": "bench", "Authorization": f"Bearer {secret}"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/Advertisers/{sid}/Actions", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()
    except OSError:
        return 0, b""


def rounds(contestants: list[Contestant], count: int, secs: float, say: Callable[[str], None]) -> None:
    """Every contestant once a round, each round beginning with another one. The first round only warms up."""
    for number in range(count + 1):
        shift = number % len(contestants)
        for contestant in contestants[shift:] + contestants[:shift]:
            one_round(contestant, secs if number > 0 else min(secs, 1.0))
        if number == 0:
            for contestant in contestants:
                contestant.micros.clear()
                contestant.rates.clear()
        else:
            told = ", ".join(f"{one.name} {one.micros[-1]:.1f}" for one in contestants)
            say(f"round {number} of {count} (load average {os.getloadavg()[0]:.1f}): {told}")


def latencies(contestants: list[Contestant], secs: float) -> None:
    """Latency at a low, fixed rate: about 500 requests a second, the same for all."""
    for contestant in contestants:
        contestant.latency = watched(contestant, secs, LOW_RATE_CONNECTIONS, LOW_RATE_PAUSE_MS)


def ratio(one: Contestant, other: Contestant) -> tuple[float, float, float]:
    """The median of the ratios within each round, the smallest and the largest."""
    found = [mine / theirs for mine, theirs in zip(one.micros, other.micros, strict=True)]
    return statistics.median(found), min(found), max(found)


def middle(one: Contestant, other: Contestant) -> float:
    return ratio(one, other)[0]
