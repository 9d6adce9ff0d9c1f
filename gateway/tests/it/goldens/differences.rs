//! What is walked, and what differs on purpose, with its reason.

/// Golden files of the dialects that are served, and the cases of them that are walked (all, or those that start so).
/// `errors_auth_nodb.json` has the cases of `errors_auth_db.json` and the same answers, but where LiteLLM says that it has
/// no database to look a key up in; there always is one here.
pub static FILES: &[(&str, &[&str])] = &[
    ("chat_openai.json", &[]),
    ("chat_azure.json", &[]),
    ("chat_anthropic.json", &[]),
    ("chat_bedrock.json", &[]),
    ("chat_ollama.json", &[]),
    ("chat_ollama_chat.json", &[]),
    (
        "endpoints_llm_nodb.json",
        &["completions", "embeddings", "responses", "messages", "count_tokens", "gemini_"],
    ),
    ("errors_auth_db.json", &[]),
];

/// (file, case, why): cases that are not compared at all.
pub static SKIPPED: &[(&str, &str, &str)] = &[
    ("chat_openai.json", "mock_response", "P36: a client may not choose the answer"),
    ("chat_openai.json", "client_api_key_in_body", "VERDICTS: refused; brought.rs shows where it is not"),
    ("errors_auth_db.json", "empty_bearer", "never sent: the recording client refused it"),
    ("endpoints_llm_nodb.json", "responses_previous", "P26: an id that was not issued here is unknown"),
    ("endpoints_llm_nodb.json", "responses_get", "as above"),
    ("endpoints_llm_nodb.json", "responses_input_items", "as above"),
    ("endpoints_llm_nodb.json", "responses_delete", "as above"),
    ("endpoints_llm_nodb.json", "responses_get_unknown", "as above"),
    (
        "endpoints_llm_nodb.json",
        "count_tokens_anthropic",
        "the provider is asked, which LiteLLM did not; its number is right",
    ),
    (
        "endpoints_llm_nodb.json",
        "gemini_generateContent",
        "LiteLLM adds members of its own to Gemini's answer",
    ),
    ("errors_auth_db.json", "temperature_str", "a number is wanted: refused before it is sent"),
];

