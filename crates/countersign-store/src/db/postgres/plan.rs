//! What is done for a statement on rows that carry MACs. SQLite calls functions of ours for every row; PostgreSQL has none
//! and must never have the key. So the common text is read, and what goes with it is made from it: a query for the rows as
//! they are before, locked; the statement itself, answering the rows as they are after; and for a new row the MAC it comes
//! with. A statement that cannot be read is refused and never run unstamped; a test reads every statement of the crate.

use crate::{
    Error,
    evidence::tables::{TABLES, Table},
    value::Value,
};

/// Rows of this table go with the rows of that one, by this column. A database would take them away by itself and tell
/// nobody which; so they are taken away first.
const HANGERS: &[(&str, &str, &str)] = &[("tokens", "secrets", "token_id")];

/// How a statement is run.
pub(super) enum Plan {
    /// It touches nothing that is covered.
    Plain,
    Covered(Covered),
}

/// A statement that touches covered rows.
pub(super) struct Covered {
    pub(super) place: usize,
    pub(super) verb: Verb,
    /// The rows as they are before, where that is to be asked.
    pub(super) before: Option<Part>,
    /// The statement itself, answering the columns of its rows with their MACs.
    pub(super) main: Part,
    /// Rows of another table that go first.
    pub(super) first: Option<(usize, Part)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Verb {
    /// Where each column of a new row comes from, in the order of the table. The MAC is the last placeholder.
    Insert(Vec<Source>),
    Update,
    Delete,
}

/// Where a column of a new row comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// The value at this place.
    Given(usize),
    Number(i64),
    Text(String),
    Nothing,
}

/// A text with the values it takes of those of the statement.
pub(super) struct Part {
    pub(super) sql: String,
    takes: Vec<usize>,
}

impl Part {
    pub(super) fn values(&self, given: &[Value]) -> Vec<Value> {
        self.takes.iter().map(|place| given.get(*place).cloned().unwrap_or(Value::Null)).collect()
    }

    /// The text with its placeholders numbered from 1 without gaps: PostgreSQL wants to know the type of each.
    fn renumbered(text: &str) -> Self {
        let (mut sql, mut takes) = (String::new(), Vec::<usize>::new());
        let mut rest = text;
        while let Some(start) = rest.find('$') {
            let digits = rest[start + 1..].len()
                - rest[start + 1..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let place = rest[start + 1..start + 1 + digits].parse::<usize>().unwrap_or(1).saturating_sub(1);
            let number = takes.iter().position(|known| *known == place).unwrap_or_else(|| {
                takes.push(place);
                takes.len() - 1
            });
            sql.push_str(&rest[..start]);
            sql.push('$');
            sql.push_str(&(number + 1).to_string());
            rest = &rest[start + 1 + digits..];
        }
        sql.push_str(rest);
        Self { sql, takes }
    }

    fn whole(sql: String, values: usize) -> Self {
        Self { sql, takes: (0..values).collect() }
    }
}

/// Reads a statement that is given so many values.
pub(super) fn plan(sql: &str, values: usize) -> Result<Plan, Error> {
    let text = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut words = text.split(' ');
    let (verb, second, third) = (words.next(), words.next(), words.next());
    let name = match verb {
        Some("insert" | "delete") => third,
        Some("update") => second,
        // A query changes nothing; whoever hides a change in one is refused by the reader.
        Some("select") => return Ok(Plan::Plain),
        _ => return Err(unreadable(sql)),
    };
    let Some(place) = TABLES.iter().position(|table| Some(table.name) == name) else {
        return Ok(Plan::Plain);
    };
    let table = &TABLES[place];
    let planned = match verb {
        Some("insert") => insert(&text, place, table, values),
        Some("update") => update(&text, place, table, values),
        _ => delete(&text, place, table),
    };
    planned.ok_or_else(|| unreadable(sql))
}

fn unreadable(sql: &str) -> Error {
    Error::Unavailable(format!("a statement cannot be stamped: {sql}"))
}

/// The columns of a table with the MAC, as every answer has them.
pub(super) fn columns(table: &Table) -> String {
    format!("{}, mac", table.columns.join(", "))
}

fn update(text: &str, place: usize, table: &Table, values: usize) -> Option<Plan> {
    let set = outside(text, " set ")?;
    let condition = outside(text, " where ")?;
    let sets = split(&text[set + 5..condition]);
    let touches = sets
        .iter()
        .any(|set| set.split_once('=').is_some_and(|(column, _)| table.columns.contains(&column.trim())));
    if !touches {
        return Some(Plan::Plain);
    }
    if outside(text, " returning ").is_some() {
        return None;
    }
    let columns = columns(table);
    let before = format!("select {columns} from {}{} for update", table.name, &text[condition..]);
    let main = Part::whole(format!("{text} returning {columns}"), values);
    let before = Some(Part::renumbered(&before));
    Some(Plan::Covered(Covered { place, verb: Verb::Update, before, main, first: None }))
}

fn delete(text: &str, place: usize, table: &Table) -> Option<Plan> {
    let condition = outside(text, " where ")?;
    let main = Part::renumbered(&format!("{text} returning {}", columns(table)));
    let mut first = None;
    if let Some((_, hanger, column)) = HANGERS.iter().find(|(of, ..)| *of == table.name) {
        let hanging = TABLES.iter().position(|table| table.name == *hanger)?;
        let gone = format!(
            "delete from {hanger} where {column} in (select id from {}{}) returning {}",
            table.name,
            &text[condition..],
            columns(&TABLES[hanging])
        );
        first = Some((hanging, Part::renumbered(&gone)));
    }
    Some(Plan::Covered(Covered { place, verb: Verb::Delete, before: None, main, first }))
}

fn insert(text: &str, place: usize, table: &Table, values: usize) -> Option<Plan> {
    let open = text.find('(')?;
    let close = open + text[open..].find(')')?;
    let given = text[close..].strip_prefix(") values (")?;
    let end = closing(given)?;
    let (expressions, rest) = (split(&given[..end]), &given[end + 1..]);
    let names = split(&text[open + 1..close]);
    if names.len() != expressions.len() {
        return None;
    }
    let sources: Option<Vec<Source>> = table
        .columns
        .iter()
        .map(|column| match names.iter().position(|name| name == column) {
            Some(index) => source(expressions[index]),
            None => Some(Source::Nothing),
        })
        .collect();
    let columns = columns(table);
    let main = format!(
        "insert into {} ({}, mac) values ({}, ${}){rest} returning {columns}",
        table.name,
        names.join(", "),
        expressions.join(", "),
        values + 1
    );
    let before = if rest.contains(" do update set ") {
        let key: Option<Vec<String>> = table
            .key
            .iter()
            .map(|column| {
                let index = names.iter().position(|name| name == column)?;
                Some(format!("{column} = {}", expressions[index]))
            })
            .collect();
        let key = key?.join(" and ");
        Some(Part::renumbered(&format!("select {columns} from {} where {key} for update", table.name)))
    } else {
        None
    };
    let main = Part::whole(main, values + 1);
    Some(Plan::Covered(Covered { place, verb: Verb::Insert(sources?), before, main, first: None }))
}

fn source(expression: &str) -> Option<Source> {
    if expression == "null" {
        return Some(Source::Nothing);
    }
    if let Some(number) = expression.strip_prefix('$') {
        return number.parse::<usize>().ok()?.checked_sub(1).map(Source::Given);
    }
    if let Some(text) = expression.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return (!text.contains('\'')).then(|| Source::Text(text.to_owned()));
    }
    expression.parse().ok().map(Source::Number)
}

