//! Traefik with `gateways/traefik`, from PyPI's wheel.

use super::{Class, Edit, Fault, Gateway, Habit, Http2, Outage};

pub const GATEWAY: Gateway = Gateway {
    name: "traefik",
    profile: "traefik",
    program: &["target/tools/gateways/bin/traefik"],
    files: &[
        "traefik.yml",
        "dynamic/countersign.yml",
        "plugins-local/src/countersign.invalid/gateway/.traefik.yml",
        "plugins-local/src/countersign.invalid/gateway/go.mod",
        "plugins-local/src/countersign.invalid/gateway/gateway.go",
    ],
    credential: ("dynamic/credential.yml", CREDENTIAL),
    arguments: &["--configfile=@DIRECTORY@/traefik.yml"],
    http2: Http2::Clear,
    // 500 where it gets no answer, 504 where "Who am I?" gets none; the status of an answer that is not Countersign's it cannot change.
    outage: Outage { statuses: &[500, 503, 302, 404, 418, 431, 502, 504, 999], retry_after: false },
    habits: &[Habit::ReadsAnswers, Habit::DecodesLetters, Habit::PassesBodies, Habit::Settles],
    faults: FAULTS,
};

const CREDENTIAL: &str = "http:\n  middlewares:\n    countersign-credential:\n      headers:\n        customRequestHeaders:\n          \
                          X-Countersign-Gateway: \"@VALUE@\"\n";

const fn edit(find: &'static str, replace: &'static str) -> Edit {
    Edit { file: "dynamic/countersign.yml", find, replace }
}

const fn entry(find: &'static str, replace: &'static str) -> Edit {
    Edit { file: "traefik.yml", find, replace }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "whatever has a good status is an allow",
        edits: &[edit("      service: nowhere\n", "      service: back-end\n")],
        found: Class::FailsOpen,
    },
    Fault {
        name: "names in disguise are let in",
        edits: &[entry("aliasHeadersStrategy: reject", "aliasHeadersStrategy: keep")],
        found: Class::Spoofed,
    },
    Fault {
        name: "an identity header of the client goes on",
        edits: &[edit("          - X-Countersign-Assertion\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "the method override goes on",
        edits: &[edit("          X-HTTP-Method-Override: \"\"\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "the credential goes on",
        edits: &[edit("          Authorization: \"\"\n", "")],
        found: Class::Credential,
    },
    Fault {
        name: "what clients say was forwarded is believed",
        edits: &[
            entry("insecure: false", "insecure: true"),
            edit("trustForwardHeader: false", "trustForwardHeader: true"),
        ],
        found: Class::Spoofed,
    },
    Fault {
        name: "Traefik mends paths",
        edits: &[entry("sanitizePath: false", "sanitizePath: true")],
        found: Class::Open,
    },
    Fault {
        name: "a question may take longer",
        edits: &[edit("within: 2s", "within: 8s")],
        found: Class::Late,
    },
    Fault {
        name: "callers are told nothing of an allow",
        edits: &[edit("middlewares: [tell, forget]", "middlewares: [forget]")],
        found: Class::Untold,
    },
    Fault {
        name: "one place is forgotten",
        edits: &[edit(
            "    # Everything else is asked about first",
            "    static:\n      entryPoints: [api]\n      rule: \"PathPrefix(`/static/`)\"\n      priority: 50\n      service: \
             back-end\n\n    # Everything else is asked about first",
        )],
        found: Class::Open,
    },
];
