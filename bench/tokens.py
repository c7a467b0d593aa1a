"""Credentials for the load generator: lists of lines of one length, `SID CREDENTIAL`.

The good ones are written by the program that fills the installation. Here are made: the same for HTTP Basic, and those
that must be refused.
"""

from __future__ import annotations

import base64
import secrets
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def credentials(path: Path) -> Iterator[tuple[str, str]]:
    """The lines of a list."""
    with path.open() as lines:
        for line in lines:
            sid, secret = line.split()
            yield sid, secret


def mint() -> str:
    """A secret of the right form with a right checksum that nobody was given."""
    text = "csign_" + "".join(secrets.choice(BASE62) for _ in range(32))
    rest, checksum = zlib.crc32(text.encode()), ""
    for _ in range(6):
        checksum = BASE62[rest % 62] + checksum
        rest //= 62
    return text + checksum


def broken(secret: str) -> str:
    """The secret with another last character: its checksum is wrong."""
    return secret[:-1] + ("0" if secret[-1] != "0" else "1")


def basic(sid: str, secret: str) -> str:
    """What stands behind `Basic`."""
    return base64.b64encode(f"{sid}:{secret}".encode()).decode()


def derive(source: Path, target: Path, change: Callable[[str, str], str]) -> Path:
    """Another list of the same SIDs."""
    with target.open("w") as lines:
        for sid, secret in credentials(source):
            lines.write(f"{sid} {change(sid, secret)}\n")
    return target


def count(path: Path) -> int:
    """How many lines a list has."""
    with path.open("rb") as lines:
        first = len(lines.readline())
    return path.stat().st_size // first
