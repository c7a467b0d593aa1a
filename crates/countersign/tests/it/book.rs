//! The book says what is so: its commands are run, its tables are compared with the code.

use std::{fmt::Write as _, fs, path::PathBuf};

use crate::{
    installation::{Installation, errors, text},
    pages::{commands, page, words},
};

/// Pages that need more than a server; the tests of what they need run them.
const ELSEWHERE: [&str; 3] = ["gateway-doctor.md", "mail.md", "postgresql.md"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The pages of the book.
fn pages() -> Vec<String> {
    let entries = fs::read_dir(root().join("docs/book")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut pages: Vec<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    pages.sort();
    pages
}

#[test]
fn the_commands_of_the_book_do_what_it_shows() {
    let mut ran = 0;
    for name in pages() {
        let commands = commands(&page(&name));
        if commands.is_empty() || ELSEWHERE.contains(&name.as_str()) {
            continue;
        }
        let installation = Installation::empty();
        let _server = installation.serve();
        for (command, shown) in commands {
            let arguments = words(&command);
            let output = installation.command().args(&arguments).output().unwrap();
            let printed = format!("{}{}", text(&output), errors(&output));
            assert!(output.status.success(), "{name}: {command}: {printed}");
            for line in shown {
                assert!(
                    printed.contains(line.trim_end()),
                    "{name}: {command} does not print {line:?}: {printed}"
                );
            }
            ran += 1;
        }
    }
    assert!(ran >= 8, "only {ran} commands were found; the book or this test has changed its marks");
}

#[test]
fn the_book_lists_every_command() {
    let help = text(&Installation::empty().run(&["--help"]));
    let commands = help.split("Commands:").nth(1).unwrap().split("Options:").next().unwrap();
    let cli = page("cli.md");
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let command = line.split_whitespace().next().unwrap();
        assert!(
            command == "help" || cli.contains(&format!("`{command}")),
            "cli.md does not name `{command}`"
        );
    }
}

#[test]
fn the_table_of_settings_is_the_one_of_the_program() {
    let installation = Installation::empty();
    let shown = installation.json(&["config", "print"]);
    let book = page("configuration.md");
    let rows: Vec<String> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let (key, meaning) = (row["key"].as_str().unwrap(), row["meaning"].as_str().unwrap());
            let default = match (key, row["value"].as_str().unwrap()) {
                ("keys_dir", _) | (_, "") => String::new(),
                (_, value) => format!("`{value}`"),
            };
            format!("| `{key}` | {default} | {meaning} |")
        })
        .collect();
    for row in &rows {
        assert!(book.contains(row), "configuration.md lacks this row:\n{row}");
    }
    assert_eq!(
        book.matches("\n| `").count(),
        rows.len(),
        "configuration.md has rows the program does not know"
    );
}

/// Every named limit of a file: its name, its value as written, and its first sentences.
fn limits(file: &str) -> Vec<(String, String, String)> {
    let source = fs::read_to_string(root().join("crates").join(file)).unwrap();
    let (mut meaning, mut found) = (Vec::new(), Vec::new());
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("/// ") {
            meaning.push(text.to_owned());
        } else if let Some(declaration) = line.strip_prefix("pub const ") {
            let (name, rest) = declaration.split_once(':').unwrap();
            let value = rest.split_once('=').unwrap().1.trim().trim_end_matches(';').to_owned();
            found.push((name.to_owned(), value, meaning.join(" ")));
            meaning.clear();
        } else {
            meaning.clear();
        }
    }
    assert!(found.len() > 5, "{file} has no limits any more");
    found
}

#[test]
fn the_chapter_of_limits_is_what_the_code_says() {
    let mut chapter = "# Limits\n\nEverything that could grow has a bound, and the bound has a name. Whoever meets one is told it. These tables are\nmade from the code; a test compares them (`UPDATE_BOOK=1 cargo test -p countersign book` writes them).\n"
        .to_owned();
    let files = [
        ("The rules", "countersign-model/src/limits.rs"),
        ("Verification", "countersign-verify/src/limits.rs"),
        ("The server", "countersign-server/src/limits.rs"),
    ];
    for (heading, file) in files {
        write!(chapter, "\n## {heading}\n\n| name | value | meaning |\n|---|---|---|\n").unwrap();
        for (name, value, meaning) in limits(file) {
            writeln!(chapter, "| `{name}` | {value} | {meaning} |").unwrap();
        }
    }
    let path = root().join("docs/book/limits.md");
    if std::env::var("UPDATE_BOOK").is_ok() {
        fs::write(&path, &chapter).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == chapter,
        "docs/book/limits.md is not what the code says; run UPDATE_BOOK=1 cargo test -p countersign book"
    );
}
