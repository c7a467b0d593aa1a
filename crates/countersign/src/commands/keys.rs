//! `countersign keys`: which keys are in use, and their rotation. A rotation goes on by itself; this command begins it and
//! shows how far it is. No key is ever printed.

use clap::{Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};

use super::Desk;
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Column, Format},
    progress,
};

const PATH: &str = "/api/v1/keys";
const GENERATIONS: [Column<'static>; 4] =
    [("KEY", "/key"), ("GENERATION", "/generation"), ("STATE", "/state"), ("MADE", "/made_at")];
const LAYERED: [Column<'static>; 3] = [("ACCOUNT", "/account"), ("SID", "/sid"), ("NAME", "/name")];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say which keys are in use, which files they need, and how far a rotation is
    Status,
    /// Make a key anew, without downtime
    Rotate {
        /// Which key
        #[arg(value_enum)]
        key: Key,
        /// End secrets that were not used since the pepper was last rotated; their tokens then need a reset
        #[arg(long)]
        drop: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What can be made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Key {
    /// The root that wraps data keys: the file root-reveal
    RevealRoot,
    /// The data key of every account: all stored secrets are sealed anew
    DataKeys,
    /// The key of digests
    Pepper,
    /// The root verification is derived from: the file root-verify
    VerifyRoot,
}

impl Key {
    const fn word(self) -> &'static str {
        match self {
            Self::RevealRoot => "reveal_root",
            Self::DataKeys => "data_keys",
            Self::Pepper => "pepper",
            Self::VerifyRoot => "verify_root",
        }
    }
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::Status => status(desk).await,
        Command::Rotate { key, drop, yes } => rotate(desk, key, drop, yes).await,
    }
}

async fn status(desk: &Desk) -> Result<(), Failure> {
    let keys = desk.ask(Ask::get(PATH)).await?;
    if desk.format == Format::Json {
        output::line(keys.to_string());
        return Ok(());
    }
    output::rows(desk.format, &GENERATIONS, list(&keys, "/generations"));
    output::note(format!("Needed files: {}.", names(&keys, "/files")));
    if !list(&keys, "/spare_files").is_empty() {
        output::note(format!("No longer needed, except by older backups: {}.", names(&keys, "/spare_files")));
    }
    if number(&keys, "/layered_count") > 0 {
        output::note(format!(
            "{} secrets were not used since the pepper was rotated; these tokens need a use or a reset before the next time:",
            number(&keys, "/layered_count")
        ));
        output::rows(desk.format, &LAYERED, list(&keys, "/layered_tokens"));
    }
    if let Some(rotation) = keys.get("rotation").filter(|rotation| !rotation.is_null()) {
        output::note(sentence(rotation));
    }
    Ok(())
}

async fn rotate(desk: &Desk, key: Key, drop: bool, yes: bool) -> Result<(), Failure> {
    let before = desk.ask(Ask::get(PATH)).await?;
    let runs = before.pointer("/rotation/running") == Some(&Value::Bool(true));
    if !runs || before.pointer("/rotation/key").and_then(Value::as_str) != Some(key.word()) {
        if drop {
            let count = number(&before, "/layered_count");
            output::confirm(
                &format!("{count} secrets end at once; their tokens need a reset."),
                "drop",
                yes,
            )?;
        }
        let asked = json!({ "key": key.word(), "drop_layered": drop });
        desk.ask(Ask::new(Method::POST, format!("{PATH}/rotations")).json(&asked)).await?;
    }
    let bar = progress::count(0);
    bar.set_message(key.word());
    let after = loop {
        let keys = desk.ask(Ask::get(PATH)).await?;
        bar.set_length(number(&keys, "/rotation/total"));
        bar.set_position(number(&keys, "/rotation/finished"));
        if keys.pointer("/rotation/running") != Some(&Value::Bool(true)) {
            break keys;
        }
        desk.connection.wait_or_work().await?;
    };
    bar.finish_and_clear();
    if desk.format == Format::Json {
        output::line(after["rotation"].to_string());
        return Ok(());
    }
    output::note(format!(
        "Done. Needed files: {}. Copy the keys directory to its backup now.",
        names(&after, "/files")
    ));
    if !list(&after, "/spare_files").is_empty() {
        output::note(format!(
            "No longer needed: {}. Delete them when no backup from before today has to be restored.",
            names(&after, "/spare_files")
        ));
    }
    if number(&after, "/layered_count") > 0 {
        output::note(format!(
            "{} secrets are known under a layer until they are used; `countersign keys status` names their tokens.",
            number(&after, "/layered_count")
        ));
    }
    Ok(())
}

fn sentence(rotation: &Value) -> String {
    let text =
        |pointer: &str| rotation.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (finished, total) = (number(rotation, "/finished"), number(rotation, "/total"));
    if rotation.get("running") == Some(&Value::Bool(true)) {
        format!("The rotation of {} is at {} ({finished} of {total}).", text("/key"), text("/step"))
    } else {
        format!("The last rotation, of {}, ended at {}.", text("/key"), text("/ended_at"))
    }
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn names(value: &Value, pointer: &str) -> String {
    list(value, pointer).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}
