//! The outcome as tables: `CONFORMANCE.md`, kept beside the code.

use crate::facts::Aspect;
use crate::recordings::{CLIENTS, UPSTREAMS};
use crate::talk::Side;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Answer(Aspect),
    Request(Side),
}

/// What did not survive, and why.
pub type Lost = (What, &'static str);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Answers,
    Requests,
}

/// What became of one recording on one way.
pub struct Outcome {
    pub part: Part,
    /// The client's API.
    pub client: &'static str,
    /// Who answered, or who was asked.
    pub column: String,
    pub features: Vec<String>,
    /// Labels that the recorded answer does not bear out.
    pub unseen: Vec<&'static str>,
    /// What did not survive, for a known reason.
    pub lost: Vec<Lost>,
    /// What went wrong without one.
    pub failure: Option<String>,
}

impl Outcome {
    pub fn key(&self) -> (Part, &str, &str, Option<&str>) {
        (self.part, self.client, &self.column, self.failure.as_deref())
    }
}

/// A row: the label of recordings, and what a recording must keep to count.
type Row = (&'static str, &'static [What]);

/// All recordings of a column.
const ALL: &str = "all";

const TEXT: What = What::Answer(Aspect::Text);
const REFUSAL: What = What::Answer(Aspect::Refusal);
const CALLS: What = What::Answer(Aspect::Calls);
const THOUGHTS: What = What::Answer(Aspect::Thoughts);
const PROOFS: What = What::Answer(Aspect::Proofs);
const FINISH: What = What::Answer(Aspect::Finish);
const CACHE_READ: What = What::Answer(Aspect::CacheRead);
const CACHE_WRITE: What = What::Answer(Aspect::CacheWrite);
const THOUGHT_TOKENS: What = What::Answer(Aspect::ReasoningTokens);
const AUDIO_TOKENS: What = What::Answer(Aspect::AudioTokens);
const MEDIA: What = What::Answer(Aspect::Media);

/// What the recordings' README says of replies, and what of it belongs to which side of an answer.
#[rustfmt::skip]
static ANSWERS: &[Row] = &[
    (ALL, &[TEXT, CALLS, THOUGHTS, What::Answer(Aspect::Tokens)]),
    ("tool_call", &[CALLS]),
    ("parallel_tools", &[CALLS]),
    ("reasoning", &[THOUGHTS, PROOFS, THOUGHT_TOKENS]),
    ("redacted_thinking", &[THOUGHTS, PROOFS]),
    ("cache_read", &[CACHE_READ]),
    ("cache_write", &[CACHE_WRITE]),
    ("citations", &[What::Answer(Aspect::Citations)]),
    ("finish_length", &[FINISH]),
    ("finish_stop_sequence", &[FINISH]),
    ("finish_content_filter", &[FINISH]),
    ("finish_odd", &[FINISH]),
    ("refusal", &[REFUSAL, FINISH]),
    ("pause_turn", &[FINISH]),
    ("server_tool_call", &[What::Answer(Aspect::Own)]),
    ("audio_in", &[AUDIO_TOKENS]),
    ("audio_out", &[MEDIA, AUDIO_TOKENS]),
    ("image_out", &[MEDIA]),
    ("n_choices", &[What::Answer(Aspect::Choices)]),
    ("logprobs", &[What::Answer(Aspect::Probabilities)]),
    ("azure_prompt_filter", &[What::Answer(Aspect::FilterNotes)]),
    ("azure_content_filter_annot", &[What::Answer(Aspect::FilterNotes)]),
    ("non_ascii", &[TEXT]),
    ("non_stream_reply", &[TEXT]),
    ("stream_error", &[TEXT]),
    ("unterminated", &[TEXT]),
    ("error", &[TEXT]),
];

const WORDS: What = What::Request(Side::Words);
const SYSTEM: What = What::Request(Side::System);
const TOOLS: What = What::Request(Side::Tools);
const CALLED: What = What::Request(Side::Calls);
const RESULTS: What = What::Request(Side::Results);
const SHOWN: What = What::Request(Side::Media);

