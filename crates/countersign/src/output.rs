//! What commands say: tables for people, JSON for scripts, both on standard output; notes on standard error. A reader
//! that goes away early is no failure. It formats; it decides nothing.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use comfy_table::{Table, presets};
use serde_json::Value;

use crate::failure::Failure;

/// Longest answer that is read at a prompt, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024;

/// How results are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For scripts: the answer of the management API as it is.
    Json,
}

/// A column of a table: its heading and where its value is in a row, as a JSON pointer.
pub type Column<'c> = (&'static str, &'c str);

/// Writes a line of the result.
pub fn line(text: impl AsRef<str>) {
    write_to(&mut io::stdout().lock(), text.as_ref());
}

/// Writes a note: what was done, what comes next.
pub fn note(text: impl AsRef<str>) {
    write_to(&mut io::stderr().lock(), text.as_ref());
}

/// Shows rows as a table, or as a JSON array.
pub fn rows(format: Format, columns: &[Column<'_>], rows: &[Value]) {
    match format {
        Format::Json => line(pretty(&Value::Array(rows.to_vec()))),
        Format::Table if rows.is_empty() => note("Nothing to list."),
        Format::Table => {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_header(columns.iter().map(|(heading, _)| *heading));
            for row in rows {
                table.add_row(columns.iter().map(|(_, pointer)| cell(row.pointer(pointer))));
            }
            // The library puts a space at the front of every line.
            let lines = table.to_string();
            let lines = lines.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
            line(lines.collect::<Vec<_>>().join("\n"));
        }
    }
}

/// Shows one object, a field a line, or as JSON.
pub fn object(format: Format, columns: &[Column<'_>], value: &Value) {
    match format {
        Format::Json => line(pretty(value)),
        Format::Table => {
            let width = columns.iter().map(|(heading, _)| heading.chars().count()).max().unwrap_or(0);
            for (heading, pointer) in columns {
                line(format!("{heading:width$}  {}", cell(value.pointer(pointer))));
            }
        }
    }
}

/// Shows something just made together with its secret, once: on standard output, or in the file that waits for it.
pub fn credential(
    format: Format,
    columns: &[Column<'_>],
    made: &Value,
    member: &str,
    destination: Destination,
) -> Result<(), Failure> {
    let Some(secret) = made.get(member).and_then(Value::as_str) else {
        object(format, columns, made);
        let reason =
            made.get("secret_unavailable_reason").and_then(Value::as_str).unwrap_or("the answer has none");
        return Err(Failure::refused(format!("the secret cannot be shown: {reason}")));
    };
    let mut shown = made.clone();
    if let Destination::File { file, path } = destination {
        write_private(file, &path, secret)?;
        shown[member] = Value::String(format!("in {}", path.display()));
    }
    let pointer = format!("/{member}");
    match format {
        Format::Json => line(pretty(&shown)),
        Format::Table => {
            let heading = match member {
                "secret" => "AUTH TOKEN",
                "signing_secret" => "SIGNING SECRET",
                _ => "CREDENTIAL",
            };
            object(format, &[columns, &[(heading, pointer.as_str())]].concat(), &shown);
            note("This is the only time it is shown here; keep it now.");
        }
    }
    Ok(())
}

/// JSON with indentation.
pub fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

/// Where a secret goes. Made before the secret is, so that a file that cannot be written costs nothing.
#[derive(Debug)]
pub enum Destination {
    /// Standard output.
    Shown,
    /// A new file that only its owner can read.
    File {
        /// The open file.
        file: File,
        /// Its name.
        path: PathBuf,
    },
}

impl Destination {
    /// Standard output, or the new file named by `--out`.
    pub fn prepare(out: Option<PathBuf>) -> Result<Self, Failure> {
        let Some(path) = out else { return Ok(Self::Shown) };
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = opened.map_err(|cause| {
            let taken = cause.kind() == io::ErrorKind::AlreadyExists;
            let advice = if taken { "; choose a name that is free" } else { "" };
            Failure::unavailable(format!(
                "cannot write {}: {cause}{advice}; nothing was done",
                path.display()
            ))
        })?;
        Ok(Self::File { file, path })
    }
}

/// Writes a text into a file only its owner can read, in place of any other.
pub fn private_file(path: &Path, text: &str) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let file =
        opened.map_err(|cause| Failure::unavailable(format!("cannot write {}: {cause}", path.display())))?;
    write_private(file, path, text)
}

fn write_private(mut file: File, path: &Path, text: &str) -> Result<(), Failure> {
    let written = writeln!(file, "{text}").and_then(|()| file.sync_all());
    written.map_err(|cause| Failure::unavailable(format!("cannot write {}: {cause}", path.display())))
}

/// Asks a person to type a word; refuses where nobody can answer.
pub fn confirm(warning: &str, word: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "{warning} Nobody is here to confirm; add --yes to do it all the same."
        )));
    }
    note(format!("{warning}\nType {word:?} to go on:"));
    let mut answer = String::new();
    let read = io::Read::take(io::stdin().lock(), ANSWER_BYTES_MAX).read_line(&mut answer);
    if read.is_ok() && answer.trim_end_matches(['\r', '\n']) == word {
        Ok(())
    } else {
        Err(Failure::refused("That is not it; nothing was done."))
    }
}

/// A value in a cell. Control characters of stored text must not reach the terminal.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => return "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(yes)) => return if *yes { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(entries)) => {
            entries.iter().map(|entry| cell(Some(entry))).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    };
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn write_to(out: &mut impl io::Write, text: &str) {
    // A closed pipe (`countersign token list | head -1`) is the reader's wish, not our failure.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
