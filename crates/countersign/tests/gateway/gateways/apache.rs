//! Debian's Apache with `gateways/apache`.

use super::{Class, Edit, Fault, Gateway, Habit, Http2, Outage};

pub const GATEWAY: Gateway = Gateway {
    name: "apache",
    profile: "apache",
    program: &["/usr/sbin/apache2"],
    files: &["httpd.conf", "countersign.conf", "ask.lua"],
    credential: ("credential.conf", "RequestHeader set X-Countersign-Gateway \"@VALUE@\" early\n"),
    arguments: &["-d", "@DIRECTORY@", "-f", "@DIRECTORY@/httpd.conf", "-DFOREGROUND"],
    http2: Http2::Clear,
    // 502, without `Retry-After`, where "Who am I?" gets no answer.
    outage: Outage { statuses: &[503, 502], retry_after: false },
    habits: &[Habit::ReadsAnswers, Habit::LogsPaths],
    faults: FAULTS,
};

const fn edit(find: &'static str, replace: &'static str) -> Edit {
    Edit { file: "countersign.conf", find, replace }
}

const fn script(find: &'static str, replace: &'static str) -> Edit {
    Edit { file: "ask.lua", find, replace }
}

const FAULTS: &[Fault] = &[
    Fault {
        name: "whatever has status 200 is an allow",
        edits: &[script("status == 200 and id:find(\"^req_[0-9a-z]+$\")", "status == 200")],
        found: Class::FailsOpen,
    },
    Fault {
        name: "an outage is an allow",
        edits: &[script("    return 503\nend", "    return apache2.OK\nend")],
        found: Class::FailsOpen,
    },
    Fault {
        name: "odd names are let in",
        edits: &[script("    drop_odd_names(r)\n    local text", "    local text")],
        found: Class::Spoofed,
    },
    Fault {
        name: "a client names in `Connection` what mod_proxy is to leave out",
        edits: &[script("not text or names_a_header(r)", "not text")],
        found: Class::Untold,
    },
    Fault {
        name: "an identity header of the client goes on where Countersign has none",
        edits: &[script("value ~= \"\" and value or nil", "value ~= \"\" and value or r.headers_in[name]")],
        found: Class::Spoofed,
    },
    Fault {
        name: "the credential goes on",
        edits: &[edit("        RequestHeader unset Authorization\n", "")],
        found: Class::Credential,
    },
    Fault {
        name: "the method override goes on",
        edits: &[edit("        RequestHeader unset X-HTTP-Method-Override\n", "")],
        found: Class::Spoofed,
    },
    Fault {
        name: "the back end gets a mended path",
        edits: &[edit("\" nocanon\n</VirtualHost>", "\"\n</VirtualHost>")],
        found: Class::Rewritten,
    },
    Fault {
        name: "there is no end to waiting",
        edits: &[script("WITHIN, ANSWER_MAX, QUESTION_MAX = 2,", "WITHIN, ANSWER_MAX, QUESTION_MAX = 8,")],
        found: Class::Late,
    },
    Fault {
        name: "a new connection for every question",
        edits: &[script("                kept = connection\n", "")],
        found: Class::Unkept,
    },
];
