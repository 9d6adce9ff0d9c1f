//! Counts of tokens as providers write them: null where there is nothing to say, in quotes as protobuf's JSON has 64-bit
//! numbers, as 12.0. What is no count says nothing, and those beside it are as good.

use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// `None`: nothing is said.
pub(crate) fn told<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<u64>, D::Error> {
    reader.deserialize_any(Loose)
}

/// The same where nothing said is nothing counted.
pub(crate) fn count<'de, D: Deserializer<'de>>(reader: D) -> Result<u64, D::Error> {
    told(reader).map(Option::unwrap_or_default)
}

struct Loose;

impl<'de> Visitor<'de> for Loose {
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

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.parse().ok())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::{count, told};
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Said(#[serde(deserialize_with = "told")] Option<u64>, #[serde(deserialize_with = "count")] u64);

    #[test]
    fn p12_a_count_is_read_however_it_is_written() {
        for (written, read) in [
            (json!(12), Some(12)),
            (json!(12.0), Some(12)),
            (json!("12"), Some(12)),
            (json!(u64::MAX), Some(u64::MAX)),
            (json!(null), None),
            (json!(-1), None),
            (json!("many"), None),
            (json!({"of": [1, 2]}), None),
        ] {
            let said: Said = serde_json::from_value(json!([written, written])).unwrap();
            assert_eq!(said, Said(read, read.unwrap_or(0)), "{written}");
        }
    }
}
