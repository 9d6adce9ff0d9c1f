//! What most callbacks are told: LiteLLM's `StandardLoggingPayload`, by its names. Money is written from nano-dollars, digit
//! by digit, and never was a float; times are seconds since 1970.

use super::record::Exchanged;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use weir_core::config::keys::is_openai_param;
use weir_core::domain::key::Caller;
use weir_core::domain::spend::{Entry, Status};
use weir_core::domain::usage::Usage;
use weir_core::ports::AuditEntry;
use weir_core::time::Micros;

#[derive(Serialize)]
struct Payload<'a> {
    id: &'a str,
    trace_id: &'a str,
    litellm_call_id: &'a str,
    call_type: &'static str,
    stream: bool,
    response_cost: Box<RawValue>,
    response_cost_failure_debug_info: (),
    cost_breakdown: (),
    saved_cache_cost: u8,
    status: &'static str,
    status_fields: StatusFields,
    custom_llm_provider: &'a str,
    total_tokens: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
    #[serde(rename = "startTime")]
    start_time: Box<RawValue>,
    #[serde(rename = "endTime")]
    end_time: Box<RawValue>,
    #[serde(rename = "completionStartTime")]
    completion_start_time: Box<RawValue>,
    response_time: Box<RawValue>,
    model: &'a str,
    model_id: &'a str,
    model_group: &'a str,
    model_map_information: Value,
    model_parameters: Map<String, Value>,
    api_base: &'a str,
    metadata: Metadata<'a>,
    cache_hit: bool,
    cache_key: (),
    request_tags: &'a [String],
    end_user: &'a str,
    requester_ip_address: &'a str,
    user_agent: &'a str,
    messages: Value,
    response: Value,
    error_str: Option<&'a str>,
    error_information: Option<ErrorInformation<'a>>,
    hidden_params: HiddenParams<'a>,
    guardrail_information: Vec<Value>,
    standard_built_in_tools_params: (),
}

#[derive(Serialize)]
struct StatusFields {
    llm_api_status: &'static str,
    guardrail_status: &'static str,
}

#[derive(Default, Serialize)]
struct Metadata<'a> {
    user_api_key_hash: Option<String>,
    user_api_key_alias: Option<&'a str>,
    user_api_key_spend: Option<Box<RawValue>>,
    user_api_key_max_budget: Option<Box<RawValue>>,
    user_api_key_budget_reset_at: Option<String>,
    user_api_key_org_id: Option<&'a str>,
    user_api_key_team_id: Option<&'a str>,
    user_api_key_team_alias: Option<&'a str>,
    user_api_key_user_id: Option<&'a str>,
    user_api_key_user_email: Option<&'a str>,
    user_api_key_end_user_id: Option<&'a str>,
    user_api_key_request_route: &'static str,
    requester_ip_address: &'a str,
    requester_metadata: Option<Box<RawValue>>,
    spend_logs_metadata: Option<Value>,
    applied_guardrails: Vec<&'a str>,
    usage_object: Option<Value>,
}

#[derive(Serialize)]
struct ErrorInformation<'a> {
    error_code: String,
    error_class: &'a str,
    llm_provider: &'a str,
    traceback: &'static str,
    error_message: &'a str,
}

#[derive(Serialize)]
struct HiddenParams<'a> {
    model_id: &'a str,
    cache_key: (),
    api_base: &'a str,
    response_cost: String,
    litellm_overhead_time_ms: Box<RawValue>,
    additional_headers: (),
    batch_models: (),
    litellm_model_name: &'a str,
    usage_object: Value,
}

/// Of an exchange whose client left: it has no error of ours.
const GONE: (&str, &str) = ("ClientDisconnected", "The client left before its answer was whole.");

/// Parameters that carry what is said.
static CONTENT: &[&str] = &["instructions", "metadata", "prediction", "suffix", "text", "user"];

