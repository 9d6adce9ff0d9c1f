//! Patches (RFC 7644, section 3.5.2), in the forms that Okta and Entra ID send. They change the JSON of a resource,
//! which is then read as if all of it had been sent.

use super::answer::Fault;
use super::enterprise::{self, MANAGER, NAME};
use super::filter::{Filter, bare};
use crate::input::{Fields, Shape};
use serde_json::{Map, Value};
use std::collections::HashSet;

#[derive(Clone, Copy, PartialEq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// `attribute`, `attribute.part`, `attribute[filter]` or `attribute[filter].part`.
struct Path {
    attribute: String,
    filter: Option<Filter>,
    part: Option<String>,
}

/// Operations in one patch.
const MOST: usize = 1_000;

/// The resource with all operations done to it.
///
/// # Errors
/// 400 for the first that cannot be done.
pub(super) fn patched(resource: Value, mut sent: Fields) -> Result<Fields, Fault> {
    let operations = sent.take("Operations", Shape::List);
    sent.texts("schemas");
    sent.finish()?;
    let operations: Vec<Value> =
        operations.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default();
    if operations.is_empty() || operations.len() > MOST {
        return Err(Fault::bad("invalidSyntax", format!("Operations: between 1 and {MOST} are needed")));
    }
    let Value::Object(mut resource) = resource else {
        return Err(Fault::bad("invalidSyntax", "no resource"));
    };
    for operation in operations {
        done(&mut resource, operation)?;
    }
    Ok(Fields::parse(Value::Object(resource).to_string().as_bytes())?)
}

fn done(resource: &mut Map<String, Value>, mut operation: Value) -> Result<(), Fault> {
    // Entra ID writes `Add` and `Replace`.
    let op = match operation["op"].as_str().unwrap_or_default().to_lowercase().as_str() {
        "add" => Op::Add,
        "replace" => Op::Replace,
        "remove" => Op::Remove,
        _ => return Err(Fault::bad("invalidSyntax", "op must be add, replace or remove")),
    };
    let value = operation.get_mut("value").map(Value::take).filter(|value| !value.is_null());
    match &operation["path"] {
        Value::String(path) => apply(resource, op, path, value),
        Value::Null => spread(resource, op, value),
        _ => Err(Fault::bad("invalidPath", "path must be a text")),
    }
}

/// Without a path, the value's members are attributes; Entra ID writes whole paths there.
fn spread(resource: &mut Map<String, Value>, op: Op, value: Option<Value>) -> Result<(), Fault> {
    match value {
        _ if op == Op::Remove => Err(Fault::bad("noTarget", "remove needs a path")),
        Some(Value::Object(members)) => members.into_iter().try_for_each(|(path, value)| {
            apply(resource, op, &path, Some(value).filter(|value| !value.is_null()))
        }),
        _ => Err(Fault::value("an operation without a path needs an object as its value")),
    }
}

fn apply(resource: &mut Map<String, Value>, op: Op, path: &str, value: Option<Value>) -> Result<(), Fault> {
    let path = bare(path);
    if let Some(path) = enterprise::within(path) {
        return extended(resource, op, path, value);
    }
    // Of another extension of the schema: nothing of it is kept here.
    if path.starts_with("urn:") {
        return Ok(());
    }
    at(resource, op, path, value)
}

/// In the enterprise extension. An empty path means all of it.
fn extended(
    resource: &mut Map<String, Value>,
    op: Op,
    path: &str,
    value: Option<Value>,
) -> Result<(), Fault> {
    let extension = resource.entry(enterprise::SCHEMA).or_insert_with(|| Value::Object(Map::new()));
    let Value::Object(members) = extension else { return Err(Fault::value("an extension is an object")) };
    match value {
        value if !path.is_empty() => part(members, op, path, value),
        Some(Value::Object(more)) if op != Op::Remove => more.into_iter().try_for_each(|(name, value)| {
            let op = if value.is_null() { Op::Remove } else { op };
            part(members, op, &name, Some(value).filter(|value| !value.is_null()))
        }),
        Some(_) if op != Op::Remove => Err(Fault::value("the value of an extension must be an object")),
        None if op == Op::Add => Err(Fault::value("add needs a value")),
        _ => {
            members.clear();
            Ok(())
        }
    }
}

