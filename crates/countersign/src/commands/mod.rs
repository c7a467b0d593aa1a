//! The commands: one file each, and this table of contents. A command reads its arguments, asks the management API, and
//! shows the answer; what is allowed and what it means is decided behind that API.

mod account;
mod anchor;
mod audit;
mod backup;
mod catalog;
mod config;
mod demo;
mod doctor;
mod gateway;
mod import;
mod keys;
mod listing;
mod mail;
mod member;
mod outbox;
mod person;
mod platform_credential;
mod restore;
mod serve;
mod token;
mod versions;
mod webhook;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::{
    config::{Config, Flags},
    connection::Connection,
    failure::Failure,
    output::{self, Format},
};

/// Self-hosted platform for the API access tokens of a company that sells an API.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// How results are shown
    #[arg(short = 'o', long, global = true, value_enum, default_value_t)]
    output: Format,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused or found wrong, 2 usage, 3 unavailable (no server, no installation, \
port taken).\nWhile a server runs, commands go through its socket; otherwise they open the data directory themselves.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Run a demonstration: server, sample API, and nginx in front of it
    Demo(demo::Arguments),
    /// Check or print the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Check, load or show a catalog
    #[command(subcommand)]
    Catalog(catalog::Command),
    /// API versions: who still uses which
    #[command(subcommand)]
    Versions(versions::Command),
    /// Accounts: the customers of the platform
    #[command(subcommand)]
    Account(account::Command),
    /// People in an account
    #[command(subcommand)]
    Member(member::Command),
    /// Tokens of an account
    #[command(subcommand)]
    Token(token::Command),
    /// Gateways: who may ask for decisions
    #[command(subcommand)]
    Gateway(gateway::Command),
    /// Machines with operator rights
    #[command(subcommand)]
    PlatformCredential(platform_credential::Command),
    /// Webhooks of the platform: who is told by a signed request
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// What is on its way to people and machines
    #[command(subcommand)]
    Outbox(outbox::Command),
    /// People: customers' and operators alike
    #[command(subcommand)]
    Person(person::Command),
    /// Bring existing credentials in
    #[command(subcommand)]
    Import(import::Command),
    /// Keys: which are in use, and their rotation
    #[command(subcommand)]
    Keys(keys::Command),
    /// Verify or export the audit trail
    #[command(subcommand)]
    Audit(audit::Command),
    /// Make or examine a backup
    #[command(subcommand)]
    Backup(backup::Command),
    /// Put a backup in the place of the database
    Restore(restore::Arguments),
    /// The anchor beside the keys, which says how far the database had come
    #[command(subcommand)]
    Anchor(anchor::Command),
    /// Try the mail server
    #[command(subcommand)]
    Mail(mail::Command),
    /// Say what is configured, from where, and what is wrong
    Doctor,
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// What a command that asks the management API works with.
pub struct Desk {
    /// The way there.
    pub connection: Connection,
    /// How results are shown.
    pub format: Format,
}

/// Runs the command.
pub async fn run(arguments: Arguments, environment: &[(String, String)]) -> Result<(), Failure> {
    let Arguments { flags, output, command } = arguments;
    match command {
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "countersign", &mut script);
            output::line(String::from_utf8_lossy(&script).trim_end());
            return Ok(());
        }
        Command::Config(command) => return config::run(&command, &flags, environment, output),
        Command::Catalog(catalog::Command::Check { file }) => return catalog::check(&file),
        _ => {}
    }
    let settings = Config::resolve(&flags, environment)?;
    match command {
        Command::Serve => serve::run(&settings, || Config::resolve(&flags, environment)).await,
        Command::Demo(arguments) => demo::run(&settings, arguments).await,
        Command::Backup(backup::Command::Verify { file, identity }) => {
            backup::verify(output, &file, &identity).await
        }
        Command::Restore(arguments) => restore::run(&settings, arguments, output).await,
        Command::Anchor(command) => anchor::run(&settings, &command).await,
        Command::Doctor => doctor::run(&settings, output).await,
        Command::Mail(command) => mail::run(&settings, &command).await,
        Command::Gateway(gateway::Command::Config(arguments)) => {
            gateway::config::run(&settings, arguments, output).await
        }
        Command::Gateway(gateway::Command::Probe(arguments)) => {
            gateway::probe::run(&settings, arguments, output).await
        }
        other => {
            let desk = Desk { connection: Connection::open(&settings).await?, format: output };
            let done = at_desk(&desk, other).await;
            desk.connection.close().await;
            done
        }
    }
}

async fn at_desk(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::Catalog(command) => catalog::run(desk, command).await,
        Command::Versions(command) => versions::run(desk, command).await,
        Command::Account(command) => account::run(desk, command).await,
        Command::Member(command) => member::run(desk, command).await,
        Command::Token(command) => token::run(desk, command).await,
        Command::Gateway(command) => gateway::run(desk, command).await,
        Command::Outbox(command) => outbox::run(desk, command).await,
        Command::PlatformCredential(command) => platform_credential::run(desk, command).await,
        Command::Webhook(command) => webhook::run(desk, command).await,
        Command::Person(command) => person::run(desk, command).await,
        Command::Import(command) => import::run(desk, command).await,
        Command::Keys(command) => keys::run(desk, command).await,
        Command::Audit(command) => audit::run(desk, command).await,
        Command::Backup(backup::Command::Make { file, recipient }) => {
            backup::make(desk, file, &recipient).await
        }
        // These were run before a connection was needed.
        Command::Serve
        | Command::Demo(_)
        | Command::Config(_)
        | Command::Backup(backup::Command::Verify { .. })
        | Command::Restore(_)
        | Command::Anchor(_)
        | Command::Doctor
        | Command::Mail(_)
        | Command::Completions { .. } => Ok(()),
    }
}
