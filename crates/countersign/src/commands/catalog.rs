//! `countersign catalog`: checks a file without an installation, loads it into one, or shows what is in force.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use countersign_model::{
    catalog::{self, Catalog, Numbering},
    limits::CATALOG_BYTES_MAX,
};
use http::Method;
use serde_json::{Value, json};

use super::{Desk, listing::text};
use crate::{connection::Ask, failure::Failure, output};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is wrong with a catalog file, with line and fix
    Check {
        /// The file
        file: PathBuf,
    },
    /// Check a catalog file and put it in force, without a restart
    Load {
        /// The file
        file: PathBuf,
    },
    /// Show the catalog in force
    Show {
        /// Print its source instead of a summary
        #[arg(long)]
        source: bool,
    },
}

/// Checks a file.
pub fn check(path: &Path) -> Result<(), Failure> {
    let (_, compiled) = read(path)?;
    let scopes = compiled.scopes.len();
    let kinds: Vec<&str> = compiled.kinds.iter().map(|kind| kind.id.as_str()).collect();
    output::note(format!("{}: can be loaded: {scopes} scopes for {}.", path.display(), kinds.join(", ")));
    Ok(())
}

/// Runs what needs an installation.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::Check { file } => check(&file),
        Command::Load { file } => load(desk, &file).await,
        Command::Show { source } => show(desk, source).await,
    }
}

async fn load(desk: &Desk, path: &Path) -> Result<(), Failure> {
    let (source, _) = read(path)?;
    let ask = Ask::new(Method::PUT, "/api/v1/catalog").json(&json!({ "source": source }));
    let answer = desk.ask(ask).await?;
    if desk.format == output::Format::Json {
        output::line(output::pretty(&answer));
        return Ok(());
    }
    output::note(format!("{} is in force.", path.display()));
    for difference in answer.get("differences").and_then(Value::as_array).into_iter().flatten() {
        output::line(text(difference, "sentence"));
    }
    Ok(())
}

async fn show(desk: &Desk, source: bool) -> Result<(), Failure> {
    if source {
        let stored = desk.ask(Ask::get("/api/v1/catalog/source")).await?;
        output::line(text(&stored, "source").trim_end());
        return Ok(());
    }
    let answer = desk.ask(Ask::get("/api/v1/catalog")).await?;
    if desk.format == output::Format::Json {
        output::line(output::pretty(&answer));
        return Ok(());
    }
    let kinds = answer.get("kinds").and_then(Value::as_array).cloned().unwrap_or_default();
    let columns = [
        ("KIND", "/id"),
        ("CODE", "/code"),
        ("NAME", "/label/en"),
        ("LATEST", "/latest_version"),
        ("LEGACY UNTIL", "/legacy_cut_over"),
    ];
    output::rows(desk.format, &columns, &kinds);
    Ok(())
}

/// Reads, parses and compiles a file; every problem becomes a line `file:line:column: what; what to do`.
fn read(path: &Path) -> Result<(String, Catalog), Failure> {
    let mut source = String::new();
    let read = fs::File::open(path)
        .and_then(|file| file.take(CATALOG_BYTES_MAX as u64 + 1).read_to_string(&mut source));
    read.map_err(|cause| Failure::unavailable(format!("{}: {cause}", path.display())))?;
    let file = catalog::parse(&source).map_err(|problems| {
        let lines = problems.iter().map(|problem| {
            format!(
                "{}:{}:{}: {}; {}",
                path.display(),
                problem.line,
                problem.column,
                problem.message,
                problem.fix
            )
        });
        Failure::refused(format!("the catalog cannot be loaded\n{}", lines.collect::<Vec<_>>().join("\n")))
    })?;
    let (compiled, _) = catalog::compile(&file, &Numbering::default())
        .map_err(|problem| Failure::refused(format!("{}: {problem}", path.display())))?;
    Ok((source, compiled))
}
