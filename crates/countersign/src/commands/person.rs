//! `countersign person`: whoever signs in, customers' people and operators alike.

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::{
    Desk,
    account::Switch,
    listing::{query_value, text},
    member::INVITATION,
};
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Column},
};

const PATH: &str = "/api/v1/people";
const COLUMNS: [Column<'static>; 5] = [
    ("ID", "/id"),
    ("E-MAIL", "/email"),
    ("NAME", "/name"),
    ("OPERATOR", "/operator"),
    ("ACTIVE", "/active"),
];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List people
    List {
        /// Part of the name or address
        #[arg(long)]
        search: Option<String>,
    },
    /// End a person's sessions and password; prints a one-time link with which they set a new one
    ResetPassword {
        /// Their address
        email: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Make somebody an operator of the platform, or an operator no longer
    Operator {
        /// Their address
        email: String,
        /// On or off
        state: Switch,
    },
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::List { search } => {
            let query = search.map(|search| format!("?search={}", query_value(&search))).unwrap_or_default();
            output::rows(desk.format, &COLUMNS, &desk.list(&format!("{PATH}{query}")).await?);
            Ok(())
        }
        Command::ResetPassword { email, yes } => {
            let path = find(desk, &email).await?;
            output::confirm(&format!("{email} is signed out everywhere."), &email, yes)?;
            let link = desk.ask(Ask::new(Method::POST, format!("{path}/password-reset"))).await?;
            output::object(desk.format, &INVITATION, &link);
            Ok(())
        }
        Command::Operator { email, state } => {
            let path = find(desk, &email).await?;
            let etag = desk.read(&path).await?.etag;
            let patch = json!({ "operator": state == Switch::On });
            let person = desk.ask(Ask::new(Method::PATCH, path).if_match(etag).json(&patch)).await?;
            output::object(desk.format, &COLUMNS, &person);
            Ok(())
        }
    }
}

async fn find(desk: &Desk, email: &str) -> Result<String, Failure> {
    let people: Vec<Value> = desk.list(&format!("{PATH}?search={}", query_value(email))).await?;
    let found = people.iter().find(|person| text(person, "email").eq_ignore_ascii_case(email));
    let person =
        found.ok_or_else(|| Failure::refused(format!("there is no person with the address {email:?}")))?;
    Ok(format!("{PATH}/{}", text(person, "id")))
}
