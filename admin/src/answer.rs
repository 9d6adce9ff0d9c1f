//! JSON answers whose numbers are text: money never passes through a float on its way out.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// One JSON value, already written.
pub(crate) type Raw = Box<RawValue>;

/// A JSON object in the order it was made.
pub(crate) struct Object(pub(crate) Vec<(&'static str, Raw)>);

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// `value` as JSON; null for what JSON cannot say.
pub(crate) fn raw<T: Serialize + ?Sized>(value: &T) -> Raw {
    to_raw_value(value).unwrap_or_default()
}

/// JSON text as a value, or `instead` when it is none.
pub(crate) fn parsed(text: &str, instead: &str) -> Raw {
    let value = RawValue::from_string(text.to_owned()).or_else(|_| RawValue::from_string(instead.to_owned()));
    value.unwrap_or_default()
}
