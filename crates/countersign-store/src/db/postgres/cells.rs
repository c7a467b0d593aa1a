//! Values on the wire: how ours are written for the type a placeholder has, and how columns are read. Only whole numbers,
//! texts and bytes; anything else is an error and not a guess.

use std::{error::Error as StdError, fmt, sync::Arc};

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::{
    evidence::mac::Cell,
    value::{Row, Value},
};

type Failure = Box<dyn StdError + Sync + Send>;

/// A value as it is sent. It says nothing of itself: values hold digests and sealed secrets.
pub(super) struct Bound<'v>(pub(super) &'v Value);

impl fmt::Debug for Bound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(number) => match *kind {
                Type::INT8 => number.to_sql(kind, out),
                Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
                Type::INT2 => i16::try_from(*number)?.to_sql(kind, out),
                _ => Err(format!("a number where {kind} is wanted").into()),
            },
            Value::Text(text) => match *kind {
                Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => text.to_sql(kind, out),
                _ => Err(format!("a text where {kind} is wanted").into()),
            },
            Value::Bytes(bytes) => match *kind {
                Type::BYTEA => bytes.to_sql(kind, out),
                _ => Err(format!("bytes where {kind} is wanted").into()),
            },
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A column as it came, not copied.
struct Column<'r>(Cell<'r>);

impl<'r> FromSql<'r> for Column<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Failure> {
        Ok(Self(match *kind {
            Type::INT8 => Cell::Integer(i64::from_sql(kind, raw)?),
            Type::INT4 => Cell::Integer(i32::from_sql(kind, raw)?.into()),
            Type::INT2 => Cell::Integer(i16::from_sql(kind, raw)?.into()),
            Type::OID => Cell::Integer(u32::from_sql(kind, raw)?.into()),
            Type::BOOL => Cell::Integer(bool::from_sql(kind, raw)?.into()),
            Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN => Cell::Text(raw),
            Type::BYTEA => Cell::Bytes(raw),
            _ => return Err(format!("a column of the type {kind}").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self(Cell::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The column at this place; null where it is of a type we never asked for, which no MAC fits.
pub(super) fn cell(row: &tokio_postgres::Row, index: usize) -> Cell<'_> {
    row.try_get::<_, Column<'_>>(index).map_or(Cell::Null, |column| column.0)
}

/// The names of the columns.
pub(super) fn names(columns: &[tokio_postgres::Column]) -> Arc<[String]> {
    columns.iter().map(|column| column.name().to_owned()).collect()
}

/// The row, copied.
pub(super) fn own(row: &tokio_postgres::Row, names: &Arc<[String]>) -> Row {
    let values = (0..row.len()).map(|index| match cell(row, index) {
        Cell::Integer(number) => Value::Integer(number),
        Cell::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        Cell::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        Cell::Null | Cell::Fraction(_) => Value::Null,
    });
    Row::new(Arc::clone(names), values.collect())
}
