//! Reads one TOML table key by key. Every key is taken by name and once; what is left over is unknown and a problem,
//! with the key that was probably meant. It knows TOML's types and nothing about catalogs.

use std::{fmt::Display, str::FromStr};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Label, parse::Problems};
use crate::{limits::NAME_CHARS_MAX, name::one_line, time::Timestamp};

/// A table that is being read.
pub(super) struct Section<'a, 'i> {
    /// What it is, for messages: `the scope`.
    what: &'static str,
    /// Where it begins, in bytes.
    at: usize,
    entries: Vec<Entry<'a, 'i>>,
    /// The keys that were asked for, to suggest one.
    known: Vec<&'static str>,
}

struct Entry<'a, 'i> {
    key: &'a str,
    at: usize,
    value: &'a Spanned<DeValue<'i>>,
    taken: bool,
}

impl<'a, 'i> Section<'a, 'i> {
    /// Begins to read a table.
    pub(super) fn new(what: &'static str, at: usize, table: &'a DeTable<'i>) -> Self {
        let entries = table
            .iter()
            .map(|(key, value)| Entry { key: key.get_ref(), at: key.span().start, value, taken: false })
            .collect();
        Self { what, at, entries, known: Vec::new() }
    }

    /// Where the table begins, in bytes.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.known.push(key);
        let entry = self.entries.iter_mut().find(|entry| entry.key == key)?;
        entry.taken = true;
        Some(entry.value)
    }

    fn required<T>(&self, key: &str, found: Option<T>, example: &str, problems: &mut Problems) -> Option<T> {
        if found.is_none() && !self.entries.iter().any(|entry| entry.key == key) {
            problems.add(
                self.at,
                format!("{} has no `{key}`", self.what),
                format!("add `{key} = {example}`"),
            );
        }
        found
    }

    /// A text; `None` when absent or told.
    pub(super) fn optional_text(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Spanned<String>> {
        let value = self.take(key)?;
        text(value).or_else(|| wrong_kind(&named(key), value, "a text in quotes", problems))
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, key: &'static str, problems: &mut Problems) -> Option<Spanned<String>> {
        let found = self.optional_text(key, problems);
        self.required(key, found, "\"...\"", problems)
    }

    /// Texts; an absent list is `None`.
    pub(super) fn optional_texts(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Vec<Spanned<String>>> {
        let value = self.take(key)?;
        let entry = |item, problems: &mut Problems| {
            text(item).or_else(|| wrong_kind(&entry_of(key), item, "a text in quotes", problems))
        };
        let texts = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| entry(item, problems)).collect::<Vec<_>>(),
            _ => {
                return wrong_kind(
                    &named(key),
                    value,
                    "a list of texts, such as [\"one\", \"two\"]",
                    problems,
                );
            }
        };
        texts.into_iter().collect()
    }

    /// Texts that must be there.
    pub(super) fn texts(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Vec<Spanned<String>>> {
        let found = self.optional_texts(key, problems);
        self.required(key, found, "[\"...\"]", problems)
    }

    /// A switch; absent is off.
    pub(super) fn flag(&mut self, key: &'static str, problems: &mut Problems) -> Option<bool> {
        let Some(value) = self.take(key) else { return Some(false) };
        match value.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => wrong_kind(&named(key), value, "true or false", problems),
        }
    }

    /// A whole number from 0 to `max`, in decimal digits; `None` when absent or told.
    pub(super) fn optional_number<N: FromStr + PartialOrd + Display + Copy>(
        &mut self,
        key: &'static str,
        max: N,
        problems: &mut Problems,
    ) -> Option<Spanned<N>> {
        let value = self.take(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) if integer.radix() == 10 => {
                integer.as_str().parse().ok().filter(|number| *number <= max)
            }
            _ => None,
        };
        number.map(|number| Spanned::new(value.span(), number)).or_else(|| {
            wrong_kind(
                &named(key),
                value,
                &format!("a whole number from 0 to {max} in decimal digits"),
                problems,
            )
        })
    }

    /// A whole number that must be there.
    pub(super) fn number<N: FromStr + PartialOrd + Display + Copy>(
        &mut self,
        key: &'static str,
        max: N,
        problems: &mut Problems,
    ) -> Option<Spanned<N>> {
        let found = self.optional_number(key, max, problems);
        self.required(key, found, "1", problems)
    }

    /// A date as TOML writes it, without a time: its first moment in UTC.
    pub(super) fn optional_date(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Spanned<Timestamp>> {
        let value = self.take(key)?;
        let date = match value.get_ref() {
            DeValue::Datetime(date) => Timestamp::parse_date(&date.to_string()),
            _ => None,
        };
        date.map(|date| Spanned::new(value.span(), date)).or_else(|| {
            wrong_kind(&named(key), value, "a date such as 2025-03-01, without quotes and time", problems)
        })
    }

    /// A name in both languages: `{ en = "...", zh_cn = "..." }`.
    pub(super) fn label(&mut self, key: &'static str, problems: &mut Problems) -> Option<Label> {
        let found = self.take(key).and_then(|value| label(&named(key), value, problems));
        self.required(key, found, "{ en = \"...\", zh_cn = \"...\" }", problems)
    }

    /// Names in both languages.
    pub(super) fn labels(
        &mut self,
        key: &'static str,
        problems: &mut Problems,
    ) -> Option<Spanned<Vec<Label>>> {
        let found = self.take(key).and_then(|value| match value.get_ref() {
            DeValue::Array(items) => {
                let labels: Vec<Option<Label>> =
                    items.iter().map(|item| label(&entry_of(key), item, problems)).collect();
                let labels: Option<Vec<Label>> = labels.into_iter().collect();
                Some(Spanned::new(value.span(), labels?))
            }
            _ => wrong_kind(
                &named(key),
                value,
                "a list of names, such as [{ en = \"...\", zh_cn = \"...\" }]",
                problems,
            ),
        });
        self.required(key, found, "[{ en = \"...\", zh_cn = \"...\" }]", problems)
    }

    /// Tables of one name, each read by `read`, at most `limit`. `None` when one of them cannot be read.
    pub(super) fn tables<T>(
        &mut self,
        key: &'static str,
        (what, limit): (&'static str, usize),
        problems: &mut Problems,
        mut read: impl FnMut(Section<'a, 'i>, &mut Problems) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(value) = self.take(key) else { return Some(Vec::new()) };
        let DeValue::Array(items) = value.get_ref() else {
            return wrong_kind(
                &named(key),
                value,
                &format!("a list of tables, each begun by [[...{key}]]"),
                problems,
            );
        };
        if items.len() > limit {
            let message = format!("there are {} `{key}` entries; the limit is {limit}", items.len());
            problems.add(value.span().start, message, "take some away");
            return None;
        }
        let read: Vec<Option<T>> = items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::Table(table) => read(Section::new(what, item.span().start, table), problems),
                _ => wrong_kind(&entry_of(key), item, "a table", problems),
            })
            .collect();
        read.into_iter().collect()
    }

    /// Ends reading: every key that was not asked for is a problem.
    pub(super) fn finish(self, problems: &mut Problems) {
        for entry in self.entries.iter().filter(|entry| !entry.taken) {
            let message = format!("{} has an unknown key `{}`", self.what, entry.key.escape_debug());
            problems.add(entry.at, message, format!("use one of {}, or take it away", self.known.join(", ")));
        }
    }
}

