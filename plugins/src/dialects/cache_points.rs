//! `cache_control_injection_points`: marks for the provider's cache at messages that the configuration names, by role
//! or by place. As in LiteLLM, a mark of the client's own stays as it is, and no more marks are set than Anthropic takes.

use serde::Deserialize;
use serde_json::{Value, json};
use weir_core::chat::{Kind, Message, Part, Request, Role};

/// Anthropic refuses more marks in one request.
const MOST: usize = 4;

/// In the order in which they are written: earlier ones win where marks are scarce.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CachePoints(Vec<Point>);

#[derive(Clone, Debug, PartialEq)]
struct Point {
    at: At,
    control: Value,
}

#[derive(Clone, Debug, PartialEq)]
enum At {
    /// Negative ones count from the end.
    Index(i64),
    Role(Role),
    /// Behind the last tool.
    Tools,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    location: Option<String>,
    #[serde(default)]
    role: Option<String>,
    /// A number, or one as text.
    #[serde(default)]
    index: Option<Value>,
    #[serde(default)]
    control: Option<Value>,
}

impl CachePoints {
    /// From JSON text. Points at places that nobody knows are left out.
    ///
    /// # Errors
    /// It is no list of points.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        let written: Vec<Written> = serde_json::from_str(json)?;
        Ok(Self(written.into_iter().filter_map(Point::of).collect()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets the marks.
    pub fn apply(&self, request: &mut Request) {
        let mut used = marks(request);
        for point in &self.0 {
            if point.at == At::Tools {
                used += usize::from(used < MOST && mark_tools(request, &point.control));
                continue;
            }
            for place in point.places(&request.messages) {
                let Some(message) = request.messages.get_mut(place).filter(|_| used < MOST) else { break };
                used += usize::from(mark(message, &point.control));
            }
        }
    }
}

impl Point {
    fn of(written: Written) -> Option<Self> {
        let index = || match written.index.as_ref()? {
            Value::String(text) => text.parse().ok(),
            number => number.as_i64(),
        };
        let at = match written.location.as_deref()? {
            "tool_config" => At::Tools,
            "message" => index().map(At::Index).or_else(|| role(written.role.as_deref()?).map(At::Role))?,
            _ => return None,
        };
        Some(Self { at, control: written.control.unwrap_or_else(|| json!({ "type": "ephemeral" })) })
    }

    fn places(&self, messages: &[Message]) -> Vec<usize> {
        match &self.at {
            At::Index(at) if *at < 0 => {
                let back = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
                messages.len().checked_sub(back).into_iter().collect()
            }
            At::Index(at) => usize::try_from(*at).into_iter().filter(|at| *at < messages.len()).collect(),
            At::Role(role) => {
                let has = |(at, message): (usize, &Message)| (message.role == *role).then_some(at);
                messages.iter().enumerate().filter_map(has).collect()
            }
            At::Tools => Vec::new(),
        }
    }
}

fn role(name: &str) -> Option<Role> {
    Some(match name {
        "system" => Role::System,
        "developer" => Role::Developer,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        _ => return None,
    })
}

fn marks(request: &Request) -> usize {
    let parts = request.messages.iter().flat_map(|message| &message.content);
    let tools = request.tools.iter().filter(|tool| tool.cache.is_some()).count();
    parts.filter(|part| part.cache.is_some()).count() + tools
}

/// Whether a mark was set: at the last part that can hold one, unless the message has one.
fn mark(message: &mut Message, control: &Value) -> bool {
    if message.content.iter().any(|part| part.cache.is_some()) {
        return false;
    }
    let Some(last) = message.content.iter_mut().rev().find(|part| holds_marks(part)) else { return false };
    last.cache = Some(control.clone());
    true
}

/// Thoughts hold none, nor does empty text.
fn holds_marks(part: &Part) -> bool {
    match &part.kind {
        Kind::Thinking { .. } | Kind::RedactedThinking { .. } => false,
        Kind::Text { text, .. } => !text.is_empty(),
        _ => true,
    }
}

fn mark_tools(request: &mut Request, control: &Value) -> bool {
    let Some(last) = request.tools.last_mut().filter(|tool| tool.cache.is_none()) else { return false };
    last.cache = Some(control.clone());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk() -> Request {
        let said = |role, text: &str| Message::new(role, vec![Part::text(text)]);
        let messages = vec![
            said(Role::System, "rules"),
            said(Role::User, "one"),
            said(Role::Assistant, "two"),
            said(Role::User, "three"),
        ];
        Request { messages, ..Request::default() }
    }

    /// Which messages are marked after the points were set.
    fn marked(points: &Value, mut request: Request) -> Vec<usize> {
        CachePoints::parse(&points.to_string()).unwrap().apply(&mut request);
        let has = |(at, m): (usize, &Message)| m.content.iter().any(|p| p.cache.is_some()).then_some(at);
        request.messages.iter().enumerate().filter_map(has).collect()
    }

    #[test]
    fn messages_are_found_by_role_and_by_place() {
        for (point, expected) in [
            (json!({"location": "message", "role": "user"}), vec![1, 3]),
            (json!({"location": "message", "role": "system"}), vec![0]),
            (json!({"location": "message", "index": -1}), vec![3]),
            (json!({"location": "message", "index": "-2"}), vec![2]),
            (json!({"location": "message", "index": 1, "role": "system"}), vec![1]),
            (json!({"location": "message", "index": 9}), vec![]),
            (json!({"location": "message", "index": -9}), vec![]),
            (json!({"location": "elsewhere", "role": "user"}), vec![]),
            (json!({"location": "message"}), vec![]),
        ] {
            assert_eq!(marked(&json!([point]), talk()), expected, "{point}");
        }
    }

    #[test]
    fn a_mark_is_what_is_written_and_the_clients_own_stays() {
        let mut request = talk();
        request.messages[3].content[0].cache = Some(json!("own"));
        let control = json!({"type": "ephemeral", "ttl": "1h"});
        let points = json!([{"location": "message", "role": "user", "control": control}]);
        CachePoints::parse(&points.to_string()).unwrap().apply(&mut request);
        assert_eq!(request.messages[1].content[0].cache, Some(control));
        assert_eq!(request.messages[3].content[0].cache, Some(json!("own")));
    }

    #[test]
    fn no_more_marks_are_set_than_are_taken() {
        let mut request = talk();
        request.messages.extend(talk().messages);
        let points =
            json!([{"location": "message", "role": "system"}, {"location": "message", "role": "user"}]);
        assert_eq!(marked(&points, request), [0, 1, 3, 4]);
    }

    #[test]
    fn junk_is_refused_and_nothing_is_marked_where_nothing_can_be() {
        assert!(CachePoints::parse("7").is_err() && CachePoints::parse("[1]").is_err());
        let tools = json!([{"location": "tool_config"}, {"location": "message", "index": 0}]);
        assert_eq!(marked(&tools, Request::default()), [] as [usize; 0]);
    }
}
