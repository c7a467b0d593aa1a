//! Why a command did not do what it was asked, and the exit code that says so to scripts.

use std::{fmt, process::ExitCode};

use crate::config::ConfigError;

/// Why a command ended without its work done. The text is for a person and says what to do next.
#[derive(Debug)]
pub enum Failure {
    /// Somebody looked and said no, or what was looked at is wrong. Trying again changes nothing.
    Refused(String),
    /// The command line cannot be meant like this.
    Usage(String),
    /// Something that must be there is not: a server, a port, a disk, a right. Trying again may help.
    Unavailable(String),
}

impl Failure {
    /// A refusal.
    pub fn refused(text: impl fmt::Display) -> Self {
        Self::Refused(text.to_string())
    }

    /// Something wrong with the command line.
    pub fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }

    /// Something that is not there.
    pub fn unavailable(text: impl fmt::Display) -> Self {
        Self::Unavailable(text.to_string())
    }

    /// The exit code: 1 refused, 2 usage, 3 unavailable. The book documents them.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Unavailable(_) => 3,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Refused(text) | Self::Usage(text) | Self::Unavailable(text)) = self;
        f.write_str(text)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Refused(error.to_string())
    }
}