/// A new manager does not keep the name of the old one.
fn part(members: &mut Map<String, Value>, op: Op, path: &str, value: Option<Value>) -> Result<(), Fault> {
    let of_manager = path.split('.').next().is_some_and(|name| name.eq_ignore_ascii_case(MANAGER));
    if of_manager && let Some(Value::Object(manager)) = members.get_mut(MANAGER) {
        manager.remove(NAME);
    }
    at(members, op, path, value)
}

fn at(resource: &mut Map<String, Value>, op: Op, path: &str, value: Option<Value>) -> Result<(), Fault> {
    let path = Path::parse(path)?;
    let there = resource.keys().find(|key| key.eq_ignore_ascii_case(&path.attribute)).cloned();
    let name = there.unwrap_or_else(|| path.attribute.clone());
    match (path.filter, path.part) {
        (None, None) => whole(resource, op, name, value),
        (None, Some(part)) => inside(resource, op, name, part, value),
        (Some(filter), part) => {
            let list = resource.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            let Value::Array(list) = list else { return Err(no_list(&path.attribute)) };
            chosen(list, op, &filter, part, value)
        }
    }
}

impl Path {
    fn parse(text: &str) -> Result<Self, Fault> {
        let unfit = || {
            Fault::bad("invalidPath", format!("{:?} is no path", text.chars().take(200).collect::<String>()))
        };
        let (attribute, filter, part) = match text.split_once('[') {
            Some((attribute, rest)) => {
                let (filter, after) = rest.rsplit_once(']').ok_or_else(unfit)?;
                let part =
                    if after.is_empty() { None } else { Some(after.strip_prefix('.').ok_or_else(unfit)?) };
                (attribute, Some(Filter::parse(filter)?), part)
            }
            None => match text.split_once('.') {
                Some((attribute, part)) => (attribute, None, Some(part)),
                None => (text, None, None),
            },
        };
        let named = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_$-".contains(c))
        };
        if !named(attribute) || part.is_some_and(|part| !named(part)) {
            return Err(unfit());
        }
        Ok(Self { attribute: attribute.to_owned(), filter, part: part.map(str::to_owned) })
    }
}

fn no_list(attribute: &str) -> Fault {
    Fault::bad("invalidPath", format!("{attribute} has only one value"))
}

// --- one attribute ---

fn whole(resource: &mut Map<String, Value>, op: Op, name: String, value: Option<Value>) -> Result<(), Fault> {
    let current = resource.remove(&name);
    let changed = match (op, current, value) {
        (Op::Add, _, None) => return Err(Fault::value(format!("{name}: add needs a value"))),
        // What is taken out of a list leaves the rest of it.
        (Op::Remove, Some(Value::Array(all)), Some(gone)) => Some(Value::Array(without(all, list(gone)))),
        (Op::Remove | Op::Replace, Some(Value::Array(_)), None) => Some(Value::Array(Vec::new())),
        (Op::Remove, _, _) | (Op::Replace, _, None) => None,
        (Op::Add, Some(Value::Array(all)), Some(more)) => Some(Value::Array(with(all, list(more)))),
        (Op::Replace, Some(Value::Array(_)), Some(other)) => Some(Value::Array(list(other))),
        (_, Some(Value::Object(mut members)), Some(Value::Object(more))) => {
            members.extend(more);
            Some(Value::Object(members))
        }
        (_, _, Some(value)) => Some(value),
    };
    resource.extend(changed.map(|changed| (name, changed)));
    Ok(())
}

fn inside(
    resource: &mut Map<String, Value>,
    op: Op,
    name: String,
    part: String,
    value: Option<Value>,
) -> Result<(), Fault> {
    let unfit = no_part(&name);
    match resource.entry(name).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(members) => {
            put(members, op, part, value);
            Ok(())
        }
        _ => Err(unfit),
    }
}

fn no_part(name: &str) -> Fault {
    Fault::bad(
        "invalidPath",
        format!("{name} has no parts; of a list name the one that is meant: {name}[type eq \"work\"]"),
    )
}

fn put(members: &mut Map<String, Value>, op: Op, name: String, value: Option<Value>) {
    match value.filter(|_| op != Op::Remove) {
        Some(value) => drop(members.insert(name, value)),
        None => drop(members.remove(&name)),
    }
}

// --- some values of a list ---

