//! Where settings come from, and what is refused.

use serde_json::Value;

use crate::installation::{Installation, errors};

/// Flags and variables, and the value and source that win.
type Case<'c> = (&'c [&'c str], &'c [(&'c str, &'c str)], &'c str, &'c str);

/// The value and the source of a key, as `config print` tells them.
fn shown(
    installation: &Installation,
    arguments: &[&str],
    environment: &[(&str, &str)],
    key: &str,
) -> (String, String) {
    let output = installation
        .command()
        .envs(environment.iter().copied())
        .args(["config", "print", "-o", "json"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", errors(&output));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let row = rows.iter().find(|row| row["key"] == key).unwrap();
    (row["value"].as_str().unwrap().to_owned(), row["source"].as_str().unwrap().to_owned())
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let installation = Installation::empty();
    let file = installation
        .write("c.toml", "public_url = \"https://file.example\"\n[listen]\nhealth = \"127.0.0.1:1003\"\n");
    let file = file.to_str().unwrap();
    let environment = [("COUNTERSIGN__PUBLIC_URL", "https://environment.example")];
    let cases: [Case<'_>; 4] = [
        (&[], &[], "http://localhost:8470", "default"),
        (&["--config", file], &[], "https://file.example", file),
        (&["--config", file], &environment, "https://environment.example", "COUNTERSIGN__PUBLIC_URL"),
        (
            &["--config", file, "--public-url", "https://flag.example"],
            &environment,
            "https://flag.example",
            "--public-url",
        ),
    ];
    for (flags, environment, value, source) in cases {
        assert_eq!(
            shown(&installation, flags, environment, "public_url"),
            (value.to_owned(), source.to_owned())
        );
    }
    assert_eq!(shown(&installation, &["--config", file], &environment, "listen.health").0, "127.0.0.1:1003");
}

#[test]
fn links_lead_to_where_the_console_listens_unless_set() {
    let installation = Installation::empty();
    for (flags, leads) in [
        (&["--listen-management", "127.0.0.1:8570"][..], "http://localhost:8570"),
        // A port that is not known yet cannot be told.
        (&["--listen-management", "127.0.0.1:0"], "http://localhost:8470"),
        (
            &["--listen-management", "127.0.0.1:8570", "--public-url", "https://a.example"],
            "https://a.example",
        ),
    ] {
        assert_eq!(shown(&installation, flags, &[], "public_url").0, leads, "{flags:?}");
    }
}

#[test]
fn keys_lie_beside_the_data_unless_set() {
    let installation = Installation::empty();
    let cases =
        [("./data", "./keys"), ("/srv/countersign", "/srv/countersign-keys"), ("/srv/a/data", "/srv/a/keys")];
    for (data, keys) in cases {
        assert_eq!(shown(&installation, &["--data-dir", data], &[], "keys_dir").0, keys);
    }
    assert_eq!(shown(&installation, &["--keys-dir", "/elsewhere"], &[], "keys_dir").0, "/elsewhere");
}

#[test]
fn what_is_not_a_setting_is_refused_with_a_sentence() {
    let files = [
        ("public_ulr = \"https://a.example\"", "unknown key `public_ulr`"),
        ("[listen]\nmanagment = \"127.0.0.1:1\"", "did you mean listen.management"),
        ("[listen.more]\nx = 1", "unknown key `listen.more`"),
        ("public_url = 3", "`public_url` must be a string in quotes"),
        ("[session]\nidle_secs = \"3\"", "`session.idle_secs` must be a whole number"),
        ("trusted_proxies = \"10.0.0.0/8\"", "must be an array of strings"),
        ("public_url = [", "c.toml:1: this is not TOML"),
        ("data_dir = \"a\"\ndata_dir = \"b\"", "this is not TOML"),
        ("public_url = \"ftp://a.example\"", "public_url = \"ftp://a.example\" (from "),
        ("public_url = \"https://a.example/path\"", "without a path"),
        ("secret_prefix = \"NO\"", "secret_prefix"),
        ("reveal = \"sometimes\"", "`recoverable` or `once`"),
        ("[listen]\nhealth = \"localhost\"", "an address and a port"),
        ("[session]\nidle_secs = 1", "a number of seconds from 60"),
        ("trusted_proxies = [\"10.0.0.0/33\"]", "a list of networks"),
        ("[log]\nformat = \"xml\"", "`json` or `text`"),
    ];
    let installation = Installation::empty();
    for (text, told) in files {
        installation.write("c.toml", text);
        let output = installation.run(&["config", "check", "--config", "c.toml"]);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(errors(&output).contains(told), "{text}: {}", errors(&output));
    }
}

#[test]
fn a_variable_that_sets_nothing_is_refused() {
    let installation = Installation::empty();
    let output = installation
        .command()
        .env("COUNTERSIGN__LISTEN__MANAGMENT", "127.0.0.1:1")
        .args(["config", "check"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = errors(&output);
    assert!(told.contains("COUNTERSIGN__LISTEN__MANAGMENT") && told.contains("listen.management"), "{told}");
}

#[test]
fn every_problem_is_told_at_once() {
    let installation = Installation::empty();
    let output = installation.run(&[
        "config",
        "check",
        "--reveal",
        "maybe",
        "--listen-health",
        "x",
        "--public-url",
        "y",
    ]);
    let told = errors(&output);
    for key in ["reveal", "listen.health", "public_url"] {
        assert!(told.contains(key), "{told}");
    }
}

#[test]
fn a_named_file_must_exist() {
    let installation = Installation::empty();
    let output = installation.run(&["config", "check", "--config", "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("nowhere.toml"), "{}", errors(&output));
}

#[test]
fn doctor_finds_what_is_wrong() {
    let installation = Installation::empty();
    let output = installation.run(&["doctor", "--public-url", "http://tokens.example"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("is not https"));

    let server = installation.serve();
    let fine = installation.run(&["doctor"]);
    assert!(fine.status.success(), "{}{}", String::from_utf8_lossy(&fine.stdout), errors(&fine));
    server.terminate();

    std::fs::remove_file(installation.path("keys/root-verify")).unwrap();
    let output = installation.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("root-verify is missing"));
}

#[test]
fn a_broken_catalog_is_told_with_file_and_line() {
    let installation = Installation::empty();
    installation
        .write("catalog.toml", "version_header = \"API-Version\"\nversion_paramter = \"ApiVersion\"\n");
    let output = installation.run(&["catalog", "check", "catalog.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let told = errors(&output);
    assert!(told.contains("catalog.toml:2:1: ") && told.contains("version_paramter"), "{told}");
    assert!(!installation.path("data").exists(), "checking needs no installation");
}
