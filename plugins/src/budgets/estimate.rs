//! What a request may cost: an upper bound by the bytes of its body and the longest answer that it allows.

use crate::deployment::Deployment;
use crate::dialects::gemini;
use crate::dialects::openai_chat::client_drops;
use crate::exchange::Exchange;
use crate::measure::Measured;
use crate::models::Group;
use crate::tier;
use serde_json::value::RawValue;
use std::time::Duration;
use weir_core::body::JsonBody;
use weir_core::chat::Dialect;
use weir_core::domain::markup::Markup;
use weir_core::domain::money::{FemtoSum, FemtoUsd, NanoUsd};
use weir_core::domain::operation::Operation;
use weir_core::model::prices::{ModelPrice, ServiceTier, TokenRates};

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
    /// How many answers are asked for, and made to choose from: each has the output limit for itself.
    answers: u64,
}

/// Output tokens that an answer needs to be one.
const A_LITTLE: u64 = 16;
/// Of models of which nobody knows how much they say.
const USUAL_OUTPUT: u64 = 4_096;
/// Recordings have at least so many bytes for each second.
const BYTES_A_SECOND: usize = 2_000;

/// Where clients say how long the answer may be, beside Gemini's place for it, which those of other dialects may use, too.
pub(crate) static LIMITS: &[&str] = &["max_completion_tokens", "max_tokens", "max_output_tokens"];

impl Estimate {
    /// Anything that is left will do.
    pub const NOTHING: Estimate =
        Estimate { least: NanoUsd(1), most: NanoUsd(1), input: NanoUsd(1), output: FemtoUsd(0), answers: 1 };

    /// By the dearest deployment that may serve it.
    pub fn of(x: &Exchange, group: &Group) -> Self {
        let each = group.deployments.iter().filter_map(|d| Some((d.as_ref(), &d.price.as_ref()?.price)));
        let all = each.map(|(deployment, price)| Self::by(x, deployment, price).marked(deployment.markup));
        let dearest = all.max_by_key(|estimate| estimate.most).unwrap_or_default();
        let least = NanoUsd(dearest.least.0.max(1));
        Self { least, most: dearest.most.max(least), ..dearest }
    }

    /// By one deployment. All of it must fit: it is somebody else's budget, and others may have room.
    pub fn of_one(x: &Exchange, deployment: &Deployment) -> Self {
        let by = deployment
            .price
            .as_ref()
            .map(|price| Self::by(x, deployment, &price.price).marked(deployment.markup));
        let most = NanoUsd(by.unwrap_or_default().most.0.max(1));
        Self { least: most, most, ..Self::default() }
    }

    fn by(x: &Exchange, deployment: &Deployment, price: &ModelPrice) -> Self {
        if let Some(pieces) = pieces(x).and_then(|pieces| pieces.cost(price)) {
            return Self { least: pieces, most: pieces, ..Self::default() };
        }
        // No vocabulary has tokens of less than a byte. Pictures are far fewer tokens than bytes, which the model's
        // longest input bounds too.
        let tokens = x.request.body.bytes().len() as u64;
        let tokens = tokens.min(deployment.max_input.unwrap_or(u64::MAX));
        let (read, output) = dearest(price, tier::asked(x, deployment), tokens);
        // Two may be asked, and both read it.
        let readers = if deployment.timeouts.hedge.is_some() { 2 } else { 1 };
        let input = paid(tokens.saturating_mul(readers), read);
        let answers = answers(&x.request.body).saturating_mul(prompts(x));
        let longest = longest(x, deployment);
        let most = input + paid(longest.saturating_mul(answers), output);
        if x.request.pass.is_some() {
            // Its body is not ours to change. What the client limits itself has to fit.
            let least = if told_output(x, deployment).is_some() { most } else { input };
            return Self { least, most, input, ..Self::default() };
        }
        let least = input + paid(longest.min(A_LITTLE).saturating_mul(answers), output);
        Self { least, most, input, output, answers }
    }

    /// With what is charged beside the price list.
    fn marked(self, markup: Option<Markup>) -> Self {
        /// Discount and margin are each rounded for themselves.
        const ROUNDING: NanoUsd = NanoUsd(2);
        let Some(markup) = markup else { return self };
        let charged = |listed| markup.charged(listed) + ROUNDING;
        Self {
            least: charged(self.least),
            most: charged(self.most),
            input: charged(self.input),
            output: if self.output.0 > 0 { markup.unit(self.output) } else { self.output },
            answers: self.answers,
        }
    }

