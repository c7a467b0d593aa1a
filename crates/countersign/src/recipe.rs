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
pub const RECIPES: [Recipe; 7] = [NGINX, HAPROXY, CADDY, TRAEFIK, ENVOY, ENVOY_GRPC, APACHE];

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

const TRAEFIK: Recipe = Recipe {
    kind: "traefik",
    files: &[
        ("traefik.yml", include_str!("../../../gateways/traefik/traefik.yml")),
        ("dynamic/countersign.yml", include_str!("../../../gateways/traefik/dynamic/countersign.yml")),
        (
            "plugins-local/src/countersign.invalid/gateway/.traefik.yml",
            include_str!(
                "../../../gateways/traefik/plugins-local/src/countersign.invalid/gateway/.traefik.yml"
            ),
        ),
        (
            "plugins-local/src/countersign.invalid/gateway/go.mod",
            include_str!("../../../gateways/traefik/plugins-local/src/countersign.invalid/gateway/go.mod"),
        ),
        (
            "plugins-local/src/countersign.invalid/gateway/gateway.go",
            include_str!(
                "../../../gateways/traefik/plugins-local/src/countersign.invalid/gateway/gateway.go"
            ),
        ),
    ],
    credential: (
        "dynamic/credential.yml",
        "http:\n  middlewares:\n    countersign-credential:\n      headers:\n        customRequestHeaders:\n          \
         X-Countersign-Gateway: \"@VALUE@\"\n",
    ),
    folders: &["dynamic", "plugins-local/src/countersign.invalid/gateway"],
    // Traefik has no command that checks; it says what is wrong where it is started.
    check: "cd @DIRECTORY@ && traefik --configfile=traefik.yml --log.level=INFO --log.filepath=/dev/stderr",
    start: "cd @DIRECTORY@ && traefik --configfile=traefik.yml",
};

/// Envoy reads the credential as a secret.
const ENVOY_CREDENTIAL: (&str, &str) = (
    "credential.yaml",
    "resources:\n  - \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\n    name: \
     countersign_gateway\n    generic_secret:\n      secret: { inline_string: \"@VALUE@\" }\n",
);

const ENVOY: Recipe = Recipe {
    kind: "envoy",
    files: &[("envoy.yaml", include_str!("../../../gateways/envoy/envoy.yaml"))],
    credential: ENVOY_CREDENTIAL,
    folders: &[],
    check: "envoy --mode validate -c @DIRECTORY@/envoy.yaml",
    start: "envoy -c @DIRECTORY@/envoy.yaml --use-dynamic-base-id",
};

const ENVOY_GRPC: Recipe = Recipe {
    kind: "envoy-grpc",
    files: &[("envoy.yaml", include_str!("../../../gateways/envoy-grpc/envoy.yaml"))],
    ..ENVOY
};

const APACHE: Recipe = Recipe {
    kind: "apache",
    files: &[
        ("httpd.conf", include_str!("../../../gateways/apache/httpd.conf")),
        ("countersign.conf", include_str!("../../../gateways/apache/countersign.conf")),
        ("ask.lua", include_str!("../../../gateways/apache/ask.lua")),
    ],
    credential: ("credential.conf", "RequestHeader set X-Countersign-Gateway \"@VALUE@\" early\n"),
    folders: &[],
    check: "apache2 -d @DIRECTORY@ -f @DIRECTORY@/httpd.conf -t",
    start: "apache2 -d @DIRECTORY@ -f @DIRECTORY@/httpd.conf -DFOREGROUND",
};

/// The names of all kinds.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|recipe| recipe.kind)
}

/// The recipe of a kind, in the spelling of `--kind` or of the API.
pub fn of_kind(kind: &str) -> Option<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.kind == kind.replace('_', "-"))
}