fn named(key: &str) -> String {
    format!("`{key}`")
}

fn entry_of(key: &str) -> String {
    format!("an entry of `{key}`")
}

fn text(value: &Spanned<DeValue<'_>>) -> Option<Spanned<String>> {
    match value.get_ref() {
        DeValue::String(text) => Some(Spanned::new(value.span(), text.clone().into_owned())),
        _ => None,
    }
}

fn label(subject: &str, value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> Option<Label> {
    let DeValue::Table(table) = value.get_ref() else {
        return wrong_kind(
            subject,
            value,
            "a name in both languages, { en = \"...\", zh_cn = \"...\" }",
            problems,
        );
    };
    let mut section = Section::new("the label", value.span().start, table);
    let en = section.text("en", problems);
    let zh_cn = section.text("zh_cn", problems);
    section.finish(problems);
    let (en, zh_cn) = (clean(&en?, problems), clean(&zh_cn?, problems));
    Some(Label { en: en?, zh_cn: zh_cn? })
}

/// Labels are shown beside names that people give and keep the same rules.
fn clean(text: &Spanned<String>, problems: &mut Problems) -> Option<String> {
    match one_line(text.get_ref(), NAME_CHARS_MAX) {
        Ok(clean) => Some(clean),
        Err(error) => {
            problems.add(
                text.span().start,
                format!("the label cannot be shown: {error}"),
                "write a short plain name",
            );
            None
        }
    }
}

fn wrong_kind<T>(
    subject: &str,
    value: &Spanned<DeValue<'_>>,
    wanted: &str,
    problems: &mut Problems,
) -> Option<T> {
    let found = match value.get_ref() {
        DeValue::String(_) => "a text".to_owned(),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(_) => "true or false".to_owned(),
        DeValue::Datetime(_) => "a date or time".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    };
    problems.add(value.span().start, format!("{subject} is {found}"), format!("write {wanted}"));
    None
}
