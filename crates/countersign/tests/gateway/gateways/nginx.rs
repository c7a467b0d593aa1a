//! Debian's nginx with `gateways/nginx`.

use super::{Class, Edit, Fault, Gateway, Habit, Http2, Outage};

pub const GATEWAY: Gateway = Gateway {
    name: "nginx",
    profile: "nginx",
    program: &["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"],
    files: &["nginx.conf", "countersign.conf"],
    credential: ("credential.conf", "proxy_set_header X-Countersign-Gateway \"@VALUE@\";\n"),
    arguments: &["-e", "stderr", "-g", "daemon off;", "-p", "@DIRECTORY@", "-c", "@DIRECTORY@/nginx.conf"],
    http2: Http2::Tls(Edit {
        file: "countersign.conf",
        find: "    server_tokens off;\n",
        replace: "    server_tokens off;\n    listen @SECOND@ ssl http2;\n    ssl_certificate @DIRECTORY@/tls.crt;\n    \
                  ssl_certificate_key @DIRECTORY@/tls.key;\n",
    }),
    outage: Outage { statuses: &[503], retry_after: true },
    habits: &[Habit::ReadsAnswers, Habit::LogsPaths],
    faults: FAULTS,
};

const fn edit(find: &'static str, replace: &'static str) -> Edit {
    Edit { file: "countersign.conf", find, replace }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "an identity header of the client goes on where Countersign has none",
        edits: &[edit("        proxy_set_header X-Countersign-Assertion $countersign_assertion;\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "names with underscores are let in",
        edits: &[edit("underscores_in_headers off;", "underscores_in_headers on;")],
        found: Class::Spoofed,
    },
    Fault {
        name: "the method override goes on",
        edits: &[edit("        proxy_set_header X-HTTP-Method-Override \"\";\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "the credential goes on",
        edits: &[edit("        proxy_set_header Authorization \"\";\n", "")],
        found: Class::Credential,
    },
    Fault {
        name: "Countersign is asked about a mended path",
        edits: &[
            edit(
                "        auth_request /countersign-ask;\n",
                "        set $mended $uri;\n        auth_request /countersign-ask;\n",
            ),
            edit("X-Original-URI $request_uri;", "X-Original-URI $mended$is_args$args;"),
        ],
        found: Class::Open,
    },
    Fault {
        name: "the back end gets a mended path",
        edits: &[edit(
            "proxy_pass http://$countersign_allowed_to;",
            "proxy_pass http://$countersign_allowed_to$uri$is_args$args;",
        )],
        found: Class::Rewritten,
    },
    Fault {
        name: "an outage is an allow",
        edits: &[edit(
            "        return 503;\n    }\n\n    # The question.",
            "        proxy_pass http://countersign_back_end;\n    }\n\n    # The question.",
        )],
        found: Class::FailsOpen,
    },
    Fault {
        name: "whatever has status 200 is an allow",
        edits: &[edit("\"~^200 req_[0-9a-z]+$\" countersign_back_end;", "\"~^200 \" countersign_back_end;")],
        found: Class::FailsOpen,
    },
    Fault {
        name: "every refusal is a 403",
        edits: &[edit("            return 429;\n", "            return 403;\n")],
        found: Class::Untrue,
    },
    Fault {
        name: "answers are kept",
        edits: &[
            edit(
                "upstream countersign {",
                "proxy_cache_path @DIRECTORY@/temporary/cache keys_zone=answers:1m;\nupstream countersign {",
            ),
            edit("$countersign_tries $upstream_status;", "$countersign_tries $status;"),
            edit(
                "        internal;\n",
                "        internal;\n        proxy_cache answers;\n        proxy_cache_key $request_uri$http_authorization;\n        \
                 proxy_cache_valid 200 10s;\n        proxy_ignore_headers Cache-Control;\n",
            ),
        ],
        found: Class::Cached,
    },
    Fault {
        name: "there is no end to waiting",
        edits: &[edit(
            "        # A late answer is no answer.\n        proxy_send_timeout 2s;\n        proxy_read_timeout 2s;\n",
            "        proxy_read_timeout 8s;\n",
        )],
        found: Class::Late,
    },
    Fault {
        name: "clients choose their address",
        edits: &[edit(
            "    merge_slashes off;\n",
            "    merge_slashes off;\n    set_real_ip_from 127.0.0.0/8;\n    real_ip_header X-Forwarded-For;\n",
        )],
        found: Class::Open,
    },
    Fault {
        name: "one place is forgotten",
        edits: &[edit(
            "    # \"Who am I?\"",
            "    location /static/ {\n        proxy_pass http://countersign_back_end;\n    }\n\n    # \"Who am I?\"",
        )],
        found: Class::Open,
    },
    Fault {
        name: "a new connection for every question",
        edits: &[edit(
            "        proxy_set_header Connection \"\";\n        proxy_set_header Host $host;\n        proxy_set_header X-Original-Method",
            "        proxy_set_header Connection close;\n        proxy_set_header Host $host;\n        proxy_set_header X-Original-Method",
        )],
        found: Class::Unkept,
    },
];
