//! Fields of records as tables: how each is read from a body and shown in an answer. A resource is its table, its
//! routes, and what is special about it.

use crate::answer::{Object, Raw, parsed, raw};
use crate::input::{Fields, Shape};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use weir_core::domain::money::NanoUsd;
use weir_core::time::Micros;

/// Where a field stands in a record, and with that what it may hold.
pub(crate) enum Lens<T> {
    /// An empty text is none.
    Text(fn(&mut T) -> &mut Option<String>),
    Texts(fn(&mut T) -> &mut Vec<String>),
    Money(fn(&mut T) -> &mut Option<NanoUsd>),
    Count(fn(&mut T) -> &mut Option<i64>),
    Flag(fn(&mut T) -> &mut bool),
    Moment(fn(&mut T) -> &mut Option<Micros>),
    /// An object whose members are looked at.
    Map(fn(&mut T) -> &mut Map<String, Value>),
    /// An object that stays the text that was sent.
    Json(fn(&mut T) -> &mut String),
    /// Kept under its own name in this map, and only told back.
    Extra(Shape, fn(&mut T) -> &mut Map<String, Value>),
    /// Kept under its own name in this object, as LiteLLM keeps it.
    Meta(Shape, fn(&mut T) -> &mut String),
    /// Shown, and set by nobody.
    Shown(fn(&T) -> Option<Raw>),
}

/// One field.
pub(crate) struct Field<T: 'static> {
    pub(crate) name: &'static str,
    pub(crate) lens: Lens<T>,
    /// What is shown where the record says nothing.
    pub(crate) empty: &'static str,
}

pub(crate) const fn field<T>(name: &'static str, lens: Lens<T>, empty: &'static str) -> Field<T> {
    Field { name, lens, empty }
}

/// Takes every field of the table out of a body. One that is absent stays as it is, one that is null becomes empty.
/// What does not fit is noted in `sent`.
pub(crate) fn read<T>(table: &[Field<T>], sent: &mut Fields, record: &mut T) {
    table.iter().for_each(|field| field.read(sent, record));
}

/// The named fields, in this order. `beside` knows those that stand in no table, and wins.
pub(crate) fn show<T: Clone>(
    table: &[Field<T>],
    names: &[&'static str],
    record: &T,
    beside: impl Fn(&str) -> Option<Raw>,
) -> Object {
    let mut copy = record.clone();
    let mut value = |name: &str| {
        let field = table.iter().find(|field| field.name == name);
        let shown = beside(name).or_else(|| field?.show(record, &mut copy));
        shown.unwrap_or_else(|| parsed(field.map_or("null", |field| field.empty), "null"))
    };
    Object(names.iter().map(|name| (*name, value(name))).collect())
}

impl<T> Field<T> {
    fn read(&self, sent: &mut Fields, record: &mut T) {
        let Some(given) = self.shape().and_then(|shape| sent.given(self.name, shape)) else { return };
        match self.lens {
            Lens::Text(at) => *at(record) = decoded::<String>(given).filter(|text| !text.is_empty()),
            Lens::Texts(at) => *at(record) = decoded(given).unwrap_or_default(),
            Lens::Money(at) => *at(record) = given.and_then(|amount| NanoUsd::parse(amount.get()).ok()),
            Lens::Count(at) => *at(record) = decoded(given),
            Lens::Flag(at) => *at(record) = decoded(given).unwrap_or_default(),
            Lens::Moment(at) => {
                *at(record) = decoded::<String>(given).and_then(|text| Micros::parse_rfc3339(&text))
            }
            Lens::Map(at) => *at(record) = decoded(given).unwrap_or_default(),
            Lens::Json(at) => {
                *at(record) = given.map_or_else(|| "{}".to_owned(), |text| text.get().to_owned())
            }
            Lens::Extra(_, at) => put(at(record), self.name, decoded::<Value>(given)),
            Lens::Meta(_, at) => put_text(at(record), self.name, given),
            Lens::Shown(_) => {}
        }
    }

    fn shape(&self) -> Option<Shape> {
        Some(match self.lens {
            Lens::Text(_) => Shape::Text,
            Lens::Texts(_) => Shape::Texts,
            Lens::Money(_) => Shape::Number,
            Lens::Count(_) => Shape::Integer,
            Lens::Flag(_) => Shape::Flag,
            Lens::Moment(_) => Shape::Moment,
            Lens::Map(_) | Lens::Json(_) => Shape::Object,
            Lens::Extra(shape, _) | Lens::Meta(shape, _) => shape,
            Lens::Shown(_) => return None,
        })
    }

    /// `copy` is as good as `record`: lenses need it changeable.
    fn show(&self, record: &T, copy: &mut T) -> Option<Raw> {
        match self.lens {
            Lens::Text(at) => at(copy).as_ref().map(raw),
            Lens::Texts(at) => Some(raw(at(copy))),
            Lens::Money(at) => at(copy).map(NanoUsd::json),
            Lens::Count(at) => at(copy).as_ref().map(raw),
            Lens::Flag(at) => at(copy).then(|| raw(&true)),
            Lens::Moment(at) => at(copy).map(moment),
            Lens::Map(at) => Some(raw(at(copy))),
            Lens::Json(at) => Some(parsed(at(copy), "{}")),
            Lens::Extra(_, at) => at(copy).get(self.name).map(raw),
            Lens::Meta(_, at) => members(at(copy)).remove(self.name),
            Lens::Shown(tell) => tell(record),
        }
    }
}

fn decoded<V: serde::de::DeserializeOwned>(given: Option<Raw>) -> Option<V> {
    serde_json::from_str(given?.get()).ok()
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => drop(map.insert(name.to_owned(), value)),
        None => drop(map.remove(name)),
    }
}

