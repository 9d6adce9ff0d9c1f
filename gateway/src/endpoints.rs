//! Path to operation: which requests are ours, and which are the admin service's.

use http::Method;
use std::borrow::Cow;
use weir_core::domain::operation::Operation;
use weir_plugins::pass::{self, Prefix};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Llm {
        operation: Operation,
        model: Option<String>,
    },
    /// A session over a WebSocket.
    Realtime,
    Models,
    Model {
        id: String,
    },
    /// A provider's own API; what follows the prefix, as it came.
    Pass {
        prefix: &'static Prefix,
        below: String,
    },
    /// About a response that was made before.
    Response {
        id: String,
        call: ResponseCall,
    },
    Liveness,
    Readiness,
    Metrics,
    Utility(Utility),
    /// An LLM path with another method.
    WrongMethod,
    /// An API of LiteLLM's that is none of this gateway's.
    OutOfScope(&'static str),
    /// Everything else is answered, or refused, by the admin service.
    Admin,
}

/// What is asked about a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseCall {
    Get,
    Delete,
    Cancel,
    InputItems,
}

/// Questions about models that no provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Utility {
    TokenCounter,
    SupportedParams,
    TransformRequest,
    /// What would become of a request.
    Explain,
}

static UTILITIES: &[(&str, Method, Utility)] = &[
    ("/utils/token_counter", Method::POST, Utility::TokenCounter),
    ("/utils/supported_openai_params", Method::GET, Utility::SupportedParams),
    ("/utils/transform_request", Method::POST, Utility::TransformRequest),
    ("/utils/explain", Method::POST, Utility::Explain),
];

/// Below the path of a response.
static RESPONSE_CALLS: &[(&str, Method, ResponseCall)] = &[
    ("", Method::GET, ResponseCall::Get),
    ("", Method::DELETE, ResponseCall::Delete),
    ("/cancel", Method::POST, ResponseCall::Cancel),
    ("/input_items", Method::GET, ResponseCall::InputItems),
];

/// Paths of LLM operations, without prefix.
static OPERATIONS: &[(&str, Operation)] = &[
    ("/chat/completions", Operation::Chat),
    ("/completions", Operation::Completions),
    ("/embeddings", Operation::Embeddings),
    ("/messages", Operation::Messages),
    ("/messages/count_tokens", Operation::CountTokens),
    ("/responses", Operation::Responses),
    ("/moderations", Operation::Moderations),
    ("/images/generations", Operation::Images),
    ("/images/edits", Operation::ImageEdits),
    ("/images/variations", Operation::ImageVariations),
    ("/rerank", Operation::Rerank),
    ("/audio/speech", Operation::Speech),
    ("/audio/transcriptions", Operation::Transcriptions),
    ("/audio/translations", Operation::Translations),
];

/// OpenAI's paths and Azure's.
static REALTIME: &[&str] = &["/v1/realtime", "/realtime", "/openai/v1/realtime", "/openai/realtime"];

/// What follows the model in Gemini's paths.
static METHODS: &[(&str, Operation)] = &[
    ("generateContent", Operation::Generate),
    ("streamGenerateContent", Operation::StreamGenerate),
    ("countTokens", Operation::CountContents),
];

static MODELS: &[&str] = &["/v1beta/models/", "/v1/models/", "/models/"];

/// Prefixes under which they are found; those ending in a slash are followed by a model.
static PREFIXES: &[&str] = &["", "/v1", "/openai/v1", "/engines/", "/v1/engines/", "/openai/deployments/"];

