//! JSON schema to Gemini's own subset of OpenAPI's schema, and back.
//!
//! Gemini refuses whole requests over a keyword that it does not know, so everything is rebuilt from what it does know:
//! references are put in place, `const` becomes `enum`, alternatives become `anyOf`, `null` becomes `nullable`.

use serde_json::{Value, json};
use weir_core::chat::Object;

/// Keywords that mean the same on both sides.
static SAME: &[&str] = &[
    "title",
    "description",
    "nullable",
    "default",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "propertyOrdering",
];

/// Formats that Gemini knows; it refuses others.
static FORMATS: &[&str] = &["enum", "date-time", "float", "double", "int32", "int64"];

/// How deep references may lie in each other; what is deeper (recursion) is any object.
const MAX_DEPTH: usize = 32;
/// How many schemas one may grow to when its references are put in place.
const MAX_NODES: usize = 20_000;

/// The schema as Gemini takes it.
pub(super) fn to_gemini(schema: &Value) -> Value {
    let mut writer = Writer { root: schema, nodes: 0 };
    Value::Object(writer.schema(schema, 0))
}

struct Writer<'a> {
    root: &'a Value,
    nodes: usize,
}

// --- Writer ---

impl Writer<'_> {
    fn schema(&mut self, schema: &Value, depth: usize) -> Object {
        self.nodes += 1;
        let Some(schema) = schema.as_object().filter(|_| depth < MAX_DEPTH && self.nodes < MAX_NODES) else {
            return object();
        };
        let merged = self.merged(schema);
        let mut out = Object::new();
        for (name, value) in &merged {
            self.keyword(name, value, depth, &mut out);
        }
        required(&mut out);
        complete(&mut out);
        out
    }

    /// The schema with its reference and the members of `allOf` in place; its own keywords win.
    fn merged(&self, schema: &Object) -> Object {
        let mut out = schema.clone();
        let all_of = out.remove("allOf").and_then(|all| all.as_array().cloned()).unwrap_or_default();
        let reference = out.remove("$ref").and_then(|r| self.target(r.as_str()?).cloned());
        for part in all_of.iter().chain(&reference).take(MAX_DEPTH) {
            let part = self.followed(part);
            for (name, value) in part.as_object().into_iter().flatten() {
                merge(&mut out, name, value);
            }
        }
        out
    }

    /// What a chain of bare references leads to.
    fn followed<'v>(&'v self, mut part: &'v Value) -> &'v Value {
        for _ in 0..MAX_DEPTH {
            match part.get("$ref").and_then(Value::as_str).and_then(|r| self.target(r)) {
                Some(target) => part = target,
                None => break,
            }
        }
        part
    }

    fn target(&self, reference: &str) -> Option<&Value> {
        self.root.pointer(reference.strip_prefix('#')?)
    }

    fn keyword(&mut self, name: &str, value: &Value, depth: usize, out: &mut Object) {
        match name {
            "type" => types(value, out),
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties: Object = properties
                    .map(|(name, schema)| (name.clone(), self.schema(schema, depth + 1).into()))
                    .collect();
                out.insert("properties".into(), properties.into());
            }
            "items" => {
                // A list of schemas (tuples of old drafts) has no counterpart; the first stands for all.
                let items = value.get(0).unwrap_or(value);
                out.insert("items".into(), self.schema(items, depth + 1).into());
            }
            "anyOf" | "oneOf" => self.alternatives(value, depth, out),
            "const" => values(std::slice::from_ref(value), out),
            "enum" => values(value.as_array().map(Vec::as_slice).unwrap_or_default(), out),
            "required" => drop(out.insert("required".into(), value.clone())),
            "property_ordering" => drop(out.insert("propertyOrdering".into(), value.clone())),
            "format" if value.as_str().is_some_and(|f| FORMATS.contains(&f)) => {
                out.insert("format".into(), value.clone());
            }
            same if SAME.contains(&same) && !value.is_null() => {
                out.insert(same.into(), value.clone());
            }
            _ => {}
        }
    }

    fn alternatives(&mut self, value: &Value, depth: usize, out: &mut Object) {
        let all = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let (nulls, rest): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|s| is_null(s));
        if !nulls.is_empty() {
            out.insert("nullable".into(), true.into());
        }
        if let [only] = rest.as_slice() {
            for (name, value) in self.schema(only, depth + 1) {
                out.entry(name).or_insert(value);
            }
            return;
        }
        let rest: Vec<Value> = rest.into_iter().map(|s| self.schema(s, depth + 1).into()).collect();
        if !rest.is_empty() {
            out.insert("anyOf".into(), rest.into());
        }
    }
}

fn object() -> Object {
    Object::from_iter([("type".to_owned(), "OBJECT".into())])
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").is_some_and(|t| t == "null") || schema.get("const").is_some_and(Value::is_null)
}

