//! Sessions of people in the console, and the devices they signed in from before.

use countersign_model::{
    digest::Digest,
    id::{SessionId, UserId},
    time::Timestamp,
};

use crate::{
    Conflict, Error, Store,
    db::Query,
    evidence::{
        proof::{Proof, asked},
        tables::SESSIONS,
    },
    limits::SESSIONS_LISTED_MAX,
    value::Row,
    write::Write,
};

pub(crate) const BY_TAG: &str = "select * from sessions where tag = $1";
pub(crate) const OF_USER: &str =
    "select * from sessions where user_id = $1 order by created_at desc, id desc limit $2";
pub(crate) const DEVICE: &str = "select user_id from devices where user_id = $1 and tag = $2";
pub(crate) const INSERT: &str = "
insert into sessions (id, tag, user_id, user_generation, created_at, seen_at, expires_at, password_at, client_address,
  user_agent)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
pub(crate) const END: &str = "delete from sessions where id = $1 and user_id = $2";
pub(crate) const END_OTHERS: &str = "delete from sessions where user_id = $1 and id <> $2";
pub(crate) const RENEW: &str = "update sessions set tag = $2, password_at = $3 where id = $1";
pub(crate) const REMEMBER_DEVICE: &str = "
insert into devices (user_id, tag, seen_at) values ($1, $2, $3)
on conflict (user_id, tag) do update set seen_at = excluded.seen_at";

/// A row that grants something is held to its MAC when it is read.
const PROVES: &[Proof] = &[Proof::of(&SESSIONS)];

/// A session as kept.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its id, to list and end it by; not the cookie.
    pub id: SessionId,
    /// Keyed tag of the cookie.
    pub tag: Digest,
    /// Whose.
    pub user: UserId,
    /// The person's generation when it began.
    pub user_generation: u32,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub seen_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// When the password was last entered in it.
    pub password_at: Timestamp,
    /// From where it began.
    pub client_address: String,
    /// The browser, as it named itself, at most 200 bytes.
    pub user_agent: String,
}

/// A device a person signed in from before.
#[derive(Debug, Clone)]
pub struct Device {
    /// Keyed tag of its cookie.
    pub tag: Digest,
    /// Whose.
    pub user: UserId,
    /// When it last signed in.
    pub seen_at: Timestamp,
}

impl Session {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.parsed("id")?,
            tag: row.digest("tag")?,
            user: row.parsed("user_id")?,
            user_generation: row.number("user_generation")?,
            created_at: row.moment("created_at")?,
            seen_at: row.moment("seen_at")?,
            expires_at: row.moment("expires_at")?,
            password_at: row.moment("password_at")?,
            client_address: row.text("client_address")?.to_owned(),
            user_agent: row.text("user_agent")?.to_owned(),
        })
    }
}

impl Store {
    /// The session with this tag, whatever its age.
    pub async fn session(&self, tag: Digest) -> Result<Option<Session>, Error> {
        let query = Query::new(BY_TAG, vec![tag.into()]).proving(PROVES);
        let found = self.db().row(query, Session::read).await?;
        asked(found, |session| session.tag == tag)
    }

    /// The sessions of a person, newest first; at most 100.
    pub async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, Error> {
        self.db()
            .rows(Query::new(OF_USER, vec![user.into(), SESSIONS_LISTED_MAX.into()]), Session::read)
            .await
    }

    /// Whether this device signed in as this person before.
    pub async fn knows_device(&self, user: UserId, tag: Digest) -> Result<bool, Error> {
        let found = self.db().row(Query::new(DEVICE, vec![user.into(), tag.into()]), |_| Ok(())).await?;
        Ok(found.is_some())
    }
}

impl Write {
    /// Adds a session. Conflict: `Stale` where there is no such person.
    #[must_use]
    pub fn insert_session(self, session: &Session) -> Self {
        let values = vec![
            session.id.into(),
            session.tag.into(),
            session.user.into(),
            session.user_generation.into(),
            session.created_at.into(),
            session.seen_at.into(),
            session.expires_at.into(),
            session.password_at.into(),
            session.client_address.as_str().into(),
            session.user_agent.as_str().into(),
        ];
        self.giving().even_on_a_full_disk().then(INSERT, values)
    }

    /// Ends a session of a person. Conflict: `Stale` where there is none.
    #[must_use]
    pub fn end_session(self, id: SessionId, user: UserId) -> Self {
        self.expecting(END, vec![id.into(), user.into()], Conflict::Stale)
    }

    /// Ends all sessions of a person but this one.
    #[must_use]
    pub fn end_other_sessions(self, user: UserId, keep: Option<SessionId>) -> Self {
        let keep = keep.map_or_else(String::new, |id| id.to_string());
        self.then(END_OTHERS, vec![user.into(), keep.into()])
    }

    /// The password was entered again: new tag, new moment. Conflict: `Stale` where the session ended.
    #[must_use]
    pub fn renew_session(self, id: SessionId, tag: Digest, password_at: Timestamp) -> Self {
        self.giving().expecting(RENEW, vec![id.into(), tag.into(), password_at.into()], Conflict::Stale)
    }

    /// Remembers a device.
    #[must_use]
    pub fn remember_device(self, device: &Device) -> Self {
        self.giving()
            .then(REMEMBER_DEVICE, vec![device.user.into(), device.tag.into(), device.seen_at.into()])
    }
}
