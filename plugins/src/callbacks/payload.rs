//! What most callbacks are told: LiteLLM's `StandardLoggingPayload`, by its names. It is written member by member,
//! without a tree: there is one for each request and callback. Money is written from nano-dollars, digit by digit, and
//! never was a float; times are seconds since 1970.

use super::record::{Exchanged, Finished};
use crate::deployment::Deployment;
use crate::guardrails::{PASSED, Run, WORSE};
use serde::Serialize;
use serde_json::value::RawValue;
use std::fmt;
use weir_core::body::{Node, ObjectWriter, fit, write_object};
use weir_core::domain::breakdown::{Beside, Breakdown};
use weir_core::domain::key::Caller;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::{Entry, Status};
use weir_core::domain::usage::Usage;
use weir_core::ports::AuditEntry;
use weir_core::time::Micros;

/// Of an exchange whose client left: it has no error of ours.
const GONE: (&str, &str) = ("ClientDisconnected", "The client left before its answer was whole.");

/// Appends the payload of an exchange, as JSON on one line.
pub(super) fn exchange(x: &Exchanged<'_>, out: &mut Vec<u8>) {
    write_object(out, |o| {
        outcome(o, x);
        times(o, x.entry());
        deployment(o, x);
        o.object("metadata", |o| metadata(o, x));
        o.put("cache_hit", x.entry().cache_hit);
        o.put("cache_key", &x.entry().cache_key);
        client(o, x.entry());
        o.json("messages", x.messages());
        o.json("response", x.response());
        error(o, x.entry());
        o.object("hidden_params", |o| hidden(o, x));
        o.put("guardrail_information", x.finished.runs.iter().map(Checked::of).collect::<Vec<_>>());
        o.null("standard_built_in_tools_params");
    });
}

fn outcome(o: &mut ObjectWriter<'_>, x: &Exchanged<'_>) {
    let entry = x.entry();
    o.put("id", id(entry));
    o.put("trace_id", entry.session_id.as_deref().unwrap_or(&entry.call_id));
    o.put("litellm_call_id", &entry.call_id);
    o.put("call_type", entry.operation.row().call_type);
    o.put("stream", entry.stream);
    o.number("response_cost", entry.cost);
    o.null("response_cost_failure_debug_info");
    breakdown(o, entry);
    o.number("saved_cache_cost", x.finished.saved);
    o.put("status", status(entry));
    o.object("status_fields", |o| {
        o.put("llm_api_status", status(entry));
        o.put("guardrail_status", guarded(x.finished));
    });
    o.put("custom_llm_provider", &entry.provider);
    o.put("total_tokens", entry.usage.total());
    o.put("prompt_tokens", entry.usage.input);
    o.put("completion_tokens", entry.usage.output);
}

fn times(o: &mut ObjectWriter<'_>, entry: &Entry) {
    seconds(o, "startTime", entry.started_at.0);
    seconds(o, "endTime", entry.ended_at.0);
    seconds(o, "completionStartTime", entry.first_token_at.unwrap_or(entry.ended_at).0);
    seconds(o, "response_time", entry.ended_at.since(entry.started_at));
}

fn deployment(o: &mut ObjectWriter<'_>, x: &Exchanged<'_>) {
    let entry = x.entry();
    o.put("model", model(entry));
    o.put("model_id", &entry.deployment_id);
    o.put("model_group", &entry.model_group);
    o.object("model_map_information", |o| {
        o.put("model_map_key", model(entry));
        match x.finished.deployment.as_deref() {
            Some(deployment) => o.object("model_map_value", |o| facts(o, deployment)),
            None => o.null("model_map_value"),
        }
    });
    o.object("model_parameters", |o| x.parameters().for_each(|(name, json)| o.json(&name, json)));
    o.put("api_base", &entry.api_base);
}

