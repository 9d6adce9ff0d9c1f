//! Why a model stopped, in both directions.

use serde_json::Value;
use weir_core::chat::Finish;

/// Reasons that mean: somebody did not like the content.
static FILTERED: &[&str] = &[
    "SAFETY",
    "RECITATION",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "LANGUAGE",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "MODEL_ARMOR",
];

/// Reasons without a counterpart elsewhere.
static ODD: &[&str] = &[
    "OTHER",
    "IMAGE_OTHER",
    "NO_IMAGE",
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "MISSING_THOUGHT_SIGNATURE",
];

/// Numbers of reasons that mean the same in both of Google's APIs.
static NUMBERED: &[&str] =
    &["FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER"];

/// `called`: the answer holds function calls, which Gemini does not tell by its reason.
pub(super) fn read(reason: &Value, called: bool) -> Finish {
    let word = match reason {
        Value::String(word) => word.clone(),
        other => numbered(other).map_or_else(|| other.to_string(), str::to_owned),
    };
    match word.as_str() {
        "STOP" | "FINISH_REASON_UNSPECIFIED" if called => Finish::ToolCalls,
        "STOP" | "FINISH_REASON_UNSPECIFIED" => Finish::Stop,
        "MAX_TOKENS" => Finish::Length,
        filtered if FILTERED.contains(&filtered) => Finish::ContentFilter,
        _ => Finish::Other(word),
    }
}

fn numbered(reason: &Value) -> Option<&'static str> {
    NUMBERED.get(usize::try_from(reason.as_u64()?).ok()?).copied()
}

pub(super) fn write(finish: &Finish) -> &str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls | Finish::Pause => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::ContentFilter | Finish::Refusal => "SAFETY",
        Finish::Other(word) if ODD.contains(&word.as_str()) => word,
        Finish::Other(_) => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_as_words_and_numbers() {
        assert_eq!(read(&"STOP".into(), false), Finish::Stop);
        assert_eq!(read(&"STOP".into(), true), Finish::ToolCalls);
        assert_eq!(read(&1.into(), false), Finish::Stop);
        assert_eq!(read(&2.into(), true), Finish::Length);
        assert_eq!(read(&"SPII".into(), false), Finish::ContentFilter);
        assert_eq!(read(&99.into(), false), Finish::Other("99".into()));
    }

    #[test]
    fn odd_reasons_come_back_and_foreign_ones_are_other() {
        for word in ODD {
            assert_eq!(write(&read(&(*word).into(), false)), *word);
        }
        assert_eq!(write(&Finish::Other("guardrail".into())), "OTHER");
    }
}
