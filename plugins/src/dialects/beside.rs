//! What a whole answer says beside the members that its type knows. Read in a pass of its own, which skips what is known:
//! a flattened map would keep a copy of all of it.

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use std::fmt;
use weir_core::chat::Object;

/// The members of an object but for those that are `known`.
///
/// # Errors
/// It is no object.
pub(super) fn beside(body: &[u8], known: &[&str]) -> Result<Object, serde_json::Error> {
    serde_json::Deserializer::from_slice(body).deserialize_map(Beside(known))
}

struct Beside<'k>(&'k [&'k str]);

impl<'de> Visitor<'de> for Beside<'_> {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut rest = Object::new();
        while let Some(name) = map.next_key::<String>()? {
            if self.0.contains(&name.as_str()) {
                map.next_value::<IgnoredAny>()?;
            } else {
                rest.insert(name, map.next_value()?);
            }
        }
        Ok(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_knows_is_kept() {
        let body = br#"{"id":"x","a":{"id":[1]},"choices":[{"id":2}],"b":null}"#;
        let rest = beside(body, &["id", "choices"]).unwrap();
        assert_eq!(serde_json::to_string(&rest).unwrap(), r#"{"a":{"id":[1]},"b":null}"#);
        assert!(beside(b"[]", &[]).is_err());
    }
}
