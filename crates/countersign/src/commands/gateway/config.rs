//! `countersign gateway config`: the recipe of a gateway, filled in for this installation. The credential is read from a
//! file or standard input and written into a file of its own; it is in no command line and on no screen.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Read as _},
    path::{Path, PathBuf},
};

use clap::{Args, builder::PossibleValuesParser};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    config::Config,
    connection::{Ask, Connection},
    failure::Failure,
    output::{self, Column, Format},
    recipe::{self, Endpoint, GatewayCredential, Recipe, Values},
};

/// Most that is read of a file that should hold one credential, in bytes.
const CREDENTIAL_FILE_BYTES_MAX: u64 = 1024;
const SHOWN: [Column<'static>; 5] = [
    ("KIND", "/kind"),
    ("DIRECTORY", "/directory"),
    ("FILES", "/files"),
    ("CHECK", "/check"),
    ("START", "/start"),
];

#[derive(Debug, Args)]
pub struct Arguments {
    /// Its name in Countersign
    #[arg(value_parser = recipe::gateway_name)]
    name: String,
    /// Which gateway it is; else the one its profile is for
    #[arg(long, value_parser = PossibleValuesParser::new(recipe::kinds()))]
    kind: Option<String>,
    /// Where clients come
    #[arg(long, value_name = "HOST:PORT")]
    listen: Endpoint,
    /// The API behind it
    #[arg(long, value_name = "HOST:PORT")]
    back_end: Endpoint,
    /// Countersign's data plane; else the one configured here
    #[arg(long, value_name = "HOST:PORT")]
    data_plane: Option<Endpoint>,
    /// Where the files go
    #[arg(long, value_name = "DIR")]
    directory: PathBuf,
    /// The file with its credential; else standard input is read
    #[arg(long, value_name = "FILE")]
    credential_file: Option<PathBuf>,
}

/// Runs it. With `--kind` it needs no installation.
pub async fn run(config: &Config, arguments: Arguments, format: Format) -> Result<(), Failure> {
    let Arguments { name, kind, listen, back_end, data_plane, directory, credential_file } = arguments;
    let recipe = match kind.as_deref().and_then(recipe::of_kind) {
        Some(recipe) => recipe,
        None => of_profile(config, &name).await?,
    };
    let configured = || config.data_plane.to_string().parse().map_err(Failure::usage);
    let values = Values {
        listen,
        back_end,
        data_plane: data_plane.map_or_else(configured, Ok)?,
        directory,
        credential: read_credential(credential_file.as_deref(), &name)?,
        gateway: name,
    };
    let filled = recipe.fill(&values)?;
    let shown = json!({ "kind": recipe.kind, "directory": filled.directory, "files": filled.files,
        "check": filled.check, "start": filled.start });
    output::object(format, &SHOWN, &shown);
    if format == Format::Table {
        output::note("Check it, start it, then prove that it is shut: countersign gateway probe --help");
    }
    Ok(())
}

/// The recipe that speaks as the gateway's profile says.
async fn of_profile(config: &Config, name: &str) -> Result<&'static Recipe, Failure> {
    let connection = Connection::open(config).await?;
    let answered = connection.ask(Ask::get(format!("{}/{name}", super::PATH))).await;
    connection.close().await;
    let body = answered?.body;
    let made_for = body.pointer("/profile/recipe").and_then(Value::as_str);
    made_for.and_then(recipe::of_kind).ok_or_else(|| {
        Failure::usage("the profile of this gateway is for none of our recipes; name one with --kind")
    })
}

/// The credential out of a file, or out of standard input where that is no terminal.
fn read_credential(file: Option<&Path>, name: &str) -> Result<GatewayCredential, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = match file {
        Some(path) => File::open(path)
            .and_then(|file| file.take(CREDENTIAL_FILE_BYTES_MAX).read_to_string(&mut text))
            .map_err(|cause| Failure::unavailable(format!("cannot read {}: {cause}", path.display()))),
        None if io::stdin().is_terminal() => Err(Failure::usage(
            "give the credential with --credential-file, or on standard input: `< credential`",
        )),
        None => io::stdin()
            .take(CREDENTIAL_FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(|cause| Failure::unavailable(format!("cannot read standard input: {cause}"))),
    };
    read?;
    GatewayCredential::parse(&text).ok_or_else(|| {
        let advice = format!("make one with `countersign gateway create {name} --out credential`");
        Failure::usage(format!("that is no credential of a gateway; {advice}"))
    })
}
