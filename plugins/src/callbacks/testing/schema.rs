//! As much of JSON Schema as ours need: `type`, `required`, `properties`, `additionalProperties: false`, `items`,
//! `minItems`, `enum`, `pattern` of hexadecimal digits, `format: date-time`, `oneOf`, and `$ref` into `$defs`.

use serde_json::Value;
use weir_core::time::Micros;

/// Asserts that a value is what the schema says.
pub(crate) fn check(schema: &str, value: &Value) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let faults = faults(&schema, &schema, value, "$");
    assert!(faults.is_empty(), "{faults:#?}\n{value:#}");
}

fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let named = root.pointer(name.trim_start_matches('#')).unwrap();
        return faults(root, named, value, at);
    }
    let mut found = Vec::new();
    if let Some(ways) = schema["oneOf"].as_array() {
        let fit = ways.iter().filter(|way| faults(root, way, value, at).is_empty()).count();
        if fit != 1 {
            found.push(format!("{at}: fits {fit} of the ways: {value}"));
        }
    }
    found.extend(plain(schema, value).map(|fault| format!("{at}: {fault}: {value}")));
    found.extend(members(root, schema, value, at));
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    if schema["minItems"].as_u64().is_some_and(|least| (items.len() as u64) < least) {
        found.push(format!("{at}: too short"));
    }
    if schema.get("items").is_some() {
        let each = items.iter().enumerate();
        found.extend(each.flat_map(|(i, item)| faults(root, &schema["items"], item, &format!("{at}[{i}]"))));
    }
    found
}

/// What is wrong with the value itself.
fn plain(schema: &Value, value: &Value) -> impl Iterator<Item = String> {
    let text = value.as_str().unwrap_or_default();
    let wrong_type = schema["type"].as_str().is_some_and(|kind| !is(kind, value));
    let not_listed = schema["enum"].as_array().is_some_and(|all| !all.contains(value));
    let no_time = schema["format"] == "date-time" && Micros::parse_rfc3339(text).is_none();
    let digits = schema["pattern"].as_str().map(|pattern| {
        pattern.strip_prefix("^[0-9a-f]{").and_then(|rest| rest.strip_suffix("}$")).unwrap().parse().unwrap()
    });
    let hex = |count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_hexdigit());
    [
        (wrong_type, format!("is no {}", schema["type"])),
        (not_listed, format!("is none of {}", schema["enum"])),
        (no_time, String::from("is no time")),
        (digits.is_some_and(|count| !hex(count)), format!("is not {}", schema["pattern"])),
    ]
    .into_iter()
    .filter_map(|(wrong, fault)| wrong.then_some(fault))
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        other => panic!("{other} is no type"),
    }
}

fn members(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let Some(members) = value.as_object() else { return Vec::new() };
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut found: Vec<String> =
        required.filter(|name| !members.contains_key(*name)).map(|name| format!("{at}: no {name}")).collect();
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(schema) => found.extend(faults(root, schema, member, &format!("{at}.{name}"))),
            None if schema["additionalProperties"] == false => found.push(format!("{at}: {name} is unknown")),
            None => {}
        }
    }
    found
}

#[test]
fn what_does_not_fit_is_found() {
    let schema: Value = serde_json::from_str(
        r##"{"type":"object","required":["a"],"additionalProperties":false,"properties":{"a":{"$ref":"#/$defs/id"},
        "b":{"type":"array","minItems":1,"items":{"oneOf":[{"enum":["x"]},{"type":"number"}]}}},
        "$defs":{"id":{"type":"string","pattern":"^[0-9a-f]{4}$"}}}"##,
    )
    .unwrap();
    let count = |value: &str| faults(&schema, &schema, &serde_json::from_str(value).unwrap(), "$").len();
    assert_eq!(count(r#"{"a":"00ff","b":["x",1]}"#), 0);
    for wrong in [
        r#"{}"#,
        r#"{"a":"00f"}"#,
        r#"{"a":"00ff","c":1}"#,
        r#"{"a":"00ff","b":[]}"#,
        r#"{"a":"00ff","b":["y"]}"#,
    ] {
        assert_eq!(count(wrong), 1, "{wrong}");
    }
}
