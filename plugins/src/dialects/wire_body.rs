//! The body of a provider's request. What is long stands in it as JSON text, for which nobody has to build a tree;
//! whoever wants to look into it gets one.

use serde::Serialize;
use serde_json::Value;
use weir_core::chat::Object;
use weir_core::error::{ApiError, Kind};

/// Members in their order. There are few, so they are a list.
#[derive(Clone, Debug, Default)]
pub struct WireBody {
    members: Vec<(String, Member)>,
}

#[derive(Clone, Debug)]
enum Member {
    Tree(Value),
    /// JSON.
    Text(Vec<u8>),
}

/// Room for a member that is a tree.
const ROOM: usize = 128;

/// About how many bytes a text is as JSON: line breaks and quotes take two.
pub(super) fn room(text: &str) -> usize {
    text.len() + text.len() / 16
}

/// A value as JSON text of about `room` bytes.
///
/// # Errors
/// 500: something in it is no JSON.
pub(super) fn text(value: &impl Serialize, room: usize) -> Result<Vec<u8>, ApiError> {
    let mut text = Vec::with_capacity(room);
    serde_json::to_writer(&mut text, value).map_err(unwritten)?;
    Ok(text)
}

fn unwritten(error: serde_json::Error) -> ApiError {
    ApiError::new(Kind::Internal, "The request could not be written.").because(error)
}

// --- WireBody ---

impl WireBody {
    /// A member that is there already keeps its place.
    pub fn insert(&mut self, name: String, value: Value) {
        self.put(name, Member::Tree(value));
    }

    /// As `insert`; `text` is JSON.
    pub fn insert_text(&mut self, name: String, text: Vec<u8>) {
        self.put(name, Member::Text(text));
    }

    pub fn contains_key(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    /// A member that is a tree.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match &self.members.get(self.position(name)?)?.1 {
            Member::Tree(value) => Some(value),
            Member::Text(_) => None,
        }
    }

    /// A member as a tree, which it is from then on. `None` too where it is deeper than JSON readers go.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let at = self.position(name)?;
        let member = &mut self.members.get_mut(at)?.1;
        if let Member::Text(text) = member {
            *member = Member::Tree(serde_json::from_slice(text).ok()?);
        }
        match member {
            Member::Tree(value) => Some(value),
            Member::Text(_) => None,
        }
    }

    /// Whether a word may stand in a member. Spares building a tree in which there is nothing to change.
    pub fn may_say(&self, name: &str, word: &str) -> bool {
        match self.position(name).and_then(|at| self.members.get(at)) {
            Some((_, Member::Text(text))) => memchr::memmem::find(text, word.as_bytes()).is_some(),
            Some((_, Member::Tree(_))) => true,
            None => false,
        }
    }

    pub fn shift_remove(&mut self, name: &str) -> Option<Value> {
        let at = self.position(name)?;
        Some(self.members.remove(at).1.into_value())
    }

    /// All of it as a tree.
    pub fn into_object(self) -> Object {
        self.members.into_iter().map(|(name, member)| (name, member.into_value())).collect()
    }

    /// # Errors
    /// 500: something in it is no JSON.
    pub fn to_vec(&self) -> Result<Vec<u8>, ApiError> {
        let room = |(name, member): &(String, Member)| name.len() + member.room();
        let mut out = Vec::with_capacity(self.members.iter().map(room).sum());
        out.push(b'{');
        for (index, (name, member)) in self.members.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            serde_json::to_writer(&mut out, name).map_err(unwritten)?;
            out.push(b':');
            match member {
                Member::Tree(value) => serde_json::to_writer(&mut out, value).map_err(unwritten)?,
                Member::Text(text) => out.extend_from_slice(text),
            }
        }
        out.push(b'}');
        Ok(out)
    }

    fn put(&mut self, name: String, member: Member) {
        match self.position(&name) {
            Some(at) => self.members[at].1 = member,
            None => self.members.push((name, member)),
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|(member, _)| member == name)
    }
}

impl From<Object> for WireBody {
    fn from(object: Object) -> Self {
        Self { members: object.into_iter().map(|(name, value)| (name, Member::Tree(value))).collect() }
    }
}

impl From<WireBody> for Value {
    fn from(body: WireBody) -> Self {
        Value::Object(body.into_object())
    }
}

impl Extend<(String, Value)> for WireBody {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, members: I) {
        members.into_iter().for_each(|(name, value)| self.insert(name, value));
    }
}

impl Member {
    /// About how long its text is, with what stands around it.
    fn room(&self) -> usize {
        match self {
            Member::Tree(_) => ROOM,
            Member::Text(text) => text.len() + 8,
        }
    }

    fn into_value(self) -> Value {
        match self {
            Member::Tree(value) => value,
            Member::Text(text) => serde_json::from_slice(&text).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body() -> WireBody {
        let mut body = WireBody::default();
        body.insert("model".into(), json!("m"));
        body.insert_text("messages".into(), br#"[{"role":"user","content":"\u00e9"}]"#.to_vec());
        body.insert("n".into(), json!(1));
        body
    }

    #[test]
    fn members_keep_their_order_and_texts_their_bytes() {
        let mut body = body();
        body.extend([("model".to_owned(), json!("\"o\"")), ("x".to_owned(), json!(null))]);
        let text = String::from_utf8(body.to_vec().unwrap()).unwrap();
        let expected = r#"{"model":"\"o\"","messages":[{"role":"user","content":"\u00e9"}],"n":1,"x":null}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Object>(&text).unwrap(), body.into_object());
        assert_eq!(WireBody::default().to_vec().unwrap(), b"{}");
    }

    #[test]
    fn a_text_is_a_tree_for_those_who_change_it() {
        let mut body = body();
        assert!(body.may_say("messages", "role") && !body.may_say("messages", "cache_control"));
        assert_eq!((body.get("messages"), body.get("n")), (None, Some(&json!(1))));
        body.get_mut("messages").unwrap()[0]["role"] = json!("system");
        assert_eq!(body.shift_remove("messages").unwrap()[0], json!({ "role": "system", "content": "é" }));
        assert_eq!(body.keys().collect::<Vec<_>>(), ["model", "n"]);
    }
}
