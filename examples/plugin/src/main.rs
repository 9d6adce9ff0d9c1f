//! Weir with a filter of a company's own: every request must say which cost centre pays for it, and no answer may name
//! the project that nobody is to know of. `plugins/AUTHORS.md` explains each line.
//!
//! `cargo run -- --config config.yaml` takes the flags and the configuration that `weir` takes.

use async_trait::async_trait;
use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::Arc;
use weir_core::error::{ApiError, Kind};
use weir_plugins::exchange::Exchange;
use weir_plugins::filters::FilterKind;
use weir_plugins::plugin::{Flow, Phase, Plugin};
use weir_plugins::watch::{Piece, TextKind, Watch, Watcher};

static COST_CENTERS: FilterKind = FilterKind {
    name: "cost_centers",
    phases: &[Phase::Request, Phase::Answer],
    build: |_| Arc::new(CostCenters),
};

fn main() -> ExitCode {
    weir_gateway::Gateway::builder().filter(&COST_CENTERS).main()
}

struct CostCenters;

const HEADER: &str = "x-cost-center";

#[async_trait]
impl Plugin for CostCenters {
    async fn on_request(&self, x: &mut Exchange) -> Result<Flow, ApiError> {
        check(x.header(HEADER)).map(|()| Flow::Continue)
    }

    fn watch(&self, _x: &Exchange, watchers: &mut Vec<Box<dyn Watcher>>) {
        watchers.push(Box::new(Discreet::default()));
    }
}

/// Four digits. The rule is apart from the exchange, so that it can be tested alone.
fn check(center: &str) -> Result<(), ApiError> {
    if center.len() == 4 && center.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let message = format!("Say which cost center pays for this: send the header {HEADER} with four digits.");
    Err(ApiError::new(Kind::BadRequest, message).with_param(HEADER))
}

const PROJECT: &str = "Project Heron";
const INSTEAD: &str = "a project";

/// Keeps back what may become the project's name, and nothing more.
#[derive(Default)]
struct Discreet {
    /// By block: several may be open at once.
    held: HashMap<usize, String>,
}

impl Watcher for Discreet {
    fn text(&mut self, piece: &Piece) -> Watch {
        let held = self.held.entry(piece.block).or_default();
        held.push_str(&piece.text);
        let said = held.replace(PROJECT, INSTEAD);
        let open = beginning(&said);
        let (goes, stays) = said.split_at(said.len() - open);
        *held = stays.to_owned();
        Watch::Edit(goes.to_owned())
    }

    fn stop(&mut self, block: usize, _kind: TextKind) -> Watch {
        Watch::Edit(self.held.remove(&block).unwrap_or_default())
    }
}

/// Bytes at the end of a text that may be the beginning of the name.
fn beginning(text: &str) -> usize {
    (1..PROJECT.len()).rev().find(|&length| text.ends_with(&PROJECT[..length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_center_is_four_digits() {
        assert!(check("4711").is_ok());
        for wrong in ["", "47", "47110", "47a1"] {
            assert_eq!(check(wrong).unwrap_err().status(), 400, "{wrong}");
        }
    }

    #[test]
    fn the_name_is_not_told_wherever_it_is_cut() {
        let text = "We call it Project Heron, or Project X.";
        for cut in 0..=text.len() {
            let (mut discreet, mut said) = (Discreet::default(), String::new());
            let mut take = |watch: Watch| match watch {
                Watch::Edit(text) => said.push_str(&text),
                other => panic!("{other:?}"),
            };
            for part in [&text[..cut], &text[cut..]] {
                let piece = Piece { block: 0, kind: TextKind::Text, text: part.to_owned() };
                take(discreet.text(&piece));
            }
            take(discreet.stop(0, TextKind::Text));
            assert_eq!(said, "We call it a project, or Project X.", "cut at {cut}");
        }
    }
}
