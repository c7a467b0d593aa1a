//! Tokens of a probe's own, made through the management API and deleted when the probe ends, however it ends.

use countersign_model::time::Timestamp;
use http::Method;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    connection::{Ask, Connection},
    failure::Failure,
    output,
};

/// An address of the block for documentation (RFC 5737): nobody calls from there.
pub const NOBODYS_ADDRESS: &str = "203.0.113.77";
/// How long its tokens work where nobody deletes them, in seconds: a probe takes less than a minute, and may be killed.
const LIVES_SECS: i64 = 60 * 60;

/// A token of the probe.
pub struct Guest {
    /// Its Account SID.
    pub sid: String,
    /// Its Auth Token.
    pub secret: Zeroizing<String>,
    name: String,
    /// Where the management API has it.
    path: String,
}

/// The management API with the tokens of the probe.
pub struct Platform {
    connection: Connection,
    /// May call the path.
    pub guest: Guest,
    /// May call the path from [`NOBODYS_ADDRESS`] only.
    pub elsewhere: Guest,
    /// The path with the Account SID of that one.
    pub elsewhere_path: String,
}

impl Platform {
    /// Makes the tokens, in this account and with these scopes. `path` may name the Account SID
    /// as `{sid}`; `mark` keeps their names apart from others, and needs no escaping in a URL. They expire by themselves
    /// some time after `now`.
    pub async fn prepare(
        connection: Connection,
        account: &str,
        scopes: &[String],
        path: &str,
        mark: &str,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let expires_at = now.plus_secs(LIVES_SECS).to_string();
        let tokens = format!("/api/v1/accounts/{account}/tokens");
        let members = connection.ask(Ask::get(format!("/api/v1/accounts/{account}/members"))).await?.body;
        let contact = members.pointer("/items/0/user_id").and_then(Value::as_str).ok_or_else(|| {
            Failure::refused(
                "the account has no member who could answer for the probe's tokens; invite one first",
            )
        })?;
        let fields = |what: &str, addresses: &[&str]| {
            json!({ "name": format!("{mark}-{what}"), "primary_contact": contact, "scopes": scopes,
                "addresses": addresses, "expires_at": expires_at, "description": "Made by a probe of a gateway, which deletes it." })
        };
        let guest = create(&connection, &tokens, &fields("caller", &[])).await?;
        match create(&connection, &tokens, &fields("elsewhere", &[NOBODYS_ADDRESS])).await {
            Ok(elsewhere) => {
                let elsewhere_path = path.replace("{sid}", &elsewhere.sid);
                Ok(Self { connection, guest, elsewhere, elsewhere_path })
            }
            Err(failure) => {
                delete(&connection, &guest).await;
                Err(failure)
            }
        }
    }

    /// Disables the calling token; in force when this returns.
    pub async fn disable(&self) -> Result<(), Failure> {
        self.switch("disable").await
    }

    /// Enables it again.
    pub async fn enable(&self) -> Result<(), Failure> {
        self.switch("enable").await
    }

    async fn switch(&self, verb: &str) -> Result<(), Failure> {
        let ask = Ask::new(Method::POST, format!("{}/{verb}", self.guest.path)).json(&json!({}));
        self.connection.ask(ask).await.map(drop)
    }

    /// The secrets nobody may be shown.
    pub fn secrets(&self) -> [&str; 2] {
        [&self.guest.secret, &self.elsewhere.secret]
    }

    /// Deletes the tokens, and answers the connection.
    pub async fn end(self) -> Connection {
        delete(&self.connection, &self.guest).await;
        delete(&self.connection, &self.elsewhere).await;
        self.connection
    }
}

async fn create(connection: &Connection, tokens: &str, fields: &Value) -> Result<Guest, Failure> {
    let made = connection.ask(Ask::new(Method::POST, tokens).json(fields)).await?.body;
    let text = |pointer: &str| made.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    match (text("/token/id"), text("/token/sid"), text("/token/name"), text("/secret")) {
        (Some(id), Some(sid), Some(name), Some(secret)) => {
            Ok(Guest { sid, secret: Zeroizing::new(secret), name, path: format!("{tokens}/{id}") })
        }
        _ => Err(Failure::unavailable("the answer has no token; are client and server of one version?")),
    }
}

async fn delete(connection: &Connection, guest: &Guest) {
    let Guest { sid, name, path, .. } = guest;
    let deleted = async {
        let seen = connection.ask(Ask::get(path.as_str())).await?;
        let ask = Ask::new(Method::DELETE, format!("{path}?confirm_name={name}"));
        connection.ask(ask.if_match(seen.etag)).await
    };
    if let Err(failure) = deleted.await {
        output::note(format!("The probe's token {sid} is still there: {failure}. Delete it."));
    }
}
