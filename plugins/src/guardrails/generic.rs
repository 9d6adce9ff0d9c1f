//! `generic_guardrail_api`: a service of the operator's that speaks LiteLLM's protocol for guardrails. It is shown all
//! texts at once and answers whether they may pass, or with others in their place.

use super::check::{About, Asked, Blocked, Check, Fault, Side, Verdict};
use super::kinds::Build;
use super::service::{Service, text_or_env};
use async_trait::async_trait;
use http::HeaderName;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use weir_core::ExposeSecret;
use weir_core::config::problems::Problems;
use weir_core::config::tree::Node;

/// Below the address that is configured, unless it is there already.
const PATH: &str = "/beta/litellm_basic_guardrail_api";
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

struct Generic {
    service: Service,
    /// `additional_provider_specific_params` of the configuration; the request's go over them.
    params: Map<String, Value>,
}

#[derive(Deserialize)]
struct Answer {
    action: String,
    blocked_reason: Option<String>,
    texts: Option<Vec<String>>,
}

pub(super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    let params = &build.entry.params;
    let Some(base) = text_or_env(build, "api_base", "GENERIC_GUARDRAIL_API_BASE") else {
        problems.error(params.at(), "api_base is missing", "add the address of the service");
        return None;
    };
    let base = base.trim_end_matches('/');
    let url = if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") };
    let mut service = Service::new(build, "api_base", &url, problems)?;
    let key = params.secret("api_key").map(|key| (API_KEY, key.expose_secret().to_owned()));
    let headers = params.node("headers").map(Node::entries).unwrap_or_default().iter();
    let headers = headers
        .map(|(name, node)| (name.parse::<HeaderName>().ok(), node.as_text().unwrap_or_default().to_owned()));
    for (name, value) in key.map(|(name, value)| (Some(name), value)).into_iter().chain(headers) {
        let with = name.and_then(|name| service.secret(name, &value));
        let Some(with) = with else {
            problems.error(&params.place("headers"), "a header cannot be sent", "use plain ASCII");
            return None;
        };
        service = with;
    }
    let own = params.node("additional_provider_specific_params").map(Node::to_json);
    let own = own.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    Some(Arc::new(Generic { service, params: own }))
}

#[async_trait]
impl Check for Generic {
    async fn check(&self, asked: &Asked) -> Result<Verdict, Fault> {
        let answer: Answer = self.service.ask(&self.question(asked)).await?;
        match answer.action.as_str() {
            "NONE" => Ok(Verdict::Pass),
            "GUARDRAIL_INTERVENED" => Ok(answer.texts.map_or(Verdict::Pass, Verdict::Edit)),
            "BLOCKED" => {
                let reason = answer.blocked_reason.filter(|reason| !reason.is_empty());
                let reason = reason.unwrap_or_else(|| "Content violates policy".to_owned());
                Ok(Verdict::Block(Blocked::new(format!("Content blocked by guardrail: {reason}"))))
            }
            _ => Err(Fault("the service answered an action that nobody knows".to_owned())),
        }
    }
}

impl Generic {
    fn question(&self, asked: &Asked) -> Value {
        let about: &About = &asked.about;
        let mut params = self.params.clone();
        params.extend(asked.extra.clone());
        json!({
            "texts": asked.texts,
            "images": if asked.images.is_empty() { Value::Null } else { json!(asked.images) },
            "tools": null,
            "structured_messages": null,
            "request_data": {
                "user_api_key_hash": about.key_hash,
                "user_api_key_alias": about.key_alias,
                "user_api_key_user_id": about.user_id,
                "user_api_key_user_email": about.user_email,
                "user_api_key_team_id": about.team_id,
                "user_api_key_team_alias": about.team_alias,
                "user_api_key_end_user_id": about.end_user,
                "user_api_key_org_id": about.organization,
            },
            "input_type": match asked.side { Side::Request => "request", Side::Answer => "response" },
            "litellm_call_id": about.call_id,
            "litellm_trace_id": about.trace_id,
            "additional_provider_specific_params": params,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, guardrails, service, verdict};
    use super::*;

    fn answer(_: &str, body: &Value) -> (u16, Value) {
        match body["texts"][0].as_str().unwrap() {
            "bad" => (200, json!({"action": "BLOCKED", "blocked_reason": "too bad"})),
            "name" => (200, json!({"action": "GUARDRAIL_INTERVENED", "texts": ["[NAME]", "b"]})),
            "broken" => (500, json!({})),
            "odd" => (200, json!({"action": "SHRUG"})),
            _ => (200, json!({"action": "NONE"})),
        }
    }

    fn entry(base: &str) -> String {
        format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: generic_guardrail_api, mode: pre_call, api_base: \"{base}\", \
             api_key: k-1, headers: {{x-own: h-1}}, additional_provider_specific_params: {{a: 1, b: 2}}}}}}"
        )
    }

    #[tokio::test]
    async fn the_service_is_asked_in_its_protocol_and_obeyed() {
        let (base, seen) = service(answer).await;
        let entry = entry(&base);
        let mut question = asked(&["name", "b"]);
        question.extra.insert("b".into(), 3.into());
        let edit = Verdict::Edit(vec!["[NAME]".into(), "b".into()]);
        assert_eq!(verdict(&entry, &question).await, edit);
        assert_eq!(verdict(&entry, &asked(&["fine"])).await, Verdict::Pass);
        let Verdict::Block(blocked) = verdict(&entry, &asked(&["bad"])).await else { panic!("let pass") };
        assert_eq!(blocked.message, "Content blocked by guardrail: too bad");
        let (head, body) = seen.lock().unwrap()[0].clone();
        assert!(head.starts_with("POST /beta/litellm_basic_guardrail_api HTTP/1.1"), "{head}");
        assert!(head.contains("x-api-key: k-1") && head.contains("x-own: h-1"), "{head}");
        assert_eq!(body["additional_provider_specific_params"], json!({"a": 1, "b": 3}));
        assert_eq!((&body["input_type"], &body["texts"]), (&json!("request"), &json!(["name", "b"])));
        assert!(body["request_data"].as_object().unwrap().contains_key("user_api_key_hash"));
    }

    #[tokio::test]
    async fn what_cannot_be_understood_is_a_fault() {
        let (base, _) = service(answer).await;
        let set = guardrails(&entry(&base));
        let check = &set.find("g").unwrap().check;
        for text in ["broken", "odd"] {
            assert!(check.check(&asked(&[text])).await.is_err(), "{text}");
        }
        let nobody = guardrails(&entry("http://127.0.0.1:9"));
        let fault = nobody.find("g").unwrap().check.check(&asked(&["x"])).await.unwrap_err();
        assert!(!fault.0.contains("k-1"), "{fault}");
    }
}
