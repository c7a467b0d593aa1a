"""An installation of Countersign with many tokens: filled, started, asked, stopped.

It is the binary that users run, with the configuration it has by itself; only its ports are chosen.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from pathlib import Path

import tokens
from processes import Failure, Process, free_port, run

READY_WITHIN_SECS = 900


class Installation:
    """A directory with data, keys and the list of its credentials; the server over it, once started."""

    def __init__(self, directory: Path, programs: Path, count: int) -> None:
        self.directory, self.count = directory, count
        self.binary, self.filler = programs / "countersign", programs / "examples" / "fill_installation"
        self.list = directory / "list"
        self.management, self.data_plane, self.health = free_port(), free_port(), free_port()
        self.server: Process | None = None
        self.fill_secs = 0.0
        self.ready_secs = self.ready_cpu_secs = 0.0

    def fill(self) -> None:
        """Makes the tokens, unless they are there."""
        done = self.directory / "filled"
        if done.exists():
            self.fill_secs = float(done.read_text())
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        run([self.filler, self.directory / "data", self.directory / "keys", str(self.count), self.list])
        self.fill_secs = time.monotonic() - began
        if tokens.count(self.list) != self.count:
            raise Failure(f"{self.list} has {tokens.count(self.list)} credentials instead of {self.count}")
        done.write_text(f"{self.fill_secs:.1f}")

    def start(self, core: int | None = None) -> Process:
        """Starts the server, on one core if asked, and notes how long it took until it was ready."""
        on_core = ["taskset", "-c", str(core)] if core is not None else []
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN__")}
        began = time.monotonic()
        self.server = Process(
            [*on_core, self.binary, "serve", *self.places(), "--listen-management", f"127.0.0.1:{self.management}",
             "--listen-data-plane", f"127.0.0.1:{self.data_plane}", "--listen-health", f"127.0.0.1:{self.health}"],
            self.directory / "log", env=environment)
        self.server.wait_for_port(self.health, READY_WITHIN_SECS)
        while not self.is_ready():
            if time.monotonic() - began > READY_WITHIN_SECS:
                raise Failure(f"not ready after {READY_WITHIN_SECS} s; see {self.directory / 'log'}")
            time.sleep(0.01)  # poll
        self.ready_secs, self.ready_cpu_secs = time.monotonic() - began, self.server.cpu_secs()
        return self.server

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    def places(self) -> list[str | Path]:
        return ["--data-dir", self.directory / "data", "--keys-dir", self.directory / "keys"]

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def gateway(self, name: str, *options: str) -> str:
        """The credential of a gateway that is made for this."""
        path = self.directory / f"{name}.credential"
        if not path.exists():
            run([self.binary, "gateway", "create", name, *options, "--out", path, *self.places()])
        return path.read_text().strip()

    def decisions(self) -> dict[str, int]:
        """How many decisions were made since the start, by code, over all doors."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found: dict[str, int] = {}
        for labels, value in re.findall(r"^countersign_decisions_total\{([^}]*)\} ([0-9]+)", text, re.MULTILINE):
            code = re.search(r'code="([^"]*)"', labels)
            if code:
                found[code.group(1)] = found.get(code.group(1), 0) + int(value)
        return found

    def verify(self, credential: str, scheme: str, sid: str, secret: str) -> dict[str, object]:
        """Asks `/v1/verify` once."""
        body = {"authorization": f"{scheme} {secret}", "method": "GET", "uri": f"/Advertisers/{sid}/Actions",
                "client_address": "10.1.2.3"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.data_plane}/v1/verify", json.dumps(body).encode(),
            {"X-Countersign-Gateway": credential, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


class Decided:
    """Holds a contestant to what Countersign counted: every request decided, and each in the expected way."""

    def __init__(self, installation: Installation, *codes: str) -> None:
        self.installation, self.codes = installation, codes
        self.before: dict[str, int] = {}

    def begin(self) -> None:
        self.before = self.installation.decisions()

    def end(self, said: dict[str, float]) -> None:
        now = self.installation.decisions()
        made = {code: number - self.before.get(code, 0) for code, number in now.items()}
        expected = sum(made.get(code, 0) for code in self.codes)
        if expected != sum(made.values()) or expected < said["requests"]:
            told = {code: number for code, number in made.items() if number}
            raise Failure(f"{said['requests']:.0f} requests, expected only {self.codes}, decided: {told}")
