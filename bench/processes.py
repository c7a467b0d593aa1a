"""Starts and ends the processes of a measurement, and reads what they cost.

Every server listens on a port of its own on loopback and is ended by its id. Nothing here looks for processes by name.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

STARTS_WITHIN_SECS = 60
STOPS_WITHIN_SECS = 60


class Failure(Exception):
    """A measurement that cannot go on, with what to do about it."""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command: Sequence[str | Path], **options: Any) -> str:
    """Runs a command to its end and answers what it printed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    if done.returncode != 0:
        raise Failure(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Process:
    """A server, with the processes it starts itself."""

    def __init__(self, command: Sequence[str | Path], log: Path, **options: Any) -> None:
        self.command = [str(word) for word in command]
        self.log = log
        with log.open("wb") as output:
            self.child = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)

    def wait_for_port(self, port: int, within_secs: float = STARTS_WITHIN_SECS) -> Process:
        """Waits until it listens."""
        end = time.monotonic() + within_secs
        while time.monotonic() < end:
            if self.child.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.02)  # poll
        told = self.log.read_text(errors="replace")[-2000:]
        raise Failure(f"{' '.join(self.command)} does not listen on port {port}:\n{told}")

    def cpu_secs(self) -> float:
        """User and system time of it and everything it started, since each began."""
        return sum(cpu_of(pid) for pid in tree(self.child.pid))

    def memory_bytes(self) -> int:
        """Memory in use, of it and everything it started."""
        total = 0
        for pid in tree(self.child.pid):
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1]) * 1024
        return total

    def stop(self) -> None:
        """Asks it to end, and waits for it."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOPS_WITHIN_SECS)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


def cpu_of(pid: int) -> float:
    """The CPU clock of a process in nanoseconds of resolution (`clock_getcpuclockid(3)`); 0 where it is gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def tree(root: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
            except OSError:
                continue
            parent = int(stat.rsplit(")", 1)[1].split()[1])
            children.setdefault(parent, []).append(int(entry))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo.extend(children.get(pid, []))
    return found
