//! What goes into statements and what comes out of them, the same for every database. Nothing here prints: values
//! hold digests and sealed secrets.

use std::{str::FromStr, sync::Arc};

use countersign_model::{
    digest::Digest,
    id::{Id, Kind},
    lifetime::Lifetime,
    time::Timestamp,
};
use serde::de::DeserializeOwned;

use crate::Error;

/// A value of a column or a placeholder.
#[derive(Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row of an answer. Columns are read by name, so that the order in a `select` means nothing.
pub(crate) struct Row {
    names: Arc<[String]>,
    values: Vec<Value>,
}

impl Row {
    pub(crate) fn new(names: Arc<[String]>, values: Vec<Value>) -> Self {
        Self { names, values }
    }

    /// Every column by name.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.names.iter().map(String::as_str).zip(&self.values)
    }

    pub(crate) fn value(&self, name: &str) -> Result<&Value, Error> {
        let index = self.names.iter().position(|known| known == name);
        index
            .and_then(|index| self.values.get(index))
            .ok_or_else(|| Error::Corrupt(format!("a row has no column `{name}`")))
    }

    pub(crate) fn optional_integer(&self, name: &str) -> Result<Option<i64>, Error> {
        match self.value(name)? {
            Value::Null => Ok(None),
            Value::Integer(number) => Ok(Some(*number)),
            Value::Text(_) | Value::Bytes(_) => Err(unreadable(name)),
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Result<i64, Error> {
        self.optional_integer(name)?.ok_or_else(|| unreadable(name))
    }

    pub(crate) fn number<T: TryFrom<i64>>(&self, name: &str) -> Result<T, Error> {
        T::try_from(self.integer(name)?).map_err(|_| unreadable(name))
    }

    pub(crate) fn optional_number<T: TryFrom<i64>>(&self, name: &str) -> Result<Option<T>, Error> {
        let number = self.optional_integer(name)?;
        number.map(|number| T::try_from(number).map_err(|_| unreadable(name))).transpose()
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        Ok(self.integer(name)? != 0)
    }

    pub(crate) fn moment(&self, name: &str) -> Result<Timestamp, Error> {
        self.integer(name).map(Timestamp::from_unix_millis)
    }

    pub(crate) fn optional_moment(&self, name: &str) -> Result<Option<Timestamp>, Error> {
        Ok(self.optional_integer(name)?.map(Timestamp::from_unix_millis))
    }

    pub(crate) fn optional_lifetime(&self, name: &str) -> Result<Option<Lifetime>, Error> {
        let days = self.optional_integer(name)?.map(u16::try_from).transpose();
        let lifetime = days.ok().and_then(|days| days.map(Lifetime::new).transpose().ok());
        lifetime.ok_or_else(|| unreadable(name))
    }

    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.value(name)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            Value::Integer(_) | Value::Bytes(_) => Err(unreadable(name)),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, Error> {
        self.optional_text(name)?.ok_or_else(|| unreadable(name))
    }

    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Result<T, Error> {
        self.text(name)?.parse().map_err(|_| unreadable(name))
    }

    pub(crate) fn optional_parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        self.optional_text(name)?.map(|text| text.parse().map_err(|_| unreadable(name))).transpose()
    }

    /// Reads a text with a parser that has no `FromStr`.
    pub(crate) fn read<T, E>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Error> {
        parse(self.text(name)?).map_err(|_| unreadable(name))
    }

    /// Reads one of a few words.
    pub(crate) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<T, Error> {
        let text = self.text(name)?;
        words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| unreadable(name))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        serde_json::from_str(self.text(name)?).map_err(|_| unreadable(name))
    }

    pub(crate) fn optional_bytes(&self, name: &str) -> Result<Option<&[u8]>, Error> {
        match self.value(name)? {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes)),
            Value::Integer(_) | Value::Text(_) => Err(unreadable(name)),
        }
    }

    pub(crate) fn bytes(&self, name: &str) -> Result<&[u8], Error> {
        self.optional_bytes(name)?.ok_or_else(|| unreadable(name))
    }

    pub(crate) fn hash(&self, name: &str) -> Result<[u8; 32], Error> {
        self.bytes(name)?.try_into().map_err(|_| unreadable(name))
    }

    pub(crate) fn digest(&self, name: &str) -> Result<Digest, Error> {
        self.hash(name).map(Digest::from_bytes)
    }
}

fn unreadable(name: &str) -> Error {
    Error::Corrupt(format!("the column `{name}` holds something it never was given"))
}

/// Writes a value as JSON for a text column.
pub(crate) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    // Serialising our own types into memory cannot fail; were it to, the empty text is refused when read.
    serde_json::to_string(value).unwrap_or_default()
}

/// A pattern for `like … escape '\'` that finds this text anywhere.
pub(crate) fn anywhere(text: &str) -> String {
    format!("%{}%", escape_like(text))
}

/// The text with everything `like` would interpret escaped by `\`.
pub(crate) fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        // Counters from 1 never come near the end of 63 bits; a number that does matches no row.
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}
impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}
impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Integer(i64::from(number))
    }
}
impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Integer(i64::from(flag))
    }
}
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}
impl From<[u8; 32]> for Value {
    fn from(bytes: [u8; 32]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}
impl From<Digest> for Value {
    fn from(digest: Digest) -> Self {
        Self::from(*digest.as_bytes())
    }
}
impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Integer(moment.unix_millis())
    }
}
impl<K: Kind> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Text(id.to_string())
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_finds_the_text_itself() {
        for (text, pattern) in
            [("a", "%a%"), ("50%", "%50\\%%"), ("a_b", "%a\\_b%"), ("\\", "%\\\\%"), ("", "%%")]
        {
            assert_eq!(anywhere(text), pattern, "{text}");
        }
    }
}
