//! Scripted conversations: turn after turn, whatever API they are asked for through.
//!
//! A script is data, from a file (`weir-bench mock --script FILE`), from a test ([`Script::parse`]) or put in force over
//! HTTP (`POST /__script`, an empty list ends it):
//!
//! ```json
//! [{"name": "fix", "when": "please fix", "by": "results", "turns": [
//!     {"thinking": "Look first.", "calls": [{"name": "Read", "arguments": {"file_path": "a.txt"}}]},
//!     {"text": "Done."}
//! ]}]
//! ```
//!
//! Without `when`, a script is for every request that declares tools: agents also ask for titles and summaries, without
//! tools, and those get the usual answer. `__script=NAME` chooses one by its name. A bare list of turns is one such script.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::Ask;
use super::reply::Reply;
use super::seen::Seen;
use super::turn::{Block, Finish, ToolCall, Turn, Usage};

/// Where scripts are put in force.
pub const PATH: &str = "/__script";
/// Beyond it a request holds no more results worth counting.
const MAX_DEPTH: usize = 32;

/// One conversation.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// For `__script=NAME`.
    #[serde(default)]
    pub name: String,
    /// Text that the request must contain.
    pub when: Option<String>,
    #[serde(default)]
    pub by: By,
    pub turns: Vec<ScriptTurn>,
}

/// How a request finds its turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// By the tool results in the request: the first turn that has a call without a result, or no call. Asking again
    /// gives the same turn, as retries and resumed sessions need it.
    #[default]
    Results,
    /// The k-th request gets turn k.
    Requests,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptTurn {
    pub thinking: Option<String>,
    pub text: Option<String>,
    #[serde(default)]
    pub calls: Vec<ScriptCall>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptCall {
    pub name: String,
    /// An object; a string for a tool that takes free text.
    pub arguments: Value,
}

/// The scripts in force.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    list: RwLock<Arc<[Running]>>,
}

#[derive(Debug)]
struct Running {
    script: Script,
    requests: AtomicUsize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Scripts(Vec<Script>),
    One(Script),
    Turns(Vec<ScriptTurn>),
}

// --- impl Script ---

impl Script {
    /// A list of scripts, one script, or the turns of one.
    pub fn parse(text: &[u8]) -> anyhow::Result<Vec<Script>> {
        let value: Value = serde_json::from_slice(text)?;
        let parsed = serde_json::from_value(value);
        let file: File =
            parsed.map_err(|_| anyhow::anyhow!("neither a script, nor a list of scripts or turns"))?;
        Ok(match file {
            File::Scripts(list) => list,
            File::One(script) => vec![script],
            File::Turns(turns) => vec![Script { turns, ..Script::default() }],
        })
    }

    fn is_for(&self, ask: &Ask<'_>) -> bool {
        if let Some(name) = ask.words.name("__script=") {
            return name == self.name;
        }
        match &self.when {
            Some(text) => ask.words.has(text),
            None => ask.declares_tools(),
        }
    }

    /// The place of the turn for a request that holds so many results; none when all has been said.
    fn place(&self, mut results: usize) -> Option<usize> {
        self.turns.iter().position(|turn| {
            let calls = turn.calls.len();
            let answered = if calls == 0 { results > 0 } else { results >= calls };
            results -= calls.min(results);
            !answered
        })
    }
}

// --- impl Scripts ---

impl Scripts {
    pub(super) fn set(&self, scripts: Vec<Script>) {
        let running = scripts.into_iter().map(|script| Running { script, requests: AtomicUsize::new(0) });
        *self.list.write().unwrap_or_else(PoisonError::into_inner) = running.collect();
    }

    /// The turn of the first script that is meant for this request.
    pub(super) fn turn(&self, ask: &Ask<'_>) -> Option<Turn> {
        let list = Arc::clone(&self.list.read().unwrap_or_else(PoisonError::into_inner));
        let running = list.iter().find(|running| running.script.is_for(ask))?;
        let place = match running.script.by {
            By::Requests => Some(running.requests.fetch_add(1, Ordering::SeqCst)),
            By::Results => running.script.place(results(&ask.body)),
        };
        let turn = place.and_then(|place| Some((place, running.script.turns.get(place)?)));
        Some(turn.map_or_else(over, |(place, turn)| turn.written(place)))
    }

    /// The answer to a request that puts scripts in force; none when it is another one.
    pub(super) fn page(&self, seen: &Seen) -> Option<Reply> {
        if seen.route() != PATH || seen.method != Method::POST {
            return None;
        }
        Some(match Script::parse(&seen.body) {
            Ok(scripts) => {
                self.set(scripts);
                Reply::json(200, &json!({"ok": true}))
            }
            Err(error) => Reply::json(400, &json!({"error": error.to_string()})),
        })
    }
}

// --- impl ScriptTurn ---

