//! The script that fills the nginx recipe in: it takes no value that would mean something to nginx.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

#[test]
fn the_script_refuses_what_would_mean_something_to_nginx() {
    let run = |arguments: &[&str], credential: &str| {
        let directory = tempfile::tempdir().unwrap();
        let mut script =
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../gateways/nginx/fill"))
                .arg(directory.path())
                .args(arguments)
                .stdin(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
        // It may be gone before it reads.
        let _ = script.stdin.take().unwrap().write_all(credential.as_bytes());
        let filled = directory.path().join("countersign.conf");
        (script.wait().unwrap().code(), fs::read_to_string(filled).unwrap_or_default())
    };
    let good = ["[::1]:8080", "127.0.0.1:8471", "back-end.example:80", "edge"];
    let (code, filled) = run(&good, "csgate_x\n");
    assert_eq!(code, Some(0));
    assert!(filled.contains("listen [::1]:8080;") && !filled.contains("@LISTEN@"), "{filled}");
    assert!(!filled.contains("csgate_x"), "the credential has a file of its own");
    for (place, bad) in
        [(0, "80;x"), (1, ""), (2, "a b"), (3, "edge$x"), (3, "e|x"), (0, "x\ny"), (1, "a{b}")]
    {
        let mut arguments = good;
        arguments[place] = bad;
        assert_eq!(run(&arguments, "csgate_x").0, Some(2), "{bad:?}");
    }
    for credential in ["", "\n", "a\"; }", "a b"] {
        assert_eq!(run(&good, credential).0, Some(2), "{credential:?}");
    }
    assert_eq!(run(&good[..3], "csgate_x").0, Some(2));
}
