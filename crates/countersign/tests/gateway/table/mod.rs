//! The requests of the suite: what is sent, and what it means. What comes of it is not written here: the library decides
//! about what a request means, and every gateway has to come to the same.

mod addresses;
mod credentials;
pub use credentials::PARAMETERS;
pub mod identity;
mod places;
mod targets;

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::countersign::{Account, Countersign, Token};

/// The tokens of the table.
pub struct People {
    /// May list actions, nothing else.
    pub reader: Token,
    /// May create and delete deals.
    pub writer: Token,
    /// May list actions, from 127.0.0.1 only.
    pub here: Token,
    /// May list actions, from 203.0.113.0/24 only.
    pub elsewhere: Token,
    /// Was disabled.
    pub disabled: Token,
    /// Of an account of another kind.
    pub partner: Token,
}

/// A request and its meaning.
#[derive(Clone)]
pub struct Case {
    /// What it is about.
    pub about: String,
    pub method: String,
    pub target: String,
    /// `HTTP/1.1`.
    pub version: &'static str,
    /// Header lines as they are sent, without their ends.
    pub lines: Vec<String>,
    pub body: String,
    /// Where the client is: one of this machine's own addresses.
    pub from: Ipv4Addr,
    pub means: Meaning,
}

/// What a request means.
#[derive(Clone)]
pub enum Meaning {
    /// This question, and the back end gets this method and this target.
    Asks(Value),
    /// This question; but a gateway may also refuse it for its form, with some 4xx.
    AsksOrRefused(Value),
    /// It can be read in two ways or in none: some 4xx, or a connection that is closed.
    Refused,
}

impl People {
    /// Makes them, in accounts of their own.
    pub async fn make(countersign: &Countersign, name: &str) -> Self {
        let brand = countersign.account_named("brand", &format!("brand-{name}")).await;
        let media = countersign.account_named("partner", &format!("partner-{name}")).await;
        let at = async |name: &str, addresses: Value| {
            let fields = json!({ "name": name, "scopes": ["brand.actions.list"], "addresses": addresses });
            countersign.token_with(&brand, fields).await
        };
        let token = async |account: &Account, name: &str, scopes: &[&str]| {
            countersign.token(account, name, scopes).await
        };
        let disabled = token(&brand, "Disabled", &["brand.actions.list"]).await;
        countersign.operator(&format!("POST {}/disable", disabled.path), &json!({})).await;
        Self {
            reader: token(&brand, "Reader", &["brand.actions.list"]).await,
            writer: token(&brand, "Writer", &["brand.deals.create", "brand.deals.delete"]).await,
            here: at("Here", json!(["127.0.0.1"])).await,
            elsewhere: at("Elsewhere", json!(["203.0.113.0/24"])).await,
            disabled,
            partner: token(&media, "Partner", &[]).await,
        }
    }

    /// What the reader may do.
    pub fn allowed(&self) -> String {
        format!("/Advertisers/{}/Actions", self.reader.sid)
    }

    /// What the reader may not do.
    pub fn denied(&self) -> String {
        format!("/Advertisers/{}/Ads", self.reader.sid)
    }

    /// Every secret there is.
    pub fn secrets(&self) -> [&str; 6] {
        [&self.reader, &self.writer, &self.here, &self.elsewhere, &self.disabled, &self.partner]
            .map(|token| token.secret.as_str())
    }
}

impl Case {
    /// A request as honest programs send it, which means what it says.
    pub fn new(about: &str, line: &str, authorization: Option<&str>) -> Self {
        let (method, target) = line.split_once(' ').unwrap();
        let mut case = Self {
            about: about.to_owned(),
            method: method.to_owned(),
            target: target.to_owned(),
            version: "HTTP/1.1",
            lines: Vec::new(),
            body: String::new(),
            from: Ipv4Addr::LOCALHOST,
            means: Meaning::Refused,
        };
        case.lines.extend(authorization.map(|value| format!("Authorization: {value}")));
        case.means = Meaning::Asks(case.asks(authorization));
        case
    }

    /// The question it is, with this credential.
    fn asks(&self, authorization: Option<&str>) -> Value {
        let mut ask = json!({ "method": self.method, "uri": self.target, "client_address": self.from });
        if let Some(authorization) = authorization {
            ask["authorization"] = authorization.trim().into();
        }
        ask
    }

    /// The same with a header line more that changes nothing.
    pub fn with(mut self, line: &str) -> Self {
        self.about = format!("{} {line:?}", self.about);
        self.lines.push(line.to_owned());
        self
    }

    /// The same, where a gateway may refuse the form.
    pub fn or_refused(mut self) -> Self {
        if let Meaning::Asks(ask) = self.means {
            self.means = Meaning::AsksOrRefused(ask);
        }
        self
    }

    /// The same, refused whatever it would mean.
    pub fn refused(mut self) -> Self {
        self.means = Meaning::Refused;
        self
    }

    /// The same from another place, which matters to none of the tokens it is used with: failing credentials are
    /// counted by address.
    pub fn at_place(mut self, index: usize) -> Self {
        let [_, _, third, fourth] = u32::try_from(index + 1).unwrap().to_be_bytes();
        self.from = Ipv4Addr::new(127, 20, third, fourth);
        if let Meaning::Asks(ask) | Meaning::AsksOrRefused(ask) = &mut self.means {
            ask["client_address"] = self.from.to_string().into();
        }
        self
    }

    /// Its bytes; the connection ends with the answer.
    pub fn bytes(&self) -> Vec<u8> {
        let end = if self.lines.is_empty() { "" } else { "\r\n" };
        let lines = self.lines.join("\r\n");
        let (method, target, version) = (&self.method, &self.target, self.version);
        format!(
            "{method} {target} {version}\r\nHost: api.example\r\n{lines}{end}Connection: close\r\n\r\n{}",
            self.body
        )
        .into_bytes()
    }
}

/// All of them.
pub fn table(people: &People) -> Vec<Case> {
    let mut table = credentials::cases(people);
    table.extend(targets::cases(people));
    table.extend(addresses::cases(people));
    table.extend(places::cases(people));
    table.extend(identity::cases(people));
    table
}