/// The same for requests.
#[rustfmt::skip]
static REQUESTS: &[Row] = &[
    (ALL, &[WORDS, SYSTEM, TOOLS, CALLED, RESULTS]),
    ("plain", &[WORDS]),
    ("system", &[SYSTEM]),
    ("developer_role", &[SYSTEM]),
    ("multi_turn", &[WORDS, CALLED, RESULTS]),
    ("tools", &[TOOLS]),
    ("tool_result", &[CALLED, RESULTS]),
    ("parallel_tool_results", &[CALLED, RESULTS]),
    ("vision", &[SHOWN]),
    ("document", &[SHOWN]),
    ("audio_in", &[SHOWN]),
    ("server_tools", &[What::Request(Side::ServerTools)]),
    ("cache_control", &[What::Request(Side::Marks)]),
    ("non_ascii", &[WORDS]),
];

/// Why a cell may be empty for another reason than that nobody recorded it: a label, who can have it, why others not.
static ONLY: &[(&str, &[&str], &str)] = &[
    ("redacted_thinking", &["anthropic", "bedrock", "vertex"], "only Claude redacts thoughts"),
    ("pause_turn", &["anthropic", "bedrock", "vertex"], "only Anthropic's API pauses a turn"),
    ("azure_prompt_filter", &["azure"], "only Azure notes what its filters found"),
    ("azure_content_filter_annot", &["azure"], "only Azure notes what its filters found"),
    ("audio_out", &["openai", "azure", "openrouter", "gemini", "vertex"], "this API answers in text only"),
    ("image_out", &["openai", "azure", "openrouter", "gemini", "vertex"], "this API answers in text only"),
];

#[derive(Default)]
struct Cell {
    kept: usize,
    total: usize,
    why: BTreeSet<&'static str>,
}

/// Reasons, numbered as they come up.
#[derive(Default)]
struct Notes(Vec<&'static str>);

// --- Notes ---

impl Notes {
    fn number(&mut self, why: &'static str) -> usize {
        let known = self.0.iter().position(|known| *known == why);
        known.map_or_else(
            || {
                self.0.push(why);
                self.0.len()
            },
            |at| at + 1,
        )
    }

    fn marks(&mut self, why: impl IntoIterator<Item = &'static str>) -> String {
        let numbers: Vec<String> = why.into_iter().map(|w| self.number(w).to_string()).collect();
        if numbers.is_empty() { String::new() } else { format!(" [{}]", numbers.join(",")) }
    }
}

// --- cells ---

fn cell<'o>(outcomes: impl Iterator<Item = &'o Outcome>, (label, keep): Row) -> Cell {
    let mut cell = Cell::default();
    for outcome in outcomes.filter(|o| label == ALL || o.features.iter().any(|f| f == label)) {
        let lost: Vec<&str> =
            outcome.lost.iter().filter(|(what, _)| keep.contains(what)).map(|(_, why)| *why).collect();
        cell.total += 1;
        cell.kept += usize::from(lost.is_empty() && outcome.failure.is_none());
        cell.why.extend(lost);
    }
    cell
}

impl Cell {
    fn show(&self, label: &str, column: &str, notes: &mut Notes) -> String {
        if self.total > 0 {
            return format!("{}/{}{}", self.kept, self.total, notes.marks(self.why.iter().copied()));
        }
        let only = ONLY.iter().find(|(name, able, _)| *name == label && !able.contains(&column));
        format!("-{}", notes.marks(only.map(|(_, _, why)| *why)))
    }
}

// --- text ---

pub fn render(outcomes: &[Outcome]) -> String {
    let mut notes = Notes::default();
    let mut out = HEAD.to_owned();
    let providers: BTreeSet<&str> =
        outcomes.iter().filter(|o| o.part == Part::Answers).map(|o| o.column.as_str()).collect();
    out.push_str(ABOUT_ANSWERS);
    for (_, client) in CLIENTS {
        let columns: Vec<&str> = providers.iter().copied().collect();
        grid(outcomes, (Part::Answers, client), &columns, ANSWERS, &mut notes, &mut out);
    }
    out.push_str(ABOUT_REQUESTS);
    for (_, client) in CLIENTS {
        let columns: Vec<&str> = UPSTREAMS.iter().map(|row| row.1).collect();
        grid(outcomes, (Part::Requests, client), &columns, REQUESTS, &mut notes, &mut out);
    }
    labels_without_substance(outcomes, &mut out);
    out.push_str("\n## Why\n\n- `-` alone: nobody recorded it.\n");
    for (at, why) in notes.0.iter().enumerate() {
        let _ = writeln!(out, "- [{}] {why}.", at + 1);
    }
    out
}

