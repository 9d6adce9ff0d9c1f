//! A request's body and its edits, against a parsed object that is edited in the same way.

use bytes::Bytes;
use serde_json::Value;
use weir_core::body::{Edits, JsonBody, fit};
use weir_core::chat::Object;

pub fn check(bytes: &[u8]) {
    told(bytes);
    let Ok(body) = JsonBody::parse(Bytes::copy_from_slice(bytes)) else { return };
    let mut model: Object = match serde_json::from_slice(bytes) {
        Ok(object) => object,
        Err(error) if is_beyond_serde(&error) => return,
        Err(error) => panic!("taken, and no JSON object: {error}"),
    };
    assert_eq!(body.fields().len(), model.len(), "another number of members");
    looked_up(&body, &model);
    let edits = edited(&body, &mut model, crc32fast::hash(bytes));
    let out = edits.apply(&body).concat();
    let read: Result<Object, _> = serde_json::from_slice(&out);
    assert!(read.as_ref().is_ok_and(|o| same(o, &model)), "{read:?} is not {model:?}");
    assert!(JsonBody::parse(out.into()).is_ok(), "edited, and not a body any more");
}

/// What is told as it is, on one line or cut, is JSON wherever a parser takes it, and only there.
fn told(bytes: &[u8]) {
    let tree = serde_json::from_slice::<Value>(bytes);
    for longest in [usize::MAX, 8] {
        let text = fit(bytes, longest);
        assert_eq!(text.is_some(), tree.is_ok(), "{text:?} of {tree:?}");
        let read = text.as_deref().map(serde_json::from_str::<Value>);
        assert!(read.is_none_or(|read| read.is_ok()), "{text:?} is no JSON");
        assert!(text.is_none_or(|text| !text.contains(['\n', '\r'])), "line breaks are left");
    }
}

/// Values that are skipped unread may be what a parser refuses to hold: numbers beyond 64 bits of floating point, halves of
/// surrogate pairs, more than 128 levels.
fn is_beyond_serde(error: &serde_json::Error) -> bool {
    let text = error.to_string();
    ["number out of range", "recursion limit", "surrogate", "hex escape"].iter().any(|why| text.contains(why))
}

fn looked_up(body: &JsonBody, model: &Object) {
    for (name, value) in model {
        let raw = body.raw(name).map(serde_json::from_str::<Value>);
        assert!(matches!(&raw, Some(Ok(found)) if found == value), "{name:?}: {raw:?} is not {value:?}");
        assert_eq!(body.string(name).as_deref(), value.as_str());
        assert_eq!(body.is_true(name), *value == Value::Bool(true));
    }
}

/// Edits of members that are there and of one that mostly is not, chosen by `dice`.
fn edited(body: &JsonBody, model: &mut Object, dice: u32) -> Edits {
    let mut edits = Edits::default();
    let mut names: Vec<String> = body.fields().iter().map(|field| body.name(field).into_owned()).collect();
    // Of two edits of one member the later counts; the model would see both.
    names.extend(["new \"one\"".to_owned()].into_iter().filter(|new| !model.contains_key(new)));
    for (at, name) in names.into_iter().enumerate() {
        match dice.rotate_right(2 * u32::try_from(at).unwrap_or(0)) % 4 {
            0 => {
                edits.set(&name, "{\"a\":\"}\"}");
                model.insert(name, serde_json::json!({ "a": "}" }));
            }
            1 => {
                edits.set_default(&name, "1");
                model.entry(name).or_insert(1.into());
            }
            2 => {
                edits.remove(&name);
                model.shift_remove(&name);
            }
            _ => {}
        }
    }
    edits
}

fn same(a: &Object, b: &Object) -> bool {
    a.len() == b.len() && a.iter().all(|(name, value)| b.get(name) == Some(value))
}
