//! Hands JSON values to serde by their names only. On its own serde also takes a list of values in the order of the fields
//! for a structure, and an object of one key for a choice: the same request in a second spelling that nobody documents.

use serde::{
    de::{
        Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Error, Value};

/// A value whose structures are objects and whose choices are texts, however deep they stand in it.
pub(super) struct Named(pub Value);

impl Named {
    /// What the value is, without saying what stands in it: that may be a secret.
    fn unexpected(&self) -> Unexpected<'static> {
        match &self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(_) => Unexpected::Other("boolean"),
            Value::Number(_) => Unexpected::Other("number"),
            Value::String(_) => Unexpected::Other("text"),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        }
    }
}

impl IntoDeserializer<'_, Error> for Named {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Named {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.into_iter().map(Named));
                let value = visitor.visit_seq(&mut items)?;
                items.end().map(|()| value)
            }
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, Named(value)));
                let mut fields = MapDeserializer::new(fields);
                let value = visitor.visit_map(&mut fields)?;
                fields.end().map(|()| value)
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.0.is_object() {
            return self.deserialize_any(visitor);
        }
        Err(Error::invalid_type(self.unexpected(), &"a JSON object, with names for its fields"))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::String(choice) => visitor.visit_enum(choice.into_deserializer()),
            _ => Err(Error::invalid_type(self.unexpected(), &"a text")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{from_value, json};

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        inner: Option<Inner>,
        #[serde(default)]
        list: Vec<Inner>,
        choice: Option<Choice>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        number: u8,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        Left,
    }

    #[test]
    fn a_structure_is_an_object_and_a_choice_a_text_at_any_depth() {
        for named in [
            json!({}),
            json!({ "inner": null, "choice": null }),
            json!({ "inner": { "number": 1 }, "list": [], "choice": "left" }),
            json!({ "list": [{ "number": 1 }, { "number": 2 }] }),
        ] {
            let read = Outer::deserialize(Named(named.clone())).unwrap();
            assert_eq!(read, from_value(named).unwrap());
        }
        for (unnamed, expected) in [
            (json!([null, [], null]), "a JSON object"),
            (json!({ "inner": [1] }), "a JSON object"),
            (json!({ "inner": 7 }), "a JSON object"),
            (json!({ "list": [{ "number": 1 }, [2]] }), "a JSON object"),
            (json!({ "choice": { "left": null } }), "a text"),
            (json!({ "choice": ["left"] }), "a text"),
            (json!({ "choice": 0 }), "a text"),
        ] {
            let words = Outer::deserialize(Named(unnamed.clone())).unwrap_err().to_string();
            assert!(words.contains(&format!("expected {expected}")), "{unnamed}: {words}");
        }
    }
}
