//! Notices on their way: one row per notice, channel and target. A worker claims what is due, says what came of it, and
//! a claim it does not settle is void after its time: so a delivery is made at least once whatever ends the worker. The
//! tries are housekeeping without an audit entry; what a person does with a delivery is audited.

pub(crate) mod work;

use countersign_model::{
    event::Event,
    id::{AccountId, DeliveryId, Id, NoticeId, TokenId, UserId},
    time::Timestamp,
};

pub use self::work::{Claim, Due, Settled, Standing};
use crate::{
    Conflict, Error, Notice, Page, PageAsk, Store, Within,
    db::Query,
    limits::{ATTEMPTS_KEPT, DELIVERY_TRIES_MAX},
    notices::{ORDINAL_BITS, plain},
    page::{by_time, paged},
    value::{Row, Value},
    write::Write,
};

pub(crate) const LIST: &str = "
select * from deliveries
where account_id = $1 and (created_at, notice_id, ordinal) < ($2, $3, $4)
  and (cast($5 as text) is null or state = $5)
  and (cast($6 as text) is null or channel = $6)
  and (cast($7 as text) is null or event = $7)
  and (cast($8 as text) is null or token_id = $8)
  and (cast($9 as text) is null or target = $9)
order by created_at desc, notice_id desc, ordinal desc limit $10";
pub(crate) const LIST_ALL: &str = "
select * from deliveries
where (created_at, notice_id, ordinal) < ($1, $2, $3)
  and (cast($4 as text) is null or state = $4)
  and (cast($5 as text) is null or channel = $5)
  and (cast($6 as text) is null or event = $6)
  and (cast($7 as text) is null or token_id = $7)
  and (cast($8 as text) is null or target = $8)
order by created_at desc, notice_id desc, ordinal desc limit $9";
pub(crate) const ONE: &str =
    "select * from deliveries where account_id = $1 and notice_id = $2 and ordinal = $3";
pub(crate) const ONE_OF_ALL: &str = "select * from deliveries where notice_id = $1 and ordinal = $2";
pub(crate) const ATTEMPTS: &str =
    "select * from attempts where notice_id = $1 and ordinal = $2 order by number desc limit $3";
/// What is dead gets as many tries as a new one; what waits is due at once.
pub(crate) const RETRY: &str = "
update deliveries set state = 'waiting', next_at = $4, tries_max = tries + $5, settled_at = null
where account_id = $1 and notice_id = $2 and ordinal = $3 and state in ('waiting', 'dead')";
pub(crate) const RETRY_OF_ALL: &str = "
update deliveries set state = 'waiting', next_at = $3, tries_max = tries + $4, settled_at = null
where notice_id = $1 and ordinal = $2 and state in ('waiting', 'dead')";

const STATES: [(&str, DeliveryState); 4] = [
    ("waiting", DeliveryState::Waiting),
    ("held", DeliveryState::Held),
    ("sent", DeliveryState::Sent),
    ("dead", DeliveryState::Dead),
];
const CHANNELS: [(&str, Channel); 2] = [("mail", Channel::Mail), ("webhook", Channel::Webhook)];
const KINDS: [(&str, RecipientKind); 5] = [
    ("contact", RecipientKind::Contact),
    ("developer", RecipientKind::Developer),
    ("person", RecipientKind::Person),
    ("address", RecipientKind::Address),
    ("webhook", RecipientKind::Webhook),
];

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// It is tried at `next_at`.
    Waiting,
    /// Its address has not confirmed itself.
    Held,
    /// They have it.
    Sent,
    /// It was given up: refused for good, or tried too often.
    Dead,
}

/// How it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// By e-mail.
    Mail,
    /// By a signed HTTP request.
    Webhook,
}

/// As what somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecipientKind {
    /// A member: the primary contact, or somebody with a role.
    Contact,
    /// A developer address of a token.
    Developer,
    /// A person, as themselves.
    Person,
    /// An address, as such.
    Address,
    /// A machine.
    Webhook,
}

