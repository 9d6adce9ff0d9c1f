//! The models that are known, one line of text each.
//!
//! The text is the table: sorted by name, searched by halves, a line parsed when it is asked for. The built-in one
//! costs no heap and no start-up time.
//!
//! A line has seven fields between tabs: name, provider, mode, most input tokens, most output tokens, abilities,
//! prices. Empty means unknown. Abilities are letters (see [`Ability`]), prices `in=2.5 out=10 in>200k=5 in:b=1.25`:
//! component, band, tier; dollars for a million tokens, characters or pixels, for one of anything else. Lines at
//! the top that start with `#` are remarks.

use super::component::Unit;
use super::key::PriceKey;
use super::price::ModelPrice;
use crate::domain::money::FemtoUsd;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::sync::OnceLock;

/// A table of models. Cheap to keep, made to be shared in an `Arc`.
#[derive(Debug)]
pub struct Catalogue {
    text: Cow<'static, str>,
    version: OnceLock<String>,
}

/// What is known of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFacts<'a> {
    /// The catalogue's name of the model, often with a provider prefix.
    pub name: &'a str,
    /// Who serves it, in LiteLLM's words (`openai`, `bedrock_converse`, `vertex_ai-language-models`).
    pub provider: &'a str,
    /// `chat`, `embedding`, `image_generation` …; empty when unknown.
    pub mode: &'a str,
    pub max_input_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    abilities: &'a str,
    /// None when the catalogue knows no price at all, which is not the same as free.
    pub price: Option<ModelPrice>,
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    pub what: &'static str,
}

macro_rules! abilities {
    ($($name:ident $letter:literal $litellm:literal;)*) => {
        /// What a model can do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Ability { $($name),* }

        impl Ability {
            /// In the order of their letters in a line.
            pub const ALL: &'static [Ability] = &[$(Ability::$name),*];

            /// The letter in the catalogue.
            pub const fn letter(self) -> char {
                match self { $(Ability::$name => $letter),* }
            }

            /// The key of LiteLLM's model info.
            pub const fn litellm(self) -> &'static str {
                match self { $(Ability::$name => $litellm),* }
            }
        }
    };
}

#[rustfmt::skip]
abilities! {
    FunctionCalling  'f' "supports_function_calling";
    ParallelCalls    'p' "supports_parallel_function_calling";
    ToolChoice       't' "supports_tool_choice";
    Vision           'v' "supports_vision";
    ResponseSchema   's' "supports_response_schema";
    Reasoning        'r' "supports_reasoning";
    PromptCaching    'c' "supports_prompt_caching";
    AudioInput       'a' "supports_audio_input";
    AudioOutput      'o' "supports_audio_output";
    VideoInput       'x' "supports_video_input";
    PdfInput         'd' "supports_pdf_input";
    WebSearch        'w' "supports_web_search";
    UrlContext       'l' "supports_url_context";
    ComputerUse      'u' "supports_computer_use";
    SystemMessages   'm' "supports_system_messages";
    AssistantPrefill 'e' "supports_assistant_prefill";
}

static EMBEDDED: &str = include_str!("../catalogue.tsv");

/// What [`Catalogue::parse`] takes at most, lest a wrong address fill the memory.
const MAX_TEXT: usize = 16 << 20;

// --- Catalogue ---

impl Catalogue {
    /// The one in the binary.
    pub fn embedded() -> Self {
        Self { text: Cow::Borrowed(EMBEDDED), version: OnceLock::new() }
    }

    /// A catalogue from elsewhere, in this module's format. Every line is checked, so that a bad file is refused and
    /// the last good one kept.
    pub fn parse(text: impl Into<String>) -> Result<Self, BadLine> {
        let text = text.into();
        check(&text)?;
        Ok(Self { text: Cow::Owned(text), version: OnceLock::new() })
    }

    /// A short hash of the content: which prices an entry was priced with.
    pub fn version(&self) -> &str {
        self.version.get_or_init(|| hex::encode(&Sha256::digest(self.text.as_bytes())[..6]))
    }

