//! `countersign anchor accept`: takes the database as it is, although the anchor beside the keys tells of a later state.
//! For whoever put back a disk or a machine on purpose; a backup is put back with `countersign restore`.

use clap::Subcommand;
use countersign_server::open::inspect;

use crate::{config::Config, connection, failure::Failure, lock::DataLock, output};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take the database as it is, although a later state of it is anchored beside the keys
    Accept {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs it.
pub async fn run(config: &Config, command: &Command) -> Result<(), Failure> {
    let Command::Accept { yes } = command;
    let lock = DataLock::take(config)?;
    let Err(why) = inspect(&config.data_dir, config.database_url.as_ref(), &config.keys_dir) else {
        output::note("The database is as far as its anchor says; there is nothing to accept.");
        return Ok(());
    };
    output::confirm(
        &format!(
            "{why}.\nAccepted, this state is the one that counts: what was disabled, reset or deleted later works again."
        ),
        "accept",
        *yes,
    )?;
    connection::accept_rollback(config, lock).await?;
    output::note(
        "The state is accepted and noted in the audit trail; `countersign serve` continues from it.",
    );
    Ok(())
}
