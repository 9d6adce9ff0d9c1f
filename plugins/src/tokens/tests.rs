use super::*;
use crate::dialects::anthropic_messages::AnthropicMessages;
use crate::dialects::fixtures::{Recorded, broken, collect, events, recordings};
use crate::dialects::gemini::Gemini;
use crate::dialects::openai_chat::OpenAiChat;
use crate::dialects::openai_responses::OpenAiResponses;
use crate::dialects::{ClientDialect, UpstreamDialect};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::{Tool, ToolKind};

fn read(dialect: &dyn ClientDialect, body: &[u8]) -> Option<Request> {
    let body = JsonBody::parse(Bytes::copy_from_slice(body)).ok()?;
    dialect.read_request(&body, &HeaderMap::new()).ok()
}

fn chat(body: &Value) -> Request {
    read(&OpenAiChat, body.to_string().as_bytes()).unwrap()
}

// --- against what providers report ---

/// One recorded request: what was counted, estimated and reported.
struct Case {
    name: String,
    counted: u64,
    estimated: u64,
    reported: u64,
    /// Tools, calls of them, or a schema for the answer.
    is_tooled: bool,
    has_media: bool,
}

/// Who is recorded, in which dialect.
struct Source<D: 'static> {
    provider: &'static str,
    operations: &'static [&'static str],
    dialect: &'static D,
}

impl<D: ClientDialect + UpstreamDialect> Source<D> {
    fn cases(&self) -> Vec<Case> {
        let all = recordings(self.provider, self.operations);
        all.iter()
            .filter(|recorded| recorded.status() == 200)
            .filter_map(|recorded| self.case(recorded))
            .collect()
    }

    fn case(&self, recorded: &Recorded) -> Option<Case> {
        let body = recorded.file["request"]["body"].to_string();
        // The conversation so far is with the provider.
        if body.contains("previous_response_id") || body.contains("\"conversation\"") {
            return None;
        }
        let request = read(self.dialect, body.as_bytes())?;
        let model = recorded.file["model"].as_str().unwrap_or_default();
        Some(Case {
            name: format!("{} {model}", recorded.name),
            counted: count_request(&request, model),
            estimated: from_bytes(body.len()),
            reported: self.reported(recorded)?,
            is_tooled: is_tooled(&request),
            has_media: has_media(&request),
        })
    }

    fn reported(&self, recorded: &Recorded) -> Option<u64> {
        let body = recorded.body();
        let answer = match self.dialect.read_answer(&body) {
            Ok(answer) => answer,
            Err(_) => collect(events(self.dialect, &[&body]).ok()?),
        };
        // What the provider's own tools put into the prompt is in no request.
        answer.usage.filter(|usage| usage.input > 0 && usage.searches == 0).map(|usage| usage.input)
    }
}

/// Parts of the input that are not told by the request's own text.
fn has_media(request: &Request) -> bool {
    let outside = |part: &Part| {
        !matches!(
            part.kind,
            Kind::Text { .. } | Kind::Thinking { .. } | Kind::ToolCall(_) | Kind::ToolResult(_)
        )
    };
    let provided = |tool: &Tool| matches!(tool.kind, ToolKind::Provider { .. });
    request.messages.iter().flat_map(|m| &m.content).any(outside) || request.tools.iter().any(provided)
}

fn is_tooled(request: &Request) -> bool {
    let calls = |part: &Part| matches!(part.kind, Kind::ToolCall(_));
    let called = request.messages.iter().flat_map(|m| &m.content).any(calls);
    called || !request.tools.is_empty() || matches!(request.format, Some(Format::JsonSchema { .. }))
}

/// How far the count may be from the report: so many tokens, and so many of a hundred.
type Bound = (u64, u64);

/// Per family: who is recorded, the bound of plain chats, that of requests with tools or a schema.
struct Row {
    cases: fn() -> Vec<Case>,
    plain: Bound,
    tooled: Option<Bound>,
}

fn openai() -> Vec<Case> {
    let of = |provider, operations, dialect| Source { provider, operations, dialect }.cases();
    let mut all = of("openai", &["chat", "chat_stream"], &OpenAiChat);
    all.extend(of("azure", &["chat", "chat_stream"], &OpenAiChat));
    all.extend(
        Source {
            provider: "openai",
            operations: &["responses", "responses_stream"],
            dialect: &OpenAiResponses,
        }
        .cases(),
    );
    all.retain(|case| !case.name.contains("grok"));
    all
}