impl ScriptTurn {
    fn written(&self, place: usize) -> Turn {
        let mut blocks = Vec::new();
        blocks.extend(self.thinking.clone().map(Block::Thinking));
        blocks.extend(self.text.as_deref().map(|text| Block::Text(pieces(text))));
        blocks.extend(self.calls.iter().enumerate().map(|(at, call)| call.written(place, at)));
        let finish = if self.calls.is_empty() { Finish::Stop } else { Finish::Calls };
        let reasoning = if self.thinking.is_some() { 3 } else { 0 };
        Turn { blocks, finish, usage: Usage { reasoning, ..Usage::default() } }
    }
}

// --- impl ScriptCall ---

impl ScriptCall {
    fn written(&self, place: usize, at: usize) -> Block {
        let tag = format!("{}_{}", place + 1, at + 1);
        Block::Call(ToolCall { tag, name: self.name.clone(), arguments: self.arguments.clone() })
    }
}

/// What an agent hears that goes on after the last turn: an end, so that no test loops.
fn over() -> Turn {
    let text = Block::Text(vec!["The script is over.".to_owned()]);
    Turn { blocks: vec![text], finish: Finish::Stop, usage: Usage::default() }
}

/// Words with the blank that follows them, as tokens are.
fn pieces(text: &str) -> Vec<String> {
    text.split_inclusive(' ').map(str::to_owned).collect()
}

// --- results in a request ---

/// The place in a script that an id of a response tells, see [`response_id`].
const RESPONSE: &str = "resp_mock_after_";

/// An id that tells how many results the conversation holds: the next request names it and sends only what is new.
pub(super) fn response_id(body: &Value) -> Option<String> {
    let count = results(body);
    (count > 0).then(|| format!("{RESPONSE}{count}"))
}

/// Tool results of the conversation, in any dialect.
pub(super) fn results(body: &Value) -> usize {
    let before = body["previous_response_id"].as_str().and_then(|id| id.strip_prefix(RESPONSE)?.parse().ok());
    let lists = ["messages", "input", "contents"].map(|name| count(&body[name], MAX_DEPTH));
    before.unwrap_or(0) + lists.iter().sum::<usize>()
}

fn count(value: &Value, depth: usize) -> usize {
    if is_result(value) {
        return 1;
    }
    if depth == 0 {
        return 0;
    }
    match value {
        Value::Array(items) => items.iter().map(|item| count(item, depth - 1)).sum(),
        Value::Object(members) => members.values().map(|item| count(item, depth - 1)).sum(),
        _ => 0,
    }
}

fn is_result(value: &Value) -> bool {
    let kind = value["type"].as_str().unwrap_or_default();
    matches!(value["role"].as_str(), Some("tool" | "function"))
        || kind == "tool_result"
        || kind.ends_with("_call_output")
        || value["toolResult"].is_object()
        || value["functionResponse"].is_object()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script {
        Script::parse(text.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn results_are_counted_in_every_dialect() {
        for (body, expected) in [
            (json!({"messages": [{"role": "user", "content": "a"}, {"role": "tool", "content": "b"}]}), 1),
            (
                json!({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": [
                {"type": "text", "text": "x"}]}, {"type": "tool_result"}]}]}),
                2,
            ),
            (
                json!({"input": [{"type": "function_call"}, {"type": "function_call_output", "output": "x"},
                {"type": "custom_tool_call_output"}]}),
                2,
            ),
            (json!({"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "x"}}]}]}), 1),
            (json!({"contents": [{"parts": [{"functionResponse": {"name": "x"}}]}]}), 1),
            (
                json!({"previous_response_id": "resp_mock_after_3", "input": [{"type": "function_call_output"}]}),
                4,
            ),
            (json!({"messages": "tool"}), 0),
        ] {
            assert_eq!(results(&body), expected, "{body}");
        }
    }

    #[test]
    fn a_turn_comes_when_the_calls_before_it_have_results() {
        let call = r#"{"name": "f", "arguments": {}}"#;
        let script = script(&format!(
            r#"[{{"calls": [{call}, {call}]}}, {{"text": "and"}}, {{"calls": [{call}]}}, {{"text": "end"}}]"#
        ));
        let places: Vec<_> = (0..5).map(|results| script.place(results)).collect();
        assert_eq!(places, [Some(0), Some(0), Some(1), Some(3), None]);
    }

    #[test]
    fn the_three_forms_are_read_and_others_refused() {
        let turns = r#"[{"text": "a"}]"#;
        for text in [turns.to_owned(), format!("{{\"turns\": {turns}}}"), format!("[{{\"turns\": {turns}}}]")]
        {
            assert_eq!(script(&text).turns[0].text.as_deref(), Some("a"), "{text}");
        }
        assert!(Script::parse(b"[]").unwrap().is_empty());
        for wrong in ["", "{}", "[{\"txt\": \"a\"}]", "7"] {
            assert!(Script::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
