//! Databases of tests, past the store: as somebody would change them who has the file or the server, and not the key.
//! Texts are those of SQLite; the few words PostgreSQL says otherwise are replaced.

use std::fmt::Write as _;

use rusqlite::{Connection, types::Value};

use super::server::Line;

pub enum Raw {
    Sqlite(Connection),
    Postgres(Line),
}

impl Raw {
    /// Runs statements.
    pub fn run(&self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Runs statements; says what the database says.
    pub fn try_run(&self, sql: &str) -> Result<(), String> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).map_err(|error| error.to_string()),
            Self::Postgres(line) => line.ask(&translated(sql)).map(|_| ()),
        }
    }

    /// The one number of an answer.
    pub fn number(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(connection) => connection.query_row(sql, [], |row| row.get(0)).unwrap(),
            Self::Postgres(line) => match line.ask(sql).unwrap()[0][0] {
                Value::Integer(number) => number,
                ref other => panic!("{sql}: {other:?}"),
            },
        }
    }

    /// Every row with its columns, as it was written.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare(sql).unwrap();
                let columns = statement.column_count();
                let read = |row: &rusqlite::Row<'_>| (0..columns).map(|index| row.get(index)).collect();
                statement.query_map([], read).unwrap().map(Result::unwrap).collect()
            }
            Self::Postgres(line) => line.ask(sql).unwrap(),
        }
    }
}

/// A value as it is written in a statement.
pub fn literal(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Blob(bytes) => {
            let mut digits = String::new();
            for byte in bytes {
                write!(digits, "{byte:02x}").unwrap();
            }
            format!("x'{digits}'")
        }
    }
}

fn translated(sql: &str) -> String {
    let sql = sql.replace("zeroblob(32)", &format!("x'{}'", "00".repeat(32)));
    let mut text = String::new();
    let mut rest = sql.as_str();
    while let Some(start) = rest.find("x'") {
        let Some(length) = rest[start + 2..].find('\'') else { break };
        let end = start + 2 + length;
        // Where `x'` ends a text and begins none, it is left as it is.
        let digits = &rest[start + 2..end];
        let is_blob = rest[..start].ends_with([' ', ',', '(', '='])
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        text.push_str(&rest[..start]);
        if is_blob {
            write!(text, "decode('{digits}', 'hex')").unwrap();
            rest = &rest[end + 1..];
        } else {
            text.push_str("x'");
            rest = &rest[start + 2..];
        }
    }
    text + rest
}
