//! A whole message. Inputs of tools are kept as the text that came, since a number may be more than a parser keeps.

use super::super::usage::WireUsage;
use super::super::{error, finish, read_parts};
use crate::dialects::TranslateError;
use crate::dialects::json_tool::JSON_TOOL;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use weir_core::chat::{Answer, Finish, Kind, Part};

/// Members of an object in their order, unread.
struct Members<'a>(Vec<(String, &'a RawValue)>);

#[derive(Deserialize)]
struct Input<'a> {
    #[serde(borrow)]
    input: Option<&'a RawValue>,
}

pub(in super::super) fn read_answer(body: &[u8]) -> Result<Answer, TranslateError> {
    let Members(members) = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    let mut draft = Draft::default();
    for (name, raw) in members.into_iter().filter(|(_, raw)| raw.get() != "null") {
        draft.member(name, raw)?;
    }
    draft.finish()
}

#[derive(Default)]
struct Draft {
    answer: Answer,
    has_content: bool,
    reason: Option<String>,
    sequence: Option<String>,
}

impl Draft {
    fn member(&mut self, name: String, raw: &RawValue) -> Result<(), TranslateError> {
        let answer = &mut self.answer;
        match name.as_str() {
            "type" | "role" => {}
            "id" => answer.id = Some(parse(raw)?),
            "model" => answer.model = Some(parse(raw)?),
            "content" => {
                let blocks: Vec<&RawValue> = parse(raw)?;
                answer.content = blocks.into_iter().map(block).collect::<Result<_, _>>()?;
                self.has_content = true;
            }
            "stop_reason" => self.reason = Some(parse(raw)?),
            "stop_sequence" => self.sequence = Some(parse(raw)?),
            "usage" => {
                let usage: WireUsage = parse(raw)?;
                answer.service_tier = usage.tier();
                answer.usage = Some(usage.usage());
            }
            "error" => {
                let error: Value = parse(raw)?;
                return Err(TranslateError::Fault(error::read_member(0, &error)));
            }
            _ => drop(answer.extra.insert(name, parse(raw)?)),
        }
        Ok(())
    }

    fn finish(self) -> Result<Answer, TranslateError> {
        let Self { mut answer, has_content, reason, sequence } = self;
        if !has_content {
            return Err(TranslateError::malformed("a message without content"));
        }
        let said_as_json = answer.content.iter_mut().map(unwrap_json).filter(|is| *is).count() > 0;
        answer.finish = reason.map(|reason| finish::read(&reason, sequence));
        if said_as_json && answer.finish == Some(Finish::ToolCalls) && !answer.has_tool_calls() {
            answer.finish = Some(Finish::Stop);
        }
        Ok(answer)
    }
}

fn block(raw: &RawValue) -> Result<Part, TranslateError> {
    let mut part = parse(raw).and_then(|node| read_parts::part(node).map_err(TranslateError::malformed))?;
    if let Kind::ToolCall(call) = &mut part.kind
        && let Some(input) = parse::<Input<'_>>(raw)?.input
    {
        input.get().clone_into(&mut call.arguments);
    }
    Ok(part)
}

/// The call of the tool that stood for a format is what the client asked to read.
fn unwrap_json(part: &mut Part) -> bool {
    let Kind::ToolCall(call) = &mut part.kind else { return false };
    if call.name != JSON_TOOL {
        return false;
    }
    *part = Part::text(std::mem::take(&mut call.arguments));
    true
}

fn parse<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, TranslateError> {
    serde_json::from_str(raw.get()).map_err(TranslateError::malformed)
}

// --- Members ---

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Walk;

        impl<'de> Visitor<'de> for Walk {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        reader.deserialize_map(Walk)
    }
}
