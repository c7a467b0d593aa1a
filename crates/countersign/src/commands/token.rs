//! `countersign token`: tokens of an account, by Account SID. A secret is shown once, when it is made.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use http::Method;
use serde_json::{Value, json};

use super::{
    Desk,
    listing::{query_value, text},
};
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Column, Destination},
};

const COLUMNS: [Column<'static>; 8] = [
    ("ID", "/id"),
    ("ACCOUNT SID", "/sid"),
    ("NAME", "/name"),
    ("STATE", "/state"),
    ("VERSION", "/api_version"),
    ("SCOPES", "/scopes_count"),
    ("CREATED", "/created_at"),
    ("LAST USED", "/last_used_at"),
];

/// The same of the answer to a change.
const CHANGED: [Column<'static>; 6] = [
    ("ID", "/token/id"),
    ("ACCOUNT SID", "/token/sid"),
    ("NAME", "/token/name"),
    ("STATE", "/token/state"),
    ("VERSION", "/token/api_version"),
    ("SCOPES", "/token/scopes_count"),
];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the tokens of an account, newest first
    List {
        /// The account, by id or external id
        account: String,
        /// Part of the name, or four characters and more of the SID
        #[arg(long)]
        name: Option<String>,
        /// enabled, disabled, expired or expiring (within 30 days)
        #[arg(long)]
        state: Option<String>,
    },
    /// Show one token
    Show {
        /// Its Account SID
        token: String,
    },
    /// Create a token; prints its Auth Token once
    Create(Create),
    /// Disable a token: reversible, in force when this command returns
    Disable {
        /// Its Account SID
        token: String,
    },
    /// Enable a token again
    Enable {
        /// Its Account SID
        token: String,
    },
    /// Give a token a new Auth Token; prints it once
    Reset {
        /// Its Account SID
        token: String,
        /// How long the old Auth Token works beside the new one
        #[arg(long, value_enum, default_value_t)]
        overlap: Overlap,
        /// Write the Auth Token to this new file (mode 0600) instead of printing it
        #[arg(long)]
        out: Option<PathBuf>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Delete a token for ever; its Account SID is never issued again
    Delete {
        /// Its Account SID
        token: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub struct Create {
    /// The account, by id or external id
    account: String,
    /// Its name, unique in the account
    #[arg(long)]
    name: String,
    /// Who answers for it: address or id of a member
    #[arg(long)]
    contact: String,
    /// A scope; can be given many times
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// The API version; the latest unless said
    #[arg(long)]
    api_version: Option<u32>,
    /// What it is for
    #[arg(long, default_value = "")]
    description: String,
    /// Write the Auth Token to this new file (mode 0600) instead of printing it
    #[arg(long)]
    out: Option<PathBuf>,
}

/// How long an old Auth Token works beside the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Overlap {
    /// Not at all.
    #[default]
    None,
    /// An hour.
    #[value(name = "1h")]
    Hour,
    /// A day.
    #[value(name = "24h")]
    Day,
    /// A week.
    #[value(name = "7d")]
    Week,
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { account, name, state } => list(desk, &account, name, state).await,
        Command::Show { token } => {
            output::object(desk.format, &COLUMNS, &find(desk, &token).await?.token);
            Ok(())
        }
        Command::Create(create) => create_token(desk, create).await,
        Command::Disable { token } => change(desk, &token, "disable").await,
        Command::Enable { token } => change(desk, &token, "enable").await,
        Command::Reset { token, overlap, out, yes } => reset(desk, &token, overlap, out, yes).await,
        Command::Delete { token, yes } => {
            let Found { path, token } = find(desk, &token).await?;
            let name = text(&token, "name");
            output::confirm(
                &format!("{name} will be refused at once and cannot be brought back."),
                name,
                yes,
            )?;
            let etag = desk.read(&path).await?.etag;
            let path = format!("{path}?confirm_name={}", query_value(name));
            desk.ask(Ask::new(Method::DELETE, path).if_match(etag)).await?;
            output::note(format!("{name} is deleted."));
            Ok(())
        }
    }
}

async fn list(
    desk: &Desk,
    account: &str,
    name: Option<String>,
    state: Option<String>,
) -> Result<(), Failure> {
    let filters = [("name", name), ("state", state)];
    let filters: Vec<String> = filters
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", query_value(&value?))))
        .collect();
    let query = if filters.is_empty() { String::new() } else { format!("?{}", filters.join("&")) };
    let path = format!("/api/v1/accounts/{}/tokens{query}", desk.account_id(account).await?);
    output::rows(desk.format, &COLUMNS, &desk.list(&path).await?);
    Ok(())
}

async fn create_token(desk: &Desk, create: Create) -> Result<(), Failure> {
    let account = desk.account_id(&create.account).await?;
    let members = desk.list(&format!("/api/v1/accounts/{account}/members")).await?;
    let contact = members
        .iter()
        .find(|member| {
            text(member, "user_id") == create.contact
                || text(member, "email").eq_ignore_ascii_case(&create.contact)
        })
        .ok_or_else(|| {
            Failure::refused(format!(
                "{:?} is no member of this account; a token's contact must be",
                create.contact
            ))
        })?;
    let mut body = json!({
        "name": create.name,
        "description": create.description,
        "primary_contact": text(contact, "user_id"),
        "scopes": create.scopes,
    });
    if let Some(version) = create.api_version {
        body["api_version"] = version.into();
    }
    let destination = Destination::prepare(create.out)?;
    let made =
        desk.ask(Ask::new(Method::POST, format!("/api/v1/accounts/{account}/tokens")).json(&body)).await?;
    output::credential(desk.format, &CHANGED, &made, "secret", destination)
}

async fn change(desk: &Desk, named: &str, deed: &str) -> Result<(), Failure> {
    let path = find(desk, named).await?.path;
    let changed = desk.ask(Ask::new(Method::POST, format!("{path}/{deed}")).json(&json!({}))).await?;
    output::object(desk.format, &CHANGED, &changed);
    Ok(())
}

async fn reset(
    desk: &Desk,
    named: &str,
    overlap: Overlap,
    out: Option<PathBuf>,
    yes: bool,
) -> Result<(), Failure> {
    let Found { path, token } = find(desk, named).await?;
    let name = text(&token, "name");
    let ends = if overlap == Overlap::None { "from now on" } else { "when the overlap ends" };
    output::confirm(&format!("The present Auth Token of {name} is refused {ends}."), name, yes)?;
    let destination = Destination::prepare(out)?;
    let body = json!({ "overlap": overlap.as_str(), "confirm": true });
    let ask = Ask::new(Method::POST, format!("{path}/reset")).json(&body);
    output::credential(desk.format, &CHANGED, &desk.ask(ask).await?, "secret", destination)
}

/// A token as the management API names it.
struct Found {
    path: String,
    token: Value,
}

/// Finds a token by its Account SID.
async fn find(desk: &Desk, sid: &str) -> Result<Found, Failure> {
    let mut found = desk.ask(Ask::get(format!("/api/v1/tokens/{}", query_value(sid)))).await?;
    if text(&found, "access") != "scoped" {
        return Err(Failure::refused(format!(
            "{sid} is one half of a legacy pair; the management API has its deeds under /legacy-tokens of account {}",
            text(&found, "account_id")
        )));
    }
    let token = found.get_mut("token").map(Value::take).unwrap_or_default();
    let path = format!("/api/v1/accounts/{}/tokens/{}", text(&found, "account_id"), text(&token, "id"));
    Ok(Found { path, token })
}

impl Overlap {
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }
}