/// The same in an object that is text, whose other members stay what they were.
fn put_text(object: &mut String, name: &str, value: Option<Raw>) {
    let mut all = members(object);
    match value {
        Some(value) => drop(all.insert(name.to_owned(), value)),
        None => drop(all.remove(name)),
    }
    *object = raw(&all).get().to_owned();
}

/// Puts a member into an object that is text.
pub(crate) fn put_member<V: serde::Serialize + ?Sized>(object: &mut String, name: &str, value: &V) {
    put_text(object, name, Some(raw(value)));
}

/// Takes a member out of an object that is text.
pub(crate) fn drop_member(object: &mut String, name: &str) {
    put_text(object, name, None);
}

fn members(object: &str) -> BTreeMap<String, Box<RawValue>> {
    serde_json::from_str(object).unwrap_or_default()
}

/// A moment as most of LiteLLM's answers write it.
pub(crate) fn moment(at: Micros) -> Raw {
    raw(&at.rfc3339())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Thing {
        alias: Option<String>,
        budget: Option<NanoUsd>,
        metadata: String,
        extra: Map<String, Value>,
    }

    static TABLE: &[Field<Thing>] = &[
        field("alias", Lens::Text(|t| &mut t.alias), "null"),
        field("budget", Lens::Money(|t| &mut t.budget), "null"),
        field("metadata", Lens::Json(|t| &mut t.metadata), "{}"),
        field("tags", Lens::Meta(Shape::Texts, |t| &mut t.metadata), "[]"),
        field("rest", Lens::Extra(Shape::Object, |t| &mut t.extra), "null"),
    ];

    fn change(thing: &mut Thing, body: &str) {
        let mut sent = Fields::parse(body.as_bytes()).unwrap();
        read(TABLE, &mut sent, thing);
        sent.finish().unwrap();
    }

    fn shown(thing: &Thing) -> String {
        let names = ["alias", "budget", "metadata", "tags", "rest"];
        serde_json::to_string(&show(TABLE, &names, thing, |_| None)).unwrap()
    }

    #[test]
    fn absent_fields_stay_and_null_ones_are_emptied() {
        let mut thing = Thing::default();
        change(
            &mut thing,
            r#"{"alias":"a","budget":"0.1","metadata":{"n":18446744073709551616.10},"tags":["t"]}"#,
        );
        let all = r#"{"alias":"a","budget":0.1,"metadata":{"n":18446744073709551616.10,"tags":["t"]},"tags":["t"],"rest":null}"#;
        assert_eq!(shown(&thing), all);
        change(&mut thing, r#"{"alias":null,"rest":{"x":1}}"#);
        assert!(shown(&thing).starts_with(r#"{"alias":null,"budget":0.1"#), "{}", shown(&thing));
        change(&mut thing, r#"{"tags":null,"budget":null}"#);
        let rest = r#"{"alias":null,"budget":null,"metadata":{"n":18446744073709551616.10},"tags":[],"rest":{"x":1}}"#;
        assert_eq!(shown(&thing), rest);
    }
}
