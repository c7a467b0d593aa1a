"""The gateways of the second table: each in front of the same back end, asking nobody, asking a server that always says
yes, and asking Countersign.

Counted is the gateway with what it asks, not the back end. The recipe is the one we ship, filled in by the command that
users fill it in with; the shorter configurations are in `peers/`, as each gateway's manual shows them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from installation import Decided, Installation
from measure import Contestant, Load, prove
from processes import Process, free_port, run
from servers import PEERS, Servers, fill
from tokens import mint

# What peers/nginx/back_end.conf answers.
BACK_END_BODY = b'{"actions":[]}'
TOOLS = Path("tools") / "gateways" / "bin"


@dataclass(frozen=True)
class Gateway:
    """A gateway we ship a recipe for."""

    # The name of its recipe, of its profile, and of its folder in `peers/`.
    name: str
    title: str
    # The folder of its short configurations, and how it is started over one; DIRECTORY stands for it. How the recipe is
    # started, `countersign gateway config` tells.
    short: str
    start: str
    # Envoy takes only 200 for a yes over HTTP; the others take 204.
    yes_is_200: bool = False
    # Apache has nothing short that asks: there it is our recipe, too, that asks the server that says yes.
    asks_by_itself: bool = True


ENVOY = "envoy -c DIRECTORY/envoy.yaml --log-level error --use-dynamic-base-id"
GATEWAYS = (
    Gateway("nginx", "nginx", "nginx", "nginx -e stderr -p DIRECTORY -c DIRECTORY/nginx.conf -g 'daemon off;'"),
    Gateway("haproxy", "HAProxy", "haproxy", "haproxy -db -f DIRECTORY/haproxy.cfg"),
    Gateway("caddy", "Caddy", "caddy", "caddy run --config DIRECTORY/Caddyfile"),
    Gateway("traefik", "Traefik", "traefik", "traefik --configFile=DIRECTORY/traefik.yml"),
    Gateway("envoy", "Envoy, over HTTP", "envoy", ENVOY, yes_is_200=True),
    Gateway("envoy-grpc", "Envoy, over gRPC", "envoy", ENVOY, yes_is_200=True),
    Gateway("apache", "Apache", "apache", "apache2 -d DIRECTORY -f DIRECTORY/httpd.conf -DFOREGROUND",
            yes_is_200=True, asks_by_itself=False),
)


class Doors:
    """Starts gateways in front of one back end."""

    def __init__(self, servers: Servers, installation: Installation, target: Path) -> None:
        self.servers, self.installation, self.target = servers, installation, target
        _, self.back_end = servers.nginx("back-end", PEERS / "nginx" / "back_end.conf")
        self.bare, self.bare_port = servers.nginx("bare", PEERS / "nginx" / "bare.conf")
        self.yes, self.yes_port = servers.nginx("yes", PEERS / "nginx" / "yes.conf")

    def short(self, gateway: Gateway, variant: str, asked: int) -> tuple[Process, int]:
        """The gateway with a short configuration of ours: `none` or `ask`."""
        name, port = f"{gateway.name}-{variant}", free_port()
        directory = self.servers.place(name)
        for template in (PEERS / gateway.short / variant).iterdir():
            fill(template, directory / template.name, DIRECTORY=str(directory), PORT=str(port),
                 BACK_END=f"127.0.0.1:{self.back_end}", BACK_END_PORT=str(self.back_end),
                 ASKED=f"127.0.0.1:{asked}", ASKED_PORT=str(asked))
        return self.begin(name, gateway.start.replace("DIRECTORY", str(directory)), directory, port), port

    def recipe(self, gateway: Gateway, variant: str, asked: int) -> tuple[Process, int]:
        """The gateway with the recipe we ship."""
        name, port = f"{gateway.name}-{variant}", free_port()
        directory = self.servers.place(name)
        credential = self.installation.directory / f"{gateway.name}.credential"
        self.installation.gateway(gateway.name, "--profile", gateway.name.replace("-", "_"))
        told = run([self.installation.binary, "gateway", "config", gateway.name, "--kind", gateway.name,
                    "--listen", f"127.0.0.1:{port}", "--data-plane", f"127.0.0.1:{asked}",
                    "--back-end", f"127.0.0.1:{self.back_end}", "--directory", directory,
                    "--credential-file", credential, "-o", "json"])
        return self.begin(name, json.loads(told)["start"], directory, port), port

    def begin(self, name: str, start: str, directory: Path, port: int) -> Process:
        """Starts a gateway by a line for the shell; one that scripts/install-gateways fetched goes before the system's."""
        environment = {**os.environ, "PATH": f"{self.target / TOOLS}:{os.environ['PATH']}"}
        before, and_then, last = start.rpartition("&& ")
        # The shell becomes the gateway, so that the one is ended and measured with the other.
        line = f"{before}{and_then}exec {last}"
        return self.servers.start(name, ["sh", "-c", line], port, cwd=directory, env=environment)

    def contestants(self, gateway: Gateway, list_: Path) -> list[Contestant]:
        """The gateway asking nobody, asking a bare server, and asking Countersign by our recipe."""
        server = self.installation.server
        assert server is not None
        none, none_port = self.short(gateway, "none", 0)
        asked, asked_port = (self.yes, self.yes_port) if gateway.yes_is_200 else (self.bare, self.bare_port)
        asking = self.short if gateway.asks_by_itself else self.recipe
        ask, ask_port = asking(gateway, "ask", asked_port)
        ours, port = self.recipe(gateway, "recipe", self.installation.data_plane)
        all_ = [
            Contestant(f"{gateway.name}-none", f"{gateway.title}, asking nobody", Load(none_port, list_), [none]),
            Contestant(f"{gateway.name}-ask", f"{gateway.title}, asking an nginx that says yes",
                       Load(ask_port, list_), [ask, asked]),
            Contestant(f"{gateway.name}-recipe", f"{gateway.title}, asking Countersign by our recipe",
                       Load(port, list_), [ours, server], Decided(self.installation, "allowed")),
        ]
        for one in all_:
            prove(one, mint() if one is all_[2] else None, BACK_END_BODY)
        return all_