/// What is known of a model, by LiteLLM's names. Prices are told to their last digit.
fn facts(o: &mut ObjectWriter<'_>, deployment: &Deployment) {
    o.put("key", &deployment.model_label);
    o.put("litellm_provider", deployment.provider.prefix);
    o.put("max_input_tokens", deployment.max_input);
    o.put("max_output_tokens", deployment.max_output);
    let priced = deployment.price.as_ref();
    for (key, price) in priced.into_iter().flat_map(|priced| priced.price.listed()) {
        o.number(&key.litellm(), price);
    }
}

/// How the cost came about; null where nothing was noted.
fn breakdown(o: &mut ObjectWriter<'_>, entry: &Entry) {
    let Some(parts) = Breakdown::of(&entry.explained.charges) else { return o.null("cost_breakdown") };
    let Beside { discount, margin } = parts.beside.unwrap_or_default();
    o.object("cost_breakdown", |o| {
        o.number("input_cost", parts.input);
        o.number("output_cost", parts.output);
        o.number("total_cost", entry.cost);
        o.number("tool_usage_cost", parts.tools);
        o.number("original_cost", if parts.beside.is_some() { parts.listed } else { entry.cost });
        o.number("discount_amount", discount);
        o.number("margin_total_amount", margin);
    });
}

/// LiteLLM's `StandardLoggingGuardrailInformation`.
#[derive(Serialize)]
struct Checked<'a> {
    guardrail_name: &'a str,
    guardrail_provider: &'a str,
    guardrail_mode: &'static str,
    guardrail_status: &'static str,
    start_time: Box<RawValue>,
    end_time: Box<RawValue>,
    duration: Box<RawValue>,
}

impl<'a> Checked<'a> {
    fn of(run: &'a Run) -> Self {
        let took = i64::try_from(run.took.as_micros()).unwrap_or(i64::MAX);
        let time = |micros| number(Seconds(micros).to_string());
        Self {
            guardrail_name: &run.name,
            guardrail_provider: &run.kind,
            guardrail_mode: run.when.word(),
            guardrail_status: run.status,
            start_time: time(run.began.0),
            end_time: time(run.began.0.saturating_add(took)),
            duration: time(took),
        }
    }
}

/// The worst that any has said.
fn guarded(finished: &Finished) -> &'static str {
    let said = |status: &&str| finished.runs.iter().any(|run| run.status == *status);
    match WORSE.iter().rev().copied().find(said) {
        Some(worst) => worst,
        None if finished.guardrails.is_empty() => "not_run",
        None => PASSED,
    }
}

fn client(o: &mut ObjectWriter<'_>, entry: &Entry) {
    o.put("request_tags", &entry.tags);
    o.put("end_user", entry.end_user.as_deref().unwrap_or_default());
    o.put("requester_ip_address", &entry.client_ip);
    o.put("user_agent", &entry.user_agent);
}

fn metadata(o: &mut ObjectWriter<'_>, x: &Exchanged<'_>) {
    let entry = x.entry();
    match x.finished.known_caller() {
        Some(caller) => of_key(o, entry, caller),
        None => OF_KEY.iter().for_each(|name| o.null(name)),
    }
    o.put("user_api_key_request_route", entry.operation.row().route);
    o.put("requester_ip_address", &entry.client_ip);
    let own = fit(entry.metadata.as_bytes(), usize::MAX);
    o.json("requester_metadata", own.as_deref().unwrap_or("null"));
    o.put("spend_logs_metadata", x.in_metadata("spend_logs_metadata").map(Node::into_value));
    let guardrails = x.finished.guardrails.split(',').filter(|name| !name.is_empty());
    o.put("applied_guardrails", guardrails.collect::<Vec<_>>());
    o.object("usage_object", |o| usage(o, &entry.usage));
}

/// What is said of a key, in the order of `of_key`.
static OF_KEY: &[&str] = &[
    "user_api_key_hash",
    "user_api_key_alias",
    "user_api_key_spend",
    "user_api_key_max_budget",
    "user_api_key_budget_reset_at",
    "user_api_key_org_id",
    "user_api_key_team_id",
    "user_api_key_team_alias",
    "user_api_key_user_id",
    "user_api_key_user_email",
    "user_api_key_end_user_id",
];