/// Roots of paths, with and without `/v1`, and what they are called. `OUT_OF_SCOPE.md` is the same list with reasons.
pub static OUT_OF_SCOPE: &[(&str, &str)] = &[
    ("/files", "Files"),
    ("/batches", "Batches"),
    ("/fine_tuning", "Fine-tuning"),
    ("/assistants", "Assistants"),
    ("/threads", "Assistants"),
    ("/vector_stores", "Vector stores"),
    ("/vector_store", "Vector stores"),
    ("/indexes", "Vector stores"),
    ("/rag", "Vector stores"),
    ("/videos", "Videos"),
    ("/mcp", "MCP"),
    ("/mcp-rest", "MCP"),
    ("/a2a", "A2A agents"),
    ("/agents", "A2A agents"),
    ("/prompts", "Prompts"),
    ("/search", "Search"),
    ("/search_tools", "Search"),
    ("/containers", "Containers"),
    ("/interactions", "Interactions"),
    ("/v1beta/interactions", "Interactions"),
    ("/ocr", "OCR calls"),
    ("/skills", "Skills"),
    ("/cursor", "Cursor's own paths"),
    ("/queue", "Queued requests"),
    ("/agent", "A2A agents"),
    ("/authorize", "MCP"),
    ("/token", "MCP"),
    ("/register", "MCP"),
    ("/callback", "MCP"),
    ("/.well-known", "MCP"),
    ("/cloudzero", "CloudZero exports"),
    ("/email", "E-mails"),
    ("/cost", "Estimates of costs"),
    ("/public/agent_hub", "Public pages"),
    ("/public/agents", "Public pages"),
    ("/public/litellm_model_cost_map", "Public pages"),
    ("/public/mcp_hub", "Public pages"),
    ("/public/providers", "Public pages"),
    ("/model_hub", "Public pages"),
    ("/model_group/make_public", "Public pages"),
    ("/debug", "Diagnostics of Python"),
    ("/otel-spans", "Diagnostics of Python"),
    ("/memory-usage-in-mem-cache", "Diagnostics of Python"),
    ("/memory-usage-in-mem-cache-items", "Diagnostics of Python"),
    ("/health/history", "Kept health checks"),
    ("/health/latest", "Kept health checks"),
    ("/health/shared-status", "Kept health checks"),
    ("/health/license", "Licences"),
    ("/config/pass_through_endpoint", "Stored pass-through endpoints"),
    ("/config/cost_discount_config", "Discounts and margins"),
    ("/config/cost_margin_config", "Discounts and margins"),
    ("/config/callback", "Stored callbacks"),
    ("/config/yaml", "Pages of LiteLLM's UI"),
    ("/router", "Pages of LiteLLM's UI"),
    ("/callbacks", "Pages of LiteLLM's UI"),
    ("/active/callbacks", "Pages of LiteLLM's UI"),
    ("/settings", "Pages of LiteLLM's UI"),
    ("/alerting/settings", "Pages of LiteLLM's UI"),
    ("/cache/settings", "Pages of LiteLLM's UI"),
    ("/model/settings", "Pages of LiteLLM's UI"),
    ("/get/default_team_settings", "Pages of LiteLLM's UI"),
    ("/get/internal_user_settings", "Pages of LiteLLM's UI"),
    ("/get/sso_settings", "Pages of LiteLLM's UI"),
    ("/get/ui_settings", "Pages of LiteLLM's UI"),
    ("/get/ui_theme_settings", "Pages of LiteLLM's UI"),
    ("/sso/get", "Pages of LiteLLM's UI"),
    ("/update", "Pages of LiteLLM's UI"),
    ("/get/allowed_ips", "Pages of LiteLLM's UI"),
    ("/add/allowed_ip", "Pages of LiteLLM's UI"),
    ("/delete/allowed_ip", "Pages of LiteLLM's UI"),
    ("/guardrails/ui", "Pages of LiteLLM's UI"),
    ("/guardrails/validate_blocked_words_file", "Pages of LiteLLM's UI"),
    ("/get_image", "Pages of LiteLLM's UI"),
    ("/get_logo_url", "Pages of LiteLLM's UI"),
    ("/upload/logo", "Pages of LiteLLM's UI"),
    ("/team/filter", "Pages of LiteLLM's UI"),
    ("/user/filter", "Pages of LiteLLM's UI"),
    ("/sso/cli", "Signing in by LiteLLM's command line"),
    ("/sso/readiness", "Pages of LiteLLM's UI"),
    ("/tag/mau", "Counts of user agents"),
    ("/tag/wau", "Counts of user agents"),
    ("/tag/user-agent/per-user-analytics", "Counts of user agents"),
    ("/global/spend/refresh", "Refreshes of views"),
    ("/utils/dotprompt_json_converter", "Prompts"),
    ("/routes", "Lists of routes"),
];