    /// The text, as [`Catalogue::parse`] reads it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A model by its exact name. For the name that a deployment uses, see [`Catalogue::find`].
    pub fn get(&self, name: &str) -> Option<ModelFacts<'_>> {
        self.line(name).and_then(|line| read(line).ok())
    }

    /// All models, sorted by name.
    pub fn models(&self) -> impl Iterator<Item = ModelFacts<'_>> {
        lines(&self.text).filter_map(|line| read(line).ok())
    }

    /// Names and providers of all models, without reading the rest.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        lines(&self.text).filter_map(|line| {
            let mut fields = line.split('\t');
            Some((fields.next()?, fields.next()?))
        })
    }

    /// The line of a name, found by halving the text.
    pub(super) fn line(&self, name: &str) -> Option<&str> {
        let mut rest = body(&self.text);
        while !rest.is_empty() {
            let (from, to) = line_around(rest, rest.len() / 2);
            let line = rest.get(from..to)?;
            match name_of(line).cmp(name) {
                std::cmp::Ordering::Equal => return Some(line),
                std::cmp::Ordering::Less => rest = rest.get(to + 1..).unwrap_or(""),
                std::cmp::Ordering::Greater => rest = &rest[..from],
            }
        }
        None
    }
}

// --- ModelFacts ---

impl ModelFacts<'_> {
    pub fn can(&self, ability: Ability) -> bool {
        self.abilities.contains(ability.letter())
    }
}

// --- reading ---

/// The text below the remarks.
fn body(text: &str) -> &str {
    let mut rest = text;
    while rest.starts_with('#') {
        rest = rest.split_once('\n').map_or("", |(_, below)| below);
    }
    rest
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    body(text).lines()
}

/// Where the line that holds byte `at` begins and ends (without its newline).
fn line_around(text: &str, at: usize) -> (usize, usize) {
    let from = memchr::memrchr(b'\n', &text.as_bytes()[..at]).map_or(0, |newline| newline + 1);
    let to = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |newline| at + newline);
    (from, to)
}

fn name_of(line: &str) -> &str {
    line.split_once('\t').map_or(line, |(name, _)| name)
}

/// Reads one line; the fault in words when it is none.
fn read(line: &str) -> Result<ModelFacts<'_>, &'static str> {
    let mut fields = line.split('\t');
    let mut field = || fields.next().ok_or("fewer than seven fields");
    let facts = ModelFacts {
        name: field()?,
        provider: field()?,
        mode: field()?,
        max_input_tokens: tokens(field()?)?,
        max_output_tokens: tokens(field()?)?,
        abilities: field()?,
        price: prices(field()?)?,
    };
    match fields.next() {
        Some(_) => Err("more than seven fields"),
        None if facts.name.is_empty() => Err("no name"),
        None => Ok(facts),
    }
}

fn tokens(field: &str) -> Result<Option<u64>, &'static str> {
    if field.is_empty() {
        return Ok(None);
    }
    field.parse().map(Some).map_err(|_| "not a number of tokens")
}

fn prices(field: &str) -> Result<Option<ModelPrice>, &'static str> {
    let listed = field.split_terminator(' ').map(price).collect::<Result<Vec<_>, _>>()?;
    Ok((!listed.is_empty()).then(|| ModelPrice::new(listed)))
}

fn price(pair: &str) -> Result<(PriceKey, FemtoUsd), &'static str> {
    let (name, value) = pair.split_once('=').ok_or("a price without =")?;
    let key = PriceKey::from_short(name).ok_or("a price of an unknown kind")?;
    let unit: Unit = key.component.row().unit;
    match unit.parse(value) {
        Ok(price) if price.0 >= 0 => Ok((key, price)),
        _ => Err("a price that is no decimal amount"),
    }
}

fn check(text: &str) -> Result<(), BadLine> {
    if text.len() > MAX_TEXT {
        return Err(BadLine { line: 1, what: "a catalogue of more than 16 MB" });
    }
    let remarks = text.lines().take_while(|line| line.starts_with('#')).count();
    let mut before = "";
    for (index, line) in lines(text).enumerate() {
        let bad = |what| BadLine { line: remarks + index + 1, what };
        let facts = read(line).map_err(bad)?;
        if facts.name <= before {
            return Err(bad("not sorted by name, or a name twice"));
        }
        before = facts.name;
    }
    Ok(())
}
