//! Whether a JSON schema is one that Anthropic's structured outputs take: all objects are closed, and nothing limits
//! numbers, strings or lists. Source: Anthropic's documentation, "Structured outputs", JSON schema limitations.

use serde_json::Value;

static LIMITS: &[&str] = &[
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "patternProperties",
    "uniqueItems",
];

/// Members whose values are schemas by name; their names are no keywords.
static BY_NAME: &[&str] = &["$defs", "definitions", "properties"];

/// Members whose values are data.
static DATA: &[&str] = &["const", "default", "enum", "examples", "required"];

pub(super) fn is_plain(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => {
            let is_object = object.get("type").is_some_and(names_object) || object.contains_key("properties");
            let closed = !is_object || object.get("additionalProperties") == Some(&Value::Bool(false));
            closed && object.iter().all(|(name, value)| is_plain_member(name, value))
        }
        Value::Array(list) => list.iter().all(is_plain),
        _ => true,
    }
}

fn is_plain_member(name: &str, value: &Value) -> bool {
    if DATA.contains(&name) {
        return true;
    }
    if BY_NAME.contains(&name) {
        return value.as_object().is_none_or(|schemas| schemas.values().all(is_plain));
    }
    !LIMITS.contains(&name) && is_plain(value)
}

/// `"object"`, or `["object", "null"]`.
fn names_object(kind: &Value) -> bool {
    let is = |v: &Value| v == "object";
    is(kind) || kind.as_array().is_some_and(|kinds| kinds.iter().any(is))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn open_objects_and_limits_are_not_plain() {
        let closed =
            |inner: Value| json!({ "type": "object", "additionalProperties": false, "properties": inner });
        assert!(is_plain(&closed(json!({ "minimum": { "type": "integer", "default": { "maximum": 1 } } }))));
        assert!(is_plain(&closed(json!({ "a": { "anyOf": [{ "type": "null" }, closed(json!({}))] } }))));
        assert!(!is_plain(&json!({ "type": "object" })));
        assert!(!is_plain(&closed(json!({ "a": { "type": ["object", "null"] } }))));
        assert!(!is_plain(&closed(json!({ "a": { "type": "integer", "minimum": 1 } }))));
    }
}