/// Single paths that are left out, beside others below them that are not.
pub static OUT_OF_SCOPE_ALONE: &[(&str, &str)] =
    &[("/guardrails", "Stored guardrails"), ("/responses/compact", "Compacted responses")];

static LOCAL: &[(&str, Endpoint)] = &[
    ("/v1/models", Endpoint::Models),
    ("/models", Endpoint::Models),
    ("/health/liveliness", Endpoint::Liveness),
    ("/health/liveness", Endpoint::Liveness),
    ("/health/readiness", Endpoint::Readiness),
    ("/metrics", Endpoint::Metrics),
    ("/metrics/", Endpoint::Metrics),
];

/// Recognises a request by method and path.
pub fn find(method: &Method, path: &str) -> Endpoint {
    let path = undoubled(path);
    if let Some((operation, model)) = llm(&path) {
        if method == Method::POST {
            return Endpoint::Llm { operation, model };
        }
        return raw(method, &path).unwrap_or(Endpoint::WrongMethod);
    }
    if let Some(api) = alone(&path) {
        return Endpoint::OutOfScope(api);
    }
    if REALTIME.contains(&&*path) {
        return if method == Method::GET { Endpoint::Realtime } else { Endpoint::WrongMethod };
    }
    if let Some(endpoint) = response(method, &path) {
        return endpoint;
    }
    if let Some(endpoint) = raw(method, &path).or_else(|| utility(method, &path)) {
        return endpoint;
    }
    if let Some(api) = out_of_scope(&path) {
        return Endpoint::OutOfScope(api);
    }
    match local(&path) {
        Some(endpoint) if method == Method::GET => endpoint,
        Some(_) => Endpoint::WrongMethod,
        None => Endpoint::Admin,
    }
}

/// Methods that are passed through.
static PASSED: &[Method] =
    &[Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

fn raw(method: &Method, path: &str) -> Option<Endpoint> {
    let (prefix, below) = pass::below(path)?;
    let passed = PASSED.contains(method);
    Some(if passed { Endpoint::Pass { prefix, below: below.to_owned() } } else { Endpoint::WrongMethod })
}

/// Whether a method may be passed through to an endpoint of the config.
pub fn passes(method: &Method) -> bool {
    PASSED.contains(method)
}

fn utility(method: &Method, path: &str) -> Option<Endpoint> {
    let (_, asked, utility) = UTILITIES.iter().find(|(p, ..)| *p == path)?;
    Some(if asked == method { Endpoint::Utility(*utility) } else { Endpoint::WrongMethod })
}

/// Clients that add `/v1` to a base that ends in it are understood.
fn undoubled(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("/v1/v1/") {
        Some(rest) => Cow::Owned(format!("/v1/{rest}")),
        None => Cow::Borrowed(path),
    }
}

fn local(path: &str) -> Option<Endpoint> {
    if let Some((_, endpoint)) = LOCAL.iter().find(|(p, _)| *p == path) {
        return Some(endpoint.clone());
    }
    let id = path.strip_prefix("/v1/models/").or_else(|| path.strip_prefix("/models/"))?;
    let id = percent_decoded(id);
    (!id.is_empty()).then_some(Endpoint::Model { id })
}

/// The API that a path belongs to, if it is one that is left out. See `OUT_OF_SCOPE.md`.
fn out_of_scope(path: &str) -> Option<&'static str> {
    let is_root = |rest: &str| rest.is_empty() || rest.starts_with('/');
    let without = path.strip_prefix("/v1").unwrap_or(path);
    let below = |root: &str| [path, without].iter().any(|path| path.strip_prefix(root).is_some_and(is_root));
    OUT_OF_SCOPE.iter().find(|(root, _)| below(root)).map(|(_, api)| *api)
}

fn alone(path: &str) -> Option<&'static str> {
    let without = path.strip_prefix("/openai/v1").or_else(|| path.strip_prefix("/v1")).unwrap_or(path);
    OUT_OF_SCOPE_ALONE.iter().find(|(root, _)| *root == without).map(|(_, api)| *api)
}

