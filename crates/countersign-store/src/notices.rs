//! Notices: what somebody is told of, written with the change it tells of. Who hears it is found inside the same
//! transaction, so that nobody is told of what did not happen, and nothing happens of which nobody is told. A notice
//! holds no secret and no one-time code; how it travels is in `deliveries.rs`.

use countersign_model::{
    event::Event,
    id::{AccountId, DeliveryId, Id, NoticeId, TokenId, UserId, WebhookId},
    name::EmailAddress,
    time::Timestamp,
};
use serde_json::Value as Json;

use crate::{
    Error, Store, Token,
    db::Query,
    limits::DELIVERY_TRIES_MAX,
    value::{Value, to_json},
    write::Write,
};

pub(crate) const INSERT: &str = "
insert into notices (id, at, account_id, event, token_id, label, facts, once)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing";
pub(crate) const IS_POSTED: &str = "select 1 as posted from notices where once = $1";
/// Members who can read it: one person, all of one role, or every primary contact.
pub(crate) const TO_MEMBERS: &str = "
insert into deliveries (notice_id, ordinal, account_id, token_id, event, channel, kind, target, address, user_id,
  language, state, tries, tries_max, next_at, created_at)
select n.id,
  (select coalesce(max(o.ordinal), 0) from deliveries o where o.notice_id = n.id) + row_number() over (order by p.id),
  m.account_id, n.token_id, n.event, 'mail', 'contact', p.email_key, p.email, p.id,
  p.language, 'waiting', 0, $7, n.at, n.at
from notices n
join members m on m.account_id = $1
join people p on p.id = m.user_id and p.active = 1
where n.id = $2
  and (m.user_id = cast($3 as text) or m.role = cast($4 as text)
    or (cast($5 as bigint) = 1 and exists
      (select 1 from tokens t where t.account_id = m.account_id and t.primary_contact = m.user_id)))
  and (cast($6 as bigint) = 1 or not exists (select 1 from unsubscribed u where u.email_key = p.email_key))
on conflict (notice_id, channel, target) do nothing";
/// A developer address: a member's own, or one that confirmed itself, hears at once; any other is held.
pub(crate) const TO_DEVELOPER: &str = "
insert into deliveries (notice_id, ordinal, account_id, token_id, event, channel, kind, target, address, user_id,
  language, state, tries, tries_max, next_at, created_at)
select n.id,
  (select coalesce(max(o.ordinal), 0) from deliveries o where o.notice_id = n.id) + 1,
  $1, n.token_id, n.event, 'mail', 'developer', $3, $4, p.id,
  coalesce(p.language, a.language, c.language, 'en'),
  case when p.id is not null or a.state = 'confirmed' then 'waiting' else 'held' end, 0, $7, n.at, n.at
from notices n
left join people p on p.email_key = $3 and p.active = 1
  and exists (select 1 from members m where m.account_id = $1 and m.user_id = p.id)
left join addresses a on a.account_id = $1 and a.email_key = $3
left join people c on c.id = cast($5 as text)
where n.id = $2
  and (cast($6 as bigint) = 1 or not exists (select 1 from unsubscribed u where u.email_key = $3))
on conflict (notice_id, channel, target) do nothing";
/// A person, whatever accounts they belong to.
pub(crate) const TO_PERSON: &str = "
insert into deliveries (notice_id, ordinal, account_id, token_id, event, channel, kind, target, address, user_id,
  language, state, tries, tries_max, next_at, created_at)
select n.id,
  (select coalesce(max(o.ordinal), 0) from deliveries o where o.notice_id = n.id) + 1,
  n.account_id, n.token_id, n.event, 'mail', 'person', p.email_key, p.email, p.id,
  p.language, 'waiting', 0, $4, n.at, n.at
from notices n join people p on p.id = $2 and p.active = 1
where n.id = $1
  and (cast($3 as bigint) = 1 or not exists (select 1 from unsubscribed u where u.email_key = p.email_key))
on conflict (notice_id, channel, target) do nothing";
/// An address as it is, confirmed or not; somebody we know hears it in their language.
pub(crate) const TO_ADDRESS: &str = "
insert into deliveries (notice_id, ordinal, account_id, token_id, event, channel, kind, target, address, user_id,
  language, state, tries, tries_max, next_at, created_at)
select n.id,
  (select coalesce(max(o.ordinal), 0) from deliveries o where o.notice_id = n.id) + 1,
  n.account_id, n.token_id, n.event, 'mail', 'address', $2, $3, p.id,
  coalesce(p.language, $4), 'waiting', 0, $6, n.at, n.at
