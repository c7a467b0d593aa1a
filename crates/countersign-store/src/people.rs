//! People: whoever signs in to the console, customers' and operators alike.

use std::fmt;

use countersign_model::{
    id::UserId,
    name::{EmailAddress, PersonName, fold},
    time::Timestamp,
};

use crate::{
    Conflict, Error, Page, PageAsk, Store,
    db::Query,
    evidence::{
        proof::{Proof, asked},
        tables::PEOPLE,
    },
    page::{by_text, paged},
    value::{Row, anywhere},
    write::Write,
};

pub(crate) const BY_ID: &str = "select * from people where id = $1";
pub(crate) const BY_EMAIL: &str = "select * from people where email_key = $1";
/// The person with the address, or else the oldest one: a row is found and read for every address.
pub(crate) const SIGNING_IN: &str = "
select * from people
where id = coalesce((select id from people where email_key = $1), (select min(id) from people))";
pub(crate) const LIST: &str = r"
select * from people
where (email_key, id) > ($1, $2)
  and (cast($3 as text) is null or email_key like $3 escape '\' or name_key like $3 escape '\')
  and (cast($4 as bigint) = 0 or operator = 1)
order by email_key, id limit $5";
pub(crate) const INSERT: &str = "
insert into people (id, email, email_key, name, name_key, language, password, operator, active, generation,
  failed_sign_ins, failed_at, edit, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13)";
pub(crate) const UPDATE: &str = "
update people set email = $2, email_key = $3, name = $4, name_key = $5, language = $6, password = $7, operator = $8,
  active = $9, generation = $10, edit = edit + 1
where id = $1 and edit = $11";
/// Holds where the person is not an active operator now, or is not the only one.
pub(crate) const OPERATOR_REMAINS: &str = "
select 1 where not exists (select 1 from people where id = $1 and operator = 1 and active = 1)
  or exists (select 1 from people where id <> $1 and operator = 1 and active = 1)";

/// A row that grants something is held to its MAC when it is read.
const PROVES: &[Proof] = &[Proof::of(&PEOPLE)];

/// A person as kept.
#[derive(Clone)]
pub struct Person {
    /// Their id.
    pub id: UserId,
    /// Their address; unique ignoring case.
    pub email: EmailAddress,
    /// Their name.
    pub name: PersonName,
    /// `en` or `zh-CN`.
    pub language: String,
    /// argon2id in PHC form; `None` until an invitation is accepted.
    pub password: Option<String>,
    /// Whether they run the platform.
    pub operator: bool,
    /// Whether they may sign in.
    pub active: bool,
    /// Counts what ends sessions (password or e-mail changed, deactivated); a session of another one is dead.
    pub generation: u32,
    /// Wrong passwords in a row since the last right one.
    pub failed_sign_ins: u32,
    /// When the last wrong one was.
    pub failed_at: Option<Timestamp>,
    /// Counts the edits of the row, from 1.
    pub edit: u64,
    /// When they were added.
    pub created_at: Timestamp,
}

/// Which people are asked for. By e-mail address.
#[derive(Debug, Clone, Default)]
pub struct PersonFilter {
    /// Part of name or address, ignoring case.
    pub search: Option<String>,
    /// Only operators.
    pub operators: bool,
}

impl fmt::Debug for Person {
    /// Names the row and leaves out what is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.id)
            .field("email", &self.email)
            .field("operator", &self.operator)
            .field("active", &self.active)
            .field("edit", &self.edit)
            .finish_non_exhaustive()
    }
}

impl Person {
    pub(crate) fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.parsed("id")?,
            email: row.parsed("email")?,
            name: row.read("name", PersonName::parse)?,
            language: row.text("language")?.to_owned(),
            password: row.optional_text("password")?.map(str::to_owned),
            operator: row.flag("operator")?,
            active: row.flag("active")?,
            generation: row.number("generation")?,
            failed_sign_ins: row.number("failed_sign_ins")?,
            failed_at: row.optional_moment("failed_at")?,
            edit: row.number("edit")?,
            created_at: row.moment("created_at")?,
        })
    }
}

impl Store {
    /// A person, by id.
    pub async fn person(&self, id: UserId) -> Result<Option<Person>, Error> {
        self.db().row(Query::new(BY_ID, vec![id.into()]).proving(PROVES), Person::read).await
    }

    /// A person, by address ignoring case.
    pub async fn person_by_email(&self, email: &EmailAddress) -> Result<Option<Person>, Error> {
        let query = Query::new(BY_EMAIL, vec![email.key().into()]).proving(PROVES);
        let found = self.db().row(query, Person::read).await?;
        asked(found, |person| person.email.key() == email.key())
    }

    /// As [`Self::person_by_email`], for somebody who has not proved anything: finding nobody is as much work as finding
    /// somebody, so that time does not tell who exists.
    pub async fn person_signing_in(&self, email: &EmailAddress) -> Result<Option<Person>, Error> {
        let key = email.key();
        let query = Query::new(SIGNING_IN, vec![key.clone().into()]).proving(PROVES);
        let found = self.db().row(query, Person::read).await?;
        Ok(found.filter(|person| person.email.key() == key))
    }

    /// People, by address.
    pub async fn people(&self, filter: &PersonFilter, page: &PageAsk) -> Result<Page<Person>, Error> {
        let Some((email_key, id)) = by_text(page) else { return Ok(Page::empty()) };
        let search = filter.search.as_deref().map(|part| anywhere(&fold(part)));
        let values =
            vec![email_key.into(), id.into(), search.into(), filter.operators.into(), page.rows_asked()];
        let rows = self.db().rows(Query::new(LIST, values), Person::read).await?;
        Ok(paged(rows, page, |person| format!("{}/{}", person.id, person.email.key())))
    }
}

impl Write {
    /// Adds a person. Conflict: `EmailTaken`.
    #[must_use]
    pub fn insert_person(self, person: &Person) -> Self {
        let values = vec![
            person.id.into(),
            person.email.as_str().into(),
            person.email.key().into(),
            person.name.as_str().into(),
            person.name.key().into(),
            person.language.as_str().into(),
            person.password.clone().into(),
            person.operator.into(),
            person.active.into(),
            person.generation.into(),
            person.failed_sign_ins.into(),
            person.failed_at.into(),
            person.created_at.into(),
        ];
        self.giving().then(INSERT, values)
    }

    /// Writes a person whose edit number was `person.edit`, except the counters of failed sign-ins. Conflicts: `Stale`,
    /// `EmailTaken`, `LastOperator`.
    #[must_use]
    pub fn update_person(self, person: &Person) -> Self {
        let values = vec![
            person.id.into(),
            person.email.as_str().into(),
            person.email.key().into(),
            person.name.as_str().into(),
            person.name.key().into(),
            person.language.as_str().into(),
            person.password.clone().into(),
            person.operator.into(),
            person.active.into(),
            person.generation.into(),
            person.edit.into(),
        ];
        let write = if person.operator && person.active {
            self
        } else {
            self.expecting(OPERATOR_REMAINS, vec![person.id.into()], Conflict::LastOperator)
        };
        write.giving().expecting(UPDATE, values, Conflict::Stale)
    }
}
