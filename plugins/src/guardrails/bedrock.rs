//! `bedrock`: a guardrail that is set up in AWS, asked by ApplyGuardrail. Source: Amazon Bedrock API Reference.

use super::check::{Asked, Blocked, Check, Fault, Side, Verdict};
use super::kinds::Build;
use super::service::Service;
use crate::auth::aws::Source;
use crate::auth::{Signer, ToSend};
use crate::providers::bedrock::region_of;
use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use weir_core::config::Aws;
use weir_core::config::problems::Problems;

/// What a part of a path may hold as it is. RFC 3986, section 2.3.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

struct Bedrock {
    service: Service,
    signer: Signer,
    /// What the guardrail would refuse is replaced by its own words instead.
    replaces: bool,
    masks_requests: bool,
    masks_answers: bool,
}

#[derive(Deserialize)]
struct Answer {
    action: String,
    #[serde(default)]
    outputs: Vec<Output>,
    #[serde(default)]
    assessments: Vec<Value>,
}

#[derive(Deserialize)]
struct Output {
    text: String,
}

pub(super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    let params = &build.entry.params;
    let mut filled = |name: &str| {
        let text = params.text(name).filter(|text| !text.is_empty());
        if text.is_none() {
            problems.error(params.at(), format!("{name} is missing"), "");
        }
        text
    };
    let (id, version) = (filled("guardrailIdentifier"), filled("guardrailVersion"));
    let (id, version) = (id?, version?);
    let aws = Aws::read(params);
    let region = region_of(aws.region.as_deref(), build.env);
    let base = match &aws.bedrock_runtime_endpoint {
        Some(base) => base.trim_end_matches('/').to_owned(),
        None => format!("https://bedrock-runtime.{region}.amazonaws.com"),
    };
    let encoded = |text: &str| utf8_percent_encode(text, PART).to_string();
    let url = format!("{base}/guardrail/{}/version/{}/apply", encoded(&id), encoded(&version));
    let service = Service::new(build, "aws_bedrock_runtime_endpoint", &url, problems)?;
    let source = Box::new(Source::new(aws, &region, build.env));
    let flag = |name: &str| params.bool(name).unwrap_or(false);
    Some(Arc::new(Bedrock {
        service,
        signer: Signer::Aws { source, region },
        replaces: flag("disable_exception_on_block"),
        masks_requests: flag("mask_request_content"),
        masks_answers: flag("mask_response_content"),
    }))
}

#[async_trait]
impl Check for Bedrock {
    async fn check(&self, asked: &Asked) -> Result<Verdict, Fault> {
        let answer = self.apply(asked).await?;
        if answer.action != "GUARDRAIL_INTERVENED" {
            return Ok(Verdict::Pass);
        }
        let masks = match asked.side {
            Side::Request => self.masks_requests,
            Side::Answer => self.masks_answers,
        };
        let outputs: Vec<String> = answer.outputs.into_iter().map(|output| output.text).collect();
        match answer.assessments.iter().any(blocks) {
            true if self.replaces => Ok(Verdict::Edit(instead(asked, &outputs))),
            true => Ok(Verdict::Block(blocked(&outputs, &answer.assessments))),
            false if masks => Ok(Verdict::Edit(outputs)),
            false => Ok(Verdict::Pass),
        }
    }
}

impl Bedrock {
    async fn apply(&self, asked: &Asked) -> Result<Answer, Fault> {
        let content: Vec<Value> =
            asked.texts.iter().map(|text| json!({ "text": { "text": text } })).collect();
        let source = match asked.side {
            Side::Request => "INPUT",
            Side::Answer => "OUTPUT",
        };
        let body = Bytes::from(json!({ "source": source, "content": content }).to_string());
        let mut headers = HeaderMap::new();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let url = self.service.url().to_string();
        let signed = ToSend { method: "POST", url: &url, headers: &mut headers, body: &body };
        self.signer.sign(signed).await.map_err(|e| Fault(format!("not signed: {}", e.message())))?;
        self.service.send(body, headers).await
    }
}