from notices n left join people p on p.email_key = $2
where n.id = $1
  and (cast($5 as bigint) = 1 or not exists (select 1 from unsubscribed u where u.email_key = $2))
on conflict (notice_id, channel, target) do nothing";
/// Everybody who runs the platform.
pub(crate) const TO_OPERATORS: &str = "
insert into deliveries (notice_id, ordinal, account_id, token_id, event, channel, kind, target, address, user_id,
  language, state, tries, tries_max, next_at, created_at)
select n.id,
  (select coalesce(max(o.ordinal), 0) from deliveries o where o.notice_id = n.id) + row_number() over (order by p.id),
  n.account_id, n.token_id, n.event, 'mail', 'person', p.email_key, p.email, p.id,
  p.language, 'waiting', 0, $3, n.at, n.at
from notices n join people p on p.operator = 1 and p.active = 1
where n.id = $1
  and (cast($2 as bigint) = 1 or not exists (select 1 from unsubscribed u where u.email_key = p.email_key))
on conflict (notice_id, channel, target) do nothing";
/// The webhooks of an account, and those of the platform, which are nobody's in the account to see.
pub(crate) const TO_WEBHOOKS: &str = "
insert into deliveries (notice_id, ordinal, account_id, token_id, event, channel, kind, target, address, user_id,
  language, state, tries, tries_max, next_at, created_at)
select n.id,
  (select coalesce(max(o.ordinal), 0) from deliveries o where o.notice_id = n.id) + row_number() over (order by w.id),
  w.account_id, n.token_id, n.event, 'webhook', 'webhook', w.id, w.url, null,
  'en', 'waiting', 0, $3, n.at, n.at
from notices n join webhooks w on w.account_id = cast($1 as text) or w.account_id is null
where n.id = $2 and w.state = 'enabled' and (w.events = '[]' or w.events like $4)
on conflict (notice_id, channel, target) do nothing";
/// One webhook, whatever it asked to hear.
pub(crate) const TO_WEBHOOK: &str = "
insert into deliveries (notice_id, ordinal, account_id, token_id, event, channel, kind, target, address, user_id,
  language, state, tries, tries_max, next_at, created_at)
select n.id,
  (select coalesce(max(o.ordinal), 0) from deliveries o where o.notice_id = n.id) + 1,
  w.account_id, n.token_id, n.event, 'webhook', 'webhook', w.id, w.url, null,
  'en', 'waiting', 0, $3, n.at, n.at
from notices n join webhooks w on w.id = $2
where n.id = $1
on conflict (notice_id, channel, target) do nothing";

/// The bits of a notice's id that number its deliveries; in the notice's own id they are zero.
pub(crate) const ORDINAL_BITS: u128 = 0xf_ffff;

/// Something to tell.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its id, drawn at random. Its last 20 bits are not looked at: in ids of deliveries they number the recipients.
    pub id: NoticeId,
    /// When it happened.
    pub at: Timestamp,
    /// The account it concerns; `None` for the platform.
    pub account: Option<AccountId>,
    /// What happened.
    pub event: Event,
    /// The token it concerns.
    pub token: Option<TokenId>,
    /// What it concerns, in words that last: the token's name.
    pub label: String,
    /// What a letter and a webhook tell; never a secret.
    pub facts: Json,
    /// A key under which it is posted at most once ever: `expiring/tok_…/30`. Posting it again does nothing.
    pub once: Option<String>,
}