/// The payload of an exchange, as JSON.
pub(super) fn exchange(x: &Exchanged<'_>) -> String {
    serde_json::to_string(&payload(x)).unwrap_or_default()
}

fn payload<'a>(x: &'a Exchanged<'_>) -> Payload<'a> {
    let entry = x.entry();
    let error = error(entry);
    Payload {
        id: id(entry),
        trace_id: entry.session_id.as_deref().unwrap_or(&entry.call_id),
        litellm_call_id: &entry.call_id,
        call_type: entry.operation.row().call_type,
        stream: entry.stream,
        response_cost: entry.cost.json(),
        response_cost_failure_debug_info: (),
        cost_breakdown: (),
        saved_cache_cost: 0,
        status: status(entry),
        status_fields: StatusFields {
            llm_api_status: status(entry),
            guardrail_status: if x.finished.guardrails.is_empty() { "not_run" } else { "success" },
        },
        custom_llm_provider: &entry.provider,
        total_tokens: entry.usage.total(),
        prompt_tokens: entry.usage.input,
        completion_tokens: entry.usage.output,
        start_time: seconds(entry.started_at.0),
        end_time: seconds(entry.ended_at.0),
        completion_start_time: seconds(entry.first_token_at.unwrap_or(entry.ended_at).0),
        response_time: seconds(entry.ended_at.since(entry.started_at)),
        model: model(entry),
        model_id: &entry.deployment_id,
        model_group: &entry.model_group,
        model_map_information: json!({ "model_map_key": model(entry), "model_map_value": null }),
        model_parameters: parameters(&x.said.request),
        api_base: &entry.api_base,
        metadata: metadata(x),
        cache_hit: entry.cache_hit,
        cache_key: (),
        request_tags: &entry.tags,
        end_user: entry.end_user.as_deref().unwrap_or_default(),
        requester_ip_address: &entry.client_ip,
        user_agent: &entry.user_agent,
        messages: x.messages(),
        response: x.response(),
        error_str: error.as_ref().map(|error| error.error_message),
        error_information: error,
        hidden_params: hidden(x),
        guardrail_information: Vec::new(),
        standard_built_in_tools_params: (),
    }
}

/// What spend logs call `request_id`.
pub(super) fn id(entry: &Entry) -> &str {
    entry.provider_id.as_deref().unwrap_or(&entry.call_id)
}

/// The upstream model; what was asked for where no deployment was reached.
pub(super) fn model(entry: &Entry) -> &str {
    if entry.model.is_empty() { &entry.model_requested } else { &entry.model }
}

pub(super) fn status(entry: &Entry) -> &'static str {
    if entry.status == Status::Success { "success" } else { "failure" }
}

/// Class and message of what went wrong; `None` for a success.
pub(super) fn fault(entry: &Entry) -> Option<(&str, &str)> {
    match entry.status {
        Status::Success => None,
        Status::Cancelled => Some(GONE),
        _ => Some((entry.error.as_str(), entry.error_message.as_str())),
    }
}

/// Parameters of a request that say how it is answered, not what is asked.
pub(super) fn parameters(request: &Value) -> Map<String, Value> {
    let told = |name: &str| is_openai_param(name) && !CONTENT.contains(&name);
    let members = request.as_object().into_iter().flatten();
    members.filter(|(name, _)| told(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// OpenAI's form.
pub(super) fn usage(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total(),
        "prompt_tokens_details": { "cached_tokens": usage.cache_read, "audio_tokens": usage.audio_input },
        "completion_tokens_details":
            { "reasoning_tokens": usage.reasoning, "audio_tokens": usage.audio_output },
        "cache_creation_input_tokens": usage.cache_write.saturating_add(usage.cache_write_1h),
        "cache_read_input_tokens": usage.cache_read,
    })
}

/// Microseconds as a JSON number of seconds, exact.
pub(super) fn seconds(micros: i64) -> Box<RawValue> {
    let micros = micros.max(0);
    number(format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000))
}

