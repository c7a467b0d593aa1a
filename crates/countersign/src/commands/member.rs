//! `countersign member`: people in an account and their roles.

use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::{Desk, listing::text};
use crate::{
    connection::Ask,
    failure::Failure,
    output::{self, Column},
};

const COLUMNS: [Column<'static>; 5] = [
    ("PERSON", "/user_id"),
    ("E-MAIL", "/email"),
    ("NAME", "/name"),
    ("ROLE", "/role"),
    ("SINCE", "/created_at"),
];

/// An invitation with its one-time link.
pub const INVITATION: [Column<'static>; 4] = [
    ("E-MAIL", "/invitation/email"),
    ("ROLE", "/invitation/role"),
    ("UNTIL", "/invitation/expires_at"),
    ("LINK", "/link"),
];

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Invite somebody; prints the one-time link
    Invite {
        /// The account, by id or external id
        account: String,
        /// Their address
        email: String,
        /// Their role: an id of the catalog, such as account_administrator
        #[arg(long)]
        role: String,
    },
    /// List the people of an account
    List {
        /// The account, by id or external id
        account: String,
    },
    /// Change somebody's role
    Role {
        /// The account, by id or external id
        account: String,
        /// Their address or id
        person: String,
        /// The new role
        role: String,
    },
    /// Take somebody out of an account
    Remove {
        /// The account, by id or external id
        account: String,
        /// Their address or id
        person: String,
        /// Who takes over the tokens they answer for, by address or id
        #[arg(long)]
        successor: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Runs it.
pub async fn run(desk: &Desk, command: Command) -> Result<(), Failure> {
    match command {
        Command::Invite { account, email, role } => {
            let path = format!("/api/v1/accounts/{}/invitations", desk.account_id(&account).await?);
            let body = json!({ "email": email, "role": role });
            let invitation = desk.ask(Ask::new(Method::POST, path).json(&body)).await?;
            output::object(desk.format, &INVITATION, &invitation);
            Ok(())
        }
        Command::List { account } => {
            let members =
                desk.list(&format!("/api/v1/accounts/{}/members", desk.account_id(&account).await?)).await?;
            output::rows(desk.format, &COLUMNS, &members);
            Ok(())
        }
        Command::Role { account, person, role } => {
            let (members, member) = find(desk, &account, &person).await?;
            let path = format!("{members}/{}", text(&member, "user_id"));
            let changed = desk.ask(Ask::new(Method::PATCH, path).json(&json!({ "role": role }))).await?;
            output::object(desk.format, &COLUMNS, &changed);
            Ok(())
        }
        Command::Remove { account, person, successor, yes } => {
            let (members, member) = find(desk, &account, &person).await?;
            let email = text(&member, "email");
            output::confirm(&format!("{email} will lose access to the account."), email, yes)?;
            let successor = match successor {
                Some(successor) => {
                    format!("?successor={}", text(&find(desk, &account, &successor).await?.1, "user_id"))
                }
                None => String::new(),
            };
            desk.ask(Ask::new(Method::DELETE, format!("{members}/{}{successor}", text(&member, "user_id"))))
                .await?;
            output::note(format!("{email} is no longer a member."));
            Ok(())
        }
    }
}

/// The path of an account's members, and the one who was named.
async fn find(desk: &Desk, account: &str, named: &str) -> Result<(String, Value), Failure> {
    let path = format!("/api/v1/accounts/{}/members", desk.account_id(account).await?);
    let members = desk.list(&path).await?;
    let found = members
        .into_iter()
        .find(|member| text(member, "user_id") == named || text(member, "email").eq_ignore_ascii_case(named));
    let member = found.ok_or_else(|| Failure::refused(format!("{named:?} is no member of this account")))?;
    Ok((path, member))
}
