"""The servers of the first table: Countersign, and what somebody could put in its place.

Each is started from a Debian package, the crate registry or npm, on loopback, with its check switched on and the same
tokens. None has a cache in front of its check.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from measure import HERE
from processes import STARTS_WITHIN_SECS, Failure, Process, free_port, run
from tokens import credentials

PEERS = HERE / "peers"
POSTGRES = Path("/usr/lib/postgresql/15/bin")
TABLE = """create table tokens (digest bytea primary key, sid text not null, account text not null,
    enabled boolean not null, expires_at bigint not null, operations bigint not null)"""


class Servers:
    """Everything that was started, to be ended in the opposite order."""

    def __init__(self, directory: Path, programs: Path, with_node: Path) -> None:
        self.directory, self.peer, self.with_node = directory, programs / "countersign-bench-peers", with_node
        self.started: list[Process] = []
        # PostgreSQL does not run as root, and its user must reach its directory.
        self.of_postgres = Path("/tmp") / f"countersign-bench-{os.getpid()}"

    def stop(self) -> None:
        while self.started:
            self.started.pop().stop()
        shutil.rmtree(self.of_postgres, ignore_errors=True)

    def place(self, name: str) -> Path:
        """An empty directory."""
        path = self.directory / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def start(self, name: str, command: list[str | Path], port: int, **options: Any) -> Process:
        process = Process(command, self.directory / f"{name}.log", **options)
        self.started.append(process)
        return process.wait_for_port(port)

    def nginx(self, name: str, template: Path, **values: str) -> tuple[Process, int]:
        """nginx with a configuration of ours."""
        directory, port = self.place(name), free_port()
        fill(template, directory / "nginx.conf", DIRECTORY=str(directory), PORT=str(port), **values)
        command = ["nginx", "-e", "stderr", "-p", directory, "-c", directory / "nginx.conf", "-g", "daemon off;"]
        return self.start(name, command, port), port

    def haproxy_map(self, tokens: Path) -> tuple[Process, int]:
        """HAProxy with a map of hashed tokens."""
        directory, port = self.place("haproxy-map"), free_port()
        with (directory / "tokens.map").open("w") as lines:
            for sid, secret in credentials(tokens):
                lines.write(f"{hashlib.sha256(secret.encode()).hexdigest().upper()} {sid}\n")
        fill(PEERS / "haproxy" / "map.cfg", directory / "haproxy.cfg", DIRECTORY=str(directory), PORT=str(port))
        return self.start("haproxy-map", ["haproxy", "-db", "-f", directory / "haproxy.cfg"], port), port

    def axum_redis(self, tokens: Path) -> tuple[list[Process], int]:
        """An axum service with Redis behind it."""
        directory, redis_port, port = self.place("redis"), free_port(), free_port()
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(redis_port), "--save", "", "--dir", directory]
        redis = self.start("redis", command, redis_port)
        with (directory / "commands").open("wb") as commands:
            for sid, secret in credentials(tokens):
                words = [b"SET", hashlib.sha256(secret.encode()).digest(), record(sid).encode()]
                commands.write(b"*3\r\n" + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        with (directory / "commands").open("rb") as commands:
            run(["redis-cli", "-p", str(redis_port), "--pipe"], stdin=commands)
        command = [self.peer, "redis", f"127.0.0.1:{port}", f"redis://127.0.0.1:{redis_port}"]
        return [redis, self.start("axum-redis", command, port)], port

    def axum_postgres(self, tokens: Path) -> tuple[list[Process], int]:
        """An axum service with PostgreSQL behind it."""
        directory, database_port, port = self.of_postgres, free_port(), free_port()
        directory.mkdir(mode=0o755)
        as_user = user_of_postgres(directory)
        data = directory / "data"
        run([*as_user, POSTGRES / "initdb", "-D", data, "-U", "bench", "--auth=trust", "--no-sync"], cwd="/")
        command = [*as_user, POSTGRES / "postgres", "-D", data, "-p", str(database_port), "-h", "127.0.0.1",
                   "-k", directory, "-c", "shared_buffers=256MB"]
        database = self.start("postgres", command, database_port, cwd="/")
        await_postgres(database_port)
        url = f"postgresql://bench@127.0.0.1:{database_port}/postgres"
        rows = self.directory / "postgres.rows"
        with rows.open("w") as lines:
            for sid, secret in credentials(tokens):
                _, account, _, expires_at, operations = record(sid).split()
                digest = hashlib.sha256(secret.encode()).hexdigest()
                lines.write(f"\\\\x{digest}\t{sid}\t{account}\tt\t{expires_at}\t{operations}\n")
        copied = ["-qc", TABLE, "-c", "copy tokens from stdin", "-c", "vacuum analyze tokens"]
        with rows.open("rb") as lines:
            run([POSTGRES / "psql", url, *copied], stdin=lines)
        rows.unlink()
        return [database, self.start("axum-postgres", [self.peer, "postgres", f"127.0.0.1:{port}", url], port)], port

    def better_auth(self, tokens: Path) -> tuple[Process, int]:
        """Node with better-auth's API keys."""
        directory, port = self.place("better-auth"), free_port()
        server = PEERS / "better-auth" / "server.mjs"
        node = run([self.with_node, "--fetched", "sh", "-c", "command -v node"]).strip().splitlines()[-1]
        run([node, server, "fill", directory / "keys.db", tokens])
        command = [node, server, "serve", directory / "keys.db", str(port)]
        return self.start("better-auth", command, port, env={**os.environ, "NODE_ENV": "production"}), port


def fill(template: Path, target: Path, **values: str) -> None:
    """Writes a configuration with its names between at signs filled in."""
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    target.write_text(text)


def record(sid: str) -> str:
    """What the peers remember of a token: `sid account enabled expires_at operations`."""
    return f"{sid} acc_{sid[2:].lower()} 1 {int(time.time()) + 300 * 24 * 3600} 7"


def await_postgres(port: int) -> None:
    """Waits until PostgreSQL takes connections; it listens earlier than that."""
    end = time.monotonic() + STARTS_WITHIN_SECS
    while subprocess.run([POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]).returncode != 0:
        if time.monotonic() > end:
            raise Failure(f"PostgreSQL takes no connections within {STARTS_WITHIN_SECS} s")
        time.sleep(0.1)  # poll


def user_of_postgres(directory: Path) -> list[str]:
    """How to run PostgreSQL's programs, and the directory handed to whoever runs them."""
    if os.geteuid() != 0:
        return []
    shutil.chown(directory, "postgres", "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
