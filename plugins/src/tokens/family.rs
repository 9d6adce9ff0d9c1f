//! Families of models, by how their names begin or what they contain. Adding one is adding a row.

use super::image::Images;
use super::vocabulary::Encoding;

/// How a family counts.
#[derive(Debug)]
pub(super) struct Family {
    /// Parts of names, lower case. The first row that fits counts; the last row fits everything.
    names: &'static [&'static str],
    pub encoding: Encoding,
    /// Tokens of the family's own vocabulary for a thousand of this one's, on ordinary chats.
    per_mille: u64,
    /// Frame and role of a message.
    pub message: u64,
    /// What stands before the answer.
    pub reply: u64,
    /// Frame of a tool call.
    pub call: u64,
    /// What a schema of the answer adds, beside itself; `None` where the model is not shown it.
    pub format: Option<u64>,
    /// What thinking adds.
    pub thinking: u64,
    /// What tools add, beside their description.
    pub tools: u64,
    /// How much of it falls away when there is a system message.
    pub shared_frame: u64,
    /// Whether signatures are input: they are thoughts, sealed.
    pub signed: bool,
    pub images: Images,
}

const OPENAI: Family = Family {
    names: &[],
    encoding: Encoding::O200k,
    per_mille: 1_000,
    message: 4,
    reply: 3,
    call: 12,
    format: Some(3),
    thinking: 0,
    tools: 9,
    shared_frame: 4,
    signed: false,
    images: Images::Tiles,
};

/// Claude's vocabulary is not public. The factor is what recorded chats come to; the tool prompt has some 340 tokens
/// (Anthropic's page on tool use).
const ANTHROPIC: Family = Family {
    per_mille: 1_150,
    message: 1,
    reply: 6,
    format: Some(170),
    thinking: 28,
    tools: 340,
    shared_frame: 0,
    images: Images::Area,
    ..OPENAI
};

/// Gemini's messages have next to no frame.
const GEMINI: Family = Family {
    message: 1,
    reply: 0,
    format: None,
    tools: 0,
    shared_frame: 0,
    signed: true,
    images: Images::Squares,
    ..OPENAI
};

/// Functions are shown in the harmony format, which says more around them.
const GPT_5: Family = Family { reply: 2, tools: 50, ..OPENAI };

static FAMILIES: &[Family] = &[
    // Since Opus 4.7 there is another vocabulary, with more tokens for the same text.
    Family {
        names: &["claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-sonnet-5", "claude-haiku-5"],
        per_mille: 1_500,
        ..ANTHROPIC
    },
    Family { names: &["claude"], ..ANTHROPIC },
    Family { names: &["gemini", "gemma"], ..GEMINI },
    Family { names: &["gpt-5", "gpt-oss", "codex"], ..GPT_5 },
    Family { names: &["gpt-4o", "gpt-4.1", "gpt-4.5", "chatgpt", "gpt-audio", "gpt-realtime"], ..OPENAI },
    Family { names: &["gpt-3.5", "gpt-35", "gpt-4", "text-embedding"], encoding: Encoding::Cl100k, ..OPENAI },
    Family { names: &["o1", "o3", "o4"], ..GPT_5 },
    // Llama, Qwen, Mistral and others are nearer to the older vocabulary.
    Family { names: &[""], encoding: Encoding::Cl100k, format: Some(0), ..OPENAI },
];

/// Names that are too short to be looked for anywhere but at the beginning.
const SHORT: usize = 2;

/// The family of a model. Prefixes of providers and regions do not matter.
pub(super) fn family(model: &str) -> &'static Family {
    let model = model.to_ascii_lowercase();
    let bare = model.rsplit('/').next().unwrap_or_default();
    let fits = |name: &&str| if name.len() <= SHORT { bare.starts_with(name) } else { model.contains(name) };
    FAMILIES.iter().find(|family| family.names.iter().any(fits)).unwrap_or(&OPENAI)
}

impl Family {
    /// From the vocabulary's tokens to the family's.
    pub(super) fn scaled(&self, tokens: u64) -> u64 {
        tokens.saturating_mul(self.per_mille).saturating_add(500) / 1_000
    }
}