fn anthropic() -> Vec<Case> {
    Source {
        provider: "anthropic",
        operations: &["messages", "messages_stream"],
        dialect: &AnthropicMessages,
    }
    .cases()
}

fn gemini() -> Vec<Case> {
    Source { provider: "gemini", operations: &["generate", "generate_stream"], dialect: &Gemini }.cases()
}

/// Providers put prompts of their own before tools, or before everything: only what is known to be plain.
fn others() -> Vec<Case> {
    let of =
        |provider| Source { provider, operations: &["chat", "chat_stream"], dialect: &OpenAiChat }.cases();
    ["mistral", "deepseek", "groq"].into_iter().flat_map(of).collect()
}

static ROWS: &[Row] = &[
    Row { cases: openai, plain: (2, 1), tooled: Some((30, 35)) },
    Row { cases: anthropic, plain: (6, 25), tooled: Some((60, 50)) },
    Row { cases: gemini, plain: (4, 15), tooled: Some((60, 60)) },
    Row { cases: others, plain: (6, 15), tooled: None },
];

impl Row {
    fn is_off(&self, case: &Case) -> bool {
        let Some((tokens, percent)) = (if case.is_tooled { self.tooled } else { Some(self.plain) }) else {
            return false;
        };
        case.counted.abs_diff(case.reported) > tokens + case.reported * percent / 100
    }
}

#[test]
fn counts_are_near_what_providers_report() {
    let mut off = Vec::new();
    for row in ROWS {
        let cases: Vec<Case> = (row.cases)().into_iter().filter(|case| !case.has_media).collect();
        let plain = cases.iter().filter(|case| !case.is_tooled).count();
        assert!(plain > 1 || cases.is_empty(), "too few plain chats are recorded to say anything");
        let beyond = cases.iter().filter(|case| row.is_off(case));
        off.extend(beyond.map(|case| format!("{}: {} for {}", case.name, case.counted, case.reported)));
    }
    assert!(off.is_empty(), "{off:#?}");
}

/// What admission goes by: never less than half of a plain chat, and not much more than four times.
#[test]
fn the_estimate_by_bytes_is_bounded_by_what_providers_report() {
    let mut off = Vec::new();
    for case in ROWS.iter().flat_map(|row| (row.cases)()).filter(|case| !case.has_media) {
        // Prompts that providers put before tools are in no body.
        let hidden = if case.is_tooled { 800 } else { 0 };
        let enough = case.estimated * 2 + hidden >= case.reported;
        if !enough || case.estimated > case.reported * 4 + 200 {
            off.push(format!("{}: {} for {}", case.name, case.estimated, case.reported));
        }
    }
    assert!(off.is_empty(), "{off:#?}");
}

// --- by the rules ---

#[test]
fn texts_have_the_tokens_that_openai_counts() {
    // From OpenAI's cookbook on counting tokens.
    for (text, cl100k, o200k) in [
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 9, 8),
        ("", 0, 0),
    ] {
        assert_eq!((count_text(text, "gpt-4"), count_text(text, "gpt-4o")), (cl100k, o200k), "{text}");
    }
    // Words of control are text, not control.
    assert!(count_text("<|endoftext|>", "gpt-4o") > 1);
}

#[test]
fn models_have_families_whatever_stands_before_their_names() {
    let text = "Counting is not the same as weighing.".repeat(20);
    let of = |model: &str| count_text(&text, model);
    assert_eq!(of("openai/gpt-4o"), of("gpt-5-mini"));
    for claude in ["anthropic/claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-20250514-v1:0", "Claude-3"] {
        assert!(of(claude) > of("gpt-4o"), "{claude}");
    }
    assert!(of("claude-opus-4-8") > of("claude-opus-4-1"));
    for any in ["", "/", "nobody's", "o1", "ö1", "meta-llama/Llama-3"] {
        assert!(of(any) > 100, "{any}");
    }
}

