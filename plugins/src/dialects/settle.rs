//! What is asked for beyond what a native dialect can say: refused, left out or let through, by LiteLLM's rules.

use super::Params;
use weir_core::chat::Request;
use weir_core::error::ApiError;

/// OpenAI's parameters that only advise, bill or sort: leaving them out changes no answer.
static ADVICE: &[&str] = &[
    "metadata",
    "stream_options",
    "store",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "verbosity",
];

/// OpenAI's parameters that would change the answer and that no native dialect knows.
static FOREIGN: &[&str] =
    &["logit_bias", "modalities", "prediction", "audio", "web_search_options", "functions", "function_call"];

/// Leaves in the request only what the provider takes, or what the config lets through as it is.
///
/// # Errors
/// 400 with all parameters that are unsupported and may not be left out.
pub(super) fn settle(request: &mut Request, params: &Params, supported: &[&str]) -> Result<(), ApiError> {
    // Allowing parallel calls is what every provider does anyway; only forbidding them is a demand.
    if request.parallel_tool_calls == Some(true) {
        request.parallel_tool_calls = None;
    }
    let mut said = request.said();
    said.extend(FOREIGN.iter().filter(|name| request.extra.contains_key(**name)));
    params.check(&said, supported)?;
    let allowed = |name: &str| params.allowed.iter().any(|a| a == name);
    for name in said {
        if params.drops(name) || !(supported.contains(&name) || allowed(name)) {
            forget(request, name);
        }
    }
    let advice = |name: &str| ADVICE.contains(&name) && !allowed(name);
    request.extra.retain(|name, _| !params.drops(name) && !advice(name));
    Ok(())
}

fn forget(request: &mut Request, name: &str) {
    match name {
        "tools" => request.tools.clear(),
        "tool_choice" => request.tool_choice = None,
        "parallel_tool_calls" => request.parallel_tool_calls = None,
        "max_tokens" => request.max_tokens = None,
        "temperature" => request.temperature = None,
        "top_p" => request.top_p = None,
        "stop" => request.stop.clear(),
        "seed" => request.seed = None,
        "presence_penalty" => request.presence_penalty = None,
        "frequency_penalty" => request.frequency_penalty = None,
        "n" => request.n = None,
        "logprobs" => request.logprobs = None,
        "top_logprobs" => request.top_logprobs = None,
        "response_format" => request.format = None,
        "reasoning_effort" => request.reasoning = None,
        "user" => request.user = None,
        "service_tier" => request.service_tier = None,
        other => {
            request.extra.shift_remove(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request() -> Request {
        let mut request = Request { n: Some(2), seed: Some(1), ..Request::default() };
        request.parallel_tool_calls = Some(true);
        for name in ["logit_bias", "store", "mirostat"] {
            request.extra.insert(name.into(), json!(1));
        }
        request
    }

    #[test]
    fn what_would_change_the_answer_is_refused_and_what_only_advises_is_left_out() {
        let strict = Params { provider: "p".into(), ..Params::default() };
        let message = settle(&mut request(), &strict, &["seed"]).unwrap_err().message().to_owned();
        assert!(message.contains("['n', 'logit_bias']"), "{message}");

        let mut dropped = request();
        settle(&mut dropped, &Params { drop: true, ..strict }, &["seed"]).unwrap();
        assert_eq!((dropped.n, dropped.seed, dropped.parallel_tool_calls), (None, Some(1), None));
        assert_eq!(dropped.extra.keys().collect::<Vec<_>>(), ["mirostat"]);
    }

    #[test]
    fn the_config_may_drop_what_is_supported_and_allow_what_is_not() {
        let params = Params {
            additional_drop: vec!["seed".into(), "mirostat".into(), "n".into()],
            allowed: vec!["logit_bias".into()],
            ..Params::default()
        };
        let mut request = request();
        settle(&mut request, &params, &["seed"]).unwrap();
        assert_eq!((request.n, request.seed), (None, None));
        assert_eq!(request.extra.keys().collect::<Vec<_>>(), ["logit_bias"]);
    }
}
