//! The enterprise extension (RFC 7643, section 4.3): where somebody works and for whom. Kept in the user's metadata, and
//! only told back.

use super::answer::Fault;
use super::filter::member;
use super::view::View;
use crate::fields;
use serde_json::{Map, Value};

pub(super) const SCHEMA: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Attributes that are texts.
pub(super) const TEXTS: [&str; 5] =
    ["employeeNumber", "costCenter", "organization", "division", "department"];

pub(super) const MANAGER: &str = "manager";

/// The manager's name stands beside the id.
pub(super) const NAME: &str = "displayName";

/// Where it is kept.
const KEPT: &str = "scim_enterprise";

/// What is said of somebody: attributes that have a value, under their names.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Enterprise(Map<String, Value>);

impl Enterprise {
    /// # Errors
    /// 400 for what is no text.
    pub(super) fn read(sent: &Map<String, Value>) -> Result<Self, Fault> {
        let mut read = Map::new();
        for name in TEXTS {
            read.extend(text(sent, name)?.map(|text| (name.to_owned(), text.into())));
        }
        read.extend(manager(sent)?.map(|manager| (MANAGER.to_owned(), manager.into())));
        Ok(Self(read))
    }

    /// As it is kept in this metadata; `None` where nothing is.
    pub(super) fn of(metadata: &Value) -> Option<Self> {
        let kept = Self::read(metadata[KEPT].as_object()?).ok()?;
        Some(kept).filter(|kept| !kept.0.is_empty())
    }

    /// Nothing stays of what was kept before.
    pub(super) fn onto(&self, metadata: &mut String) {
        if !self.0.is_empty() {
            fields::put_member(metadata, KEPT, &self.0);
        } else if metadata.contains(KEPT) {
            fields::drop_member(metadata, KEPT);
        }
    }

    /// All texts in it.
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        let parts = self.0.get(MANAGER).and_then(Value::as_object).into_iter().flat_map(Map::values);
        self.0.values().chain(parts).filter_map(|value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    pub(super) fn told(mut self, view: &View) -> Value {
        if let Some(Value::Object(manager)) = self.0.get_mut(MANAGER)
            && let Some(id) = manager.get("value").and_then(Value::as_str)
        {
            let location = view.location("User", id);
            manager.insert("$ref".to_owned(), location.into());
        }
        self.0.into()
    }
}

/// An employee's number may come as a number.
fn text(sent: &Map<String, Value>, name: &str) -> Result<Option<String>, Fault> {
    match member(sent, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(Fault::value(format!("{name}: it must be a text"))),
    }
}

/// The RFC has an object; Entra ID sends the id alone too, or a list of one.
fn manager(sent: &Map<String, Value>) -> Result<Option<Map<String, Value>>, Fault> {
    let sent = match member(sent, MANAGER) {
        Some(Value::Array(all)) => all.first(),
        other => other,
    };
    let parts = match sent {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(parts)) => parts.clone(),
        Some(Value::String(id)) => Map::from_iter([("value".to_owned(), id.as_str().into())]),
        Some(_) => return Err(Fault::value("manager: it must be an object with a value, the id of a user")),
    };
    let mut manager = Map::new();
    for name in ["value", NAME] {
        manager.extend(text(&parts, name)?.map(|text| (name.to_owned(), text.into())));
    }
    Ok(Some(manager).filter(|manager| !manager.is_empty()))
}

/// A path of the extension without its schema, empty for all of it; `None` for a path of something else. Entra ID joins
/// them with a dot too.
pub(super) fn within(path: &str) -> Option<&str> {
    let (schema, rest) = path.split_at_checked(SCHEMA.len())?;
    if !schema.eq_ignore_ascii_case(SCHEMA) {
        return None;
    }
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix([':', '.']) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(sent: &Value) -> Result<Enterprise, Fault> {
        Enterprise::read(sent.as_object().unwrap())
    }

    #[test]
    fn managers_are_read_in_every_form() {
        let plain = json!({ "value": "m1" });
        for (sent, kept) in [
            (json!("m1"), Some(plain.clone())),
            (json!({ "value": "m1", "$ref": "../Users/m1" }), Some(plain.clone())),
            (json!([{ "value": "m1" }]), Some(plain)),
            (
                json!({ "Value": "m1", "displayName": "Mia" }),
                Some(json!({ "value": "m1", "displayName": "Mia" })),
            ),
            (json!(""), None),
            (json!(null), None),
            (json!([]), None),
        ] {
            let read = read(&json!({ "manager": sent, "other": 1 })).unwrap();
            assert_eq!(read.0.get(MANAGER), kept.as_ref(), "{sent}");
        }
    }

    #[test]
    fn what_is_kept_is_what_was_said_last() {
        let mut metadata = r#"{"mine":1}"#.to_owned();
        Enterprise::default().onto(&mut metadata);
        assert_eq!(metadata, r#"{"mine":1}"#, "who has none has no place for it");
        let said = read(&json!({ "employeeNumber": 7, "Department": " R&D ", "division": "" })).unwrap();
        said.onto(&mut metadata);
        let kept: Value = serde_json::from_str(&metadata).unwrap();
        assert_eq!(kept[KEPT], json!({ "employeeNumber": "7", "department": "R&D" }));
        assert_eq!(Enterprise::of(&kept), Some(said));
        Enterprise::default().onto(&mut metadata);
        assert_eq!(metadata, r#"{"mine":1}"#);
        for sent in [json!({ "department": ["x"] }), json!({ "manager": 7 }), json!({ "costCenter": true })] {
            assert!(read(&sent).is_err(), "{sent}");
        }
    }

    #[test]
    fn paths_are_known_with_their_schema_only() {
        let path = |rest: &str| format!("{SCHEMA}{rest}");
        assert_eq!(within(&path(":department")), Some("department"));
        assert_eq!(within(&path(".manager")), Some("manager"));
        assert_eq!(within(&path(":manager.value").to_lowercase()), Some("manager.value"));
        assert_eq!(within(SCHEMA), Some(""));
        for other in ["department", "urn:other:User:department", &path("s:department")] {
            assert_eq!(within(other), None, "{other}");
        }
    }
}
