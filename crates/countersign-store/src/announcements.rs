//! Announcements: development updates an operator writes, for accounts of some kinds and tokens of some versions. Whom one
//! reaches is found by one statement, in the order of addresses, each address once; so a preview, the sending and its
//! continuation after an interruption all mean the same people.

mod recipients;

use countersign_model::{api_version::ApiVersion, id::AnnouncementId, time::Timestamp};

pub use recipients::{Audience as AnnouncementAudience, Recipient, Standing as RecipientStanding};

use crate::{
    Conflict, Delivery, Error, Page, PageAsk, Store,
    db::Query,
    page::{by_time, paged},
    value::{Row, Value, to_json},
    write::Write,
};

pub(crate) const LIST: &str = "
select * from announcements where (created_at, id) < ($1, $2) order by created_at desc, id desc limit $3";
pub(crate) const BY_ID: &str = "select * from announcements where id = $1";
pub(crate) const BEING_SENT: &str = "select * from announcements where state = 'sending' order by id limit 1";
pub(crate) const INSERT: &str = "
insert into announcements (id, subject, body, subject_zh, body_zh, link, kinds, versions, state, place, posted, edit,
  created_at, created_by, sent_at, finished_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'draft', '', 0, 1, $9, $10, null, null)";
pub(crate) const UPDATE: &str = "
update announcements set subject = $3, body = $4, subject_zh = $5, body_zh = $6, link = $7, kinds = $8, versions = $9,
  edit = edit + 1
where id = $1 and edit = $2 and state = 'draft'";
pub(crate) const DELETE: &str = "delete from announcements where id = $1 and edit = $2 and state = 'draft'";
pub(crate) const BEGIN: &str = "
update announcements set state = 'sending', sent_at = $3, edit = edit + 1
where id = $1 and edit = $2 and state = 'draft'";
pub(crate) const ADVANCE: &str = "
update announcements set place = $3, posted = posted + $4
where id = $1 and place = $2 and state = 'sending'";
pub(crate) const FINISH: &str = "
update announcements set state = 'sent', finished_at = $3, edit = edit + 1
where id = $1 and place = $2 and state = 'sending'";
/// Its notices, one for each recipient, carry keys that begin with it; `0` is the character behind `/`.
pub(crate) const DELIVERIES: &str = "
select d.* from notices n join deliveries d on d.notice_id = n.id
where n.once >= $1 and n.once < $2 and d.target > $3
order by d.target limit $4";
pub(crate) const DELIVERY_STATES: &str = "
select d.state as state, count(*) as deliveries from notices n join deliveries d on d.notice_id = n.id
where n.once >= $1 and n.once < $2 group by d.state order by d.state";

const STATES: [(&str, AnnouncementState); 3] = [
    ("draft", AnnouncementState::Draft),
    ("sending", AnnouncementState::Sending),
    ("sent", AnnouncementState::Sent),
];

/// How far an announcement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnnouncementState {
    /// It can be changed; nobody has it.
    Draft,
    /// It is being handed to the outbox.
    Sending,
    /// The outbox has it for everybody.
    Sent,
}

/// An announcement as kept.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// Its id.
    pub id: AnnouncementId,
    /// The subject in English.
    pub subject: String,
    /// The text in English, plain.
    pub body: String,
    /// The subject in Chinese; empty: the English one.
    pub subject_zh: String,
    /// The text in Chinese; empty: the English one.
    pub body_zh: String,
    /// Where more is told.
    pub link: Option<String>,
    /// Whom it is for.
    pub audience: AnnouncementAudience,
    /// How far it is.
    pub state: AnnouncementState,
    /// The last address it was posted to, while it is being sent.
    pub place: String,
    /// To how many it was posted.
    pub posted: u64,
    /// Counts the edits of the row, from 1.
    pub edit: u64,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Who began it, in words that last.
    pub created_by: String,
    /// When somebody said: send it.
    pub sent_at: Option<Timestamp>,
    /// When the outbox had it for everybody.
    pub finished_at: Option<Timestamp>,
}

impl Announcement {
    fn read(row: &Row) -> Result<Self, Error> {
        let versions: Vec<u16> = row.json("versions")?;
        Ok(Self {
            id: row.parsed("id")?,
            subject: row.text("subject")?.to_owned(),
            body: row.text("body")?.to_owned(),
            subject_zh: row.text("subject_zh")?.to_owned(),
            body_zh: row.text("body_zh")?.to_owned(),
            link: row.optional_text("link")?.map(str::to_owned),
            audience: AnnouncementAudience {
                kinds: row.json("kinds")?,
                versions: versions.into_iter().map(ApiVersion).collect(),
            },
            state: row.word("state", &STATES)?,
            place: row.text("place")?.to_owned(),
            posted: row.number("posted")?,
            edit: row.number("edit")?,
            created_at: row.moment("created_at")?,
            created_by: row.text("created_by")?.to_owned(),
            sent_at: row.optional_moment("sent_at")?,
            finished_at: row.optional_moment("finished_at")?,
        })
    }

