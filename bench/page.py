"""Writes what was measured into the book, between two marks; what people wrote around them stays."""

from __future__ import annotations

import datetime
import platform
import re
import statistics
from pathlib import Path

from measure import Contestant, ratio

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


class Page:
    """The measured part of the page, as it grows."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def text(self, text: str) -> None:
        self.parts.append(text.strip() + "\n")

    def table(self, head: list[str], rows: list[list[str]]) -> None:
        lines = [head, ["---"] * len(head), *rows]
        self.parts.append("".join("| " + " | ".join(line) + " |\n" for line in lines))

    def write(self, path: Path) -> None:
        """Replaces what stands between the marks."""
        page = path.read_text()
        before, rest = page.split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        path.write_text(f"{before}{BEGIN}\n\n" + "\n".join(self.parts) + f"\n{END}{after}")


def machine() -> str:
    """What it was measured on."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*([0-9]+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    cores = len(re.findall(r"^processor\s*:", Path("/proc/cpuinfo").read_text(), re.MULTILINE))
    gigabytes = int(memory.group(1)) / 1e6 if memory else 0
    name = cpu.group(1).strip() if cpu else platform.machine()
    return f"{name}, {cores} cores, {gigabytes:.0f} GB, Linux {platform.release()}"


def today() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def cost(one: Contestant) -> str:
    """The median, and the smallest and largest round."""
    return f"{number(one.median)} ({number(min(one.micros))} to {number(max(one.micros))})"


def times(one: Contestant, other: Contestant) -> str:
    middle, low, high = ratio(one, other)
    return f"{number(middle)} ({number(low)} to {number(high)})"


def latency(one: Contestant) -> str:
    if not one.latency:
        return ""
    return f"{one.latency['p50']:.0f} / {one.latency['p99']:.0f}"


def number(value: float) -> str:
    """Three digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.4f}"


def judged(value: float, bar: float, stretch: float | None) -> str:
    """Whether a bar is met. What is missed is written as missed."""
    if stretch is not None and value <= stretch:
        return "met, and the stretch"
    return "met" if value <= bar else "**missed**"


def raw(contestants: list[Contestant]) -> str:
    """Every round."""
    lines = []
    for one in contestants:
        micros = " ".join(f"{value:.2f}" for value in one.micros)
        lines.append(f"{one.name:24} {micros}   (about {statistics.median(one.rates):,.0f} requests/s)")
    return "```text\n" + "\n".join(lines) + "\n```\n"
