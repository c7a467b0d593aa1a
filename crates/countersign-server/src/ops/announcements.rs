//! Announcements: what an operator tells the developers of a kind of account, or of those that use a version. One is
//! written, looked at with everybody it will reach, and sent; from then on it is what was sent. The sending is a job that
//! goes on where it stopped: an address that has it is never handed it again.

use std::collections::BTreeSet;

use countersign_model::{
    announcement::{Body, Subject},
    api_version::ApiVersion,
    catalog::AccountKind,
    event::Event,
    id::AnnouncementId,
};
use countersign_store::{
    Announcement, AnnouncementAudience, AnnouncementState, Audience, AuditDraft, Delivery, Notice, Page,
    PageAsk, Recipient, RecipientStanding, Write,
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    limits::{ANNOUNCEMENT_BATCH_MAX, ANNOUNCEMENT_LINK_BYTES_MAX},
    rights::Operator,
};

/// What an announcement is made of, or what changes about it; absent is empty, or unchanged.
#[derive(Default)]
pub struct Draft {
    /// The subject in English.
    pub subject: Option<Subject>,
    /// The text in English.
    pub body: Option<Body>,
    /// The subject in Chinese; empty: the English one.
    pub subject_zh: Option<Subject>,
    /// The text in Chinese; empty: the English one.
    pub body_zh: Option<Body>,
    /// Where more is told.
    pub link: Option<Option<String>>,
    /// Accounts of these kinds; empty: of every kind.
    pub kinds: Option<Vec<String>>,
    /// Those with a token of these versions; empty: every account.
    pub versions: Option<Vec<u16>>,
}

/// Announcements, newest first.
pub async fn list(app: &App, _: &Operator, page: &PageAsk) -> Result<Page<Announcement>, Error> {
    Ok(app.store.announcements(page).await?)
}

/// One of them.
pub async fn find(app: &App, _: &Operator, id: AnnouncementId) -> Result<Announcement, Error> {
    app.store.announcement(id).await?.ok_or_else(Error::not_found)
}

/// Begins one.
pub async fn create(app: &App, operator: &Operator, draft: Draft) -> Result<Announcement, Error> {
    let now = app.clock.wall();
    let empty = Announcement {
        id: app.random.id(now)?,
        subject: String::new(),
        body: String::new(),
        subject_zh: String::new(),
        body_zh: String::new(),
        link: None,
        audience: AnnouncementAudience::default(),
        state: AnnouncementState::Draft,
        place: String::new(),
        posted: 0,
        edit: 1,
        created_at: now,
        created_by: operator.caller.label(),
        sent_at: None,
        finished_at: None,
    };
    let announcement = laid_over(app, empty, draft)?;
    let entry = operator.audit(app, None, deed("announcement.create", &announcement, Value::Null));
    app.commit(Write::new(entry).insert_announcement(&announcement)).await?;
    Ok(announcement)
}

/// Changes a draft that was seen with this edit number.
pub async fn edit(
    app: &App,
    operator: &Operator,
    id: AnnouncementId,
    seen: u64,
    draft: Draft,
) -> Result<Announcement, Error> {
    let before = find_draft(app, operator, id).await?;
    let after = laid_over(app, Announcement { edit: seen, ..before.clone() }, draft)?;
    let entry = operator.audit(app, None, deed("announcement.update", &after, facts(&before)));
    app.commit(Write::new(entry).update_announcement(&after)).await?;
    find(app, operator, id).await
}

/// Deletes a draft.
pub async fn delete(app: &App, operator: &Operator, id: AnnouncementId) -> Result<(), Error> {
    let draft = find_draft(app, operator, id).await?;
    let what = Deed {
        before: facts(&draft),
        after: Value::Null,
        ..deed("announcement.delete", &draft, Value::Null)
    };
    app.commit(Write::new(operator.audit(app, None, what)).delete_announcement(&draft)).await?;
    Ok(())
}

/// Whom it reaches as things are now: how many stand in which way, and a page of addresses.
pub async fn audience(
    app: &App,
    operator: &Operator,
    id: AnnouncementId,
    page: &PageAsk,
) -> Result<(Vec<(RecipientStanding, u64)>, Page<Recipient>), Error> {
    let announcement = find(app, operator, id).await?;
    let roles = administrators(app)?;
    let counts = app.store.count_recipients(&announcement.audience, &roles).await?;
    let recipients = app.store.recipients(&announcement.audience, &roles, false, page).await?;
    Ok((counts, recipients))
}

