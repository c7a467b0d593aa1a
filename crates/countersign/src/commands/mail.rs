//! `countersign mail`: tries the mail server as it is configured here. It needs no installation and no running server,
//! and nothing of it stays behind but the letter.

use clap::Subcommand;
use countersign_model::{
    id::{Id, OfRequest},
    name::EmailAddress,
};
use countersign_server::{
    clock::Clock,
    mail::{Letter, Mailer, letters},
    outcome::SendOutcome,
    random::Random,
};

use crate::{config::Config, failure::Failure, output};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send a letter to an address, to see whether the mail server takes it
    Test {
        /// Where to
        address: String,
        /// In which language
        #[arg(long, default_value = "en", value_name = "LANGUAGE", value_parser = ["en", "zh-CN"])]
        language: String,
    },
}

/// Runs it.
pub async fn run(config: &Config, command: &Command) -> Result<(), Failure> {
    let Command::Test { address, language } = command;
    let to =
        EmailAddress::parse(address).map_err(|problem| Failure::usage(format!("{address}: {problem}")))?;
    let Some(settings) = config.mail.clone() else {
        return Err(Failure::refused("there is no mail server: set mail.server and mail.from"));
    };
    let now = Clock::system().wall();
    let id: Id<OfRequest> = Random::System.id(now).map_err(Failure::unavailable)?;
    let parts = letters::test(language, &config.public_url).map_err(Failure::refused)?;
    let letter = Letter {
        id: id.to_string(),
        to,
        subject: parts.subject,
        text: parts.text,
        html: parts.html,
        unsubscribe: None,
    };
    let code = |code: Option<u16>| code.map(|code| format!(" ({code})")).unwrap_or_default();
    match Mailer::from_settings(settings).send(&letter, now).await {
        SendOutcome::Sent { code: answer } => {
            output::note(format!(
                "The mail server took the letter{}. Look whether it is at {address}.",
                code(answer)
            ));
            Ok(())
        }
        SendOutcome::Later { reason, .. } => Err(Failure::unavailable(reason)),
        SendOutcome::Refused { reason, .. } => Err(Failure::refused(reason)),
    }
}