fn llm(path: &str) -> Option<(Operation, Option<String>)> {
    // The hottest path of all.
    if path == "/v1/chat/completions" {
        return Some((Operation::Chat, None));
    }
    if path == "/v2/rerank" {
        return Some((Operation::Rerank, None));
    }
    if let Some(found) = gemini(path) {
        return Some(found);
    }
    let (operation, before) = OPERATIONS.iter().find_map(|(p, op)| Some((*op, path.strip_suffix(p)?)))?;
    if PREFIXES.contains(&before) && !before.ends_with('/') {
        return Some((operation, None));
    }
    // A model may hold slashes: `/engines/openai/gpt-4o/chat/completions`.
    let with_model = PREFIXES.iter().filter(|p| p.ends_with('/'));
    let model = with_model.filter_map(|p| before.strip_prefix(p)).find(|m| !m.is_empty())?;
    Some((operation, Some(percent_decoded(model))))
}

/// `/v1/responses/{id}` and what is below it.
fn response(method: &Method, path: &str) -> Option<Endpoint> {
    let plain = PREFIXES.iter().filter(|p| !p.ends_with('/'));
    let rest = plain.filter_map(|p| path.strip_prefix(p)?.strip_prefix("/responses/")).next()?;
    let (id, below) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let there = RESPONSE_CALLS.iter().filter(|(p, ..)| *p == below && !id.is_empty());
    let called = there.clone().find(|(_, m, _)| m == method).map(|(.., call)| *call);
    there.map(|_| ()).next()?;
    Some(match called {
        Some(call) => Endpoint::Response { id: percent_decoded(id), call },
        None => Endpoint::WrongMethod,
    })
}

/// `…/models/{model}:{method}`; a model may hold slashes and colons.
fn gemini(path: &str) -> Option<(Operation, Option<String>)> {
    let (path, method) = path.rsplit_once(':')?;
    let (_, operation) = METHODS.iter().find(|(name, _)| *name == method)?;
    let model = MODELS.iter().find_map(|prefix| path.strip_prefix(prefix)).filter(|m| !m.is_empty())?;
    Some((*operation, Some(percent_decoded(model))))
}

fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The path without its trailing slash, where LiteLLM redirects to it.
pub fn redirect(path: &str) -> Option<&str> {
    let plain = path.strip_suffix('/')?;
    llm(plain).map(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(path: &str) -> Endpoint {
        find(&Method::POST, path)
    }

    #[test]
    fn every_alias_of_an_operation_is_found() {
        for (path, operation) in OPERATIONS {
            for prefix in PREFIXES {
                let model = prefix.ends_with('/').then(|| String::from("openai/gpt-4o"));
                let path = format!("{prefix}{}{path}", model.as_deref().unwrap_or_default());
                assert_eq!(post(&path), Endpoint::Llm { operation: *operation, model }, "{path}");
                let got = find(&Method::GET, &path);
                let raw = path.starts_with("/openai/") && matches!(got, Endpoint::Pass { .. });
                assert!(raw || got == Endpoint::WrongMethod, "{path}: {got:?}");
            }
        }
        let twice = Endpoint::Llm { operation: Operation::Chat, model: None };
        assert_eq!(post("/v1/v1/chat/completions"), twice);
    }

    #[test]
    fn what_is_not_ours_goes_to_the_admin_service() {
        for path in [
            "/",
            "/key/info",
            "//v1/chat/completions",
            "/v1/chat/completionsx",
            "/x/embeddings",
            "/v2/models",
        ] {
            assert_eq!(post(path), Endpoint::Admin, "{path}");
        }
    }

    #[test]
    fn a_model_id_may_hold_a_slash() {
        let id = String::from("openai/gpt-4o");
        assert_eq!(find(&Method::GET, "/v1/models/openai%2Fgpt-4o"), Endpoint::Model { id: id.clone() });
        assert_eq!(find(&Method::GET, "/models/openai/gpt-4o"), Endpoint::Model { id });
    }

    #[test]
    fn a_response_is_found_under_every_prefix() {
        let id = || String::from("resp_1");
        for prefix in ["", "/v1", "/openai/v1"] {
            for (below, method, call) in RESPONSE_CALLS {
                let path = format!("{prefix}/responses/resp_1{below}");
                assert_eq!(find(method, &path), Endpoint::Response { id: id(), call: *call }, "{path}");
                assert_eq!(find(&Method::PATCH, &path), Endpoint::WrongMethod, "{path}");
            }
            let none = find(&Method::GET, &format!("{prefix}/responses/a/b"));
            let raw = prefix == "/openai/v1" && matches!(none, Endpoint::Pass { .. });
            assert!(raw || none == Endpoint::Admin, "{prefix}: {none:?}");
        }
    }

    #[test]
    fn what_is_below_a_prefix_is_passed_on_unless_it_is_an_operation() {
        for prefix in pass::PREFIXES {
            for method in PASSED {
                let path = format!("/{}/v1/some/thing%20more", prefix.name);
                let below = String::from("/v1/some/thing%20more");
                assert_eq!(find(method, &path), Endpoint::Pass { prefix, below }, "{method} {path}");
            }
            assert_eq!(find(&Method::TRACE, &format!("/{}/x", prefix.name)), Endpoint::WrongMethod);
            for path in [format!("/{}", prefix.name), format!("/{}/", prefix.name)] {
                assert_eq!(post(&path), Endpoint::Admin, "{path}");
            }
        }
        let chat = Endpoint::Llm { operation: Operation::Chat, model: None };
        assert_eq!(post("/openai/v1/chat/completions"), chat);
        assert!(matches!(post("/anthropic/v1/messages"), Endpoint::Pass { .. }));
        assert_eq!(post("/openaix/v1/files"), Endpoint::Admin);
    }

    #[test]
    fn geminis_paths_name_model_and_method() {
        let asked = |operation, model: &str| Endpoint::Llm { operation, model: Some(model.to_owned()) };
        for prefix in MODELS {
            for (method, operation) in METHODS {
                let path = format!("{prefix}openai/gpt-4o:{method}");
                assert_eq!(post(&path), asked(*operation, "openai/gpt-4o"), "{path}");
            }
        }
        let nova = "/v1beta/models/amazon.nova-pro-v1:0:generateContent";
        assert_eq!(post(nova), asked(Operation::Generate, "amazon.nova-pro-v1:0"));
        assert_eq!(post("/v1beta/models/:generateContent"), Endpoint::Admin);
        assert_eq!(post("/v1beta/models/x:embedEverything"), Endpoint::Admin);
    }

    /// The last row of the verdicts: what answers 501 is listed, and what is listed answers 501.
    #[test]
    fn what_is_out_of_scope_stands_in_the_list() {
        let list = include_str!("../../OUT_OF_SCOPE.md");
        for (path, api) in OUT_OF_SCOPE_ALONE {
            assert!(list.contains(&format!("`{path}`")), "{path} is not in OUT_OF_SCOPE.md");
            for path in [(*path).to_owned(), format!("/v1{path}")] {
                assert_eq!(post(&path), Endpoint::OutOfScope(api), "{path}");
            }
            assert!(!matches!(post(&format!("{path}/list")), Endpoint::OutOfScope(_)), "{path}/list");
        }
        for (root, api) in OUT_OF_SCOPE {
            assert!(list.contains(&format!("`{root}`")), "{root} is not in OUT_OF_SCOPE.md");
            for path in [(*root).to_owned(), format!("/v1{root}"), format!("/v1{root}/some/thing")] {
                for method in [Method::GET, Method::POST, Method::DELETE] {
                    assert_eq!(find(&method, &path), Endpoint::OutOfScope(api), "{method} {path}");
                }
            }
        }
        let listed = list.lines().filter_map(|line| line.strip_prefix("| `"));
        for root in listed.filter_map(|line| line.split('`').next()) {
            let mut all = OUT_OF_SCOPE.iter().chain(OUT_OF_SCOPE_ALONE);
            assert!(all.any(|(r, _)| *r == root), "{root} is listed but answered otherwise");
        }
        assert_eq!(post("/filesystem"), Endpoint::Admin);
    }

    #[test]
    fn a_trailing_slash_is_redirected() {
        assert_eq!(redirect("/v1/chat/completions/"), Some("/v1/chat/completions"));
        assert_eq!(redirect("/metrics/"), None);
    }
}