/// A delivery as kept.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The notice it delivers.
    pub notice: NoticeId,
    /// The account whose list it is in; `None` for the platform's.
    pub account: Option<AccountId>,
    /// The token it is about.
    pub token: Option<TokenId>,
    /// What it tells.
    pub event: Event,
    /// How it travels.
    pub channel: Channel,
    /// As what they are told.
    pub kind: RecipientKind,
    /// The folded address, or the id of the webhook.
    pub target: String,
    /// The address as typed, or the URL of the webhook at that time.
    pub address: String,
    /// The person, where it is one we know.
    pub person: Option<UserId>,
    /// `en` or `zh-CN`.
    pub language: String,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was tried, begun tries included.
    pub tries: u32,
    /// With how many tries it is given up.
    pub tries_max: u32,
    /// When it is tried next, while it waits.
    pub next_at: Timestamp,
    /// What the last try was answered: an HTTP status or an SMTP reply code.
    pub code: Option<u16>,
    /// Why the last try did not succeed.
    pub reason: Option<String>,
    /// When the notice was posted.
    pub created_at: Timestamp,
    /// When it was sent or given up.
    pub settled_at: Option<Timestamp>,
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// What was answered.
    pub code: Option<u16>,
    /// Why it did not succeed; `None` where it did.
    pub reason: Option<String>,
    /// How long it took, in milliseconds.
    pub millis: u32,
}

/// Which deliveries are asked for. Newest first.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFilter {
    /// In this state.
    pub state: Option<DeliveryState>,
    /// On this channel.
    pub channel: Option<Channel>,
    /// Of this event.
    pub event: Option<Event>,
    /// About this token.
    pub token: Option<TokenId>,
    /// To this folded address, or webhook's id.
    pub target: Option<String>,
}

impl DeliveryState {
    /// `waiting`, `held`, `sent` or `dead`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Sent => "sent",
            Self::Dead => "dead",
        }
    }
}

impl Channel {
    /// `mail` or `webhook`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }
}

impl RecipientKind {
    /// `contact`, `developer`, `person`, `address` or `webhook`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Developer => "developer",
            Self::Person => "person",
            Self::Address => "address",
            Self::Webhook => "webhook",
        }
    }
}

impl Delivery {
    pub(crate) fn read(row: &Row) -> Result<Self, Error> {
        let notice: NoticeId = row.parsed("notice_id")?;
        let ordinal: u32 = row.number("ordinal")?;
        Ok(Self {
            id: Id::from_u128(plain(notice).as_u128() | u128::from(ordinal)),
            notice,
            account: row.optional_parsed("account_id")?,
            token: row.optional_parsed("token_id")?,
            event: row.read("event", |code| Event::parse(code).ok_or(()))?,
            channel: row.word("channel", &CHANNELS)?,
            kind: row.word("kind", &KINDS)?,
            target: row.text("target")?.to_owned(),
            address: row.text("address")?.to_owned(),
            person: row.optional_parsed("user_id")?,
            language: row.text("language")?.to_owned(),
            state: row.word("state", &STATES)?,
            tries: row.number("tries")?,
            tries_max: row.number("tries_max")?,
            next_at: row.moment("next_at")?,
            code: code(row)?,
            reason: row.optional_text("reason")?.map(str::to_owned),
            created_at: row.moment("created_at")?,
            settled_at: row.optional_moment("settled_at")?,
        })
    }
}

impl Attempt {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            number: row.number("number")?,
            at: row.moment("at")?,
            code: code(row)?,
            reason: row.optional_text("reason")?.map(str::to_owned),
            millis: row.number("millis")?,
        })
    }
}

fn code(row: &Row) -> Result<Option<u16>, Error> {
    let code = row.optional_integer("code")?.map(u16::try_from).transpose();
    code.map_err(|_| Error::Corrupt("a delivery has a code that is none".to_owned()))
}

