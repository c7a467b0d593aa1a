//! Sends letters, one conversation each. It never waits longer than its time limits allow and never fails in any other
//! way than by saying what became of the letter.

use std::{fs, sync::OnceLock};

use countersign_model::time::Timestamp;
use lettre::transport::smtp::client::{Certificate, TlsParameters};

use super::{
    connection::Conversation,
    message::{self, Letter, Unsendable},
    reply::{Step, Trouble},
    settings::{MailSettings, TlsMode},
};
use crate::outcome::SendOutcome;

/// The way to the operator's mail server.
pub struct Mailer {
    settings: MailSettings,
    // Reading the certificates of the system takes milliseconds, so it is done once and when it is needed.
    tls: OnceLock<TlsParameters>,
}

/// What a look at the mail server found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Whether what is said there is protected by TLS.
    pub encrypted: bool,
    /// Whether we signed in.
    pub signed_in: bool,
}

impl Mailer {
    /// A mailer for this server. Nothing is opened before the first letter.
    pub fn from_settings(settings: MailSettings) -> Self {
        Self { settings, tls: OnceLock::new() }
    }

    /// The settings.
    pub fn settings(&self) -> &MailSettings {
        &self.settings
    }

    /// Sends a letter.
    pub async fn send(&self, letter: &Letter, now: Timestamp) -> SendOutcome {
        let prepared = match message::prepare(&self.settings, letter, now) {
            Ok(prepared) => prepared,
            Err(problem @ Unsendable::Address(_)) => {
                return SendOutcome::Refused { code: None, reason: problem.to_string() };
            }
            Err(problem @ Unsendable::Message(_)) => {
                return SendOutcome::Later { code: None, reason: problem.to_string(), after_secs: None };
            }
        };
        let mut conversation = match self.open().await {
            Ok(conversation) => conversation,
            Err(trouble) => return trouble.outcome(),
        };
        let taken = conversation.hand_over(&prepared).await;
        conversation.close().await;
        match taken {
            Ok(code) => SendOutcome::Sent { code: Some(code) },
            Err(trouble) => trouble.outcome(),
        }
    }

    /// Connects, protects the connection and signs in, and sends nothing. The refusal is a sentence for an operator.
    pub async fn look(&self) -> Result<Reached, String> {
        let conversation = self.open().await.map_err(|trouble| trouble.to_string())?;
        let reached =
            Reached { encrypted: conversation.is_encrypted(), signed_in: self.settings.user.is_some() };
        conversation.close().await;
        Ok(reached)
    }

    async fn open(&self) -> Result<Conversation, Trouble> {
        let tls = match self.settings.tls {
            TlsMode::None => None,
            TlsMode::StartTls | TlsMode::Implicit => Some(self.tls()?),
        };
        Conversation::open(&self.settings, tls).await
    }

    fn tls(&self) -> Result<TlsParameters, Trouble> {
        if let Some(known) = self.tls.get() {
            return Ok(known.clone());
        }
        let failed = |cause: &dyn std::fmt::Display| Trouble::ours(Step::Encrypt, cause);
        let mut builder = TlsParameters::builder(self.settings.host.clone());
        if let Some(path) = &self.settings.ca_file {
            let pem = fs::read(path).map_err(|cause| failed(&format!("mail.ca_file: {cause}")))?;
            let certificate = Certificate::from_pem(&pem).map_err(|cause| failed(&cause))?;
            builder = builder.add_root_certificate(certificate);
        }
        let built = builder.build().map_err(|cause| failed(&cause))?;
        Ok(self.tls.get_or_init(|| built).clone())
    }
}
