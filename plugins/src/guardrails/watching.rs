//! A guardrail that looks at an answer on its way to the client. One that can follow a text does so and keeps back what
//! may become a match; any other keeps a block back until it is whole, and the stream waits for its verdict.

use super::check::{About, Blocked, Follow, Side};
use super::select::Chosen;
use super::texts::Leaves;
use crate::metrics::Metrics;
use crate::watch::{Hold, Piece, TextKind, Watch, Watcher};
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use weir_core::config::When;
use weir_core::error::{ApiError, Kind};

/// One guardrail and one answer.
pub struct Looking {
    chosen: Chosen,
    about: Arc<About>,
    metrics: Arc<Metrics>,
    /// Blocks that are open.
    blocks: HashMap<usize, Open>,
}

enum Open {
    Followed(Box<dyn Follow>),
    Kept(String),
}

/// Bytes of one block that are kept back at most. No model says more.
const LARGEST: usize = 4 << 20;

impl Looking {
    pub fn new(chosen: Chosen, about: Arc<About>, metrics: Arc<Metrics>) -> Self {
        Self { chosen, about, metrics, blocks: HashMap::new() }
    }

    fn followed(&self, text: Result<String, Blocked>) -> Watch {
        match text {
            Ok(text) => Watch::Edit(text),
            Err(blocked) => {
                self.count(Some(Kind::GuardrailBlocked.row().label));
                Watch::Refuse(self.chosen.rail.refusal(blocked, When::PostCall))
            }
        }
    }

    /// What follows takes no time of its own.
    fn count(&self, error: Option<&'static str>) {
        self.metrics.guardrail(&self.chosen.rail.name, When::PostCall.word(), error, Duration::ZERO);
        self.about.runs.note(&self.chosen.rail, When::PostCall, error, Duration::ZERO);
    }

    fn whole(&self, text: String, kind: TextKind) -> Hold {
        let (chosen, about) = (self.chosen.clone(), Arc::clone(&self.about));
        let metrics = Arc::clone(&self.metrics);
        Hold::new(async move { checked(&chosen, &about, &metrics, text, kind).await.map(Some) })
    }
}

impl Watcher for Looking {
    fn text(&mut self, piece: &Piece) -> Watch {
        let check = &self.chosen.rail.check;
        let open = self.blocks.entry(piece.block).or_insert_with(|| {
            // Arguments must be JSON afterwards, so they are looked at whole.
            let follow = check.follow().filter(|_| piece.kind != TextKind::Arguments);
            follow.map_or_else(|| Open::Kept(String::new()), Open::Followed)
        });
        match open {
            Open::Followed(follow) => {
                let text = follow.take(&piece.text);
                self.followed(text)
            }
            Open::Kept(kept) if kept.len() + piece.text.len() > LARGEST => {
                let message = format!("The answer is too long for the guardrail {}.", self.chosen.rail.name);
                Watch::Refuse(ApiError::new(Kind::GuardrailUnavailable, message))
            }
            Open::Kept(kept) => {
                kept.push_str(&piece.text);
                Watch::Edit(String::new())
            }
        }
    }

    fn stop(&mut self, block: usize, kind: TextKind) -> Watch {
        match self.blocks.remove(&block) {
            None => Watch::Pass,
            Some(Open::Kept(text)) => Watch::Hold(self.whole(text, kind)),
            Some(Open::Followed(mut follow)) => {
                let rest = follow.rest();
                if rest.is_ok() {
                    self.count(None);
                }
                self.followed(rest)
            }
        }
    }
}

/// A whole text as it may go on.
async fn checked(
    chosen: &Chosen,
    about: &Arc<About>,
    metrics: &Metrics,
    text: String,
    kind: TextKind,
) -> Result<String, ApiError> {
    // A wrapper, so that JSON in a text is found where it is arguments.
    let name = if kind == TextKind::Arguments { "arguments" } else { "text" };
    let mut wrapped = serde_json::Map::new();
    wrapped.insert(name.to_owned(), Value::String(text.clone()));
    let leaves = Leaves::of(Value::Object(wrapped));
    let asked = chosen.asked(about, Side::Answer, leaves.texts.clone(), Vec::new());
    let Some(changed) = chosen.rail.run(&asked, When::PostCall, metrics).await? else { return Ok(text) };
    let changed = leaves.write(changed);
    Ok(changed.get(name).and_then(Value::as_str).unwrap_or_default().to_owned())
}

/// The texts of a completion of OpenAI's older API, past all watchers. Anything else stays as it is.
///
/// # Errors
/// A watcher refuses the answer, or does not answer in time.
pub async fn choices(body: Bytes, watchers: &mut [Box<dyn Watcher>]) -> Result<Bytes, ApiError> {
    let Ok(mut answer) = serde_json::from_slice::<Value>(&body) else { return Ok(body) };
    let Some(choices) = answer.get_mut("choices").and_then(Value::as_array_mut) else { return Ok(body) };
    for (block, choice) in choices.iter_mut().enumerate() {
        let Some(Value::String(text)) = choice.get_mut("text") else { continue };
        for watcher in watchers.iter_mut() {
            *text = past(watcher.as_mut(), block, std::mem::take(text)).await?;
        }
    }
    Ok(Bytes::from(answer.to_string()))
}

async fn past(watcher: &mut dyn Watcher, block: usize, text: String) -> Result<String, ApiError> {
    let piece = Piece { block, kind: TextKind::Text, text };
    let mut out = went(watcher.text(&piece), &piece.text).await?;
    out.push_str(&went(watcher.stop(block, TextKind::Text), "").await?);
    Ok(out)
}

async fn went(watch: Watch, as_it_is: &str) -> Result<String, ApiError> {
    match watch {
        Watch::Pass => Ok(as_it_is.to_owned()),
        Watch::Edit(text) | Watch::Replace(text) => Ok(text),
        Watch::Hold(hold) => Ok(hold.answer().await?.unwrap_or_else(|| as_it_is.to_owned())),
        Watch::Refuse(error) => Err(error),
    }
}