/// Has a draft sent as it was seen. It is sent in the background from now on, and can no longer be changed.
pub async fn send(
    app: &App,
    operator: &Operator,
    id: AnnouncementId,
    seen: u64,
) -> Result<Announcement, Error> {
    let draft = Announcement { edit: seen, ..find_draft(app, operator, id).await? };
    let first = PageAsk { after: None, limit: 1 };
    let hears = app.store.recipients(&draft.audience, &administrators(app)?, true, &first).await?;
    if hears.rows.is_empty() {
        let detail = "Nobody would get it; look at its audience, and change its kinds or versions.";
        return Err(Error::new(Kind::Conflict, "announcement_reaches_nobody", detail));
    }
    let entry = operator.audit(app, None, deed("announcement.send", &draft, facts(&draft)));
    app.commit(Write::new(entry).begin_announcement(&draft)).await?;
    find(app, operator, id).await
}

/// What became of it: how many deliveries are in which state, and a page of them.
pub async fn deliveries(
    app: &App,
    operator: &Operator,
    id: AnnouncementId,
    page: &PageAsk,
) -> Result<(Vec<(String, u64)>, Page<Delivery>), Error> {
    find(app, operator, id).await?;
    let states = app.store.announcement_delivery_states(id).await?;
    Ok((states, app.store.announcement_deliveries(id, page).await?))
}

/// Hands what is being sent to the outbox for its next recipients. Answers whether there is more to do at once.
pub async fn post_batch(app: &App) -> Result<bool, Error> {
    let Some(sending) = app.store.announcement_being_sent().await? else { return Ok(false) };
    let page = PageAsk { after: Some(sending.place.clone()), limit: ANNOUNCEMENT_BATCH_MAX };
    let batch = app.store.recipients(&sending.audience, &administrators(app)?, true, &page).await?;
    let write = Write::new(of_ourselves(app, &sending, batch.rows.len()));
    let mut write =
        batch.rows.iter().try_fold(write, |write, recipient| post(app, write, &sending, recipient))?;
    let mut reached = sending.clone();
    if let Some(last) = batch.rows.last() {
        reached.place = last.email.key();
        write = write.advance_announcement(&sending, &reached.place, batch.rows.len() as u64);
    }
    if batch.next.is_none() {
        write = write.finish_announcement(&reached);
    }
    match app.commit(write).await {
        Ok(_) => Ok(true),
        // Another hand was there first, and has done the same.
        Err(error) if error.kind == Kind::Stale => Ok(true),
        Err(error) => Err(error),
    }
}

fn post(app: &App, write: Write, sending: &Announcement, recipient: &Recipient) -> Result<Write, Error> {
    let now = app.clock.wall();
    let chinese = recipient.language == "zh-CN";
    let told =
        |english: &str, other: &str| if chinese && !other.is_empty() { other } else { english }.to_owned();
    let subject = told(&sending.subject, &sending.subject_zh);
    let mut facts = json!({ "title": subject, "body": told(&sending.body, &sending.body_zh) });
    if let Some(link) = &sending.link {
        facts["notes_url"] = json!(link);
    }
    let notice = Notice {
        id: app.random.id(now)?,
        at: now,
        account: None,
        event: Event::Announcement,
        token: None,
        label: subject,
        facts,
        once: Some(sending.once(&recipient.email.key())),
    };
    let audience = match recipient.person {
        Some(person) => Audience::Person(person),
        None => Audience::Address { email: &recipient.email, language: &recipient.language },
    };
    Ok(write.post(&notice, audience))
}

async fn find_draft(app: &App, operator: &Operator, id: AnnouncementId) -> Result<Announcement, Error> {
    let found = find(app, operator, id).await?;
    if found.state == AnnouncementState::Draft {
        return Ok(found);
    }
    let detail = "It was sent and stays as it is; write another one.";
    Err(Error::new(Kind::Conflict, "announcement_sent", detail))
}

