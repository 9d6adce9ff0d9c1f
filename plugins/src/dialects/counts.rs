//! Counts of tokens as providers write them: null where there is nothing to say, in quotes as protobuf's JSON has 64-bit
//! numbers, as 12.0.

use serde::Deserializer;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// `None`: nothing is said.
///
/// # Errors
/// It is no count: then nobody knows what was used, which is not nothing.
pub(crate) fn told<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<u64>, D::Error> {
    reader.deserialize_any(Count { loosely: false })
}

/// The same where nothing said is nothing counted.
pub(crate) fn count<'de, D: Deserializer<'de>>(reader: D) -> Result<u64, D::Error> {
    told(reader).map(Option::unwrap_or_default)
}

/// What is no count counts nothing: those beside it are as good. For the API that many servers speak in their own ways.
pub(crate) fn loosely<'de, D: Deserializer<'de>>(reader: D) -> Result<u64, D::Error> {
    reader.deserialize_any(Count { loosely: true }).map(Option::unwrap_or_default)
}

struct Count {
    loosely: bool,
}

impl Count {
    fn none<E: Error>(&self) -> Result<Option<u64>, E> {
        if self.loosely { Ok(None) } else { Err(E::custom("no count")) }
    }
}

impl<'de> Visitor<'de> for Count {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a count")
    }

    fn visit_u64<E>(self, n: u64) -> Result<Self::Value, E> {
        Ok(Some(n))
    }

    // A count of tokens is no money.
    fn visit_f64<E>(self, n: f64) -> Result<Self::Value, E> {
        Ok(Some(n).filter(|n| n.is_finite() && *n >= 0.0).map(|n| n as u64))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map_or_else(|_| self.none(), |n| Ok(Some(n)))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        self.none()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        self.none()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        self.none()
    }
}

#[cfg(test)]
mod tests {
    use super::{count, loosely, told};
    use serde_json::{Value, json};

    #[test]
    fn p12_a_count_is_read_however_it_is_written() {
        let numbers = [(json!(12), 12), (json!(12.0), 12), (json!("12"), 12), (json!(u64::MAX), u64::MAX)];
        for (written, read) in numbers {
            assert_eq!(told(&written).unwrap(), Some(read), "{written}");
            assert_eq!((count(&written).unwrap(), loosely(&written).unwrap()), (read, read), "{written}");
        }
        for nothing in [json!(null), json!(-1)] {
            assert_eq!(told(&nothing).unwrap(), None, "{nothing}");
            assert_eq!((count(&nothing).unwrap(), loosely(&nothing).unwrap()), (0, 0), "{nothing}");
        }
    }

    #[test]
    fn p12_what_is_no_count_is_not_taken_for_nothing() {
        for none in [json!("many"), json!({"of": [1, 2]}), json!([1]), json!(true)] {
            let none: &Value = &none;
            assert!(told(none).is_err() && count(none).is_err(), "{none}");
            assert_eq!(loosely(none).unwrap(), 0, "{none}");
        }
    }
}