/// Where this stands outside of brackets and quotes.
fn outside(text: &str, wanted: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (0, false);
    text.char_indices().find_map(|(index, letter)| {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        (depth == 0 && !quoted && text[index..].starts_with(wanted)).then_some(index)
    })
}

/// Where the bracket closes that was opened before the text.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quoted) = (1, false);
    text.char_indices().find_map(|(index, letter)| {
        match letter {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(index)
    })
}

/// The parts between commas outside of brackets and quotes.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(comma) = outside(rest, ",") {
        parts.push(rest[..comma].trim());
        rest = &rest[comma + 1..];
    }
    parts.push(rest.trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(sql: &str, values: usize) -> Covered {
        match plan(sql, values).unwrap() {
            Plan::Covered(covered) => covered,
            Plan::Plain => panic!("{sql} is not covered"),
        }
    }

    #[test]
    fn changes_ask_for_the_rows_before() {
        let sql = "update sessions set tag = $2, password_at = $3 where id = $1 and user_id in (select 'where ' || $4)";
        let plan = covered(sql, 4);
        let before = plan.before.unwrap();
        assert!(
            before
                .sql
                .ends_with("from sessions where id = $1 and user_id in (select 'where ' || $2) for update")
        );
        assert_eq!(before.takes, [0, 3]);
        assert!(plan.main.sql.starts_with(sql) && plan.main.sql.ends_with(", mac"));
    }

    #[test]
    fn what_is_kept_aside_is_not_stamped() {
        for sql in [
            "update people set failed_sign_ins = failed_sign_ins + 1, failed_at = $2 where id = $1 returning failed_sign_ins",
            "update webhooks set failing_since = null where id = $1",
            "update cluster set epoch = epoch where singleton = 1",
            "select 1 from tokens where id = $1",
        ] {
            assert!(matches!(plan(sql, 2), Ok(Plan::Plain)), "{sql}");
        }
    }

    #[test]
    fn a_new_row_comes_with_its_mac() {
        let sql = "insert into bootstrap (singleton, code, expires_at) values (1, $1, $2)
            on conflict (singleton) do update set code = excluded.code, expires_at = excluded.expires_at";
        let plan = covered(sql, 2);
        assert_eq!(plan.verb, Verb::Insert(vec![Source::Number(1), Source::Given(0), Source::Given(1)]));
        assert!(
            plan.main.sql.contains("(singleton, code, expires_at, mac) values (1, $1, $2, $3) on conflict")
        );
        assert!(plan.before.unwrap().sql.ends_with("where singleton = 1 for update"));
    }

    #[test]
    fn what_hangs_on_a_row_goes_first() {
        let plan = covered("delete from tokens where account_id = $1 and id = $3", 3);
        let (_, first) = plan.first.unwrap();
        let within = "where token_id in (select id from tokens where account_id = $1 and id = $2)";
        assert!(first.sql.contains(within), "{}", first.sql);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for sql in [
            "insert into people select * from people",
            "insert into people (id) values (lower($1))",
            "update people set name = $1",
            "delete from people",
            "truncate people",
            "with gone as (delete from people) select 1",
        ] {
            assert!(plan(sql, 1).is_err(), "{sql}");
        }
    }
}
