//! `countersign gateway config`: it takes no value that would mean something to a gateway, and shows no credential.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
};

/// Runs it; its exit code and all it said.
fn configure(directory: &Path, kind: &str, values: [&str; 4], credential: &str) -> (Option<i32>, String) {
    let [listen, data_plane, back_end, name] = values;
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(["gateway", "config", name, "--kind", kind, "--listen", listen, "--data-plane", data_plane])
        .args(["--back-end", back_end, "--directory"])
        .arg(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may be gone before it reads.
    let _ = command.stdin.take().unwrap().write_all(credential.as_bytes());
    let output = command.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn the_command_refuses_what_would_mean_something_to_a_gateway() {
    let run = |values: [&str; 4], credential: &str| {
        let directory = tempfile::tempdir().unwrap();
        let (code, told) = configure(directory.path(), "nginx", values, credential);
        (code, told, fs::read_to_string(directory.path().join("countersign.conf")).unwrap_or_default())
    };
    let good = ["[::1]:8080", "127.0.0.1:8471", "back-end.example:80", "edge"];
    let (code, told, filled) = run(good, "csgate_x\n");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("nginx.conf -t"), "it says how to check it: {told}");
    assert!(filled.contains("listen [::1]:8080;") && !filled.contains("@LISTEN@"), "{filled}");
    assert!(!filled.contains("csgate_x"), "the credential has a file of its own");
    for (place, bad) in
        [(0, "80;x"), (1, ""), (2, "a b"), (3, "edge$x"), (3, "e|x"), (0, "x\ny"), (1, "a{b}:1")]
    {
        let mut values = good;
        values[place] = bad;
        let (code, told, filled) = run(values, "csgate_x");
        assert_eq!((code, filled.as_str()), (Some(2), ""), "{bad:?}: {told}");
    }
    for credential in ["", "\n", "a\"; }", "a b"] {
        assert_eq!(run(good, credential).0, Some(2), "{credential:?}");
    }
}

/// The suite fills the recipes in by itself, so that it can break them: here, that the command does the same.
#[test]
fn the_command_knows_every_gateway_and_keeps_its_credential_apart() {
    for gateway in crate::gateways::ALL {
        let directory = tempfile::tempdir().unwrap();
        let good = ["127.0.0.1:8080", "127.0.0.1:8471", "127.0.0.1:9000", "edge"];
        let (code, told) = configure(directory.path(), gateway.name, good, "csgate_x");
        assert_eq!(code, Some(0), "{}: {told}", gateway.name);
        assert!(!told.contains("csgate_x"), "{told}");
        for file in gateway.files {
            let text = fs::read_to_string(directory.path().join(file)).unwrap();
            assert!(!text.contains("csgate_x"), "{}/{file}", gateway.name);
        }
        let (name, says) = gateway.credential;
        let path = directory.path().join(name);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "nobody else's");
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            says.replace("@VALUE@", "csgate_x"),
            "{}",
            gateway.name
        );
    }
}
