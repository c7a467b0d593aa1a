//! Reads a catalog file and says everything that is wrong with it: where, what, and how to mend it. It reads no file
//! and compiles nothing.

use std::fmt;

use toml::de::DeTable;

pub use super::file::CatalogFile;
use super::{check, section::Section};
use crate::limits::{CATALOG_BYTES_MAX, CATALOG_PROBLEMS_MAX};

/// One thing wrong with a catalog file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// The problems found so far, by byte offset. Lines are counted once, at the end, and only for those that are told.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Found>);

#[derive(Debug)]
struct Found {
    at: usize,
    message: String,
    fix: String,
}

/// Reads and checks a file. All problems that can be found at once are told, in order of line, at most
/// [`CATALOG_PROBLEMS_MAX`]: the rules between entries are checked once every entry can be read.
pub fn parse(source: &str) -> Result<CatalogFile, Vec<Problem>> {
    let mut problems = Problems::default();
    if source.len() > CATALOG_BYTES_MAX {
        problems.add(
            0,
            format!("the file has {} bytes; the limit is {CATALOG_BYTES_MAX}", source.len()),
            "split the API into fewer, broader scopes, or shorten the labels",
        );
        return Err(problems.told(source));
    }
    let (document, errors) = DeTable::parse_recoverable(source);
    if !errors.is_empty() {
        for error in errors {
            let at = error.span().map_or(source.len(), |span| span.start);
            problems.add(
                at,
                format!("this is not TOML: {}", error.message()),
                "mend the syntax (https://toml.io)",
            );
        }
        return Err(problems.told(source));
    }
    let file = CatalogFile::read(Section::new("the file", 0, document.get_ref()), &mut problems);
    if let Some(file) = &file {
        check::check(file, &mut problems);
    }
    match file {
        Some(file) if problems.0.is_empty() => Ok(file),
        _ => Err(problems.told(source)),
    }
}

impl Problems {
    /// Notes a problem at a byte offset of the source.
    pub(super) fn add(&mut self, at: usize, message: impl Into<String>, fix: impl Into<String>) {
        // A file that is wrong a million times over must not cost memory for each; the first ones are enough to mend.
        if self.0.len() < CATALOG_PROBLEMS_MAX {
            self.0.push(Found { at, message: message.into(), fix: fix.into() });
        }
    }

    fn told(mut self, source: &str) -> Vec<Problem> {
        self.0.sort_by_key(|found| found.at);
        let (mut line, mut line_start, mut told) = (1, 0, Vec::with_capacity(self.0.len()));
        for Found { at, message, fix } in self.0 {
            let at = source.floor_char_boundary(at);
            while let Some(next) = source[line_start..at].find('\n') {
                line += 1;
                line_start += next + 1;
            }
            let column = source[line_start..at].chars().count() + 1;
            told.push(Problem { line, column, message, fix });
        }
        told
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, message, fix } = self;
        write!(f, "line {line}, column {column}: {message}; {fix}")
    }
}

impl std::error::Error for Problem {}