/// `properties` and `required` of two schemas add up.
fn merge(out: &mut Object, name: &str, value: &Value) {
    match (out.get_mut(name), value) {
        (Some(Value::Object(mine)), Value::Object(theirs)) if name == "properties" => {
            for (name, schema) in theirs {
                mine.entry(name.clone()).or_insert_with(|| schema.clone());
            }
        }
        (Some(Value::Array(mine)), Value::Array(theirs)) if name == "required" => {
            mine.extend(theirs.iter().cloned());
        }
        (Some(_), _) => {}
        (None, _) => drop(out.insert(name.to_owned(), value.clone())),
    }
}

/// `"string"`, or `["string", "null"]`, or several: then each is an alternative.
fn types(value: &Value, out: &mut Object) {
    let upper = |t: &Value| t.as_str().map(str::to_ascii_uppercase);
    if let Some(one) = upper(value) {
        out.insert("type".into(), one.into());
        return;
    }
    let all: Vec<String> = value.as_array().into_iter().flatten().filter_map(upper).collect();
    let some: Vec<&String> = all.iter().filter(|t| *t != "NULL").collect();
    if some.len() < all.len() {
        out.insert("nullable".into(), true.into());
    }
    match some.as_slice() {
        [] => {}
        [one] => drop(out.insert("type".into(), one.as_str().into())),
        several => {
            let several: Vec<Value> = several.iter().map(|t| json!({ "type": t })).collect();
            out.insert("anyOf".into(), several.into());
        }
    }
}

/// Values may only be text: numbers that may be chosen from are left to the description.
fn values(all: &[Value], out: &mut Object) {
    if all.iter().any(Value::is_null) {
        out.insert("nullable".into(), true.into());
    }
    let texts: Vec<Value> = all.iter().filter(|v| v.is_string()).cloned().collect();
    if !texts.is_empty() {
        out.insert("enum".into(), texts.into());
        out.insert("type".into(), "STRING".into());
    } else if let Some(number) = all.iter().find_map(type_of) {
        out.entry("type").or_insert_with(|| number.into());
    }
}

fn type_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(_) => Some("BOOLEAN"),
        Value::Number(n) if n.is_f64() => Some("NUMBER"),
        Value::Number(_) => Some("INTEGER"),
        _ => None,
    }
}

/// Gemini refuses `required` names that are no properties.
fn required(out: &mut Object) {
    let Some(Value::Array(mut names)) = out.remove("required") else { return };
    let known = out.get("properties").and_then(Value::as_object);
    names.retain(|name| name.as_str().is_some_and(|n| known.is_some_and(|k| k.contains_key(n))));
    if !names.is_empty() {
        out.insert("required".into(), names.into());
    }
}

/// Every schema has a type, and lists say of what.
fn complete(out: &mut Object) {
    if !out.contains_key("type") && !out.contains_key("anyOf") {
        let implied = if out.contains_key("items") {
            "ARRAY"
        } else if out.contains_key("properties") || out.is_empty() {
            "OBJECT"
        } else {
            return;
        };
        out.insert("type".into(), implied.into());
    }
    if out.get("type").is_some_and(|t| t == "ARRAY") {
        out.entry("items").or_insert_with(|| object().into());
    }
    // Alternatives exclude a type beside them.
    if out.contains_key("anyOf") {
        out.remove("type");
    }
}

/// Gemini's schema as JSON schema: types in lower case, `nullable` as a second type.
pub(super) fn from_gemini(schema: &mut Value) {
    read(schema, 0);
}

fn read(schema: &mut Value, depth: usize) {
    let Some(schema) = schema.as_object_mut().filter(|_| depth < MAX_DEPTH * 4) else { return };
    if let Some(Value::String(name)) = schema.get_mut("type") {
        name.make_ascii_lowercase();
    }
    for (old, new) in [("any_of", "anyOf"), ("property_ordering", "propertyOrdering")] {
        if let Some(value) = schema.remove(old) {
            schema.insert(new.into(), value);
        }
    }
    nullable(schema);
    for name in ["properties", "$defs", "defs"] {
        let children = schema.get_mut(name).and_then(Value::as_object_mut);
        children.into_iter().flat_map(|c| c.values_mut()).for_each(|child| read(child, depth + 1));
    }
    if let Some(items) = schema.get_mut("items") {
        read(items, depth + 1);
    }
    let any = schema.get_mut("anyOf").and_then(Value::as_array_mut);
    any.into_iter().flatten().for_each(|child| read(child, depth + 1));
}

fn nullable(schema: &mut Object) {
    if schema.get("nullable") != Some(&Value::Bool(true)) {
        return;
    }
    match (schema.get("type").cloned(), schema.get_mut("anyOf")) {
        (Some(Value::String(name)), _) => {
            schema.insert("type".into(), json!([name, "null"]));
        }
        (_, Some(Value::Array(any))) => any.push(json!({ "type": "null" })),
        _ => return,
    }
    schema.remove("nullable");
}

#[cfg(test)]
mod tests;
