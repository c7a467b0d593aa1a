//! Reads JSON strictly: no key twice, bounded depth, no NUL in texts, nothing after the end. What two parsers could read
//! in two ways is not read at all. What the values mean is told in `named`.

use std::fmt;

use serde::{
    Deserialize,
    de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use super::named::Named;
use crate::{
    error::{Error, Kind},
    limits::JSON_DEPTH_MAX,
};

/// Longest detail a reader's own words make, in characters: a caller's text may be part of them.
const DETAIL_CHARS_MAX: usize = 300;

/// Reads a body into a request.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Error::malformed(format!("The body is not UTF-8: byte {} cannot be read.", error.valid_up_to()))
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: JSON_DEPTH_MAX }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| {
            Error::malformed(format!("The body is not JSON that can be read: {}.", plain(&error)))
        })?;
    if !value.is_object() {
        return Err(Error::invalid("body", "it must be a JSON object, with names for its fields"));
    }
    let mut track = serde_path_to_error::Track::new();
    T::deserialize(serde_path_to_error::Deserializer::new(Named(value), &mut track))
        .map_err(|error| wrong_field(&track.path().to_string(), &error.to_string()))
}

/// The reader's own words, without what the caller sent: that may be a secret.
fn wrong_field(path: &str, words: &str) -> Error {
    let inside = if path == "." { "" } else { path };
    let named = |front: &str| words.strip_prefix(front)?.split_once('`').map(|(name, _)| name);
    if let Some(name) = named("unknown field `") {
        let name: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
        let ends = inside == name || inside.ends_with(&format!(".{name}"));
        let field = if inside.is_empty() {
            name
        } else if ends {
            inside.to_owned()
        } else {
            format!("{inside}.{name}")
        };
        let detail = format!("The body has a field `{field}` that is not known here; take it away.");
        return Error::new(Kind::Malformed, "field_unknown", detail).at_field(field);
    }
    if let Some(name) = named("missing field `") {
        let field = if inside.is_empty() { name.to_owned() } else { format!("{inside}.{name}") };
        return Error::invalid(field, "it must be given");
    }
    let detail = match words.rsplit_once(", expected ") {
        Some((_, expected)) => format!("it must be {expected}"),
        None => words.to_owned(),
    };
    let detail: String = detail.chars().take(DETAIL_CHARS_MAX).collect();
    Error::invalid(if inside.is_empty() { "body" } else { inside }, detail)
}

fn plain(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words.chars().filter(|letter| !letter.is_control()).take(DETAIL_CHARS_MAX).collect()
}

/// Builds a value, at most so many levels deep.
struct Strict {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        depth
            .map(|depth| Self { depth })
            .ok_or_else(|| E::custom(format!("it is more than {JSON_DEPTH_MAX} levels deep")))
    }
}

fn text<E: serde::de::Error>(text: &str) -> Result<&str, E> {
    if text.contains('\0') { Err(E::custom("a text holds U+0000")) } else { Ok(text) }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        text(value).map(|value| Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(self.deeper()?)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            text(&key)?;
            let value = entries.next_value_seed(self.deeper()?)?;
            if object.contains_key(&key) {
                return Err(A::Error::custom("an object has the same key twice"));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// `null` and an absent field are two things in a PATCH: absent is unchanged, `null` takes away.
/// Use as `#[serde(default, deserialize_with = "…::present")] field: Option<Option<T>>`.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            "[^\0]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::hash_map("[a-z]{1,6}", inner, 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_strict_json_is_read_as_everybody_reads_it(value in any_value()) {
            let body = serde_json::json!({ "value": value }).to_string();
            let read: Value = read(body.as_bytes()).unwrap();
            prop_assert_eq!(read, serde_json::from_str::<Value>(&body).unwrap());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = read::<Value>(&bytes);
        }
    }

    #[test]
    fn as_deep_as_the_limit_and_no_deeper() {
        let nested = |depth: usize| format!("{{\"v\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read::<Value>(nested(JSON_DEPTH_MAX - 1).as_bytes()).is_ok());
        assert!(read::<Value>(nested(JSON_DEPTH_MAX + 1).as_bytes()).is_err());
    }
}