/// The announcement with what the draft says, as far as it can be sent one day.
fn laid_over(app: &App, mut announcement: Announcement, draft: Draft) -> Result<Announcement, Error> {
    if let Some(subject) = draft.subject {
        subject.as_str().clone_into(&mut announcement.subject);
    }
    if let Some(body) = draft.body {
        body.as_str().clone_into(&mut announcement.body);
    }
    if let Some(subject) = draft.subject_zh {
        subject.as_str().clone_into(&mut announcement.subject_zh);
    }
    if let Some(body) = draft.body_zh {
        body.as_str().clone_into(&mut announcement.body_zh);
    }
    for (field, text) in [("subject", &announcement.subject), ("body", &announcement.body)] {
        if text.is_empty() {
            return Err(Error::invalid(field, "it must not be empty"));
        }
    }
    if let Some(link) = draft.link {
        announcement.link = link.map(|link| checked_link(&link)).transpose()?;
    }
    if let Some(kinds) = draft.kinds {
        announcement.audience.kinds = checked_kinds(app, kinds)?;
    }
    if let Some(versions) = draft.versions {
        announcement.audience.versions = versions.into_iter().map(ApiVersion).collect();
    }
    check_versions(app, &mut announcement.audience)?;
    Ok(announcement)
}

fn checked_link(text: &str) -> Result<String, Error> {
    let url = Url::parse(text).ok().filter(|url| {
        url.scheme() == "https" && url.username().is_empty() && text.len() <= ANNOUNCEMENT_LINK_BYTES_MAX
    });
    let detail = format!("it must be an https URL of at most {ANNOUNCEMENT_LINK_BYTES_MAX} bytes");
    url.map(Into::into).ok_or_else(|| Error::invalid("link", detail))
}

fn checked_kinds(app: &App, kinds: Vec<String>) -> Result<Vec<String>, Error> {
    let catalog = app.catalog()?;
    if let Some(index) = kinds.iter().position(|kind| catalog.kind(kind).is_none()) {
        let known: Vec<&str> = catalog.kinds.iter().map(|kind| kind.id.as_str()).collect();
        return Err(Error::invalid(
            format!("kinds[{index}]"),
            format!("it must be one of {}", known.join(", ")),
        ));
    }
    let mut kinds = kinds;
    kinds.sort_unstable();
    kinds.dedup();
    Ok(kinds)
}

/// Versions are numbered for each kind: one that none of the kinds has would reach nobody.
fn check_versions(app: &App, audience: &mut AnnouncementAudience) -> Result<(), Error> {
    let catalog = app.catalog()?;
    let chosen = |kind: &&AccountKind| audience.kinds.is_empty() || audience.kinds.contains(&kind.id);
    let plans = catalog.kinds.iter().filter(chosen).flat_map(|kind| &kind.versions);
    let known: BTreeSet<ApiVersion> = plans.map(|plan| plan.number).collect();
    if let Some(index) = audience.versions.iter().position(|version| !known.contains(version)) {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        let detail = format!("it must be one of {}", known.join(", "));
        return Err(Error::invalid(format!("versions[{index}]"), detail));
    }
    audience.versions.sort_unstable();
    audience.versions.dedup();
    Ok(())
}

/// The role that administrates in each kind of account.
fn administrators(app: &App) -> Result<Vec<(String, String)>, Error> {
    let catalog = app.catalog()?;
    let role = |kind: &AccountKind| kind.roles.first().map(|role| (kind.id.clone(), role.id.clone()));
    Ok(catalog.kinds.iter().filter_map(role).collect())
}

fn of_ourselves(app: &App, sending: &Announcement, recipients: usize) -> AuditDraft {
    Deed {
        action: "announcement.post",
        subject: sending.id.to_string(),
        subject_label: &sending.subject,
        before: json!({ "posted": sending.posted }),
        after: json!({ "posted": sending.posted + recipients as u64 }),
    }
    .by_system(app.clock.wall())
}

fn deed<'a>(action: &'static str, announcement: &'a Announcement, before: Value) -> Deed<'a> {
    Deed {
        action,
        subject: announcement.id.to_string(),
        subject_label: &announcement.subject,
        before,
        after: facts(announcement),
    }
}

fn facts(announcement: &Announcement) -> Value {
    let versions: Vec<u16> = announcement.audience.versions.iter().map(|version| version.0).collect();
    json!({
        "subject": announcement.subject,
        "body": announcement.body,
        "subject_zh": announcement.subject_zh,
        "body_zh": announcement.body_zh,
        "link": announcement.link,
        "kinds": announcement.audience.kinds,
        "versions": versions,
    })
}