/// Who is told. The same address, and the same webhook, is told once per notice however often it is named.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// The primary contact and the developer addresses of a token as it stands here, and webhooks.
    Token(&'a Token),
    /// Every primary contact of an account, and webhooks.
    Contacts(AccountId),
    /// The members of an account with a role, and webhooks: for legacy credentials, which have no contact.
    Role(AccountId, &'a str),
    /// A person. No webhooks.
    Person(UserId),
    /// Everybody who runs the platform. No webhooks.
    Operators,
    /// An address, confirmed or not: only for what asks for a confirmation and for invitations. No webhooks.
    Address {
        /// Where to.
        email: &'a EmailAddress,
        /// In which language, where it is nobody we know.
        language: &'a str,
    },
    /// One webhook, whatever it asked to hear: for its test.
    Webhook(WebhookId),
}

/// The id of the notice with the bits of deliveries cleared.
pub(crate) fn plain(id: NoticeId) -> NoticeId {
    Id::from_u128(id.as_u128() & !ORDINAL_BITS)
}

impl Notice {
    /// The id all its deliveries begin with: what webhooks get as the message's id, the same on every try.
    pub fn message_id(&self) -> NoticeId {
        plain(self.id)
    }

    /// The notice a delivery is of.
    pub fn of_delivery(id: DeliveryId) -> NoticeId {
        Id::from_u128(id.as_u128() & !ORDINAL_BITS)
    }
}

impl Store {
    /// Whether a notice was posted under this key.
    pub async fn is_posted(&self, once: &str) -> Result<bool, Error> {
        let query = Query::new(IS_POSTED, vec![once.into()]);
        Ok(self.db().row(query, |_| Ok(())).await?.is_some())
    }
}

impl Write {
    /// Tells an audience of something, if and when this write is committed. May be called several times for one
    /// notice: it is then one notice with all these recipients. Neither delays nor hastens the write.
    #[must_use]
    pub fn post(mut self, notice: &Notice, audience: Audience<'_>) -> Self {
        self = self.posting(INSERT, row(notice));
        match audience {
            Audience::Token(token) => {
                if let Some(contact) = token.primary_contact {
                    self = self.tell_members(notice, token.account, &Members::One(contact));
                }
                for email in &token.developer_emails {
                    self = self.tell_developer(notice, token, email);
                }
                self.tell_webhooks(notice, token.account)
            }
            Audience::Contacts(account) => {
                self.tell_members(notice, account, &Members::Contacts).tell_webhooks(notice, account)
            }
            Audience::Role(account, role) => {
                self.tell_members(notice, account, &Members::Role(role)).tell_webhooks(notice, account)
            }
            Audience::Person(user) => {
                let values = vec![id(notice), user.into(), is_security(notice), DELIVERY_TRIES_MAX.into()];
                self.posting(TO_PERSON, values)
            }
            Audience::Operators => {
                self.posting(TO_OPERATORS, vec![id(notice), is_security(notice), DELIVERY_TRIES_MAX.into()])
            }
            Audience::Address { email, language } => {
                let values = vec![
                    id(notice),
                    email.key().into(),
                    email.as_str().into(),
                    language.into(),
                    is_security(notice),
                    DELIVERY_TRIES_MAX.into(),
                ];
                self.posting(TO_ADDRESS, values)
            }
            Audience::Webhook(webhook) => {
                self.posting(TO_WEBHOOK, vec![id(notice), webhook.into(), DELIVERY_TRIES_MAX.into()])
            }
        }
    }

    fn tell_members(self, notice: &Notice, account: AccountId, members: &Members<'_>) -> Self {
        let (person, role, contacts) = match *members {
            Members::One(person) => (Some(person), None, false),
            Members::Role(role) => (None, Some(role), false),
            Members::Contacts => (None, None, true),
        };
        let values = vec![
            account.into(),
            id(notice),
            person.into(),
            role.into(),
            contacts.into(),
            is_security(notice),
            DELIVERY_TRIES_MAX.into(),
        ];
        self.posting(TO_MEMBERS, values)
    }

    fn tell_developer(self, notice: &Notice, token: &Token, email: &EmailAddress) -> Self {
        let values = vec![
            token.account.into(),
            id(notice),
            email.key().into(),
            email.as_str().into(),
            token.primary_contact.into(),
            is_security(notice),
            DELIVERY_TRIES_MAX.into(),
        ];
        self.posting(TO_DEVELOPER, values)
    }

    fn tell_webhooks(self, notice: &Notice, account: AccountId) -> Self {
        // Lists of events are kept as JSON texts of codes, which hold nothing that `like` interprets.
        let wanted = format!("%\"{}\"%", notice.event.code());
        let values = vec![account.into(), id(notice), DELIVERY_TRIES_MAX.into(), wanted.into()];
        self.posting(TO_WEBHOOKS, values)
    }
}

/// Which members of an account.
enum Members<'a> {
    One(UserId),
    Role(&'a str),
    Contacts,
}

fn id(notice: &Notice) -> Value {
    plain(notice.id).into()
}

fn is_security(notice: &Notice) -> Value {
    notice.event.is_security().into()
}

fn row(notice: &Notice) -> Vec<Value> {
    vec![
        plain(notice.id).into(),
        notice.at.into(),
        notice.account.into(),
        notice.event.code().into(),
        notice.token.into(),
        notice.label.as_str().into(),
        to_json(&notice.facts).into(),
        notice.once.clone().into(),
    ]
}