/// (case, what, why): single aspects that differ.
static DIFFERENCES: &[(&str, &str, &str)] = &[
    (
        "response_format_json_object",
        "rewritten",
        "sent as asked; LiteLLM drops it for old API versions of Azure",
    ),
    (
        "response_format_json_schema",
        "rewritten",
        "sent as asked; LiteLLM makes it a tool for old API versions of Azure",
    ),
    ("cors_simple", "body", "the catalogue's models of `openai/*` are of another day"),
    ("cors_preflight", "origin", "no credentials are allowed across origins, so the origin is not repeated"),
    ("stream_bad_type", "status", "the provider judges the body: the mock streams"),
    ("embeddings_no_input", "status", "the provider judges the body: the mock takes it"),
    ("upstream_error_429", "limits", "limits of a refusal are the provider's; retry-after is passed on"),
    ("upstream_error_408", "status", "P28: the provider's own status is passed on"),
    ("upstream_error_422", "status", "P28: the provider's own status is passed on"),
    ("upstream_error_401", "status", "P28: Azure's 401 became a 400 there by a defect"),
    ("upstream_error_404", "status", "P28: Azure's 404 became a 400 there by a defect"),
    ("stream_disconnect_mid", "body", "VERDICTS: a drop is an error event, not a normal end"),
    ("no_messages", "status", "the provider judges the body: the mock takes it"),
    ("num_retries_request_flaky", "seen", "the mock counts per process"),
    ("client_api_base_in_body", "message", "our own words"),
    ("json_not_object", "status", "a client's mistake is a 400, not a 500"),
    ("empty_body", "status", "a client's mistake is a 400, not a 500"),
    ("form_content_type_with_json", "status", "a JSON body is taken whatever it is called"),
    ("messages_not_list", "status", "the provider judges the body: the mock takes it"),
    ("model_not_str", "status", "a client's mistake is a 400, not a 500"),
    // Anthropic
    ("chat_anthropic upstream_error_403", "status", "P28: the provider's own status is passed on"),
    ("chat_anthropic upstream_error_529", "status", "P28: the provider's own status is passed on"),
    ("chat_anthropic timeout_config_1s", "message", "one wording for all providers"),
    (
        "chat_anthropic cached_tokens",
        REASONING,
        "the provider's own count; LiteLLM counts words of the thinking",
    ),
    ("chat_anthropic cached_tokens", SPOKEN, "as above"),
    ("chat_anthropic reasoning_effort", REASONING, "as above"),
    ("chat_anthropic reasoning_effort", SPOKEN, "as above"),
    ("responses_stream", "cost", "a stream's cost is not known when its head is sent"),
    ("messages_cache_thinking", "original", "the cost without markup, which is the cost; LiteLLM's is less"),
    ("responses_stream", "took", "nor how long it takes"),
    ("responses_on_anthropic", ".object", "a response is told as one"),
    ("responses_on_anthropic", ".parallel_tool_calls", "the API's default, which the model was asked with"),
    ("responses_on_anthropic", ".temperature", "as above"),
    ("responses_on_anthropic", ".usage.output_tokens_details.text_tokens", "no member of that API"),
    ("responses_on_ollama_chat", ".object", "a response is told as one"),
    ("responses_on_ollama_chat", ".parallel_tool_calls", "the API's default"),
    ("responses_on_ollama_chat", ".temperature", "as above"),
    ("responses_previous", "seen", "ids of responses are not wrapped, so there is nothing to unwrap"),
    ("responses_previous", ".previous_response_id", "as above"),
    // Bedrock
    ("chat_bedrock upstream_error_403", "status", "P28: the provider's own status is passed on"),
    ("chat_bedrock upstream_error_500", "status", "P28: the provider's own status is passed on"),
    ("chat_bedrock upstream_error_529", "status", "P28: the provider's own status is passed on"),
    ("chat_bedrock upstream_error_500_stream", "status", "P28: the provider's own status is passed on"),
    ("messages_bedrock_tools", "body", "the mock calls the tool here, the recording's did not"),
    ("messages_bedrock_tools_stream", "body", "as above"),
    // Ollama
    ("chat_ollama_chat tool_result_turn", "seen", "LiteLLM loses the call that the result answers"),
    ("chat_ollama_chat tools_stream", "body", "P20: a stream ends with tool_calls as the plain answer does"),
    ("messages_ollama_chat_tools_stream", "body", "as above"),
    ("chat_ollama_chat timeout_config_1s", "status", "a timeout is a 408 whoever the provider is"),
    ("chat_ollama_chat connection_refused", "message", "one wording for all providers"),
    ("messages_azure_err_401", "status", "P28: Azure's 401 became a 400 there by a defect"),
    ("messages_no_max_tokens", "status", "the provider judges the body: the mock takes it"),
    ("basic_auth", "message", "P35: an unknown credential is not repeated"),
    ("invalid_key_not_sk", "message", "P35: an unknown credential is not repeated"),
];

const REASONING: &str = ".usage.completion_tokens_details.reasoning_tokens";
const SPOKEN: &str = ".usage.completion_tokens_details.text_tokens";

/// Errors of Ollama: always a 500 in LiteLLM; the verdict is the provider's own status.
fn is_ollama_error(case: &str) -> bool {
    let ollama = case.starts_with("chat_ollama") || case.contains(" messages_ollama");
    ollama && (case.contains(" upstream_error_") || case.contains("_err_"))
}

/// Whether an aspect of a case may differ: `case` is the file and the name; entries give the name alone, or both.
pub fn differs(case: &str, what: &str) -> bool {
    let name = case.split_once(' ').map_or(case, |(_, name)| name);
    if is_ollama_error(case) {
        return what == "status";
    }
    DIFFERENCES.iter().any(|(c, w, _)| {
        (*c == case || *c == name)
            && (*w == what || *w == "status" && !what.starts_with('.') && what != "seen")
    })
}