/// Budgets and the user's address are known of keys only, not of the master key.
fn of_key(o: &mut ObjectWriter<'_>, entry: &Entry, caller: &Caller) {
    let known = caller.principal();
    let limits = known.map(|known| &known.key.limits);
    let resets_at = limits.and_then(|limits| limits.budget_reset_at).map(Micros::rfc3339);
    let user = known.and_then(|known| known.user.as_ref());
    o.put("user_api_key_hash", entry.key_hash.map(|hash| hash.hex()));
    o.put("user_api_key_alias", &entry.key_alias);
    amount(o, "user_api_key_spend", known.map(|known| known.spent.so_far()));
    amount(o, "user_api_key_max_budget", limits.and_then(|limits| limits.max_budget));
    o.put("user_api_key_budget_reset_at", resets_at);
    o.put("user_api_key_org_id", &entry.organization_id);
    o.put("user_api_key_team_id", &entry.team_id);
    o.put("user_api_key_team_alias", &entry.team_alias);
    o.put("user_api_key_user_id", &entry.user_id);
    o.put("user_api_key_user_email", user.and_then(|user| user.email.as_deref()));
    o.put("user_api_key_end_user_id", &entry.end_user);
}

fn error(o: &mut ObjectWriter<'_>, entry: &Entry) {
    let Some((class, message)) = fault(entry) else {
        o.null("error_str");
        return o.null("error_information");
    };
    o.put("error_str", message);
    o.object("error_information", |o| {
        o.put("error_code", entry.http_status.to_string());
        o.put("error_class", class);
        o.put("llm_provider", &entry.provider);
        o.put("traceback", "");
        o.put("error_message", message);
    });
}

fn hidden(o: &mut ObjectWriter<'_>, x: &Exchanged<'_>) {
    let entry = x.entry();
    let provider = i64::try_from(x.finished.provider_time.as_micros()).unwrap_or(i64::MAX);
    let overhead = entry.ended_at.since(entry.started_at).saturating_sub(provider).max(0);
    o.put("model_id", &entry.deployment_id);
    o.put("cache_key", cache_key(entry));
    o.put("api_base", &entry.api_base);
    o.put("response_cost", format_args!("{}", entry.cost));
    o.number("litellm_overhead_time_ms", format_args!("{}.{:03}", overhead / 1_000, overhead % 1_000));
    o.null("additional_headers");
    o.null("batch_models");
    o.put("litellm_model_name", model(entry));
    o.object("usage_object", |o| usage(o, &entry.usage));
}

/// Told here only of what came from the cache, as LiteLLM has it.
fn cache_key(entry: &Entry) -> Option<&str> {
    entry.cache_key.as_deref().filter(|_| entry.cache_hit)
}

/// OpenAI's form.
fn usage(o: &mut ObjectWriter<'_>, usage: &Usage) {
    o.put("prompt_tokens", usage.input);
    o.put("completion_tokens", usage.output);
    o.put("total_tokens", usage.total());
    o.object("prompt_tokens_details", |o| {
        o.put("cached_tokens", usage.cache_read);
        o.put("audio_tokens", usage.audio_input);
    });
    o.object("completion_tokens_details", |o| {
        o.put("reasoning_tokens", usage.reasoning);
        o.put("audio_tokens", usage.audio_output);
    });
    o.put("cache_creation_input_tokens", usage.cache_write.saturating_add(usage.cache_write_1h));
    o.put("cache_read_input_tokens", usage.cache_read);
    o.put("service_tier", usage.tier_name());
}

fn seconds(o: &mut ObjectWriter<'_>, name: &str, micros: i64) {
    o.number(name, Seconds(micros));
}