    /// How many output tokens of each answer an amount pays for that is less than the most; `None`: they cannot be
    /// limited.
    pub fn output_for(&self, amount: NanoUsd) -> Option<u64> {
        if amount >= self.most || self.output.0 <= 0 {
            return None;
        }
        let left = i128::from(amount.0.saturating_sub(self.input.0)).saturating_mul(1_000_000);
        let tokens = u64::try_from(left / i128::from(self.output.0)).ok()?;
        Some((tokens / self.answers.max(1)).max(1))
    }
}

/// What a token that is read, and one that is said, costs at most: at the tier that is asked for, or at the standard one,
/// which the provider may serve it at instead.
fn dearest(price: &ModelPrice, asked: Option<ServiceTier>, tokens: u64) -> (FemtoUsd, FemtoUsd) {
    let tiers = [ServiceTier::Standard, asked.unwrap_or_default()];
    let [usual, named] = tiers.map(|tier| price.rates(tier, tokens));
    let read = |rates: &TokenRates| rates.input.max(rates.cache_write);
    let said = |rates: &TokenRates| rates.output.max(rates.reasoning);
    (read(&usual).max(read(&named)), said(&usual).max(said(&named)))
}

fn paid(quantity: u64, price: FemtoUsd) -> NanoUsd {
    let mut sum = FemtoSum::default();
    sum.add(quantity, price);
    sum.round()
}

/// The longest answer.
fn longest(x: &Exchange, deployment: &Deployment) -> u64 {
    let row = x.request.like().row();
    if row.chat.is_none() && x.request.like() != Operation::Completions {
        return 0;
    }
    let asked = told_output(x, deployment);
    let limit = deployment.max_output.unwrap_or(USUAL_OUTPUT);
    asked.map_or(limit, |asked| asked.min(deployment.max_output.unwrap_or(u64::from(u32::MAX))))
}

/// OpenAI's own bound.
const MOST_ANSWERS: u64 = 128;

/// By OpenAI's names or by Gemini's, which clients of other dialects may use, too. All are paid of which the best are given.
fn answers(body: &JsonBody) -> u64 {
    let count = |name: &str| body.raw(name).and_then(|n| n.trim().parse::<u64>().ok()).unwrap_or(1);
    let n = count("n").max(count("best_of"));
    let candidates = gemini::candidates(body).into_iter().map(|count| count.unwrap_or(MOST_ANSWERS));
    candidates.fold(n, u64::max).clamp(1, MOST_ANSWERS)
}

/// Of `/v1/completions`, which has answers for each of a list of texts, or of lists of tokens.
fn prompts(x: &Exchange) -> u64 {
    if x.request.like() != Operation::Completions {
        return 1;
    }
    let prompt = x.request.body.raw("prompt").unwrap_or_default();
    let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(prompt) else { return 1 };
    let several = list.first().is_some_and(|one| one.get().starts_with(['"', '[']));
    if several { list.len() as u64 } else { 1 }
}

/// The longest answer that the client wants, where it says so in words that reach the provider: another dialect's are mostly
/// passed over, and limit nothing.
fn told_output(x: &Exchange, deployment: &Deployment) -> Option<u64> {
    let (body, client) = (&x.request.body, x.request.like().row().chat);
    let generated = match client {
        Some(Dialect::Gemini) => true,
        // Who speaks OpenAI's dialect may say to Google what that has no words for.
        Some(client @ Dialect::OpenAiChat) => deployment.wire.speaks(client) == Some(Dialect::Gemini),
        _ => false,
    };
    let mut own = own_limits(client).iter().filter_map(|name| body.raw(name));
    let told = own.any(|raw| raw != "null") || generated && !gemini::limits(body).is_empty();
    asked_output(body).filter(|_| told)
}

fn own_limits(client: Option<Dialect>) -> &'static [&'static str] {
    match client {
        Some(Dialect::Gemini) => &[],
        Some(Dialect::OpenAiResponses) => &["max_output_tokens"],
        Some(Dialect::OpenAiChat) => &["max_completion_tokens", "max_tokens"],
        _ => &["max_tokens"],
    }
}

