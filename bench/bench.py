"""What all parts of the measurement share: the servers, the installation with the main number of tokens, the page."""

from __future__ import annotations

import argparse
import sys

from installation import Installation
from measure import HERE, Contestant, latencies, rounds
from page import Page, judged, number
from servers import Servers

ROOT = HERE.parent
MANY, MAIN, FEW = 10_000_000, 100_000, 10_000


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Bench:
    """What all parts share: the servers, the installation with the main number of tokens, the page."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.page = options, Page()
        self.rounds, self.secs = (3, 2.0) if options.quick else (7, 4.0)
        self.target = ROOT / "target"
        self.work = self.target / "bench" / "work"
        self.work.mkdir(parents=True, exist_ok=True)
        self.servers = Servers(self.work, options.peers, ROOT / "scripts" / "with-node")
        self.main = self.installation(MAIN)
        self.results: dict[str, object] = {}
        self.bars: list[list[str]] = []

    def installation(self, count: int) -> Installation:
        return Installation(self.work / f"tokens-{count}", self.options.programs, count)

    def measure(self, contestants: list[Contestant], low_rate: bool = False) -> None:
        rounds(contestants, self.rounds, self.secs, say)
        if low_rate:
            latencies(contestants, self.secs)
        for one in contestants:
            self.results[one.name] = {"micros": one.micros, "rates": one.rates, "latency": one.latency}

    def bar(self, what: str, value: float, unit: str, bar: float, stretch: float | None = None) -> None:
        """A line of the table of bars."""
        wanted = f"{bar:g}{unit}" + (f" ({stretch:g}{unit})" if stretch is not None else "")
        self.bars.append([what, wanted, f"{number(value)}{unit}", judged(value, bar, stretch)])

    def missing(self, what: str, why: str) -> None:
        self.bars.append([what, "", "", why])
