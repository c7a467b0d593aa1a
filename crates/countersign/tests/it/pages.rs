//! Pages of the book and the commands on them, for the tests that run them.

use std::{fs, path::PathBuf};

/// The text of a page.
pub fn page(name: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/book").join(name)).unwrap()
}

/// The commands of a page and the beginnings of lines they must print, from its blocks marked `console`.
pub fn commands(page: &str) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for block in page.split("```console\n").skip(1) {
        let block = block.split("\n```").next().unwrap();
        for line in block.lines() {
            match line.strip_prefix("$ countersign ") {
                Some(command) => found.push((command.to_owned(), Vec::new())),
                None => found.last_mut().expect("a block begins with a command").1.push(line.to_owned()),
            }
        }
    }
    found
}

/// Splits a command as a shell would, as far as the book needs it: spaces and double quotes.
pub fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in command.split('"').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