/// Text that is a JSON number.
pub(super) fn number(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_default()
}

fn error(entry: &Entry) -> Option<ErrorInformation<'_>> {
    let (error_class, error_message) = fault(entry)?;
    Some(ErrorInformation {
        error_code: entry.http_status.to_string(),
        error_class,
        llm_provider: &entry.provider,
        traceback: "",
        error_message,
    })
}

fn metadata<'a>(x: &'a Exchanged<'_>) -> Metadata<'a> {
    let entry = x.entry();
    let own = Metadata {
        user_api_key_request_route: entry.operation.row().route,
        requester_ip_address: &entry.client_ip,
        requester_metadata: RawValue::from_string(entry.metadata.clone()).ok(),
        spend_logs_metadata: x.said.request.pointer("/metadata/spend_logs_metadata").cloned(),
        applied_guardrails: x.finished.guardrails.split(',').filter(|name| !name.is_empty()).collect(),
        usage_object: Some(usage(&entry.usage)),
        ..Metadata::default()
    };
    let Some(caller) = x.finished.known_caller() else { return own };
    Metadata {
        user_api_key_hash: entry.key_hash.map(|hash| hash.hex()),
        user_api_key_alias: entry.key_alias.as_deref(),
        user_api_key_org_id: entry.organization_id.as_deref(),
        user_api_key_team_id: entry.team_id.as_deref(),
        user_api_key_team_alias: entry.team_alias.as_deref(),
        user_api_key_user_id: entry.user_id.as_deref(),
        user_api_key_end_user_id: entry.end_user.as_deref(),
        ..of_key(caller, own)
    }
}

/// What only the key itself knows.
fn of_key<'a>(caller: &'a Caller, own: Metadata<'a>) -> Metadata<'a> {
    let Some(known) = caller.principal() else { return own };
    let limits = &known.key.limits;
    Metadata {
        user_api_key_spend: Some(known.spent.so_far().json()),
        user_api_key_max_budget: limits.max_budget.map(|budget| budget.json()),
        user_api_key_budget_reset_at: limits.budget_reset_at.map(Micros::rfc3339),
        user_api_key_user_email: known.user.as_ref().and_then(|user| user.email.as_deref()),
        ..own
    }
}

fn hidden<'a>(x: &'a Exchanged<'_>) -> HiddenParams<'a> {
    let entry = x.entry();
    let provider = i64::try_from(x.finished.provider_time.as_micros()).unwrap_or(i64::MAX);
    let overhead = entry.ended_at.since(entry.started_at).saturating_sub(provider).max(0);
    HiddenParams {
        model_id: &entry.deployment_id,
        cache_key: (),
        api_base: &entry.api_base,
        response_cost: entry.cost.to_string(),
        litellm_overhead_time_ms: number(format!("{}.{:03}", overhead / 1_000, overhead % 1_000)),
        additional_headers: (),
        batch_models: (),
        litellm_model_name: model(entry),
        usage_object: usage(&entry.usage),
    }
}

// --- audit entries ---

/// LiteLLM's `StandardAuditLogPayload`.
#[derive(Serialize)]
struct Audit<'a> {
    id: &'a str,
    updated_at: String,
    changed_by: &'a str,
    changed_by_api_key: &'a str,
    action: &'a str,
    table_name: &'a str,
    object_id: &'a str,
    before_value: Option<&'a str>,
    updated_values: Option<&'a str>,
}

