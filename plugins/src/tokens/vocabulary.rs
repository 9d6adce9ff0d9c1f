//! Text to tokens of OpenAI's vocabularies, which are inside the binary and unpacked on first use.

use tiktoken::get_encoding;

/// A vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// GPT-3.5, GPT-4, the embeddings.
    Cl100k,
    /// GPT-4o and everything since.
    O200k,
}

/// What is counted of one text; the rest is taken to be like it.
const MAX_COUNTED: usize = 2 << 20;

/// Text is counted in pieces of this size: a text without spaces costs more than its length, and a cut costs a token.
const PIECE: usize = 32 << 10;

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Encoding::Cl100k => "cl100k_base",
            Encoding::O200k => "o200k_base",
        }
    }

    /// The tokens of a text. Words that look like control tokens are text.
    pub(super) fn count(self, text: &str) -> u64 {
        if text.is_empty() {
            return 0;
        }
        let Some(vocabulary) = get_encoding(self.name()) else { return super::from_bytes(text.len()) };
        let counted = &text[..text.floor_char_boundary(MAX_COUNTED)];
        let tokens = pieces(counted).map(|piece| vocabulary.count(piece) as u64).sum();
        stretched(tokens, counted.len(), text.len())
    }
}

fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (piece, rest) = text.split_at(text.floor_char_boundary(PIECE));
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

fn stretched(tokens: u64, counted: usize, all: usize) -> u64 {
    if counted == all {
        return tokens;
    }
    let whole = u128::from(tokens) * all as u128 / counted.max(1) as u128;
    u64::try_from(whole).unwrap_or(u64::MAX)
}