/// Microseconds as seconds, exact.
struct Seconds(i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.max(0);
        write!(f, "{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }
}

fn amount(o: &mut ObjectWriter<'_>, name: &str, amount: Option<NanoUsd>) {
    match amount {
        Some(amount) => o.number(name, amount),
        None => o.null(name),
    }
}

// --- what is told in other forms too ---

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

/// Text that is a JSON number.
pub(super) fn number(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_default()
}

/// JSON that stands within something that serde writes.
pub(super) fn raw(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
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

/// Appends the payload of an audit entry, as JSON. Secrets are gone from entries before they are made.
pub(super) fn audit(entry: &AuditEntry, out: &mut Vec<u8>) {
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
    serde_json::to_writer(out, &told).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::super::record::{Finished, Told};
    use super::super::testing::{ANSWER, KEY, finished, record, saying};
    use crate::guardrails::Run;
    use serde_json::{Value, json};
    use std::borrow::Cow;
    use std::time::Duration;
    use weir_core::config::When;
    use weir_core::domain::money::{FemtoUsd, NanoUsd};
    use weir_core::domain::spend::Charge;
    use weir_core::time::Micros;

    async fn text(finished: Finished) -> String {
        let record = record(finished);
        Told::of(&record, false).await.text(usize::MAX)
    }

    async fn told(finished: Finished) -> Value {
        serde_json::from_str(&text(finished).await).unwrap()
    }

    const ASKED: &str =
        r#"{"model":"gpt","temperature":0.5,"messages":[{"role":"user","content":"What is asked"}]}"#;

    fn pretty(json: &str) -> String {
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(json).unwrap()).unwrap()
    }

    /// Members of LiteLLM 1.81's type, and `litellm_call_id` and `user_agent`, in the order in which they are told.
    static MEMBERS: &str = "id trace_id litellm_call_id call_type stream response_cost response_cost_failure_debug_info
        cost_breakdown saved_cache_cost status status_fields custom_llm_provider total_tokens prompt_tokens completion_tokens
        startTime endTime completionStartTime response_time model model_id model_group model_map_information model_parameters
        api_base metadata cache_hit cache_key request_tags end_user requester_ip_address user_agent messages response error_str
        error_information hidden_params guardrail_information standard_built_in_tools_params";

    #[tokio::test]
    async fn a_success_is_told_with_all_that_litellm_tells() {
        let told = told(finished("success")).await;
        let members: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, MEMBERS.split_ascii_whitespace().collect::<Vec<_>>());
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
    async fn p46_the_tier_of_what_was_used_is_told_with_it() {
        let usual = finished("success");
        let mut urgent = finished("success");
        urgent.entry.usage = urgent.entry.usage.served_at(Some("priority"));
        for (finished, tier) in [(usual, Value::Null), (urgent, json!("priority"))] {
            assert_eq!(told(finished).await["metadata"]["usage_object"]["service_tier"], tier);
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
    async fn p46_what_an_exchange_cost_is_told_in_its_parts() {
        let charge = |label, quantity, price| Charge {
            label: Cow::Borrowed(label),
            quantity,
            price: FemtoUsd(price),
            per: 1,
        };
        let mut finished = finished("success");
        finished.entry.explained.charges =
            vec![charge("input", 11, 2_500_000_000), charge("output", 7, 10_000_000_000)];
        finished.saved = NanoUsd(5);
        let text = text(finished).await;
        for written in [
            "\"cost_breakdown\":{\"input_cost\":0.0000275,\"output_cost\":0.00007,\"total_cost\":0.0000975,",
            "\"saved_cache_cost\":0.000000005,",
        ] {
            assert!(text.contains(written), "{written}: {text}");
        }
        assert_eq!(told(super::super::testing::finished("failure")).await["cost_breakdown"], Value::Null);
    }

    #[tokio::test]
    async fn what_guardrails_have_said_is_told() {
        let run = |name: &str, status| Run {
            name: name.to_owned(),
            kind: String::from("presidio"),
            when: When::PreCall,
            status,
            began: Micros(1_700_000_000_000_001),
            took: Duration::from_millis(1_500),
        };
        let mut finished = finished("success");
        finished.runs = vec![run("words", "success"), run("names", "guardrail_intervened")];
        let told = told(finished).await;
        let information = json!({
            "guardrail_name": "names", "guardrail_provider": "presidio", "guardrail_mode": "pre_call",
            "guardrail_status": "guardrail_intervened", "start_time": 1_700_000_000.000_001,
            "end_time": 1_700_000_001.500_001, "duration": 1.5,
        });
        assert_eq!(told["guardrail_information"][1], information);
        assert_eq!(told["status_fields"]["guardrail_status"], "guardrail_intervened", "the worst of both");
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
    async fn it_is_told_the_same_however_it_was_written() {
        let plain = told(saying("success", ASKED, ANSWER)).await;
        let text = text(saying("success", &pretty(ASKED), &pretty(ANSWER))).await;
        assert!(!text.contains('\n'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), plain);
    }

    #[tokio::test]
    async fn a_stream_is_told_as_the_answer_that_it_stands_for() {
        let stream = "data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"What is \"}}]}\n\n\
            data: {\"id\":\"chatcmpl-1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"answered\"},\
            \"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
        let mut told_of_stream = told(saying("success", ASKED, stream)).await;
        let response = told_of_stream["response"].take();
        assert_eq!(response["choices"][0]["message"]["content"], "What is answered", "{response}");
        let mut plain = told(saying("success", ASKED, ANSWER)).await;
        plain["response"] = Value::Null;
        assert_eq!(told_of_stream, plain);
    }

    #[tokio::test]
    async fn long_texts_are_cut_and_the_rest_is_told() {
        let picture = format!("data:image/png;base64,{}", "A".repeat(100_000));
        let told = told(saying("success", &ASKED.replace("What is asked", &picture), &pretty(ANSWER))).await;
        let content = told["messages"][0]["content"].as_str().unwrap();
        assert!(content.len() < 66_000 && content.ends_with("(34486 bytes more)"), "{}", content.len());
        assert_eq!(told["model_parameters"], json!({ "temperature": 0.5 }));
        assert_eq!(told["response"]["choices"][0]["message"]["content"], "What is answered");
    }

    /// Payloads go in batches: one that a receiver cannot read would take the others with it.
    #[tokio::test]
    async fn what_a_parser_would_refuse_is_not_told() {
        let (surrogate, number) = (r#"["\ud800"]"#, "[1e999]");
        let deep = "[".repeat(200) + &"]".repeat(200);
        for hostile in [surrogate, number, deep.as_str()] {
            let request = format!("{{\"temperature\":0.5,\"messages\":{hostile}}}");
            let told = told(saying("success", &request, ANSWER)).await;
            assert_eq!(
                (&told["messages"], &told["model_parameters"]),
                (&Value::Null, &json!({})),
                "{hostile}"
            );
            assert_eq!(told["response"]["choices"][0]["message"]["content"], "What is answered");
            let answer = format!("{{\"id\":\"1\",\"choices\":{hostile}}}");
            assert_eq!(self::told(saying("success", ASKED, &answer)).await["id"], "chatcmpl-1", "{hostile}");
        }
        for cut in [&ANSWER[..40], "", "\n"] {
            let told = told(saying("success", ASKED, cut)).await;
            assert_eq!(told["messages"][0]["content"], "What is asked", "{cut}");
        }
        assert_eq!(told(saying("failure", ASKED, "")).await["response"], Value::Null);
    }

    #[tokio::test]
    async fn metadata_of_the_client_is_told_where_litellm_tells_it() {
        let request =
            r#"{"messages":[],"metadata":{"spend_logs_metadata":{"a":[1,"b"]},"api_key":"sk-s3cr3t"}}"#;
        let told = told(saying("success", request, ANSWER)).await;
        assert_eq!(told["metadata"]["spend_logs_metadata"], json!({ "a": [1, "b"] }));
        assert_eq!(told["metadata"]["requester_metadata"], json!({ "generation_name": "g" }), "the entry's");
    }

    #[tokio::test]
    async fn p35_no_credential_is_told() {
        for end in ["success", "failure", "cancelled"] {
            let text = text(finished(end)).await;
            assert!(!text.contains("s3cr3t") && !text.contains(KEY), "{text}");
        }
    }
}