fn chosen(
    all: &mut Vec<Value>,
    op: Op,
    filter: &Filter,
    part: Option<String>,
    value: Option<Value>,
) -> Result<(), Fault> {
    if op == Op::Remove && part.is_none() {
        all.retain(|one| !filter.holds(one));
        return Ok(());
    }
    let mut found = false;
    for one in all.iter_mut().filter(|one| filter.holds(one)) {
        found = true;
        change(one, op, part.as_deref(), value.clone())?;
    }
    if found || op == Op::Remove {
        return Ok(());
    }
    // The work address of somebody who had none.
    let mut fresh =
        Value::Object(filter.0.iter().map(|term| (term.path.clone(), term.value.clone())).collect());
    if part.is_none() && op == Op::Replace {
        return Err(Fault::bad("noTarget", "no value is the one that the path means"));
    }
    change(&mut fresh, op, part.as_deref(), value)?;
    all.push(fresh);
    Ok(())
}

fn change(one: &mut Value, op: Op, part: Option<&str>, value: Option<Value>) -> Result<(), Fault> {
    let Value::Object(members) = one else { return Err(Fault::value("the list holds no objects")) };
    match (part, value) {
        (Some(part), value) => put(members, op, part.to_owned(), value),
        (None, Some(Value::Object(more))) => members.extend(more),
        (None, _) => return Err(Fault::value("the value must be an object")),
    }
    Ok(())
}

// --- lists ---

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(all) => all,
        one => vec![one],
    }
}

/// What makes a value of a list the same as another one.
fn name(one: &Value) -> String {
    one.get("value").and_then(Value::as_str).map_or_else(|| one.to_string(), str::to_owned)
}

fn with(mut all: Vec<Value>, more: Vec<Value>) -> Vec<Value> {
    let mut there: HashSet<String> = all.iter().map(name).collect();
    all.extend(more.into_iter().filter(|one| there.insert(name(one))));
    all
}

