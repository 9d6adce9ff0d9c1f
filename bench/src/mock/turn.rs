//! What a provider says, before any dialect: the blocks of one answer, why it ends, what it costs.
//!
//! Every dialect folder writes a [`Turn`] down in its own way, whole and streamed. Where turns come from: `ask.rs`.

use serde_json::Value;

use super::json;

#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) blocks: Vec<Block>,
    pub(super) finish: Finish,
    pub(super) usage: Usage,
}

#[derive(Debug, Clone)]
pub(super) enum Block {
    Thinking(String),
    /// The pieces in which a stream sends it.
    Text(Vec<String>),
    Call(ToolCall),
}

#[derive(Debug, Clone)]
pub(super) struct ToolCall {
    /// What the ids of this call end with, in every dialect.
    pub(super) tag: String,
    pub(super) name: String,
    /// An object; a string for a tool that takes free text.
    pub(super) arguments: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finish {
    Stop,
    Length,
    Calls,
    StopSequence(String),
    Refusal,
}

/// Constants, never counted from the text. Which of them include others is a matter of the dialect.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
    pub(super) reasoning: u64,
}

pub(super) const INPUT_TOKENS: u64 = 11;
pub(super) const OUTPUT_TOKENS: u64 = 7;
pub(super) const TOTAL_TOKENS: u64 = INPUT_TOKENS + OUTPUT_TOKENS;
pub(super) const EMBEDDING_TOKENS: u64 = 8;
/// The same three numbers for every input.
pub(super) const EMBEDDING: [f64; 3] = [0.1, 0.2, -0.3];
/// On every block of thinking where the dialect has signatures.
pub(super) const SIGNATURE: &str = "sig==";

// --- impl Turn ---

impl Turn {
    pub(super) fn text(&self) -> String {
        self.blocks.iter().flat_map(Block::pieces).cloned().collect()
    }

    pub(super) fn thinking(&self) -> Option<&str> {
        self.blocks.iter().find_map(|block| match block {
            Block::Thinking(text) => Some(text.as_str()),
            _ => None,
        })
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Call(call) => Some(call),
            _ => None,
        })
    }

    pub(super) fn has_calls(&self) -> bool {
        self.calls().next().is_some()
    }

    /// Everything before the `limit`th piece of text is over; for streams that break off there.
    pub(super) fn cut(&self, limit: usize) -> Turn {
        let mut left = limit;
        let mut turn = self.clone();
        for block in &mut turn.blocks {
            if let Block::Text(pieces) = block {
                pieces.truncate(left);
                left -= pieces.len();
            }
        }
        turn
    }

    pub(super) fn piece_count(&self) -> usize {
        self.blocks.iter().map(|block| block.pieces().len()).sum()
    }
}

// --- impl Block ---

impl Block {
    fn pieces(&self) -> &[String] {
        match self {
            Block::Text(pieces) => pieces,
            _ => &[],
        }
    }
}

// --- impl ToolCall ---

impl ToolCall {
    /// Without blanks; free text as it is.
    pub(super) fn compact_arguments(&self) -> String {
        match &self.arguments {
            Value::String(text) => text.clone(),
            value => text(&json::compact(value)),
        }
    }

    /// The compact form in the two parts in which most providers stream it, cut after the first name.
    pub(super) fn parts(&self) -> Vec<String> {
        let whole = self.compact_arguments();
        let at = whole.find(':').map_or(0, |at| at + 1);
        halves(&whole, at)
    }

    /// The form with blanks, cut after five characters.
    pub(super) fn spaced_parts(&self) -> Vec<String> {
        let whole = text(&json::spaced(&self.arguments));
        let at = whole.len().min(5);
        halves(&whole, at)
    }

    /// Arguments for dialects that know objects only.
    pub(super) fn object(&self) -> Value {
        match &self.arguments {
            Value::Object(_) => self.arguments.clone(),
            other => serde_json::json!({"input": other}),
        }
    }
}

/// `at` is a character boundary: both forms are ASCII up to there.
fn halves(whole: &str, at: usize) -> Vec<String> {
    let (first, rest) = whole.split_at_checked(at).unwrap_or((whole, ""));
    [first, rest].into_iter().filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_in_parts_that_join_to_the_whole() {
        for (arguments, parts, spaced) in [
            (
                serde_json::json!({"city": "Paris"}),
                vec!["{\"city\":", "\"Paris\"}"],
                vec!["{\"cit", "y\": \"Paris\"}"],
            ),
            (serde_json::json!({}), vec!["{}"], vec!["{}"]),
            (serde_json::json!({"ü": 1}), vec!["{\"\\u00fc\":", "1}"], vec!["{\"\\u0", "0fc\": 1}"]),
        ] {
            let call = ToolCall { tag: "1".to_owned(), name: "f".to_owned(), arguments };
            assert_eq!((call.parts(), call.spaced_parts()), (owned(&parts), owned(&spaced)));
        }
    }

    fn owned(parts: &[&str]) -> Vec<String> {
        parts.iter().map(|part| (*part).to_owned()).collect()
    }
}
