//! What chat and generate answer: the same lines, with the text in different places.

use serde_json::{Value, json};

use crate::mock::turn::{Block, Finish, INPUT_TOKENS, OUTPUT_TOKENS, Turn};

const CREATED: &str = "2026-01-01T00:00:00.000000Z";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Chat,
    Generate,
}

pub(super) struct Answer<'a> {
    pub(super) model: &'a str,
    pub(super) shape: Shape,
    pub(super) turn: &'a Turn,
}

// --- impl Answer ---

impl Answer<'_> {
    pub(super) fn whole(&self) -> Value {
        let mut said = self.said(&self.turn.text());
        if let Some(text) = self.turn.thinking() {
            self.think(&mut said, text);
        }
        if self.turn.has_calls() {
            said["message"]["tool_calls"] = self.calls();
        }
        self.finished(said)
    }

    /// With `breaks`, an error stands in the place of the last line; a turn with calls does not break.
    pub(super) fn lines(&self, breaks: bool) -> Vec<Value> {
        let mut lines: Vec<Value> = self.turn.blocks.iter().flat_map(|block| self.block(block)).collect();
        if self.turn.has_calls() {
            let mut said = self.said("");
            said["message"]["tool_calls"] = self.calls();
            lines.push(self.line(said));
        } else if breaks {
            lines.push(json!({"error": "mock stream error"}));
            return lines;
        }
        lines.push(self.finished(self.said("")));
        lines
    }

    fn block(&self, block: &Block) -> Vec<Value> {
        match block {
            Block::Thinking(text) => {
                let mut said = self.said("");
                self.think(&mut said, text);
                vec![self.line(said)]
            }
            Block::Text(pieces) => pieces.iter().map(|piece| self.line(self.said(piece))).collect(),
            // All calls stand in one line.
            Block::Call(_) => Vec::new(),
        }
    }

    /// The members that hold the text.
    fn said(&self, text: &str) -> Value {
        match self.shape {
            Shape::Chat => json!({"message": {"role": "assistant", "content": text}}),
            Shape::Generate => json!({"response": text}),
        }
    }

    fn think(&self, said: &mut Value, text: &str) {
        match self.shape {
            Shape::Chat => said["message"]["thinking"] = text.into(),
            Shape::Generate => said["thinking"] = text.into(),
        }
    }

    fn calls(&self) -> Value {
        let function = |call: &crate::mock::turn::ToolCall| json!({"function": {"name": call.name, "arguments": call.object()}});
        self.turn.calls().map(function).collect()
    }

    fn line(&self, said: Value) -> Value {
        let mut line = json!({"model": self.model, "created_at": CREATED});
        extend(&mut line, said);
        line["done"] = false.into();
        line
    }

    fn finished(&self, said: Value) -> Value {
        let mut line = self.line(said);
        line["done"] = true.into();
        let reason = if self.turn.finish == Finish::Length { "length" } else { "stop" };
        let figures = json!({
            "done_reason": reason,
            "total_duration": 5_000_000,
            "load_duration": 1_000_000,
            "prompt_eval_count": INPUT_TOKENS,
            "prompt_eval_duration": 1_000_000,
            "eval_count": OUTPUT_TOKENS,
            "eval_duration": 2_000_000,
        });
        extend(&mut line, figures);
        if self.shape == Shape::Generate {
            line["context"] = json!([1, 2, 3]);
        }
        line
    }
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}
