//! Debian's HAProxy with `gateways/haproxy`.

use super::{Class, Edit, Fault, Gateway, Habit, Http2, Outage};

pub const GATEWAY: Gateway = Gateway {
    name: "haproxy",
    profile: "haproxy",
    program: &["/usr/sbin/haproxy", "/usr/local/sbin/haproxy"],
    files: &["haproxy.cfg", "countersign.lua"],
    credential: ("credential.cfg", "global\n    set-var proc.countersign_credential str(@VALUE@)\n"),
    arguments: &["-db", "-f", "@DIRECTORY@/credential.cfg", "-f", "@DIRECTORY@/haproxy.cfg"],
    http2: Http2::Clear,
    outage: Outage { statuses: &[503], retry_after: true },
    habits: &[Habit::ReadsAnswers, Habit::LogsPaths, Habit::PassesTrailers],
    faults: FAULTS,
};

const fn edit(find: &'static str, replace: &'static str) -> Edit {
    Edit { file: "haproxy.cfg", find, replace }
}

const fn script(find: &'static str, replace: &'static str) -> Edit {
    Edit { file: "countersign.lua", find, replace }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "identity headers of the client go on",
        edits: &[edit("    http-request del-header x-countersign- -m beg\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "names with underscores are let in",
        edits: &[edit("    http-request del-header [^a-z0-9-] -m reg\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "what the script could not ask is an allow",
        edits: &[edit(
            "!whoami !{ var(txn.countersign_status) -m str 200 }",
            "!whoami { var(txn.countersign_status) -m str 503 }",
        )],
        found: Class::FailsOpen,
    },
    Fault {
        name: "whatever has status 200 is an allow",
        edits: &[script("if not id or not id:match(\"^req_[0-9a-z]+$\") then", "if false then")],
        found: Class::FailsOpen,
    },
    Fault {
        name: "the path is mended before anybody is asked",
        edits: &[edit(
            "    http-request lua.countersign unless whoami\n",
            "    http-request set-path %[path,regsub(//,/,g)]\n    http-request lua.countersign unless whoami\n",
        )],
        found: Class::Open,
    },
    Fault {
        name: "a used-up limit is a refusal without a time",
        edits: &[edit("    http-request return status 429 if", "    http-request return status 403 if")],
        found: Class::Untrue,
    },
    Fault {
        name: "the credential goes on",
        edits: &[edit("    http-request del-header Authorization if !whoami\n", "")],
        found: Class::Credential,
    },
    Fault {
        name: "there is no end to waiting",
        edits: &[script("local wait_ms = 500", "local wait_ms = 2000")],
        found: Class::Late,
    },
];
