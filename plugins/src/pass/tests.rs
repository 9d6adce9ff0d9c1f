use super::*;
use crate::dialects::View;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use weir_core::body::JsonBody;
use weir_core::chat::Dialect;
use weir_core::domain::operation::Operation;

fn meant(prefix: &str, path: &str, body: &Value) -> Meant {
    let family = PREFIXES.iter().find(|p| p.name == prefix).unwrap().family;
    let body = JsonBody::parse(Bytes::from(body.to_string())).unwrap();
    Meant::of(family, Seen { method: &Method::POST, path, body: &body, form: None })
}

/// Prefix, path, the model it names, what it is like, how its answer speaks. The body's model is `in-body`.
type Row = (&'static str, &'static str, &'static str, Option<Operation>, Option<Dialect>);

const CHAT: Option<Operation> = Some(Operation::Chat);
const MESSAGES: Option<Operation> = Some(Operation::Messages);
const EMBEDDINGS: Option<Operation> = Some(Operation::Embeddings);
const OPENAI: Option<Dialect> = Some(Dialect::OpenAiChat);
const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";

#[rustfmt::skip]
static ROWS: &[Row] = &[
    ("openai", "/v1/chat/completions", "in-body", CHAT, OPENAI),
    ("openai", "/v1/files", "in-body", None, None),
    ("mistral", "/v1/fim/completions", "in-body", Some(Operation::Completions), OPENAI),
    ("azure", "/openai/deployments/a%2Fb/embeddings", "a/b", EMBEDDINGS, OPENAI),
    ("azure", "/openai/v1/responses", "in-body", Some(Operation::Responses), Some(Dialect::OpenAiResponses)),
    ("anthropic", "/v1/messages", "in-body", MESSAGES, Some(Dialect::AnthropicMessages)),
    ("anthropic", "/v1/messages/count_tokens", "in-body", Some(Operation::CountTokens), None),
    ("bedrock", "/model/a.b-v1%3A0/converse-stream", "a.b-v1:0", CHAT, Some(Dialect::BedrockConverse)),
    ("bedrock", "/model/anthropic.claude-sonnet-4-5-20250929-v1:0/invoke", CLAUDE, MESSAGES, Some(Dialect::BedrockInvoke)),
    ("bedrock", "/model/amazon.titan-embed-text-v2:0/invoke", "amazon.titan-embed-text-v2:0", None, None),
    ("bedrock", "/model/meta.llama3-8b-instruct-v1:0/invoke", "meta.llama3-8b-instruct-v1:0", None, None),
    ("bedrock", "/model/meta.llama3-8b-instruct-v1:0/invoke-with-response-stream", "meta.llama3-8b-instruct-v1:0", CHAT, Some(Dialect::BedrockInvoke)),
    ("bedrock", "/async-invoke", "", None, None),
    ("gemini", "/v1beta/models/g-1:streamGenerateContent", "g-1", Some(Operation::StreamGenerate), Some(Dialect::Gemini)),
    ("gemini", "/v1beta/openai/chat/completions", "in-body", CHAT, OPENAI),
    ("gemini", "/v1beta/cachedContents", "in-body", None, None),
    ("vertex_ai", "/v1/projects/p/locations/l/publishers/anthropic/models/c:streamRawPredict", "c", MESSAGES, Some(Dialect::AnthropicMessages)),
    ("cohere", "/v2/rerank", "in-body", Some(Operation::Rerank), Some(Dialect::CohereChat)),
];

#[test]
fn a_request_says_which_model_it_wants_and_how_it_speaks() {
    for (prefix, path, model, like, dialect) in ROWS {
        let found = meant(prefix, path, &json!({"model": "in-body"}));
        assert_eq!(found.model.map(|m| m.name).unwrap_or_default(), *model, "{path}");
        assert_eq!((found.like, found.dialect), (*like, *dialect), "{path}");
    }
    let cached = meant("gemini", "/v1/cachedContents", &json!({"model": "models/g-1"}));
    assert_eq!(cached.model.map(|m| m.name).as_deref(), Some("g-1"));
}

fn learned(meant: &Meant, kind: &'static str, pieces: &[&[u8]]) -> Learned {
    let body = JsonBody::parse(Bytes::from_static(b"{}")).unwrap();
    let view = View { model: "m", id: "id", created: 0, include_usage: true, body: &body };
    let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
    let mut watch = Watch::new(meant, &headers, &view);
    pieces.iter().for_each(|piece| watch.see(&Bytes::copy_from_slice(piece)));
    watch.learned()
}

#[test]
fn usage_is_read_however_a_stream_is_cut() {
    let text = b"data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n\
        data: {\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}\n\n\
        data: [DONE]\n\n";
    let openai = meant("openai", "/v1/chat/completions", &json!({"model": "m"}));
    for cut in 0..=text.len() {
        let usage = learned(&openai, "text/event-stream", &[&text[..cut], &text[cut..]]).usage.unwrap();
        assert_eq!((usage.input, usage.output), (3, 2), "cut at {cut}");
    }
}

#[test]
fn what_cannot_be_read_is_passed_over() {
    let paths = [
        ("openai", "/v1/chat/completions"),
        ("anthropic", "/v1/messages"),
        ("bedrock", "/model/m/converse-stream"),
        ("gemini", "/v1beta/models/m:generateContent"),
        ("cohere", "/v2/chat"),
        ("cohere", "/v2/embed"),
    ];
    let junk: &[&[u8]] = &[
        b"",
        b"{",
        b"[]",
        b"null",
        b"data: {\n\n",
        b"\xff\xff\xff\xff",
        b"{\"usage\":[]}",
        b"{\"usage\":\"x\"}",
        b"{\"meta\":{\"billed_units\":{\"input_tokens\":-5}}}",
        b"event: x\n\ndata: [DONE]\n\n",
    ];
    for (prefix, path) in paths {
        for kind in
            ["application/json", "text/event-stream", "application/vnd.amazon.eventstream", "audio/mpeg"]
        {
            for text in junk {
                let usage =
                    learned(&meant(prefix, path, &json!({})), kind, &[text]).usage.unwrap_or_default();
                assert_eq!(usage.total(), 0, "{path} {kind} {text:?}");
            }
        }
    }
}

#[test]
fn coheres_units_are_tokens_where_it_is_no_chat() {
    let embed = meant("cohere", "/v2/embed", &json!({"model": "m"}));
    let text = br#"{"id":"e","embeddings":{},"meta":{"billed_units":{"input_tokens":7}}}"#;
    assert_eq!(learned(&embed, "application/json", &[text]).usage.unwrap().input, 7);
}

#[test]
fn only_what_was_surely_not_served_is_sent_again() {
    let seen = |method| {
        let body = JsonBody::parse(Bytes::from_static(b"{}")).unwrap();
        let seen = Seen { method: &method, path: "/v1/files", body: &body, form: None };
        Pass::new(Way::Provider(&PREFIXES[0]), seen, "", Bytes::new())
    };
    let (refused, broken) =
        (ApiError::new(Kind::UpstreamRefused, ""), ApiError::new(Kind::UpstreamBroken, ""));
    for (method, again) in
        [(Method::POST, false), (Method::PATCH, false), (Method::GET, true), (Method::DELETE, true)]
    {
        assert!(seen(method.clone()).may_repeat(&refused), "{method}");
        assert_eq!(seen(method.clone()).may_repeat(&broken), again, "{method}");
    }
}

#[test]
fn every_prefix_names_a_provider() {
    for prefix in PREFIXES {
        assert!(crate::providers::is_known(prefix.provider), "{}", prefix.provider);
        assert_eq!(below(&format!("/{}/v1/x", prefix.name)), Some((prefix, "/v1/x")));
    }
}