fn without(mut all: Vec<Value>, gone: Vec<Value>) -> Vec<Value> {
    let gone: HashSet<String> =
        gone.iter().map(|one| one.as_str().map_or_else(|| name(one), str::to_owned)).collect();
    all.retain(|one| !gone.contains(&name(one)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn after(resource: Value, operations: Value) -> Result<Value, Fault> {
        let sent = Fields::parse(json!({ "Operations": operations }).to_string().as_bytes())?;
        patched(resource, sent).map(|fields| fields.shown())
    }

    #[test]
    fn values_are_set_as_okta_and_entra_say_it() {
        let user = || json!({ "active": true, "emails": [{ "type": "work", "value": "a@x" }], "name": { "givenName": "A" } });
        for (operation, pointer, value) in [
            (json!({ "op": "replace", "value": { "active": false } }), "/active", json!(false)),
            (json!({ "op": "Replace", "path": "active", "value": "False" }), "/active", json!("False")),
            (
                json!({ "op": "Add", "path": "emails[type eq \"work\"].value", "value": "b@x" }),
                "/emails/0/value",
                json!("b@x"),
            ),
            (
                json!({ "op": "Add", "path": "emails[type eq \"home\"].value", "value": "h@x" }),
                "/emails/1/value",
                json!("h@x"),
            ),
            (
                json!({ "op": "add", "value": { "name.familyName": "B", "displayName": "A B" } }),
                "/name/familyName",
                json!("B"),
            ),
            (
                json!({ "op": "replace", "path": "name", "value": { "familyName": "C" } }),
                "/name/givenName",
                json!("A"),
            ),
            (
                json!({ "op": "Replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:userName", "value": "u" }),
                "/userName",
                json!("u"),
            ),
            (json!({ "op": "add", "path": "NAME.givenName", "value": "Z" }), "/name/givenName", json!("Z")),
        ] {
            let changed = after(user(), json!([operation.clone()])).unwrap();
            assert_eq!(changed.pointer(pointer), Some(&value), "{operation}");
        }
        let ignored = json!([{ "op": "add", "path": "urn:ietf:params:scim:schemas:extension:ours:2.0:User:department", "value": "x" }]);
        assert_eq!(after(user(), ignored).unwrap(), user());
    }

    #[test]
    fn the_extension_is_set_as_okta_and_entra_say_it() {
        const ENTERPRISE: &str = enterprise::SCHEMA;
        let path = |name: &str| format!("{ENTERPRISE}:{name}");
        let before = json!({ "department": "A", "manager": { "value": "m1", "displayName": "Mia" } });
        for (operation, left) in [
            (
                json!({ "op": "Add", "path": path("department"), "value": "B" }),
                json!({ "department": "B", "manager": { "value": "m1", "displayName": "Mia" } }),
            ),
            (
                json!({ "op": "Replace", "path": path("manager"), "value": "m2" }),
                json!({ "department": "A", "manager": "m2" }),
            ),
            (
                json!({ "op": "replace", "path": path("manager.value"), "value": "m2" }),
                json!({ "department": "A", "manager": { "value": "m2" } }),
            ),
            (
                json!({ "op": "replace", "value": { ENTERPRISE: { "Department": "B", "manager": { "value": "m2" } } } }),
                json!({ "department": "B", "manager": { "value": "m2" } }),
            ),
            (
                json!({ "op": "add", "value": { path("costCenter"): "7", path("manager"): null } }),
                json!(null),
            ),
            (
                json!({ "op": "replace", "value": { path("costCenter"): "7", path("manager"): null } }),
                json!({ "department": "A", "costCenter": "7" }),
            ),
            (json!({ "op": "Remove", "path": path("manager") }), json!({ "department": "A" })),
            (json!({ "op": "remove", "path": ENTERPRISE }), json!({})),
            (json!({ "op": "add", "path": ENTERPRISE, "value": "x" }), json!(null)),
            (
                json!({ "op": "add", "path": path(""), "value": { "department": "C" } }),
                json!({ "department": "C", "manager": { "value": "m1", "displayName": "Mia" } }),
            ),
        ] {
            let changed = after(json!({ ENTERPRISE: before.clone() }), json!([operation.clone()]));
            let changed = changed.ok().map_or(Value::Null, |changed| changed[ENTERPRISE].clone());
            assert_eq!(changed, left, "{operation}");
        }
        let fresh =
            after(json!({}), json!([{ "op": "add", "path": path("division"), "value": "D" }])).unwrap();
        assert_eq!(fresh[ENTERPRISE], json!({ "division": "D" }));
    }

    #[test]
    fn members_come_and_go() {
        let group = || json!({ "members": [{ "value": "a" }, { "value": "b" }] });
        for (operation, left) in [
            (
                json!({ "op": "add", "path": "members", "value": [{ "value": "b" }, { "value": "c" }] }),
                vec!["a", "b", "c"],
            ),
            (json!({ "op": "Add", "path": "members", "value": { "value": "c" } }), vec!["a", "b", "c"]),
            (json!({ "op": "remove", "path": "members[value eq \"a\"]" }), vec!["b"]),
            (
                json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "b" }] }),
                vec!["a"],
            ),
            (json!({ "op": "remove", "path": "members[value eq \"z\"]" }), vec!["a", "b"]),
            (json!({ "op": "remove", "path": "members" }), vec![]),
            (json!({ "op": "replace", "path": "members", "value": [{ "value": "d" }] }), vec!["d"]),
            (json!({ "op": "replace", "value": { "id": "g", "displayName": "G" } }), vec!["a", "b"]),
        ] {
            let changed = after(group(), json!([operation.clone()])).unwrap();
            let members: Vec<String> = changed["members"].as_array().unwrap().iter().map(name).collect();
            assert_eq!(members, left, "{operation}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_told() {
        for operation in [
            json!({}),
            json!("add"),
            json!({ "op": "move", "path": "active", "value": 1 }),
            json!({ "op": "remove" }),
            json!({ "op": "add", "path": "active" }),
            json!({ "op": "add", "value": [1] }),
            json!({ "op": "add", "path": 7, "value": 1 }),
            json!({ "op": "add", "path": "", "value": 1 }),
            json!({ "op": "add", "path": "a.b.c", "value": 1 }),
            json!({ "op": "add", "path": "emails[type eq", "value": 1 }),
            json!({ "op": "add", "path": "emails[type eq \"work\"]x", "value": 1 }),
            json!({ "op": "add", "path": "active[type eq \"work\"].value", "value": 1 }),
            json!({ "op": "add", "path": "emails.value", "value": 1 }),
            json!({ "op": "replace", "path": "emails[type eq \"home\"]", "value": {} }),
        ] {
            let user = json!({ "active": true, "emails": [{ "type": "work" }] });
            assert!(after(user, json!([operation.clone()])).is_err(), "{operation}");
        }
        assert!(after(json!({}), json!([])).is_err());
    }
}
