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

from processes import Failure, Process

HERE = Path(__file__).resolve().parent
CONNECTIONS = 32
# What a server still does after its last answer (usage written down, logs) belongs to the requests.
SETTLE_SECS = 1.0
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

    def cpu_secs(self) -> float:
        return sum(process.cpu_secs() for process in self.processes)

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
    command = ["wrk", "-t1", f"-c{connections}", f"-d{secs:g}s", "--timeout", "10s", "-s", str(HERE / "load.lua"),
               f"http://127.0.0.1:{load.port}/"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=secs + 60)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    if done.returncode != 0 or not last.startswith("{"):
        raise Failure(f"the load generator failed:\n{done.stdout}")
    return json.loads(last)


def one_round(contestant: Contestant, secs: float) -> None:
    """Loads a contestant once and notes what a request cost."""
    before = contestant.cpu_secs()
    said = watched(contestant, secs)
    time.sleep(SETTLE_SECS)  # poll
    spent = contestant.cpu_secs() - before
    contestant.micros.append(spent * 1e6 / said["requests"])
    contestant.rates.append(said["requests"] * 1e6 / said["microseconds"])


def watched(contestant: Contestant, secs: float, connections: int = CONNECTIONS,
            pause_ms: int | None = None) -> dict[str, float]:
    """One run. With a failure, or an answer that should not be, it does not count: the measurement ends."""
    if contestant.watch is not None:
        contestant.watch.begin()
    said = wrk(contestant.load, secs, connections, pause_ms)
    if said["requests"] < 100 or said["failed"] > 0:
        raise Failure(f"{contestant.title}: {said}")
    if said["refused"] > 0:
        raise Failure(f"{contestant.title} refused {said['refused']} of {said['requests']} good requests")
    if contestant.watch is not None:
        contestant.watch.end(said)
    return said


def prove(contestant: Contestant, unknown: str) -> None:
    """That the check is switched on: a good token passes and one that nobody was given does not."""
    with contestant.load.list.open() as lines:
        sid, secret = lines.readline().split()
    for credential, wanted in ((secret, (200, 204)), (unknown, (401, 403))):
        request = urllib.request.Request(f"http://127.0.0.1:{contestant.load.port}/Advertisers/{sid}/Actions",
                                         headers={"Authorization": f"Bearer {credential}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status = answer.status
        except urllib.error.HTTPError as refused:
            status = refused.code
        if status not in wanted:
            raise Failure(f"{contestant.title} answered {status} instead of {wanted}")


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