fn picture(detail: Option<&str>, bytes: &[u8], model: &str) -> u64 {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(bytes);
    let url = format!("data:image/png;base64,{data}");
    let with = |content: Value| {
        chat(&json!({ "model": model, "messages": [{ "role": "user", "content": content }] }))
    };
    let image = with(json!([{ "type": "image_url", "image_url": { "url": url, "detail": detail } }]));
    count_request(&image, model) - count_request(&with(json!([])), model)
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    file.extend(width.to_be_bytes());
    file.extend(height.to_be_bytes());
    file.extend([8, 6, 0, 0, 0, 1, 2, 3, 4]);
    file
}

/// OpenAI's own examples, and Anthropic's.
#[test]
fn pictures_count_by_size_and_detail() {
    assert_eq!(picture(Some("high"), &png(1024, 1024), "gpt-4o"), 765);
    assert_eq!(picture(None, &png(2048, 4096), "gpt-4o"), 1105);
    assert_eq!(picture(Some("low"), &png(4096, 8192), "gpt-4o"), 85);
    assert_eq!(picture(Some("low"), &png(10, 10), "gpt-4o-mini"), 2833);
    assert_eq!(picture(None, &png(1024, 1024), "gpt-4.1-mini"), 1659);
    assert_eq!(picture(None, &png(1000, 1000), "claude-sonnet-4-5"), 1333);
    assert_eq!(picture(None, &png(300, 300), "gemini-2.5-flash"), 258);
    // Unreadable: taken for a picture of ordinary size.
    assert_eq!(picture(None, b"nothing", "gpt-4o"), 765);
}

#[test]
fn sizes_are_read_from_every_format() {
    let gif = b"GIF89a\x40\x01\xf0\0".to_vec();
    let jpeg =
        [b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08".as_slice(), &[0, 240, 1, 64, 3, 0, 0, 0]].concat();
    let lossy =
        [b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0abc\x9d\x01\x2a".as_slice(), &[0x40, 1, 240, 0, 0, 0]].concat();
    let large = [b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0".as_slice(), &[63, 1, 0, 239, 0, 0]].concat();
    for (name, file) in
        [("gif", gif), ("jpeg", jpeg), ("webp", lossy), ("webp x", large), ("png", png(320, 240))]
    {
        let file = [file, vec![0; 32]].concat(); // no picture ends with its size
        assert_eq!(picture(None, &file, "claude-3"), 320 * 240 / 750, "{name}");
        for cut in 0..file.len() {
            assert!(picture(None, &file[..cut], "gpt-4o") > 0, "{name} cut at {cut}");
        }
    }
}

#[test]
fn nothing_is_too_large_or_too_strange() {
    for piece in ["a", " ", "\n ", "漢", "!?", "7", "é\u{301}", "<|endoftext|>", "\u{feff}\0"] {
        let text = piece.repeat((5 << 20) / piece.len());
        let counted = count_text(&text, "gpt-4o");
        assert!(counted > 0 && counted <= text.len() as u64, "{piece:?}: {counted}");
    }
    // Beyond what is counted, a text is taken to be like its beginning.
    let (once, many) = (
        count_text(&"ten words ".repeat(100_000), "gpt-4o"),
        count_text(&"ten words ".repeat(800_000), "gpt-4o"),
    );
    assert!(many.abs_diff(once * 8) < many / 50, "{many} {once}");
}

#[test]
fn hostile_requests_are_counted_or_refused() {
    let mut counted = 0;
    for recorded in recordings("openai", &["chat"]).iter().take(6) {
        let body = recorded.file["request"]["body"].to_string();
        for bytes in broken(body.as_bytes()) {
            if let Some(request) = read(&OpenAiChat, &bytes) {
                count_request(&request, "gpt-4o");
                counted += 1;
            }
        }
    }
    println!("{counted} of them could be read");
    let mut schema = json!({ "type": "string" });
    for _ in 0..20 {
        schema = json!({ "type": "object", "properties": { "a": schema, "b": { "anyOf": [{ "enum": [1, null] }, 3] } } });
    }
    let tool = json!({ "type": "function", "function": { "name": "f", "parameters": schema } });
    let deep =
        chat(&json!({ "model": "m", "messages": [{ "role": "user", "content": "hi" }], "tools": [tool] }));
    assert!(count_request(&deep, "gpt-4o") > 50);
}
