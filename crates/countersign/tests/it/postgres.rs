//! The data in a PostgreSQL that the test starts itself: the same program, the commands of the book's page, and what is said
//! where a file would do something else.

use std::process::Command;

use crate::{
    cluster::Server as Postgres,
    installation::{Installation, errors, text},
    pages::{commands, page, words},
    platform::{brand_account, token},
};

fn succeeded(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", errors(&output));
}

/// An installation whose every command has the address from its environment.
fn on(url: &str) -> Installation {
    let mut installation = Installation::empty();
    installation.run_inside(&["env".to_owned(), format!("COUNTERSIGN__DATABASE_URL={url}")]);
    installation
}

fn run(installation: &Installation, arguments: &[&str]) -> (bool, String) {
    let output = installation.run(arguments);
    (output.status.success(), format!("{}{}", text(&output), errors(&output)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_lives_on_a_server() {
    let postgres = Postgres::start(&[]);
    succeeded(postgres.tool("createdb").arg("first"));
    let installation = on(&postgres.url("first"));
    let (went, told) = run(&installation, &["account", "list"]);
    assert!(!went && told.contains("there is no installation in postgresql:///first"), "{told}");
    let server = installation.serve();
    assert!(!installation.path("data/countersign.db").exists(), "there is no file");
    brand_account(&installation, &server).await;
    token(&installation, "Kept");
    for (command, shown) in commands(&page("postgresql.md")) {
        let arguments = words(&command);
        let (went, told) = run(&installation, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(went, "{command}: {told}");
        for line in shown {
            assert!(told.contains(line.trim_end()), "{command} does not print {line:?}: {told}");
        }
    }
    let (went, told) = run(&installation, &["backup", "make", "copy"]);
    assert!(!went && told.contains("pg_dump"), "{told}");
    let (went, told) = run(&installation, &["restore", "copy", "--yes"]);
    assert!(!went && told.contains("pg_restore"), "{told}");
    // A second process on the same database, in a directory of its own.
    let second = on(&postgres.url("first"));
    copy_keys(&installation, &second);
    let (went, told) = run(&second, SERVE_ANYWHERE);
    assert!(!went && told.contains("another process has this database open"), "{told}");
    assert!(server.terminate().0.success());
    // What was there is there after a start, and after a dump that is put back elsewhere.
    let dump = installation.path("dump");
    succeeded(postgres.tool("pg_dump").args(["--format=custom", "--file"]).arg(&dump).arg("first"));
    succeeded(postgres.tool("createdb").args(["--template=template0", "again"]));
    succeeded(postgres.tool("pg_restore").args(["--no-owner", "--dbname=again"]).arg(&dump));
    let again = on(&postgres.url("again"));
    copy_keys(&installation, &again);
    for place in [&installation, &again] {
        let (went, told) = run(place, &["token", "list", "brand"]);
        assert!(went && told.contains("Kept"), "{told}");
    }
    postgres.stop();
}

fn copy_keys(from: &Installation, to: &Installation) {
    succeeded(Command::new("cp").arg("-a").arg(from.path("keys")).arg(to.path("keys")));
}

/// At ports that are free.
const SERVE_ANYWHERE: &[&str] = &[
    "serve",
    "--listen-management",
    "127.0.0.1:0",
    "--listen-data-plane",
    "127.0.0.1:0",
    "--listen-health",
    "127.0.0.1:0",
];

#[test]
fn the_password_is_printed_nowhere() {
    let url = "postgres://countersign:hunter2@127.0.0.1:9/nowhere";
    let installation = on(url);
    for arguments in
        [&["config", "print"][..], &["doctor"], &["account", "list"], SERVE_ANYWHERE, &["restore", "x"]]
    {
        let (_, told) = run(&installation, arguments);
        assert!(told.contains("127.0.0.1:9/nowhere"), "{arguments:?}: {told}");
        assert!(!told.contains("hunter2"), "{arguments:?}: {told}");
    }
    let refused = Installation::empty().run(&["--database-url", url, "serve"]);
    assert!(!refused.status.success());
    let told = format!("{}{}", text(&refused), errors(&refused));
    assert!(told.contains("COUNTERSIGN__DATABASE_URL") && !told.contains("hunter2"), "{told}");
    let installation = on("postgres://countersign:hunter2@h:x/y");
    let (went, told) = run(&installation, &["config", "print"]);
    assert!(!went && told.contains("database_url") && !told.contains("hunter2"), "{told}");
}
