//! The gateway recipes of `gateways/`, carried in the binary, and their filling in for one installation. It writes files
//! into one directory, the credential into a file of its own that only its owner can read. It starts nothing.

mod fill;
mod values;

pub use values::{Endpoint, GatewayCredential, Values, gateway_name};

/// How to fill in and run one kind of gateway.
#[derive(Debug)]
pub struct Recipe {
    /// Its name in `--kind`.
    pub kind: &'static str,
    /// Names and texts of its files.
    files: &'static [(&'static str, &'static str)],
    /// The file with the credential: its name, and the text around it.
    credential: (&'static str, &'static str),
    /// Folders it writes into.
    folders: &'static [&'static str],
    /// The command that checks the files.
    check: &'static str,
    /// The command that starts it.
    start: &'static str,
}

/// Every kind there is a recipe for.
pub const RECIPES: [Recipe; 3] = [NGINX, HAPROXY, CADDY];

const NGINX: Recipe = Recipe {
    kind: "nginx",
    files: &[
        ("countersign.conf", include_str!("../../../gateways/nginx/countersign.conf")),
        ("nginx.conf", include_str!("../../../gateways/nginx/nginx.conf")),
    ],
    credential: ("credential.conf", "proxy_set_header X-Countersign-Gateway \"@VALUE@\";\n"),
    folders: &["temporary"],
    check: "nginx -e stderr -p @DIRECTORY@ -c @DIRECTORY@/nginx.conf -t",
    start: "nginx -e stderr -p @DIRECTORY@ -c @DIRECTORY@/nginx.conf -g 'daemon off;'",
};

const HAPROXY: Recipe = Recipe {
    kind: "haproxy",
    files: &[
        ("haproxy.cfg", include_str!("../../../gateways/haproxy/haproxy.cfg")),
        ("countersign.lua", include_str!("../../../gateways/haproxy/countersign.lua")),
    ],
    credential: ("credential.cfg", "global\n    set-var proc.countersign_credential str(@VALUE@)\n"),
    folders: &[],
    check: "haproxy -c -f @DIRECTORY@/credential.cfg -f @DIRECTORY@/haproxy.cfg",
    start: "haproxy -db -f @DIRECTORY@/credential.cfg -f @DIRECTORY@/haproxy.cfg",
};

const CADDY: Recipe = Recipe {
    kind: "caddy",
    files: &[("Caddyfile", include_str!("../../../gateways/caddy/Caddyfile"))],
    credential: ("credential.caddy", "header_up X-Countersign-Gateway @VALUE@\n"),
    folders: &[],
    check: "caddy validate --config @DIRECTORY@/Caddyfile",
    start: "caddy run --config @DIRECTORY@/Caddyfile",
};

/// The names of all kinds.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|recipe| recipe.kind)
}

/// The recipe of a kind, in the spelling of `--kind` or of the API.
pub fn of_kind(kind: &str) -> Option<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.kind == kind.replace('_', "-"))
}
