//! Filters (RFC 7644, section 3.4.2.2), as far as provisioning systems send them: equalities, joined by `and`. The same
//! stand in paths of patches: `emails[type eq "work"]`.

use super::answer::Fault;
use super::{GROUP_SCHEMA, USER_SCHEMA};
use serde_json::{Map, Value};

/// All of these hold.
#[derive(Debug, PartialEq)]
pub(super) struct Filter(pub(super) Vec<Term>);

/// An attribute has this value.
#[derive(Debug, PartialEq)]
pub(super) struct Term {
    /// In lower case, without its schema and without what stands in brackets: `emails.value`.
    pub(super) path: String,
    pub(super) value: Value,
}

/// Equalities in one filter.
const MOST: usize = 10;

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        terms(text).map(Self).ok_or_else(|| unknown(text))
    }

    /// Whether a resource, or one value of an attribute that has many, is meant.
    pub(super) fn holds(&self, of: &Value) -> bool {
        self.0.iter().all(|term| term.holds(of))
    }
}

fn unknown(text: &str) -> Fault {
    let text: String = text.chars().take(200).collect();
    let detail =
        format!("{text:?} is no filter that is understood here: write attribute eq \"value\", joined by and");
    Fault::bad("invalidFilter", detail)
}

fn terms(text: &str) -> Option<Vec<Term>> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    loop {
        let (term, after) = term(rest)?;
        found.push(term);
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(found);
        }
        let (word, after) = rest.split_once(char::is_whitespace)?;
        if !word.eq_ignore_ascii_case("and") || found.len() == MOST {
            return None;
        }
        rest = after.trim_start();
    }
}

/// The first equality, and what follows it.
fn term(text: &str) -> Option<(Term, &str)> {
    let (path, rest) = text.split_at_checked(end_of_path(text)?)?;
    let (operator, rest) = rest.trim_start().split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    let value = values.next()?.ok()?;
    let plain = !value.is_array() && !value.is_object() && !value.as_str().is_some_and(|v| v.contains('\0'));
    if !operator.eq_ignore_ascii_case("eq") || !plain {
        return None;
    }
    Some((Term { path: plain_path(path)?, value }, rest.get(values.byte_offset()..)?))
}

/// Blanks in brackets are part of a path.
fn end_of_path(text: &str) -> Option<usize> {
    let blank = text.find(char::is_whitespace)?;
    match text.find('[').filter(|open| *open < blank) {
        Some(_) => {
            let close = text.find(']')?;
            text.get(close..)?.find(char::is_whitespace).map(|at| close + at)
        }
        None => Some(blank),
    }
}

fn plain_path(path: &str) -> Option<String> {
    let path = match path.split_once('[') {
        Some((before, rest)) => format!("{before}{}", rest.split_once(']')?.1),
        None => path.to_owned(),
    };
    let path = bare(&path).to_lowercase();
    let named = path.chars().all(|c| c.is_ascii_alphanumeric() || "._$-".contains(c));
    (named && !path.is_empty()).then_some(path)
}

/// A path without the schema of the resource, which may stand before it.
pub(super) fn bare(path: &str) -> &str {
    let after = |schema: &str| {
        let (before, rest) = path.split_at_checked(schema.len())?;
        rest.strip_prefix(':').filter(|_| before.eq_ignore_ascii_case(schema))
    };
    [USER_SCHEMA, GROUP_SCHEMA].into_iter().find_map(after).unwrap_or(path)
}

// --- impl Term ---

impl Term {
    pub(super) fn holds(&self, of: &Value) -> bool {
        let mut found = vec![of];
        for part in self.path.split('.') {
            found = found
                .into_iter()
                .flat_map(each)
                .filter_map(|value| member(value.as_object()?, part))
                .collect();
        }
        found.into_iter().flat_map(each).any(|value| is(value, &self.value))
    }
}

/// The values of an attribute that has many, or the one.
fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let (many, one) = match value {
        Value::Array(all) => (Some(all.iter()), None),
        one => (None, Some(one)),
    };
    many.into_iter().flatten().chain(one)
}

/// A value that is an object is meant by its `value`. Case does not count.
fn is(value: &Value, wanted: &Value) -> bool {
    let value = value.as_object().and_then(|object| object.get("value")).unwrap_or(value);
    match (value, wanted) {
        (Value::String(value), Value::String(wanted)) => value.to_lowercase() == wanted.to_lowercase(),
        (value, wanted) => value == wanted,
    }
}

/// Names of attributes are the same in whatever case.
pub(super) fn member<'m>(object: &'m Map<String, Value>, name: &str) -> Option<&'m Value> {
    object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_are_read_as_identity_providers_write_them() {
        let user = json!({ "id": "u1", "userName": "Alice@work.example", "active": true,
            "emails": [{ "type": "work", "value": "alice@work.example" }], "name": { "familyName": "Ash" } });
        for (text, holds) in [
            ("userName eq \"alice@WORK.example\"", true),
            ("username EQ \"bob\"", false),
            ("id eq \"u1\" and active eq true", true),
            ("id eq \"u1\" and active eq false", false),
            ("emails[type eq \"work\"].value eq \"alice@work.example\"", true),
            ("emails eq \"alice@work.example\"", true),
            ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName eq \"ash\"", true),
            ("externalId eq \"x\"", false),
        ] {
            assert_eq!(Filter::parse(text).unwrap().holds(&user), holds, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "userName",
            "userName eq",
            "userName eq alice",
            "userName co \"a\"",
            "userName eq \"a\" or id eq \"b\"",
            "userName eq \"a\" and",
            "userName eq [1]",
            "emails[type eq \"work\" eq \"x\"",
            "userName eq \"a\\u0000\"",
            "a b c d e f",
            "é eq \"x\"",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
        let long = ["id eq \"x\""; MOST + 1].join(" and ");
        assert!(Filter::parse(&long).is_err());
    }
}
