//! Caddy with `gateways/caddy`, from PyPI's wheel.

use super::{Class, Edit, Fault, Gateway, Habit, Http2, Outage};

pub const GATEWAY: Gateway = Gateway {
    name: "caddy",
    profile: "caddy",
    program: &["target/tools/gateways/bin/caddy"],
    files: &["Caddyfile"],
    credential: ("credential.caddy", "header_up X-Countersign-Gateway @VALUE@\n"),
    arguments: &["run", "--config", "@DIRECTORY@/Caddyfile"],
    http2: Http2::Clear,
    outage: Outage { statuses: &[503], retry_after: true },
    habits: &[Habit::ReadsAnswers, Habit::LogsPaths],
    faults: FAULTS,
};

const fn edit(find: &'static str, replace: &'static str) -> Edit {
    Edit { file: "Caddyfile", find, replace }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "the method override of the client goes on",
        edits: &[edit("\t\trequest_header -X-HTTP*\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "a client names in `Connection` what Caddy is to drop",
        edits: &[edit("\t\trequest_header -Connection\n", "")],
        found: Class::Untold,
    },
    Fault {
        name: "odd names are let in",
        edits: &[edit("\t\trequest_header -X~*\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "every answer but a refusal is an allow",
        edits: &[edit("\t\t\t\t\terror 503\n", "\t\t\t\t\tvars countersign allowed\n")],
        found: Class::FailsOpen,
    },
    Fault {
        name: "whatever has status 200 is an allow",
        edits: &[edit("\t\t\t\t\t\terror @foreign 503\n", "")],
        found: Class::FailsOpen,
    },
    Fault {
        name: "an outage is an allow",
        edits: &[edit(
            "\t\t\theader Retry-After 1\n\t\t\trespond \"\" 503\n",
            "\t\t\treverse_proxy @BACK_END@\n",
        )],
        found: Class::FailsOpen,
    },
    Fault {
        name: "Countersign is asked about a mended path",
        edits: &[edit("header_up X-Forwarded-Uri {uri}", "header_up X-Forwarded-Uri {path}")],
        found: Class::Open,
    },
    Fault {
        name: "the credential goes on",
        edits: &[edit("\t\t\t\t\t\trequest_header -Authorization\n", "")],
        found: Class::Credential,
    },
    Fault {
        name: "clients choose their address",
        edits: &[
            edit("\tservers {\n", "\tservers {\n\t\ttrusted_proxies static 127.0.0.0/8\n"),
            edit(
                "header_up X-Forwarded-Uri {uri}\n",
                "header_up X-Forwarded-Uri {uri}\n\t\t\t\theader_up X-Forwarded-For {client_ip}\n",
            ),
        ],
        found: Class::Open,
    },
];
