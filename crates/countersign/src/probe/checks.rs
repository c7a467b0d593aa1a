//! The checks: each sends what must not pass and says what did. They share nothing but the doctor.

mod bytes;
mod callers;
mod failures;
mod headers;
mod http2;
mod keeping;

use countersign_model::probe::ProbeCheck;

use super::{Doctor, Finding, Outcome, Question, Unchecked, With};

/// Findings, none where all is well.
type Found = Result<Vec<Finding>, Unchecked>;

/// In every value a client makes up.
const LIE: &str = "spoofed-by-the-client";

/// Runs one check.
pub(super) async fn run(doctor: &Doctor, check: ProbeCheck) -> Found {
    match check {
        ProbeCheck::Credentials => callers::credentials(doctor).await,
        ProbeCheck::QuestionHeaders => callers::question_headers(doctor).await,
        ProbeCheck::RequestIds => callers::request_ids(doctor).await,
        ProbeCheck::IdentityHeaders => headers::identity(doctor).await,
        ProbeCheck::MethodOverride => headers::method_override(doctor).await,
        ProbeCheck::ClientAddress => headers::client_address(doctor).await,
        ProbeCheck::CredentialForwarded => headers::credential_forwarded(doctor).await,
        ProbeCheck::Paths => bytes::paths(doctor).await,
        ProbeCheck::Framing => bytes::framing(doctor).await,
        ProbeCheck::Http2 => http2::http2(doctor).await,
        ProbeCheck::Caching => keeping::caching(doctor).await,
        ProbeCheck::Revocation => keeping::revocation(doctor).await,
        ProbeCheck::KeptConnections => keeping::connections(doctor).await,
        ProbeCheck::Statuses => failures::statuses(doctor).await,
        ProbeCheck::Outage => failures::outage(doctor).await,
        ProbeCheck::LateAnswers => failures::late_answers(doctor).await,
    }
}

impl Doctor {
    fn needs_back_end(&self) -> Result<(), Unchecked> {
        match self.recorder {
            Some(_) => Ok(()),
            None => Err(Unchecked::Needs("give --back-end-at".to_owned())),
        }
    }

    fn finding(&self, sent: impl AsRef<str>, happened: impl AsRef<str>) -> Finding {
        Finding { sent: self.shown(sent.as_ref()), happened: self.shown(happened.as_ref()) }
    }

    /// A finding when this request passes.
    async fn must_not_pass(
        &self,
        question: Question<'_>,
        found: &mut Vec<Finding>,
    ) -> Result<Outcome, Unchecked> {
        let outcome = self.send(question).await?;
        if outcome.passed() {
            found.push(self.finding(said(question), outcome.told()));
        }
        Ok(outcome)
    }
}

/// Whether a status is true for who brings this credential: after many wrong ones of an address, by whomever, Countersign
/// says 429 to the next.
fn is_refusal_of(with: With, status: u16) -> bool {
    match with {
        With::Wrong => matches!(status, 401 | 429),
        With::Nothing => status == 401,
        With::Good | With::Elsewhere => matches!(status, 403 | 404),
    }
}

/// A request in a line, without its credential.
fn said(question: Question<'_>) -> String {
    let with = match question.with {
        With::Nothing => "no credential",
        With::Good => "a good credential",
        With::Wrong => "a wrong credential",
        With::Elsewhere => "a credential of another address",
    };
    let headers = question.headers.escape_debug();
    let space = if question.headers.is_empty() { "" } else { " " };
    format!("{} {} [{with}]{space}{headers}", question.method, question.target)
}

/// A header name as careless back ends read it: letter case and the kind of separator do not count.
fn careless(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' })
        .collect()
}
