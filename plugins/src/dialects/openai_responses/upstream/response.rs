//! A plain answer, and what the closing members of a response mean.

use super::super::items::{self, Item};
use super::super::usage::WireUsage;
use crate::dialects::dialect::{TranslateError, UpstreamDialect as _};
use crate::dialects::openai_chat::OpenAiChat;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use weir_core::chat::{Answer, Finish, Object, Part, ProviderFault};
use weir_core::domain::usage::Usage;

/// A response object, as far as it is read. Items are read one by one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) output: Option<Vec<&'a RawValue>>,
    pub(super) usage: Option<WireUsage>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
    pub(super) incomplete_details: Option<Incomplete>,
    #[serde(borrow)]
    service_tier: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Incomplete {
    #[serde(default)]
    reason: Option<String>,
}

/// Members that are the request again, or have a place of their own.
#[rustfmt::skip]
static KNOWN: &[&str] = &[
    "id", "object", "created_at", "completed_at", "status", "background", "conversation", "error",
    "frequency_penalty", "incomplete_details", "instructions", "max_output_tokens", "max_tool_calls", "metadata",
    "model", "output", "output_text", "parallel_tool_calls", "presence_penalty", "previous_response_id", "prompt",
    "prompt_cache_key", "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store",
    "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "usage", "user",
];

/// Statuses of codes that only faults of this dialect have.
static CODES: &[(&str, u16)] =
    &[("server_error", 500), ("vector_store_timeout", 504), ("invalid_prompt", 400)];

pub(in super::super) fn read(body: &[u8]) -> Result<Answer, TranslateError> {
    let response: Response<'_> = serde_json::from_slice(body).map_err(TranslateError::malformed)?;
    if let Some(fault) = response.fault() {
        return Err(TranslateError::Fault(fault));
    }
    let Some(output) = &response.output else {
        return Err(TranslateError::malformed("a response without `output`"));
    };
    let mut content = Vec::new();
    for item in output {
        content.extend(parts(item)?);
    }
    let mut answer = Answer { content, ..Answer::default() };
    answer.finish = Some(response.finish(answer.has_tool_calls()));
    answer.usage = response.usage();
    answer.id = response.id.map(Cow::into_owned);
    answer.model = response.model.map(Cow::into_owned);
    answer.service_tier = response.service_tier.map(Cow::into_owned);
    answer.extra = extra(body);
    Ok(answer)
}

/// The blocks of one item of an output.
pub(super) fn parts(item: &RawValue) -> Result<Vec<Part>, TranslateError> {
    let value: Value = serde_json::from_str(item.get()).map_err(TranslateError::malformed)?;
    Ok(match items::read(value).map_err(TranslateError::malformed)? {
        Item::Message { parts, .. } => parts,
        Item::Block(part) | Item::Result(part) => vec![part],
    })
}

fn extra(body: &[u8]) -> Object {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(body).unwrap_or_default();
    let unknown = members.into_iter().filter(|(name, _)| !KNOWN.contains(&name.as_ref()));
    unknown
        .filter_map(|(name, raw)| Some((name.into_owned(), serde_json::from_str(raw.get()).ok()?)))
        .collect()
}

// --- Response ---

impl Response<'_> {
    /// The response failed, or it is none but an error.
    pub(super) fn fault(&self) -> Option<ProviderFault> {
        let error = self.error.filter(|e| e.get() != "null");
        if error.is_none() && self.status.as_deref() != Some("failed") {
            return None;
        }
        Some(error.map_or_else(|| fault(b"{}"), |error| fault(error.get().as_bytes())))
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        let usage = self.usage?.with_output(self.output.as_deref());
        Some(usage.served_at(self.service_tier.as_deref()))
    }

    pub(super) fn finish(&self, calls: bool) -> Finish {
        let reason = self.incomplete_details.as_ref().and_then(|d| d.reason.as_deref());
        match (self.status.as_deref(), reason) {
            (_, Some("max_output_tokens" | "max_tokens")) => Finish::Length,
            (_, Some("content_filter")) => Finish::ContentFilter,
            (_, Some(reason)) => Finish::Other(reason.to_owned()),
            (Some("completed") | None, None) if calls => Finish::ToolCalls,
            (Some("completed") | None, None) => Finish::Stop,
            (Some(status), None) => Finish::Other(status.to_owned()),
        }
    }
}

/// The fault that an `error` member tells.
pub(super) fn fault(error: &[u8]) -> ProviderFault {
    let mut fault = read_error(0, error);
    if fault.message == "{}" {
        "the response failed, for no reason given".clone_into(&mut fault.message);
    }
    fault
}

/// Where there is no status, the code stands for one.
pub(in super::super) fn read_error(status: u16, body: &[u8]) -> ProviderFault {
    let told = OpenAiChat.read_error(status, body);
    if told.status > 0 {
        return told;
    }
    let word = told.code.as_deref().or(told.kind.as_deref()).unwrap_or_default();
    let status = CODES.iter().find(|(code, _)| *code == word).map_or(0, |(_, status)| *status);
    ProviderFault { status, ..told }
}
