//! Evidence on PostgreSQL, in the memory of the one who writes: the digests as they move, and MACs of rows that were
//! changed in this write and are put into the database at its end. A row that is replaced is held to the MAC it carries
//! first, so nothing that was changed from outside is ever stamped as ours.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use tokio_postgres::Row as Answered;

use super::{
    cells::cell,
    plan::{Covered, Source, Verb},
    session::Ask,
};
use crate::{
    Error,
    db::evidence::{ADVICE, Cluster, stamp::named_row},
    evidence::{
        key::Keyring,
        ledger::Ledger,
        mac::{Cell, same},
        tables::{TABLES, Table},
    },
    value::Value,
};

/// The evidence while it is written.
pub(super) struct Stamps {
    pub(super) keys: Arc<Keyring>,
    /// The digests as they are in the transaction.
    pub(super) ledger: Ledger,
    /// The digests as of the last commit.
    pub(super) kept: Ledger,
    /// The row of the cluster as of the last commit.
    pub(super) cluster: Cluster,
    /// Rows whose MAC is to be written, by table and key.
    pending: BTreeMap<Place, Pending>,
    /// What was pending before, for each step since the last flush: to be taken back.
    steps: Vec<(Place, Option<Pending>)>,
}

/// A table and the key of a row.
type Place = (usize, Vec<u8>);
/// The key as values, and the MAC to be written.
type Pending = (Vec<Value>, [u8; 32]);

/// A state to come back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    ledger: Ledger,
    steps: usize,
}

impl Stamps {
    pub(super) fn new(keys: Arc<Keyring>, kept: &Ledger, cluster: Cluster) -> Self {
        let kept = *kept;
        Self { keys, ledger: kept, kept, cluster, pending: BTreeMap::new(), steps: Vec::new() }
    }

    /// Where the digests are now.
    pub(super) fn mark(&self) -> Mark {
        Mark { ledger: self.ledger, steps: self.steps.len() }
    }

    /// Takes back what was done since the mark, which is not from before a flush.
    pub(super) fn back_to(&mut self, mark: &Mark) {
        self.ledger = mark.ledger;
        for (place, before) in self.steps.drain(mark.steps..).rev() {
            match before {
                Some(before) => self.pending.insert(place, before),
                None => self.pending.remove(&place),
            };
        }
    }

    fn put(&mut self, place: Place, pending: Option<Pending>) -> Option<Pending> {
        let before = match pending {
            Some(pending) => self.pending.insert(place.clone(), pending),
            None => self.pending.remove(&place),
        };
        self.steps.push((place, before.clone()));
        before
    }

    /// Comes back to a mark from before a flush: nothing was pending then.
    pub(super) fn rolled_back_to(&mut self, mark: &Mark) {
        self.ledger = mark.ledger;
        self.pending.clear();
        self.steps.clear();
    }

    /// The transaction was taken back.
    pub(super) fn rolled_back(&mut self) {
        self.ledger = self.kept;
        self.pending.clear();
        self.steps.clear();
    }

    /// The transaction is on disk.
    pub(super) fn committed(&mut self, keys: Arc<Keyring>, cluster: Cluster, ledger: &Ledger) {
        self.keys = keys;
        self.cluster = cluster;
        self.kept = *ledger;
        self.rolled_back();
    }

    /// The MAC a new row comes with.
    pub(super) fn of_new(&self, place: usize, sources: &[Source], given: &[Value]) -> [u8; 32] {
        let cells = sources.iter().map(|source| match source {
            Source::Given(index) => given.get(*index).map_or(Cell::Null, Cell::from),
            Source::Number(number) => Cell::Integer(*number),
            Source::Text(text) => Cell::Text(text.as_bytes()),
            Source::Nothing => Cell::Null,
        });
        self.keys.row(&TABLES[place], cells)
    }

    /// Rows that hung on others are gone.
    pub(super) fn gone(&mut self, place: usize, rows: &[Answered]) -> Result<(), Error> {
        rows.iter().try_for_each(|row| self.go(place, row))
    }

    /// A statement ran: `before` and `after` are the rows it touched. `mac` is what a new row came with.
    pub(super) fn moved(
        &mut self,
        plan: &Covered,
        before: &[Answered],
        after: &[Answered],
        mac: Option<[u8; 32]>,
    ) -> Result<(), Error> {
        let (place, table) = (plan.place, &TABLES[plan.place]);
        if plan.verb == Verb::Delete {
            return self.gone(place, after);
        }
        let mut olds: BTreeMap<Vec<u8>, &Answered> =
            before.iter().map(|row| (key(table, row).0, row)).collect();
        for row in after {
            match olds.remove(&key(table, row).0) {
                Some(old) => self.change(place, old, row)?,
                None if matches!(plan.verb, Verb::Insert(_)) => self.come(place, row, mac)?,
                None => return Err(changed_on_its_way(table)),
            }
        }
        // The rows of an insert that changed nothing are still as they were; those of a change are all in the answer.
        if plan.verb == Verb::Update && !olds.is_empty() {
            return Err(changed_on_its_way(table));
        }
        Ok(())
    }

