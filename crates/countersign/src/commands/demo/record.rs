//! What the demonstration made and must know again on its second run: passwords, Auth Tokens, the gateway's credential.
//! One JSON file beside the data, readable by its owner only. Nothing but a demonstration keeps secrets like this.

use std::{collections::BTreeMap, fs, io::Read as _, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::{config::Config, failure::Failure, output};

/// Largest record that is read, in bytes.
const RECORD_BYTES_MAX: u64 = 64 * 1024;

/// What must be known again.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Passwords by e-mail address.
    pub passwords: BTreeMap<String, String>,
    /// Tokens by the demonstration's own name for them.
    pub tokens: BTreeMap<String, Credentials>,
    /// The credential of the gateway.
    pub gateway: Option<String>,
    #[serde(skip)]
    path: PathBuf,
}

/// An Account SID and its Auth Token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The Account SID.
    pub sid: String,
    /// The Auth Token.
    pub secret: String,
}

impl Record {
    /// Reads the record of an earlier run; empty where there was none.
    pub fn read(config: &Config) -> Result<Self, Failure> {
        let path = config.data_dir.join("demo.json");
        if !path.exists() {
            return Ok(Self { path, ..Self::default() });
        }
        let mut text = String::new();
        let read =
            fs::File::open(&path).and_then(|file| file.take(RECORD_BYTES_MAX).read_to_string(&mut text));
        read.map_err(|cause| Failure::unavailable(format!("{}: {cause}", path.display())))?;
        let record: Self = serde_json::from_str(&text).map_err(|error| {
            Failure::refused(format!(
                "{}: {error}; remove that file, and the demonstration makes new passwords",
                path.display()
            ))
        })?;
        Ok(Self { path, ..record })
    }

    /// Keeps the record for the next run.
    pub fn write(&self) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(Failure::unavailable)?;
        output::private_file(&self.path, &text)
    }
}
