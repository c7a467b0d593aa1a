//! Whole lists out of pages, and the things people name on the command line found by what they typed.

use std::fmt::Write as _;

use serde_json::Value;

use super::Desk;
use crate::{
    connection::{Answer, Ask},
    failure::Failure,
    output,
};

/// Most rows a command lists; whoever needs more reads the API page by page.
const ROWS_MAX: usize = 10_000;
/// Rows asked for at once.
const PAGE_ROWS: usize = 200;

impl Desk {
    /// Asks, and answers the body.
    pub async fn ask(&self, ask: Ask) -> Result<Value, Failure> {
        Ok(self.connection.ask(ask).await?.body)
    }

    /// Reads one thing with its ETag.
    pub async fn read(&self, path: &str) -> Result<Answer, Failure> {
        self.connection.ask(Ask::get(path)).await
    }

    /// Every row of a list, page by page.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let mut page = self.ask(Ask::get(format!("{path}{join}limit={PAGE_ROWS}{cursor}"))).await?;
            match page.get_mut("items").map(Value::take) {
                Some(Value::Array(items)) => rows.extend(items),
                _ => {
                    return Err(Failure::unavailable(
                        "the answer is no list; are client and server of one version?",
                    ));
                }
            }
            let Some(next) = page.get("next").and_then(Value::as_str) else { return Ok(rows) };
            if rows.len() >= ROWS_MAX {
                output::note(format!("Only the first {} are listed.", rows.len()));
                return Ok(rows);
            }
            cursor = format!("&after={}", query_value(next));
        }
    }

    /// An account's id, from its id or the operator's own id for it.
    pub async fn account_id(&self, named: &str) -> Result<String, Failure> {
        if named.starts_with("acc_") {
            return Ok(named.to_owned());
        }
        let rows = self.list(&format!("/api/v1/accounts?search={}", query_value(named))).await?;
        let found = rows.iter().find(|row| text(row, "external_id") == named);
        found.map(|row| text(row, "id").to_owned()).ok_or_else(|| {
            Failure::refused(format!("there is no account with the id or external id {named:?}; `countersign account list` lists them"))
        })
    }
}

/// A member of an object that is a string; empty where it is not.
pub fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value.get(member).and_then(Value::as_str).unwrap_or("")
}

/// Escapes a text for the query of a URI.
pub fn query_value(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