/// Notice and ordinal: the key of a delivery.
pub(crate) fn key(id: DeliveryId) -> [Value; 2] {
    let ordinal = u32::try_from(id.as_u128() & ORDINAL_BITS).unwrap_or_default();
    [Notice::of_delivery(id).into(), ordinal.into()]
}

impl DeliveryFilter {
    fn values(&self) -> [Value; 5] {
        [
            self.state.map(DeliveryState::as_str).into(),
            self.channel.map(Channel::as_str).into(),
            self.event.map(Event::code).into(),
            self.token.into(),
            self.target.clone().into(),
        ]
    }
}

/// Where a page starts. `None` for a place no page ever gave.
fn place(page: &PageAsk) -> Option<[Value; 3]> {
    let (created_at, id) = by_time(page)?;
    if id.is_empty() {
        return Some([created_at.into(), "".into(), 0_u32.into()]);
    }
    let [notice, ordinal] = key(id.parse().ok()?);
    Some([created_at.into(), notice, ordinal])
}

fn page_of(rows: Vec<Delivery>, page: &PageAsk) -> Page<Delivery> {
    paged(rows, page, |delivery| format!("{}/{}", delivery.id, delivery.created_at.unix_millis()))
}

impl Within<'_> {
    /// Deliveries of this account, newest first.
    pub async fn deliveries(&self, filter: &DeliveryFilter, page: &PageAsk) -> Result<Page<Delivery>, Error> {
        let Some(place) = place(page) else { return Ok(Page::empty()) };
        let mut values = vec![self.account.into()];
        values.extend(place);
        values.extend(filter.values());
        values.push(page.rows_asked());
        let rows = self.store.db().rows(Query::new(LIST, values), Delivery::read).await?;
        Ok(page_of(rows, page))
    }

    /// A delivery of this account.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, Error> {
        let [notice, ordinal] = key(id);
        let query = Query::new(ONE, vec![self.account.into(), notice, ordinal]);
        self.store.db().row(query, Delivery::read).await
    }
}

impl Store {
    /// Deliveries of the platform, newest first.
    pub async fn deliveries(&self, filter: &DeliveryFilter, page: &PageAsk) -> Result<Page<Delivery>, Error> {
        let Some(place) = place(page) else { return Ok(Page::empty()) };
        let mut values = Vec::from(place);
        values.extend(filter.values());
        values.push(page.rows_asked());
        let rows = self.db().rows(Query::new(LIST_ALL, values), Delivery::read).await?;
        Ok(page_of(rows, page))
    }

    /// A delivery.
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, Error> {
        self.db().row(Query::new(ONE_OF_ALL, Vec::from(key(id))), Delivery::read).await
    }

    /// The tries of a delivery the caller may see, newest first; the last 50 are kept.
    pub async fn attempts(&self, delivery: &Delivery) -> Result<Vec<Attempt>, Error> {
        let [notice, ordinal] = key(delivery.id);
        let query = Query::new(ATTEMPTS, vec![notice, ordinal, ATTEMPTS_KEPT.into()]);
        self.db().rows(query, Attempt::read).await
    }
}

impl Write {
    /// Has a delivery tried at once, and a dead one as often as a new one. `account`: whose it must be; `None` for
    /// operators. Conflict: `Stale` where it is not there, is sent, or is held.
    #[must_use]
    pub fn retry_delivery(self, id: DeliveryId, account: Option<AccountId>) -> Self {
        let at = self.audit.at;
        let [notice, ordinal] = key(id);
        let write = self.noting_posts();
        let (sql, values) = if let Some(account) = account {
            (RETRY, vec![account.into(), notice, ordinal, at.into(), DELIVERY_TRIES_MAX.into()])
        } else {
            (RETRY_OF_ALL, vec![notice, ordinal, at.into(), DELIVERY_TRIES_MAX.into()])
        };
        write.expecting(sql, values, Conflict::Stale).giving()
    }
}