/// The guardrail's own words in place of everything.
fn instead(asked: &Asked, outputs: &[String]) -> Vec<String> {
    let words = outputs.first().cloned().unwrap_or_default();
    let rest = asked.texts.len().saturating_sub(1);
    std::iter::once(words).chain(std::iter::repeat_n(String::new(), rest)).collect()
}

fn blocked(outputs: &[String], assessments: &[Value]) -> Blocked {
    let said = outputs.first().map(|words| format!(": {words}")).unwrap_or_default();
    let rules: Vec<&str> = assessments.iter().flat_map(violated).collect();
    let rules = rules.join(",");
    Blocked::new(format!("Violated guardrail policy{said}")).by(rules.as_str()).with("violated", rules)
}

/// Something in it is refused, and not only masked.
fn blocks(assessment: &Value) -> bool {
    match assessment {
        Value::Object(members) => {
            members.get("action").is_some_and(|action| action == "BLOCKED") || members.values().any(blocks)
        }
        Value::Array(items) => items.iter().any(blocks),
        _ => false,
    }
}

/// Which of the guardrail's policies were violated. Their details repeat what was said.
fn violated(assessment: &Value) -> Vec<&str> {
    let policies = assessment.as_object().into_iter().flatten();
    policies.filter(|(_, policy)| blocks(policy)).map(|(name, _)| name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, service, verdict};
    use super::*;

    fn answer(path: &str, body: &Value) -> (u16, Value) {
        assert_eq!(path, "/guardrail/g-1/version/2/apply");
        let text = body["content"][0]["text"]["text"].as_str().unwrap();
        let (policy, action) = match text {
            "topic" => ("topicPolicy", "BLOCKED"),
            "name" => ("sensitiveInformationPolicy", "ANONYMIZED"),
            _ => return (200, json!({"action": "NONE", "outputs": [], "assessments": []})),
        };
        let found = json!([{"match": text, "action": action}]);
        let assessment = json!({policy: {"topics": found}});
        let output = if action == "BLOCKED" { "Sorry." } else { "{NAME}" };
        let outputs: Vec<Value> =
            body["content"].as_array().unwrap().iter().map(|_| json!({"text": output})).collect();
        (200, json!({"action": "GUARDRAIL_INTERVENED", "outputs": outputs, "assessments": [assessment]}))
    }

    fn entry(base: &str, more: &str) -> String {
        format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: bedrock, mode: pre_call, guardrailIdentifier: g-1, \
             guardrailVersion: \"2\", aws_access_key_id: AKIDX, aws_secret_access_key: s3, aws_region_name: eu-west-1, \
             aws_bedrock_runtime_endpoint: \"{base}\"{more}}}}}"
        )
    }

    #[tokio::test]
    async fn the_guardrail_in_aws_is_asked_with_a_signature_and_obeyed() {
        let (base, seen) = service(answer).await;
        let plain = entry(&base, "");
        assert_eq!(verdict(&plain, &asked(&["fine"])).await, Verdict::Pass);
        assert_eq!(verdict(&plain, &asked(&["name"])).await, Verdict::Pass, "masking is to be asked for");
        let Verdict::Block(blocked) = verdict(&plain, &asked(&["topic"])).await else { panic!("let pass") };
        assert_eq!(blocked.message, "Violated guardrail policy: Sorry.");
        assert_eq!(blocked.facts["violated"], "topicPolicy");
        let masking = entry(&base, ", mask_request_content: true");
        assert_eq!(verdict(&masking, &asked(&["name"])).await, Verdict::Edit(vec!["{NAME}".into()]));
        let replacing = entry(&base, ", disable_exception_on_block: true");
        let instead = Verdict::Edit(vec!["Sorry.".into(), String::new()]);
        assert_eq!(verdict(&replacing, &asked(&["topic", "b"])).await, instead);
        let (head, body) = seen.lock().unwrap()[0].clone();
        assert!(head.contains("Credential=AKIDX/") && head.contains("/eu-west-1/bedrock/"), "{head}");
        assert_eq!(body["source"], "INPUT");
    }
}
