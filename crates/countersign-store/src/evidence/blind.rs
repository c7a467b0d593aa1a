//! For the crate's own tests: the MAC is made blind to one column, to prove that it is that column's cover which makes a
//! change of it noticed. What is blind belongs to the thread, and a check runs on the thread that asks for it.

use std::cell::Cell;

use rusqlite::Connection;

use super::tables::{TABLES, Table};
use crate::{Error, Store, world::opening};

thread_local! {
    static BLIND: Cell<Option<(&'static str, u16)>> = const { Cell::new(None) };
}

/// Whether the MAC of this table passes the column at this place over.
pub(super) fn is_blind_to(table: &str, place: u16) -> bool {
    BLIND.get().is_some_and(|(blind, blind_place)| blind == table && blind_place == place)
}

/// A row with something in every column, past every rule of the schema but its types.
fn insert(connection: &Connection, table: &Table) {
    let sql = format!("select name, type from pragma_table_info('{}')", table.name);
    let mut prepared = connection.prepare(&sql).unwrap();
    let columns: Vec<(String, String)> = prepared
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let (names, values): (Vec<&str>, Vec<&str>) = columns
        .iter()
        .filter(|(name, _)| name != "mac")
        .map(|(name, kind)| (name.as_str(), something(kind)[0]))
        .unzip();
    let sql = format!("insert into {} ({}) values ({})", table.name, names.join(", "), values.join(", "));
    connection.execute(&sql, []).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Two values of a type.
fn something(kind: &str) -> [&'static str; 2] {
    match kind {
        "INTEGER" => ["1", "2"],
        "TEXT" => ["'x'", "'y'"],
        _ => ["x'01'", "x'02'"],
    }
}

fn loose(path: &std::path::Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    let pragmas = "pragma foreign_keys = off; pragma ignore_check_constraints = on; pragma synchronous = off";
    connection.execute_batch(pragmas).unwrap();
    connection
}

/// Stamps everything anew, as this thread makes MACs now.
fn stamp(path: &std::path::Path) {
    loose(path).execute_batch("update cluster set mac = null").unwrap();
    drop(Store::open_sqlite(path, &opening()).unwrap());
}

#[test]
fn each_column_is_noticed_because_it_is_covered() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("countersign.db");
    drop(Store::open_sqlite(&path, &opening()).unwrap());
    let connection = loose(&path);
    for table in TABLES {
        insert(&connection, table);
    }
    drop(connection);
    stamp(&path);
    let whole = std::fs::read(&path).unwrap();
    let check = |path: &std::path::Path| Store::inspect_sqlite(path, &opening());
    check(&path).unwrap();
    let mut tried = 0;
    for table in TABLES {
        for (place, column) in (0..).zip(table.columns) {
            let kind: String = loose(&path)
                .query_row(
                    "select type from pragma_table_info($1) where name = $2",
                    [table.name, column],
                    |row| row.get(0),
                )
                .unwrap();
            let change = format!("update {} set {column} = {}", table.name, something(&kind)[1]);
            loose(&path).execute(&change, []).unwrap();
            let refused = check(&path);
            assert!(matches!(refused, Err(Error::Corrupt(_))), "{change} was not noticed: {refused:?}");
            // With the MAC blind to the column, the very same change passes.
            std::fs::write(&path, &whole).unwrap();
            BLIND.set(Some((table.name, place)));
            stamp(&path);
            check(&path).unwrap();
            loose(&path).execute(&change, []).unwrap();
            check(&path).unwrap_or_else(|error| panic!("{change} is noticed by something else: {error}"));
            BLIND.set(None);
            std::fs::write(&path, &whole).unwrap();
            tried += 1;
        }
        for column in table.aside {
            // Where the column takes no null, nothing is changed, and nothing needs to be noticed.
            let _ = loose(&path).execute(&format!("update {} set {column} = null", table.name), []);
            check(&path).unwrap();
            std::fs::write(&path, &whole).unwrap();
        }
    }
    assert!(tried > 100, "only {tried} columns were tried");
}