/// The payload of an audit entry, as JSON. Secrets are gone from entries before they are made.
pub(super) fn audit(entry: &AuditEntry) -> String {
    let filled = |text: &'_ str| !text.is_empty();
    let told = Audit {
        id: &entry.id,
        updated_at: entry.at.rfc3339(),
        changed_by: &entry.changed_by,
        changed_by_api_key: &entry.key_hash,
        action: entry.action,
        table_name: entry.kind.row().litellm,
        object_id: &entry.object_id,
        before_value: Some(entry.before.as_str()).filter(|text| filled(text)),
        updated_values: Some(entry.after.as_str()).filter(|text| filled(text)),
    };
    serde_json::to_string(&told).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::record::{Finished, Told};
    use super::super::testing::{KEY, finished, record};
    use super::*;

    async fn text(finished: Finished) -> String {
        let record = record(finished);
        Told::of(&record, false).await.document()
    }

    async fn told(finished: Finished) -> Value {
        serde_json::from_str(&text(finished).await).unwrap()
    }

    /// Members of LiteLLM 1.81's type.
    static MEMBERS: &str = "id trace_id call_type stream response_cost cost_breakdown response_cost_failure_debug_info status
        status_fields custom_llm_provider total_tokens prompt_tokens completion_tokens startTime endTime completionStartTime
        response_time model_map_information model model_id model_group api_base metadata cache_hit cache_key
        saved_cache_cost request_tags end_user requester_ip_address messages response error_str error_information
        model_parameters hidden_params guardrail_information standard_built_in_tools_params";

    #[tokio::test]
    async fn a_success_is_told_with_all_that_litellm_tells() {
        let told = told(finished("success")).await;
        for member in MEMBERS.split_ascii_whitespace() {
            assert!(told.get(member).is_some(), "{member}");
        }
        for (at, value) in [
            ("/id", json!("chatcmpl-1")),
            ("/status", json!("success")),
            ("/total_tokens", json!(18)),
            ("/startTime", json!(1_700_000_000.123_456)),
            ("/response_time", json!(1.250_001)),
            ("/messages/0/content", json!("What is asked")),
            ("/response/choices/0/message/content", json!("What is answered")),
            ("/model_parameters", json!({ "temperature": 0.5 })),
            ("/metadata/user_api_key_alias", json!("alias")),
            ("/metadata/user_api_key_team_id", json!("team-1")),
            ("/metadata/applied_guardrails", json!(["words"])),
            ("/metadata/usage_object/prompt_tokens_details/cached_tokens", json!(3)),
            ("/hidden_params/litellm_overhead_time_ms", json!(350.001)),
            ("/error_information", Value::Null),
        ] {
            assert_eq!(told.pointer(at), Some(&value), "{at}");
        }
    }

    #[tokio::test]
    async fn money_and_times_are_written_digit_by_digit() {
        let text = text(finished("success")).await;
        for written in ["\"response_cost\":0.0000975,", "\"startTime\":1700000000.123456,"] {
            assert!(text.contains(written), "{written}: {text}");
        }
    }

    #[tokio::test]
    async fn whoever_left_is_a_failure_that_cost_money() {
        let told = told(finished("cancelled")).await;
        assert_eq!((&told["status"], &told["response_cost"]), (&json!("failure"), &json!(0.000_097_5)));
        assert_eq!(told["error_information"]["error_code"], "499");
        assert_eq!(told["error_information"]["error_class"], "ClientDisconnected");
    }

    #[tokio::test]
    async fn what_is_not_to_be_told_is_not() {
        let words = ["What is asked", "What is answered"];
        let text = text(finished("success").hiding(true, false)).await;
        assert!(
            words.iter().all(|word| !text.contains(word)) && text.contains("redacted-by-litellm"),
            "{text}"
        );
        let told = told(finished("failure").hiding(false, true)).await;
        let own = told["metadata"].as_object().unwrap().iter();
        let mut own = own.filter(|(name, _)| name.starts_with("user_api_key_") && !name.ends_with("route"));
        assert!(own.all(|(_, value)| value.is_null()), "{told}");
    }

    #[tokio::test]
    async fn p35_no_credential_is_told() {
        for end in ["success", "failure", "cancelled"] {
            let text = text(finished(end)).await;
            assert!(!text.contains("s3cr3t") && !text.contains(KEY), "{text}");
        }
    }
}
