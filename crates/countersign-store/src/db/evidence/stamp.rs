//! The functions and temporary triggers that stamp and check rows as they are written. They are made anew for every
//! connection that writes and are in no file, so nobody who only has the file can run or change them.

use std::sync::{Arc, Mutex};

use rusqlite::{
    Connection, Error as SqliteError, ffi,
    functions::{Context, FunctionFlags},
    types::ValueRef,
};

use super::{ADVICE, Moving, moving};
use crate::{
    Error,
    db::sqlite::meaning,
    evidence::{
        key::Keyring,
        mac::{Cell, same},
        tables::{CHANGE_LOG, TABLES, Table},
    },
};

/// Gives the connection its functions, for these keys.
pub(super) fn functions(
    connection: &Connection,
    keys: &Arc<Keyring>,
    shared: &Arc<Mutex<Moving>>,
) -> Result<(), Error> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    let (keys_of_add, shared_of_add) = (Arc::clone(keys), Arc::clone(shared));
    let add = move |context: &Context<'_>| {
        let (place, table) = table(context)?;
        Ok(come(&keys_of_add, &shared_of_add, place, table, context, 1))
    };
    let (keys_of_move, shared_of_move) = (Arc::clone(keys), Arc::clone(shared));
    let change = move |context: &Context<'_>| {
        let (place, table) = table(context)?;
        go(&keys_of_move, &shared_of_move, place, table, context)?;
        Ok(come(&keys_of_move, &shared_of_move, place, table, context, 2 + table.columns.len()))
    };
    let (keys_of_drop, shared_of_drop) = (Arc::clone(keys), Arc::clone(shared));
    let drop_row = move |context: &Context<'_>| {
        let (place, table) = table(context)?;
        go(&keys_of_drop, &shared_of_drop, place, table, context)
    };
    let keys_of_log = Arc::clone(keys);
    let log = move |context: &Context<'_>| {
        Ok(keys_of_log.row(&CHANGE_LOG, cells(context, 0, CHANGE_LOG.columns.len())).to_vec())
    };
    let made = connection
        .create_scalar_function("evidence_add", -1, flags, add)
        .and_then(|()| connection.create_scalar_function("evidence_change", -1, flags, change))
        .and_then(|()| connection.create_scalar_function("evidence_drop", -1, flags, drop_row))
        .and_then(|()| connection.create_scalar_function("evidence_log", -1, flags, log));
    made.map_err(|error| meaning(&error))
}

/// Makes the triggers of every covered table.
pub(super) fn triggers(connection: &Connection) -> Result<(), Error> {
    for (place, table) in TABLES.iter().enumerate() {
        connection.execute_batch(&triggers_of(place, table)).map_err(|error| meaning(&error))?;
    }
    Ok(())
}

/// Stamps every row of every covered table and of the log, whatever it carried; the digests begin with nothing.
pub(super) fn stamp_all(connection: &Connection) -> Result<(), Error> {
    for (place, table) in TABLES.iter().enumerate() {
        let columns = list(table.columns, "");
        let sql = format!("update {} set mac = evidence_add({place}, {columns})", table.name);
        connection.execute(&sql, []).map_err(|error| meaning(&error))?;
    }
    let sql = format!("update change_log set mac = evidence_log({})", list(CHANGE_LOG.columns, ""));
    connection.execute(&sql, []).map(|_| ()).map_err(|error| meaning(&error))
}

/// A row that is written as it was keeps its MAC, whatever that is: nothing new is vouched for.
fn triggers_of(place: usize, table: &Table) -> String {
    let name = table.name;
    let (old, new) = (list(table.columns, "old."), list(table.columns, "new."));
    let changed = list(table.columns, "");
    let at: Vec<String> = table.key.iter().map(|column| format!("{column} = new.{column}")).collect();
    let at = at.join(" and ");
    format!(
        "create temp trigger evidence_{name}_add after insert on main.{name} begin
           update {name} set mac = evidence_add({place}, {new}) where {at};
         end;
         create temp trigger evidence_{name}_change after update of {changed} on main.{name}
         when ({old}) is not ({new}) begin
           update {name} set mac = evidence_change({place}, old.mac, {old}, {new}) where {at};
         end;
         create temp trigger evidence_{name}_drop after delete on main.{name} begin
           select evidence_drop({place}, old.mac, {old});
         end;"
    )
}

fn list(columns: &[&str], front: &str) -> String {
    let columns: Vec<String> = columns.iter().map(|column| format!("{front}{column}")).collect();
    columns.join(", ")
}

/// A row comes with the columns from this argument on. Answers its MAC.
fn come(
    keys: &Keyring,
    shared: &Mutex<Moving>,
    place: usize,
    table: &Table,
    context: &Context<'_>,
    from: usize,
) -> Vec<u8> {
    let mac = keys.row(table, cells(context, from, table.columns.len()));
    moving(shared).ledger.add(keys, place, &mac);
    mac.to_vec()
}

/// A row goes: argument 1 is the MAC it carries, its columns follow. Refuses one that is not as it was left.
fn go(
    keys: &Keyring,
    shared: &Mutex<Moving>,
    place: usize,
    table: &Table,
    context: &Context<'_>,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let mac = keys.row(table, cells(context, 2, table.columns.len()));
    let mut moving = moving(shared);
    if !carries(context.get_raw(1), &mac) {
        let row = named_row(table, |column| {
            let place = table.columns.iter().position(|known| *known == column)?;
            Some(cell(context.get_raw(2 + place)))
        });
        moving.refused = Some(format!("{row} is not as Countersign wrote it; {ADVICE}"));
        // Not the code of a corrupt file: after that one SQLite lets nobody write on this connection any more.
        return Err(SqliteError::SqliteFailure(ffi::Error::new(ffi::SQLITE_CONSTRAINT_FUNCTION), None));
    }
    moving.ledger.take(keys, place, &mac);
    Ok(None)
}

/// The table argument 0 names by its place.
fn table(context: &Context<'_>) -> rusqlite::Result<(usize, &'static Table)> {
    let place = usize::from(context.get::<u16>(0)?);
    let table = TABLES.get(place).ok_or(SqliteError::InvalidParameterCount(place, TABLES.len()))?;
    Ok((place, table))
}

fn cells<'c>(context: &'c Context<'_>, from: usize, count: usize) -> impl Iterator<Item = Cell<'c>> {
    (from..from + count)
        .map(|index| if index < context.len() { cell(context.get_raw(index)) } else { Cell::Null })
}

/// What is stored, byte for byte.
pub(in crate::db) fn cell(value: ValueRef<'_>) -> Cell<'_> {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Fraction(number.to_bits()),
        ValueRef::Text(text) => Cell::Text(text),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
    }
}

/// Whether a column `mac` holds this MAC.
fn carries(column: ValueRef<'_>, mac: &[u8; 32]) -> bool {
    matches!(column, ValueRef::Blob(kept) if <&[u8; 32]>::try_from(kept).is_ok_and(|kept| same(kept, mac)))
}

/// Names a row by its primary key, as far as that can be printed.
pub(in crate::db) fn named_row<'v>(table: &Table, value: impl Fn(&str) -> Option<Cell<'v>>) -> String {
    let parts: Vec<String> = table
        .key
        .iter()
        .map(|column| match value(column) {
            Some(Cell::Integer(number)) => number.to_string(),
            Some(Cell::Text(text)) => String::from_utf8_lossy(text).escape_debug().to_string(),
            _ => "…".to_owned(),
        })
        .collect();
    format!("the row {} of the table {}", parts.join("/"), table.name)
}