    fn mac(&self, place: usize, row: &Answered) -> [u8; 32] {
        let table = &TABLES[place];
        self.keys.row(table, (0..table.columns.len()).map(|index| cell(row, index)))
    }

    fn go(&mut self, place: usize, row: &Answered) -> Result<(), Error> {
        let table = &TABLES[place];
        let (key, _) = key(table, row);
        let mac = self.mac(place, row);
        let carried = match self.put((place, key), None) {
            Some((_, pending)) => same(&pending, &mac),
            None => matches!(cell(row, table.columns.len()), Cell::Bytes(kept)
                if <&[u8; 32]>::try_from(kept).is_ok_and(|kept| same(kept, &mac))),
        };
        if !carried {
            let row = named_row(table, |column| {
                table.columns.iter().position(|known| *known == column).map(|index| cell(row, index))
            });
            return Err(Error::Corrupt(format!("{row} is not as Countersign wrote it; {ADVICE}")));
        }
        self.ledger.take(&self.keys, place, &mac);
        Ok(())
    }

    /// A new row carries its MAC already; that it is as it was sent is seen by making it again.
    fn come(&mut self, place: usize, row: &Answered, sent: Option<[u8; 32]>) -> Result<(), Error> {
        let mac = self.mac(place, row);
        if !sent.is_some_and(|sent| same(&sent, &mac)) {
            return Err(changed_on_its_way(&TABLES[place]));
        }
        self.ledger.add(&self.keys, place, &mac);
        Ok(())
    }

    /// A row that is written as it was keeps its MAC, whatever that is: nothing new is vouched for.
    fn change(&mut self, place: usize, old: &Answered, new: &Answered) -> Result<(), Error> {
        let mac = self.mac(place, new);
        if same(&mac, &self.mac(place, old)) {
            return Ok(());
        }
        self.go(place, old)?;
        self.ledger.add(&self.keys, place, &mac);
        let (bytes, values) = key(&TABLES[place], new);
        self.put((place, bytes), Some((values, mac)));
        Ok(())
    }

    /// What writes the MACs of the rows that were changed.
    pub(super) fn flush(&mut self) -> Vec<Ask> {
        self.steps.clear();
        let pending = std::mem::take(&mut self.pending);
        pending.into_iter().map(|((place, _), (key, mac))| put_mac(&TABLES[place], key, mac)).collect()
    }
}

/// What writes the MAC of a row.
pub(super) fn put_mac(table: &Table, key: Vec<Value>, mac: [u8; 32]) -> Ask {
    let mut sql = format!("update {} set mac = $1 where ", table.name);
    for (index, column) in table.key.iter().enumerate() {
        let and = if index == 0 { "" } else { " and " };
        let _ = write!(sql, "{and}{column} = ${}", index + 2);
    }
    let mut values = vec![Value::from(mac)];
    values.extend(key);
    Ask { sql: sql.into(), values }
}

/// The primary key of a row: as bytes that are the same for the same key alone, and as values.
fn key(table: &Table, row: &Answered) -> (Vec<u8>, Vec<Value>) {
    let places = table.key.iter().filter_map(|column| table.columns.iter().position(|known| known == column));
    let values: Vec<Value> = places.map(|index| value(cell(row, index))).collect();
    let mut bytes = Vec::new();
    for value in &values {
        match value {
            Value::Integer(number) => bytes.extend([&[1][..], &number.to_be_bytes()].concat()),
            Value::Text(text) => {
                bytes.extend([&[2][..], &text.len().to_be_bytes(), text.as_bytes()].concat());
            }
            Value::Bytes(raw) => bytes.extend([&[3][..], &raw.len().to_be_bytes(), raw].concat()),
            Value::Null => bytes.push(0),
        }
    }
    (bytes, values)
}

pub(super) fn value(cell: Cell<'_>) -> Value {
    match cell {
        Cell::Integer(number) => Value::Integer(number),
        Cell::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        Cell::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Cell::Null | Cell::Fraction(_) => Value::Null,
    }
}

fn changed_on_its_way(table: &Table) -> Error {
    Error::Corrupt(format!(
        "a row of the table {} came back otherwise than it was sent: look for triggers and rules that are not \
         Countersign's; {ADVICE}",
        table.name
    ))
}
