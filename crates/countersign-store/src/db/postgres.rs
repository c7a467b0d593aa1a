//! PostgreSQL behind the seam: where a server is and how it is reached, sessions that one thread uses at a time, what
//! errors mean, and the one writer, who stamps rows itself because the server must never have the key. No rules of ours.

mod batch;
mod cells;
mod meaning;
mod plan;
pub(super) mod session;
mod stamps;
mod target;
pub(super) mod writer;

pub(crate) use target::Target;

/// For the crate's own tests: everything that is sent for a statement.
#[cfg(test)]
pub(crate) fn planned(sql: &str) -> Vec<String> {
    let values = (1..=40).rev().find(|number| {
        let name = format!("${number}");
        sql.match_indices(&name)
            .any(|(at, _)| !sql[at + name.len()..].starts_with(|c: char| c.is_ascii_digit()))
    });
    match plan::plan(sql, values.unwrap_or_default()).unwrap_or_else(|error| panic!("{error}")) {
        plan::Plan::Plain => vec![sql.to_owned()],
        plan::Plan::Covered(covered) => {
            let first = covered.first.iter().map(|(_, part)| part);
            first.chain(&covered.before).chain([&covered.main]).map(|part| part.sql.clone()).collect()
        }
    }
}
