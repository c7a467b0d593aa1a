"""The parts of the measurement. Each starts what it compares, measures it, and writes its tables and bars."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import page
import tokens
from gateways import GATEWAYS, Doors
from installation import Decided, Installation
from measure import Contestant, Load, middle, prove
from page import cost, latency, times
from processes import run
from bench import FEW, MAIN, MANY, Bench, say
from servers import PEERS

# What a token takes on disk while it is measured: its row, its secret, the audit trail, the list, and the space SQLite
# needs while it writes.
BYTES_PER_TOKEN = 2_500
# The bars of the library, by size where they differ.
LIBRARY_NANOS = {"10K": 300.0, "1M": 450.0, "10M": 750.0}
# What the example `decide` calls its figures, and the bars they are held to: text, unit, bar, stretch.
LIBRARY_BARS: dict[str, Callable[[str], tuple[str, str, float, float | None]]] = {
    "library-SIZE-ns": lambda size: (f"library, {size} tokens, uniform", " ns", LIBRARY_NANOS[size], None),
    "library-SIZE-zipf-ns": lambda size: (f"library, {size} tokens, Zipf-like: only a stretch", " ns", 420, 420),
    "memory-per-token-bytes": lambda size: (f"memory of the library at {size} tokens, per token", " B", 96, 80),
    "writer-ratio": lambda size: (f"readers while 10,000 changes/s apply, {size} tokens, against no writer", "", 1.3,
                                  1.1),
    "forged-ratio": lambda size: (f"unknown credential against a good one, {size} tokens, in process", "", 1.10, None),
    "checksum-ratio": lambda size: (f"wrong checksum against a good one, {size} tokens, in process", "", 1.10, 0.5),
}


def door(installation: Installation, name: str, title: str, ask: str, codes: tuple[str, ...] = ("allowed",),
         scheme: str = "Bearer", tokens_of: Path | None = None) -> Contestant:
    """A door of an installation, asked directly, and the decisions that are expected of it."""
    assert installation.server is not None
    load = Load(installation.data_plane, tokens_of or installation.list, ask, scheme, "bench",
                installation.gateway("bench"))
    return Contestant(name, title, load, [installation.server], Decided(installation, *codes))


def ours(bench: Bench, name: str, title: str, ask: str, **load: Any) -> Contestant:
    """A door of the main installation, asked directly."""
    return door(bench.main, name, title, ask, **load)


def basic_list(installation: Installation) -> Path:
    """The credentials of an installation as HTTP Basic has them."""
    return tokens.derive(installation.list, installation.directory / "basic", tokens.basic)


def peers(bench: Bench) -> None:
    """The first table."""
    servers, main = bench.servers, bench.main
    bare, bare_port = servers.nginx("peer-204", PEERS / "nginx" / "bare.conf")
    haproxy, haproxy_port = servers.haproxy_map(main.list)
    redis, redis_port = servers.axum_redis(main.list)
    postgres, postgres_port = servers.axum_postgres(main.list)
    node, node_port = servers.better_auth(main.list)
    doors = Doors(servers, main, bench.target)
    nginx_none, nginx_ask, nginx_ours = doors.contestants(GATEWAYS[0], main.list)
    recipe, recipe_port = doors.recipe(GATEWAYS[0], "yes", doors.yes_port)
    nginx_yes = Contestant("nginx-yes", "nginx with our recipe, asking an nginx that says yes",
                           Load(recipe_port, main.list), [recipe, doors.yes])
    nginx = Contestant("nginx-204", "nginx `return 204`, no check", Load(bare_port, main.list), [bare])
    posted = Contestant("nginx-204-post", "the same, sent what verify is sent",
                        Load(bare_port, main.list, "verify", "Bearer", "bench", "none"), [bare])
    verify = ours(bench, "verify", "**Countersign, `POST /v1/verify`**", "verify")
    by_basic = ours(bench, "verify-basic", "the same with HTTP Basic", "verify", scheme="Basic",
                    tokens_of=basic_list(main))
    forward = ours(bench, "forward-auth", "**Countersign, forward-auth asked directly**", "forward_auth")
    nginx_ours.title = "**nginx `auth_request` to Countersign, our recipe**"
    others = [
        Contestant("haproxy-map", "HAProxy, map of SHA-256 digests", Load(haproxy_port, main.list), [haproxy]),
        Contestant("axum-redis", "axum + Redis", Load(redis_port, main.list), redis),
        Contestant("axum-postgres", "axum + PostgreSQL", Load(postgres_port, main.list), postgres),
        Contestant("better-auth", "Node + better-auth API keys", Load(node_port, main.list), [node]),
    ]
    for one in others:
        prove(one, tokens.mint())
    all_ = [nginx, posted, verify, by_basic, forward, *others, nginx_none, nginx_ask, nginx_yes, nginx_ours]
    bench.measure(all_, low_rate=True)
    bench.page.text(f"## What a check costs\n\n{main.count:,} tokens.")
    bench.page.table(
        ["server", "CPU µs per request: median (least to most)", "× nginx `return 204`", "verify ÷ this",
         "p50 / p99 µs at about 500 requests/s (noisy)"],
        [[one.title, cost(one), times(one, nginx), times(verify, one), latency(one)] for one in all_])
    bench.page.text(page.raw(all_))
    bench.bar("HTTP verify against nginx `return 204`", middle(verify, nginx), "", 1.10, 1.00)
    bench.bar("nginx `auth_request` to us, our recipe, against `auth_request` to an nginx 204",
             middle(nginx_ours, nginx_ask), "", 1.10, 1.00)
    bench.bar("the same, our recipe in both", middle(nginx_ours, nginx_yes), "", 1.10, 1.00)
    for other, bar in zip(others, (0.50, 0.45, 0.13, 0.005), strict=True):
        bench.bar(f"HTTP verify against {other.title}", middle(verify, other), "", bar)


def credentials(bench: Bench) -> None:
    """Credentials that are refused, against good ones."""
    main, directory = bench.main, bench.main.directory
    with main.list.open() as lines:
        another = lines.readline().split()[1]
    unknown = tokens.derive(main.list, directory / "unknown", lambda _, __: tokens.mint())
    broken = tokens.derive(main.list, directory / "broken", lambda _, secret: tokens.broken(secret))
    forged = tokens.derive(main.list, directory / "forged", lambda sid, _: tokens.basic(sid, tokens.mint()))
    wrong = tokens.derive(main.list, directory / "wrong", lambda sid, _: tokens.basic(sid, another))
    refused = ("credentials_invalid", "too_many_failures")
    good = ours(bench, "good", "good, Bearer", "verify")
    good_basic = ours(bench, "good-basic", "good, Basic", "verify", scheme="Basic", tokens_of=basic_list(main))
    bad = [
        (ours(bench, "unknown", "unknown secret, Bearer", "verify", codes=refused, tokens_of=unknown), good),
        (ours(bench, "broken", "wrong checksum, Bearer", "verify", codes=refused, tokens_of=broken), good),
        (ours(bench, "forged", "known SID, unknown secret, Basic", "verify", codes=refused, scheme="Basic",
                   tokens_of=forged), good_basic),
        (ours(bench, "wrong", "known SID, another token's secret, Basic", "verify", codes=(*refused, "allowed"),
                   scheme="Basic", tokens_of=wrong), good_basic),
    ]
    all_ = [good, good_basic, *(one for one, _ in bad)]
    bench.measure(all_)
    bench.page.text("## Credentials that are refused\n\nBy HTTP, so with the cost of a request around each.")
    bench.page.table(["credential", "CPU µs per request", "× a good one of its scheme"],
                    [[good.title, cost(good), ""], [good_basic.title, cost(good_basic), ""],
                     *([one.title, cost(one), times(one, against)] for one, against in bad)])
    bench.page.text(page.raw(all_))
    for one, against in bad:
        if one.name == "broken":
            continue
        bench.bar(f"{one.title}, against a good one", middle(one, against), "", 1.10)
    bench.bar("wrong checksum against a good one", middle(bad[1][0], good), "", 1.10, 0.5)


def size(bench: Bench) -> None:
    """Few tokens and very many; memory; how long a start takes."""
    started: list[Installation] = []
    try:
        for count in counts(bench):
            started.append(bench.main if count == MAIN else begun(bench, count))
        when_ready = [memory(one) for one in started]
        contestants = [door(one, f"verify-{one.count}", f"{one.count:,}", "verify") for one in started]
        bench.measure(contestants)
        rows = [
            [contestant.title, cost(contestant), times(contestant, contestants[0]), f"{one.fill_secs:.0f} s",
             f"{one.ready_secs:.1f} s", f"{one.ready_cpu_secs:.1f} s", f"{before / 1e6:,.0f} MB",
             f"{memory(one) / 1e6:,.0f} MB"]
            for one, contestant, before in zip(started, contestants, when_ready, strict=True)]
        bench.page.text("## Few tokens and many\n\n`POST /v1/verify`, Bearer, uniform over all tokens. The "
                        f"starts are on one core, but for {MAIN:,} tokens.")
        bench.page.table(["tokens", "CPU µs per request", f"× {FEW:,}", "filled in", "ready after", "CPU until ready",
                          "memory when ready", "memory after the load"], rows)
        bench.page.text(page.raw(contestants))
        if started[-1].count == MANY:
            bench.bar("HTTP verify at 10M tokens against 10k", middle(contestants[-1], contestants[0]), "", 1.10, 1.05)
            bench.bar("memory of the whole process at 10M tokens, after the load, per token",
                      memory(started[-1]) / MANY, " B", 96, 80)
            bench.bar("cold start with 10M tokens from SQLite, one core", started[-1].ready_secs, " s", 15, 10)
        else:
            bench.missing("everything at 10M tokens", "not measured in this run")
    finally:
        for one in started:
            if one is not bench.main:
                one.stop()


def counts(bench: Bench) -> list[int]:
    """How many tokens there are room and time for."""
    if bench.options.quick:
        return [FEW, MAIN]
    free, needed = shutil.disk_usage(bench.work).free, MANY * BYTES_PER_TOKEN
    if free < needed:
        bench.page.text(f"Ten million tokens were left out: the disk has {free / 1e9:.0f} GB free and it takes "
                        f"{needed / 1e9:.0f}.")
        return [FEW, MAIN]
    return [FEW, MAIN, MANY]


def begun(bench: Bench, count: int) -> Installation:
    """Another installation, first started on one core to see how long that takes, then as users start it."""
    one = bench.installation(count)
    say(f"filling {count:,} tokens")
    one.fill()
    one.start(core=0)
    cold = one.ready_secs, one.ready_cpu_secs
    one.stop()
    one.start()
    one.ready_secs, one.ready_cpu_secs = cold
    return one


def memory(one: Installation) -> int:
    """Bytes the server has in memory now."""
    assert one.server is not None
    return one.server.memory_bytes()


def gateways(bench: Bench) -> None:
    """The second table."""
    doors = Doors(bench.servers, bench.main, bench.target)
    rows: list[list[str]] = []
    all_: list[Contestant] = []
    for gateway in GATEWAYS:
        all_.extend(doors.contestants(gateway, bench.main.list))
    bench.measure(all_)
    for none, ask, ours in zip(all_[0::3], all_[1::3], all_[2::3], strict=True):
        title = none.title.removesuffix(", asking nobody")
        rows.append([title, cost(none), cost(ask), cost(ours), times(ours, none), times(ours, ask)])
    bench.page.text("## What a check costs at each gateway\n\nCPU µs per request of the gateway and of what it asks; the "
                    "back end is not counted.")
    bench.page.table(["gateway", "asks nobody", "asks an nginx that says yes", "asks Countersign, our recipe",
                     "× asking nobody", "× asking that"], rows)
    bench.page.text(page.raw(all_))


def library(bench: Bench) -> None:
    """What the examples of the crates print."""
    bench.page.text("## The library in process, and durable changes")
    examples = bench.options.programs / "examples"
    for name, title in (("decide", "`cargo run --release -p countersign-verify --example decide`"),
                        ("changes_per_second",
                         "`cargo run --release -p countersign-store --example changes_per_second`")):
        sizes = [str(FEW), "1000000"] if bench.options.quick and name == "decide" else []
        printed = run([examples / name, *sizes], cwd=bench.work)
        bench.page.text(f"{title}:\n\n```text\n{printed.strip()}\n```")
        held_to_bars(bench, printed)


def held_to_bars(bench: Bench, printed: str) -> None:
    """The figures of the example `decide`: lines `bar NAME VALUE`, those of one size together."""
    size = ""
    for line in printed.splitlines():
        if line.startswith("bar "):
            _, figure, value = line.split()
            if figure.startswith("library-"):
                size = figure.split("-")[1].upper()
            what, unit, bar, stretch = LIBRARY_BARS[figure.replace(size.lower(), "SIZE")](size)
            bench.bar(what, float(value), unit, bar, stretch)


PARTS: dict[str, Callable[[Bench], None]] = {
    "peers": peers, "credentials": credentials, "size": size, "gateways": gateways, "library": library}