/// The longest answer that the client wants, as far as it says so and does not take it back. Of several limits the provider
/// may get any, also one that cannot be read here.
pub fn asked_output(body: &JsonBody) -> Option<u64> {
    let said = LIMITS.iter().filter_map(|name| body.raw(name)).filter(|raw| *raw != "null");
    let mut most: Option<u64> = None;
    for limit in said.map(|raw| raw.trim().parse::<u64>().ok()).chain(gemini::limits(body)) {
        most = most.max(Some(limit?));
    }
    most.filter(|_| !client_drops(body, LIMITS))
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

#[cfg(test)]
mod tests {
    use super::{MOST_ANSWERS, answers, asked_output};
    use crate::tokens::count_text;
    use bytes::Bytes;
    use serde_json::json;
    use weir_core::body::JsonBody;

    #[test]
    fn p15_every_answer_that_is_asked_for_counts_in_either_spelling() {
        for (said, count) in [
            (json!({}), 1),
            (json!({"n": 3}), 3),
            (json!({"n": 2, "best_of": 5}), 5),
            (json!({"generationConfig": {"candidateCount": 4}}), 4),
            (json!({"generationConfig": {"candidate_count": 4}}), 4),
            (json!({"generation_config": {"candidate_count": 4, "candidateCount": null}, "n": 2}), 4),
            // Google reads numbers in quotes, too.
            (json!({"generation_config": {"candidateCount": "8"}}), MOST_ANSWERS),
        ] {
            let body = JsonBody::parse(Bytes::from(said.to_string())).unwrap();
            assert_eq!(answers(&body), count, "{said}");
        }
    }

    #[test]
    fn p15_a_limit_counts_however_it_is_spelled_and_the_longest_of_several() {
        let apart = json!({"generationConfig": {"maxOutputTokens": 5}, "generation_config": {"max_output_tokens": 7}});
        for (said, asked) in [
            (json!({"max_tokens": 5}), Some(5)),
            (json!({"max_tokens": 5, "max_completion_tokens": 7, "max_output_tokens": null}), Some(7)),
            (json!({"max_tokens": 5, "max_completion_tokens": "7"}), None),
            (json!({"generationConfig": {"maxOutputTokens": 5}}), Some(5)),
            (json!({"generationConfig": {"max_output_tokens": 5}}), Some(5)),
            (json!({"generation_config": {"maxOutputTokens": 5}}), Some(5)),
            (json!({"generation_config": {"max_output_tokens": 5, "maxOutputTokens": 7}}), Some(7)),
            (apart, Some(7)),
            // Google reads numbers in quotes, too.
            (json!({"generationConfig": {"maxOutputTokens": 5, "max_output_tokens": "7"}}), None),
            (json!({"generationConfig": {}, "generation_config": null}), None),
        ] {
            let body = JsonBody::parse(Bytes::from(said.to_string())).unwrap();
            assert_eq!(asked_output(&body), asked, "{said}");
        }
    }

    #[test]
    fn p15_bytes_bound_the_tokens_of_all_scripts() {
        let texts = [
            "The quick brown fox jumps over the lazy dog. ",
            "Donaudampfschifffahrtsgesellschaftskapitän ",
            "敏捷的棕色狐狸跳过了懒狗。",
            "素早い茶色の狐がのろまな犬を飛び越える。",
            "الثعلب البني السريع يقفز فوق الكلب الكسول ",
            "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है ",
            "🦊🐕‍🦺👩‍👩‍👧‍👦🏳️‍🌈",
            "fn f(x: &[u8]) -> Option<u64> { x.iter().map(|b| u64::from(*b)).sum::<u64>().checked_add(1) }\n",
            "3.14159265358979 2,718,281,828 0xdeadbeef ",
            "aGVsbG8gd29ybGQhIFRoaXMgaXMgYmFzZTY0Cg==",
            "{}[]();:,.<>?!@#$%^&*-+=|~`'",
            "a b c d e f g ",
        ];
        for text in texts {
            let text = text.repeat(50);
            let written = json!(text).to_string().len() as u64;
            for model in ["gpt-4o", "gpt-4", "claude-sonnet-4-5", "gemini-2.5-pro"] {
                let counted = count_text(&text, model);
                assert!(counted <= written, "{model}: {counted} tokens of {written} bytes: {text:.40}");
            }
        }
    }
}