    /// What can be changed, in the order of the columns.
    fn values(&self) -> [Value; 7] {
        let versions: Vec<u16> = self.audience.versions.iter().map(|version| version.0).collect();
        [
            self.subject.as_str().into(),
            self.body.as_str().into(),
            self.subject_zh.as_str().into(),
            self.body_zh.as_str().into(),
            self.link.clone().into(),
            to_json(&self.audience.kinds).into(),
            to_json(&versions).into(),
        ]
    }

    /// The key under which it is posted to an address, at most once ever.
    pub fn once(&self, email_key: &str) -> String {
        format!("{}{email_key}", keys(self.id)[0])
    }
}

/// Where the keys of its notices begin, and where they end.
fn keys(id: AnnouncementId) -> [String; 2] {
    [format!("announcement/{id}/"), format!("announcement/{id}0")]
}

impl Store {
    /// Announcements, newest first.
    pub async fn announcements(&self, page: &PageAsk) -> Result<Page<Announcement>, Error> {
        let Some((created_at, id)) = by_time(page) else { return Ok(Page::empty()) };
        let query = Query::new(LIST, vec![created_at.into(), id.into(), page.rows_asked()]);
        let rows = self.db().rows(query, Announcement::read).await?;
        Ok(paged(rows, page, |one| format!("{}/{}", one.id, one.created_at.unix_millis())))
    }

    /// One of them.
    pub async fn announcement(&self, id: AnnouncementId) -> Result<Option<Announcement>, Error> {
        self.db().row(Query::new(BY_ID, vec![id.into()]), Announcement::read).await
    }

    /// One that is being sent, if there is one.
    pub async fn announcement_being_sent(&self) -> Result<Option<Announcement>, Error> {
        self.db().row(Query::new(BEING_SENT, Vec::new()), Announcement::read).await
    }

    /// What became of an announcement at each address, in their order.
    pub async fn announcement_deliveries(
        &self,
        id: AnnouncementId,
        page: &PageAsk,
    ) -> Result<Page<Delivery>, Error> {
        let [from, to] = keys(id);
        let after = page.after.clone().unwrap_or_default();
        let query = Query::new(DELIVERIES, vec![from.into(), to.into(), after.into(), page.rows_asked()]);
        let rows = self.db().rows(query, Delivery::read).await?;
        Ok(paged(rows, page, |delivery| delivery.target.clone()))
    }

    /// How many deliveries of an announcement are in each state.
    pub async fn announcement_delivery_states(
        &self,
        id: AnnouncementId,
    ) -> Result<Vec<(String, u64)>, Error> {
        let query = Query::new(DELIVERY_STATES, Vec::from(keys(id).map(Value::from)));
        self.db().rows(query, |row| Ok((row.text("state")?.to_owned(), row.number("deliveries")?))).await
    }
}

impl Write {
    /// Adds a draft.
    #[must_use]
    pub fn insert_announcement(self, draft: &Announcement) -> Self {
        let mut values = vec![draft.id.into()];
        values.extend(draft.values());
        values.extend([draft.created_at.into(), draft.created_by.as_str().into()]);
        self.giving().then(INSERT, values)
    }

    /// Writes a draft whose edit number was `draft.edit`. Conflict: `Stale`, also where it is no draft any more.
    #[must_use]
    pub fn update_announcement(self, draft: &Announcement) -> Self {
        let mut values = vec![draft.id.into(), draft.edit.into()];
        values.extend(draft.values());
        self.giving().expecting(UPDATE, values, Conflict::Stale)
    }

    /// Removes a draft. Conflict: `Stale`, also where it is no draft any more.
    #[must_use]
    pub fn delete_announcement(self, draft: &Announcement) -> Self {
        self.giving().expecting(DELETE, vec![draft.id.into(), draft.edit.into()], Conflict::Stale)
    }

    /// Has a draft sent as it was seen. Conflict: `Stale`.
    #[must_use]
    pub fn begin_announcement(self, draft: &Announcement) -> Self {
        let at = self.audit.at;
        self.giving().expecting(BEGIN, vec![draft.id.into(), draft.edit.into(), at.into()], Conflict::Stale)
    }

    /// Notes that it was posted to so many more, up to this address. Conflict: `Stale` where somebody else was there.
    #[must_use]
    pub fn advance_announcement(self, sending: &Announcement, place: &str, more: u64) -> Self {
        let values = vec![sending.id.into(), sending.place.as_str().into(), place.into(), more.into()];
        self.giving().expecting(ADVANCE, values, Conflict::Stale)
    }

    /// Notes that it was posted to everybody. Conflict: `Stale`.
    #[must_use]
    pub fn finish_announcement(self, sending: &Announcement) -> Self {
        let at = self.audit.at;
        let values = vec![sending.id.into(), sending.place.as_str().into(), at.into()];
        self.giving().expecting(FINISH, values, Conflict::Stale)
    }
}
