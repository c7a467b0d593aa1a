//! Envoy with `gateways/envoy` and `gateways/envoy-grpc`, from PyPI's wheel.

use super::{Class, Edit, Fault, Gateway, Habit, Http2, Outage};

pub const OVER_HTTP: Gateway = Gateway {
    name: "envoy",
    profile: "envoy",
    program: &["target/tools/gateways/bin/envoy"],
    files: &["envoy.yaml"],
    credential: ("credential.yaml", CREDENTIAL),
    arguments: &[
        "-c",
        "@DIRECTORY@/envoy.yaml",
        "--use-dynamic-base-id",
        "--concurrency",
        "2",
        "--log-level",
        "error",
    ],
    http2: Http2::Clear,
    outage: Outage { statuses: &[503], retry_after: true },
    habits: &[Habit::ReadsAnswers, Habit::PassesBodies],
    faults: FAULTS,
};

pub const OVER_GRPC: Gateway = Gateway {
    name: "envoy-grpc",
    profile: "envoy_grpc",
    habits: &[Habit::ReadsAnswers, Habit::PassesBodies, Habit::AsksOverGrpc],
    faults: FAULTS_OF_GRPC,
    ..OVER_HTTP
};

const CREDENTIAL: &str = r#"resources:
  - "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret
    name: countersign_gateway
    generic_secret:
      secret: { inline_string: "@VALUE@" }
"#;

const fn edit(find: &'static str, replace: &'static str) -> Edit {
    Edit { file: "envoy.yaml", find, replace }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "an outage is an allow",
        edits: &[
            edit("failure_mode_allow: false", "failure_mode_allow: true"),
            edit("direct_response: { status: 503 }", "route: { cluster: back_end }"),
        ],
        found: Class::FailsOpen,
    },
    Fault {
        name: "whatever has status 200 is an allow",
        edits: &[edit("direct_response: { status: 503 }", "route: { cluster: back_end }")],
        found: Class::FailsOpen,
    },
    Fault {
        name: "an outage is the client's fault",
        edits: &[edit(
            "status_on_error: { code: ServiceUnavailable }",
            "status_on_error: { code: Forbidden }",
        )],
        found: Class::Untrue,
    },
    Fault {
        name: "one place is forgotten",
        edits: &[edit(
            "                        # What Countersign allowed",
            "                        - match: { prefix: /static/ }\n                          route: { cluster: back_end }\n                          \
             typed_per_filter_config:\n                            countersign:\n                              \"@type\": \
             type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute\n                              \
             disabled: true\n                        # What Countersign allowed",
        )],
        found: Class::Open,
    },
    Fault {
        name: "the method override goes on",
        edits: &[edit("                        - remove: x-http-method-override\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "odd names are let in",
        edits: &[edit(
            "                        - remove_on_match: { key_matcher: { safe_regex: { regex: \".*[^a-z0-9:-].*\" } } }\n",
            "",
        )],
        found: Class::Spoofed,
    },
    Fault {
        name: "the credential goes on",
        edits: &[edit("                          request_headers_to_remove: [authorization]\n", "")],
        found: Class::Credential,
    },
    Fault {
        name: "there is no end to waiting",
        edits: &[edit(
            "cluster: countersign, timeout: 2s }\n                        authorization",
            "cluster: countersign, timeout: 8s }\n                        authorization",
        )],
        found: Class::Late,
    },
    Fault {
        name: "clients choose their address",
        edits: &[
            edit("xff_num_trusted_hops: 0", "xff_num_trusted_hops: 1"),
            edit(
                "                        - remove_on_match: { key_matcher: { prefix: x-forwarded- } }\n",
                "",
            ),
        ],
        found: Class::Open,
    },
    Fault {
        name: "every refusal is told as an outage",
        edits: &[edit(
            "                            - { status_code_filter: { comparison: { value: { default_value: 429, runtime_key: countersign.429 } } } }\n",
            "",
        )],
        found: Class::Untrue,
    },
    Fault {
        name: "callers are told nothing of an allow",
        edits: &[edit(
            "allowed_client_headers_on_success:\n                            patterns:\n                              - exact: ratelimit\n",
            "allowed_client_headers_on_success:\n                            patterns:\n",
        )],
        found: Class::Untold,
    },
];

const FAULTS_OF_GRPC: &[Fault] = &[
    Fault {
        name: "an allow that names nobody is an allow",
        edits: &[edit("direct_response: { status: 503 }", "route: { cluster: back_end }")],
        found: Class::FailsOpen,
    },
    Fault {
        name: "an outage is an allow",
        edits: &[
            edit("failure_mode_allow: false", "failure_mode_allow: true"),
            edit("direct_response: { status: 503 }", "route: { cluster: back_end }"),
        ],
        found: Class::FailsOpen,
    },
    Fault {
        name: "odd names are let in",
        edits: &[edit(
            "                        - remove_on_match: { key_matcher: { safe_regex: { regex: \".*[^a-z0-9:-].*\" } } }\n",
            "",
        )],
        found: Class::Spoofed,
    },
    Fault {
        name: "there is no end to waiting",
        edits: &[edit(
            "                        timeout: 2s\n                        initial_metadata",
            "                        timeout: 8s\n                        initial_metadata",
        )],
        found: Class::Late,
    },
];
