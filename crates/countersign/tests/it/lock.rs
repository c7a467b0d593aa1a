//! One process for one data directory.

use std::process::Output;

use crate::installation::{Installation, errors};

#[test]
fn a_second_server_on_the_same_data_is_refused_with_a_sentence() {
    let installation = Installation::empty();
    let _server = installation.serve();
    let second: Output = installation.run(&["serve", "--listen-management", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(3));
    assert!(errors(&second).contains("another Countersign is running on ./data"), "{}", errors(&second));
}

#[test]
fn a_taken_port_is_a_sentence_that_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let installation = Installation::empty();
    for flag in ["--listen-management", "--listen-data-plane", "--listen-health"] {
        let others = ["--listen-management", "--listen-data-plane", "--listen-health"];
        let mut arguments = vec!["serve"];
        for other in others {
            arguments.extend([other, if other == flag { address.as_str() } else { "127.0.0.1:0" }]);
        }
        let output = installation.run(&arguments);
        let told = errors(&output);
        assert_eq!(output.status.code(), Some(3), "{told}");
        assert!(
            told.contains(&address) && told.contains("another program has it") && told.contains(flag),
            "{told}"
        );
    }
}

#[test]
fn a_command_without_an_installation_makes_none() {
    let installation = Installation::empty();
    let output = installation.run(&["account", "list"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(errors(&output).contains("there is no installation in ./data"), "{}", errors(&output));
    assert!(!installation.path("data").exists() && !installation.path("keys").exists());
}

#[test]
fn the_socket_and_the_lock_are_private_and_the_socket_goes_with_its_server() {
    use std::os::unix::fs::PermissionsExt as _;
    let installation = Installation::empty();
    let server = installation.serve();
    for name in ["data/countersign.sock", "data/countersign.lock", "data/bootstrap-code"] {
        let mode = std::fs::metadata(installation.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    let (status, _) = server.terminate();
    assert!(status.success());
    assert!(!installation.path("data/countersign.sock").exists());
}

#[test]
fn a_command_finds_the_server_or_opens_the_installation_itself() {
    let installation = Installation::empty();
    let server = installation.serve();
    installation.json(&[
        "account",
        "create",
        "Through the socket",
        "--kind",
        "brand",
        "--external-id",
        "one",
    ]);
    server.terminate();
    installation.json(&["account", "create", "Through the lock", "--kind", "brand", "--external-id", "two"]);
    let _server = installation.serve();
    let accounts = installation.json(&["account", "list"]);
    assert_eq!(accounts.as_array().unwrap().len(), 2, "{accounts}");
}