/// Once for each recording: all clients are told the same answer, all providers asked the same request.
fn labels_without_substance(outcomes: &[Outcome], out: &mut String) {
    let mut found: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for outcome in outcomes {
        let key = match outcome.part {
            Part::Answers if outcome.client == CLIENTS[0].1 => ("answers", outcome.column.as_str()),
            Part::Requests if outcome.column == UPSTREAMS[0].1 => ("requests", outcome.client),
            _ => continue,
        };
        for label in &outcome.unseen {
            *found.entry((key.0, key.1, label)).or_default() += 1;
        }
    }
    out.push_str(ABOUT_LABELS);
    for ((part, who, label), count) in found {
        let _ = writeln!(out, "- {part}, {who}: {label}, {count}");
    }
}

fn grid(
    outcomes: &[Outcome],
    (part, client): (Part, &str),
    columns: &[&str],
    rows: &[Row],
    notes: &mut Notes,
    out: &mut String,
) {
    let mut by_column: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|o| o.part == part && o.client == client) {
        by_column.entry(&outcome.column).or_default().push(outcome);
    }
    let _ = writeln!(out, "\n### {client}\n\n| | {} |", columns.join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(columns.len()));
    for row in rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| {
                let of_column = by_column.get(column).into_iter().flatten().copied();
                cell(of_column, *row).show(row.0, column, notes)
            })
            .collect();
        let _ = writeln!(out, "| {} | {} |", row.0, cells.join(" | "));
    }
}

/// Compares with the file, or rewrites it where `BLESS` is set.
pub fn keep(text: &str) {
    println!("{text}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("CONFORMANCE.md");
    if std::env::var_os("BLESS").is_some() {
        return std::fs::write(path, text).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == text, "CONFORMANCE.md is out of date: run `make bless` and read the difference");
}

const HEAD: &str = "# Every client API over every provider

What the test `conformance` finds when it tells recorded traffic of real providers in all other dialects. Written by
`make bless`; the test fails where the file differs, and where anything is lost without a reason below.

A cell is the number of recordings that keep what their label names, of all that have the label. A number in brackets is
the reason why some do not, or why the cell is empty.
";

const ABOUT_ANSWERS: &str = "
## Answers: provider to client

One table for each client API, one column for each provider. Each answer is read in its provider's dialect, written in the
client's, plain and streamed, checked against what SDKs insist on, and read again. Text, tool calls (id, name, arguments),
thoughts and their proofs, citations (address and title), the reason to finish, tokens and errors must be the same; so must
the streamed form and the plain one, and what comes of a stream that arrives byte by byte. A label counts only where the
answer was read with what it says; an error counts for `all` and the labels of errors alone. Where client and provider
speak the same dialect, the gateway relays; these cells tell what its translation would do, but for the rows that only
the relay keeps.

InvokeModel is read for Claude's Messages; other models' own formats there are only passed through.
";

const ABOUT_REQUESTS: &str = "
## Requests: client to provider

One table for each client API whose requests were recorded, one column for each dialect that providers speak, with
`drop_params`. Left out are requests that their own provider answered with 400, and those that continue an earlier one by
its id. System messages, who said what and in which order, calls, results with the tool that they belong to, tools with
their description and the names of their parameters, media and cache marks must be the same when the provider's request
is read again; white space is not compared. A prompt for `/api/generate` is one text: all texts and the names of tools
and calls must stand in it. Other parameters, and thoughts in a history, are the business of each dialect's own tests.
";

const ABOUT_LABELS: &str = "
## Labels that do not count

Labels are computed and not all of them are right (an empty reasoning item, one call where several are said), and a cache
mark on a tool that a provider runs goes where the tool goes. Where an answer or a request, as it was read, holds nothing
of the kind, it is left out of its row. A number that grows here may be a reader that has lost something: look at the
recordings before blessing it.

";
