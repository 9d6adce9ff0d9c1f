//! What a request may cost: an upper bound by the bytes of its body and the longest answer that it allows.

use crate::deployment::Deployment;
use crate::exchange::Exchange;
use crate::measure::Measured;
use crate::models::Group;
use serde_json::Value;
use std::time::Duration;
use weir_core::body::JsonBody;
use weir_core::domain::money::{FemtoSum, FemtoUsd, NanoUsd};
use weir_core::domain::operation::Operation;
use weir_core::model::prices::{ModelPrice, ServiceTier};

/// Bounds of what a request may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Its input and a little output: with less it is not sent. At least a nano-dollar, so that a budget that is spent
    /// refuses free models too, as LiteLLM does.
    pub least: NanoUsd,
    /// Its input and all the output that it allows.
    pub most: NanoUsd,
    input: NanoUsd,
    /// The dearest output token; zero where the output cannot be limited.
    output: FemtoUsd,
}

/// Output tokens that an answer needs to be one.
const A_LITTLE: u64 = 16;
/// Of models of which nobody knows how much they say.
const USUAL_OUTPUT: u64 = 4_096;
/// Bytes of a token in the densest of scripts. Pictures are far fewer tokens than bytes: they are held by the model's
/// longest input at most.
const DENSEST: u64 = 2;
/// Recordings have at least so many bytes for each second.
const BYTES_A_SECOND: usize = 2_000;

/// Where clients say how long the answer may be.
static LIMITS: &[&str] = &["max_completion_tokens", "max_tokens", "max_output_tokens"];

impl Estimate {
    /// Anything that is left will do.
    pub const NOTHING: Estimate =
        Estimate { least: NanoUsd(1), most: NanoUsd(1), input: NanoUsd(1), output: FemtoUsd(0) };

    /// By the dearest deployment that may serve it.
    pub fn of(x: &Exchange, group: &Group) -> Self {
        let each = group.deployments.iter().filter_map(|d| Some((d.as_ref(), &d.price.as_ref()?.price)));
        let all = each.map(|(deployment, price)| Self::by(x, deployment, price));
        let dearest = all.max_by_key(|estimate| estimate.most).unwrap_or_default();
        let least = NanoUsd(dearest.least.0.max(1));
        Self { least, most: dearest.most.max(least), ..dearest }
    }

    fn by(x: &Exchange, deployment: &Deployment, price: &ModelPrice) -> Self {
        if let Some(pieces) = pieces(x).and_then(|pieces| pieces.cost(price)) {
            return Self { least: pieces, most: pieces, ..Self::default() };
        }
        let tokens = x.request.body.bytes().len() as u64 / DENSEST;
        let tokens = tokens.min(deployment.max_input.unwrap_or(u64::MAX));
        let rates = price.rates(ServiceTier::Standard, tokens);
        let input = paid(tokens, rates.input.max(rates.cache_write));
        let output = rates.output.max(rates.reasoning);
        let most = longest(x, deployment);
        Self {
            least: input + paid(most.min(A_LITTLE), output),
            most: input + paid(most, output),
            input,
            output,
        }
    }

    /// How many output tokens an amount pays for that is less than the most; `None`: it cannot be limited.
    pub fn output_for(&self, amount: NanoUsd) -> Option<u64> {
        if amount >= self.most || self.output.0 <= 0 {
            return None;
        }
        let left = i128::from(amount.0.saturating_sub(self.input.0)).saturating_mul(1_000_000);
        u64::try_from(left / i128::from(self.output.0)).ok().map(|tokens| tokens.max(1))
    }
}

fn paid(quantity: u64, price: FemtoUsd) -> NanoUsd {
    let mut sum = FemtoSum::default();
    sum.add(quantity, price);
    sum.round()
}

/// The longest answer, of all that are asked for.
fn longest(x: &Exchange, deployment: &Deployment) -> u64 {
    let row = x.request.like().row();
    if row.chat.is_none() && x.request.like() != Operation::Completions {
        return 0;
    }
    let body = &x.request.body;
    let asked = asked_output(body);
    let answers = body.raw("n").and_then(|n| n.parse::<u64>().ok()).unwrap_or(1).clamp(1, 128);
    let limit = deployment.max_output.unwrap_or(USUAL_OUTPUT);
    asked.map_or(limit, |asked| asked.min(deployment.max_output.unwrap_or(u64::from(u32::MAX)))) * answers
}

/// The longest answer that the client wants, as far as it says.
pub fn asked_output(body: &JsonBody) -> Option<u64> {
    let asked = LIMITS.iter().find_map(|name| body.raw(name)?.trim().parse::<u64>().ok());
    asked.or_else(|| generation(body.raw("generationConfig")?))
}

/// Gemini's place for it.
fn generation(raw: &str) -> Option<u64> {
    serde_json::from_str::<Value>(raw).ok()?.get("maxOutputTokens")?.as_u64()
}

/// What is paid by the piece, as far as the request says.
fn pieces(x: &Exchange) -> Option<Measured> {
    let body = &x.request.body;
    Some(match x.request.like() {
        Operation::Images | Operation::ImageEdits | Operation::ImageVariations => {
            Measured::Images(body.raw("n").and_then(|n| n.trim_matches('"').parse().ok()).unwrap_or(1))
        }
        Operation::Speech => Measured::Characters(body.string("input")?.chars().count() as u64),
        Operation::Rerank => Measured::Searches(1),
        Operation::Transcriptions | Operation::Translations => {
            let bytes = x.request.form.as_ref().map_or(0, weir_core::body::Form::size);
            Measured::Time(Duration::from_secs((bytes / BYTES_A_SECOND) as u64 + 1))
        }
        _ => return None,
    })
}
