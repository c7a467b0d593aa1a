//! Catalogs as loaded, newest last, and the append-only numbering of scopes.

use std::sync::{Arc, PoisonError};

use countersign_model::{
    catalog::{self, Catalog, Numbering},
    time::Timestamp,
};

use crate::{
    Conflict, Error, Store,
    db::Query,
    evidence::{proof::Proof, tables::CATALOGS},
    value::{Row, to_json},
    write::Write,
};

pub(crate) const NEWEST: &str = "select * from catalogs order by number desc limit 1";
pub(crate) const NEWEST_NUMBER: &str = "select number from catalogs order by number desc limit 1";
pub(crate) const BY_NUMBER: &str = "select * from catalogs where number = $1";
pub(crate) const IS_NEXT: &str = "
select 1 where (select coalesce(max(number), 0) + 1 from catalogs) = cast($1 as bigint)";
pub(crate) const INSERT: &str =
    "insert into catalogs (number, source, numbering, loaded_at) values ($1, $2, $3, $4)";

/// A row that grants something is held to its MAC when it is read.
const PROVES: &[Proof] = &[Proof::of(&CATALOGS)];

/// A catalog as kept.
#[derive(Debug, Clone)]
pub struct StoredCatalog {
    /// Counts the loads, from 1.
    pub number: u64,
    /// The file as it was given.
    pub source: String,
    /// The numbering after it was compiled.
    pub numbering: Numbering,
    /// The compiled catalog.
    pub catalog: Arc<Catalog>,
    /// When it was loaded.
    pub loaded_at: Timestamp,
}

/// A catalog before it is compiled.
struct Uncompiled {
    number: u64,
    source: String,
    numbering: Numbering,
    loaded_at: Timestamp,
}

impl Uncompiled {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            number: row.number("number")?,
            source: row.text("source")?.to_owned(),
            numbering: row.json("numbering")?,
            loaded_at: row.moment("loaded_at")?,
        })
    }

    fn compile(&self) -> Result<Arc<Catalog>, Error> {
        let refused = |message: &str| {
            Error::Corrupt(format!("catalog {} was accepted once and no longer is: {message}", self.number))
        };
        let file = catalog::parse(&self.source)
            .map_err(|problems| refused(problems.first().map_or("", |problem| &problem.message)))?;
        // Every scope of the file has its number already, so compiling gives the same numbering again.
        let (catalog, _) =
            catalog::compile(&file, &self.numbering).map_err(|problem| refused(&problem.message))?;
        Ok(Arc::new(catalog))
    }
}

impl Store {
    /// The catalog in force.
    pub async fn catalog(&self) -> Result<Option<StoredCatalog>, Error> {
        let Some(row) =
            self.db().row(Query::new(NEWEST, Vec::new()).proving(PROVES), Uncompiled::read).await?
        else {
            return Ok(None);
        };
        let catalog = self.compile_once(&row)?;
        let Uncompiled { number, source, numbering, loaded_at } = row;
        Ok(Some(StoredCatalog { number, source, numbering, catalog, loaded_at }))
    }

    /// The compiled catalog with this number.
    pub(crate) async fn compiled(&self, number: u64) -> Result<Arc<Catalog>, Error> {
        if let Some(catalog) = self.known(number) {
            return Ok(catalog);
        }
        let row = self
            .db()
            .row(Query::new(BY_NUMBER, vec![number.into()]).proving(PROVES), Uncompiled::read)
            .await?;
        let row = row.ok_or_else(|| Error::Corrupt(format!("catalog {number} is missing")))?;
        self.compile_once(&row)
    }

    fn compile_once(&self, row: &Uncompiled) -> Result<Arc<Catalog>, Error> {
        if let Some(catalog) = self.known(row.number) {
            return Ok(catalog);
        }
        let catalog = row.compile()?;
        let mut compiled = self.inner.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if compiled.as_ref().is_none_or(|(newest, _)| *newest < row.number) {
            *compiled = Some((row.number, Arc::clone(&catalog)));
        }
        Ok(catalog)
    }

    fn known(&self, number: u64) -> Option<Arc<Catalog>> {
        let compiled = self.inner.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        compiled.as_ref().filter(|(known, _)| *known == number).map(|(_, catalog)| Arc::clone(catalog))
    }
}

impl Write {
    /// Loads a catalog over the one with `number - 1` and puts it on the feed. Conflict: `Stale`.
    #[must_use]
    pub fn insert_catalog(self, catalog: &StoredCatalog) -> Self {
        let values = vec![
            catalog.number.into(),
            catalog.source.as_str().into(),
            to_json(&catalog.numbering).into(),
            catalog.loaded_at.into(),
        ];
        self.giving()
            .expecting(IS_NEXT, vec![catalog.number.into()], Conflict::Stale)
            .then(INSERT, values)
            .emit_catalog(catalog.number)
    }
}
