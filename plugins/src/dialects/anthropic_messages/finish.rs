//! Why a message ended, in Anthropic's words and ours.

use weir_core::chat::Finish;

/// Words that clients of this dialect know and the model does not.
static KNOWN_WORDS: &[&str] = &["model_context_window_exceeded", "compaction"];

/// `sequence`: the stop sequence that was hit.
pub(super) fn read(reason: &str, sequence: Option<String>) -> Finish {
    match reason {
        "end_turn" => Finish::Stop,
        "stop_sequence" => Finish::StopSequence(sequence),
        // A full context window is a limit like any other to those who do not speak this dialect.
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "refusal" => Finish::Refusal,
        "pause_turn" => Finish::Pause,
        other => Finish::Other(other.to_owned()),
    }
}

/// `stop_reason` and `stop_sequence`. SDKs check the words, so what they do not know becomes the nearest they do.
pub(super) fn write(finish: Option<Finish>, has_tool_calls: bool) -> (String, Option<String>) {
    let word = match finish {
        // Some providers say "stop" after a tool call; Claude Code would not run the tool.
        Some(Finish::Stop | Finish::ToolCalls) | None if has_tool_calls => "tool_use",
        Some(Finish::Stop) | None => "end_turn",
        Some(Finish::StopSequence(sequence)) => return ("stop_sequence".to_owned(), sequence),
        Some(Finish::Length) => "max_tokens",
        Some(Finish::ToolCalls) => "tool_use",
        Some(Finish::ContentFilter | Finish::Refusal) => "refusal",
        Some(Finish::Pause) => "pause_turn",
        Some(Finish::Other(word)) if KNOWN_WORDS.contains(&word.as_str()) => return (word, None),
        Some(Finish::Other(_)) => "end_turn",
    };
    (word.to_owned(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_the_way_in_and_out() {
        for word in
            ["end_turn", "stop_sequence", "max_tokens", "tool_use", "refusal", "pause_turn", "compaction"]
        {
            assert_eq!(write(Some(read(word, None)), false).0, word);
        }
        assert_eq!(read("model_context_window_exceeded", None), Finish::Length);
        assert_eq!(write(Some(Finish::StopSequence(Some("X".into()))), true).1.as_deref(), Some("X"));
        assert_eq!(write(Some(Finish::Other("RECITATION".into())), false).0, "end_turn");
    }

    #[test]
    fn a_tool_call_ends_with_tool_use_whatever_the_provider_says() {
        assert_eq!(write(Some(Finish::Stop), true).0, "tool_use");
        assert_eq!(write(None, true).0, "tool_use");
        assert_eq!(write(Some(Finish::Length), true).0, "max_tokens");
    }
}
