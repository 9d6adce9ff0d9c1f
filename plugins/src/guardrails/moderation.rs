//! `openai_moderation`: OpenAI's moderation endpoint, or one that answers like it. It refuses and changes nothing.
//! Source: OpenAI's API reference, "Create moderation".

use super::check::{Asked, Blocked, Check, Fault, Verdict};
use super::kinds::Build;
use super::service::Service;
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use weir_core::ExposeSecret;
use weir_core::config::problems::Problems;

const BASE: &str = "https://api.openai.com/v1";
const MODEL: &str = "omni-moderation-latest";

struct Moderation {
    service: Service,
    model: String,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<Judged>,
}

#[derive(Deserialize)]
struct Judged {
    flagged: bool,
    #[serde(default)]
    categories: Map<String, Value>,
    #[serde(default)]
    category_scores: Map<String, Value>,
}

pub(super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    let params = &build.entry.params;
    let base = params.text("api_base").filter(|base| !base.is_empty()).unwrap_or_else(|| BASE.to_owned());
    let url = format!("{}/moderations", base.trim_end_matches('/'));
    let service = Service::new(build, "api_base", &url, problems)?;
    let own = params.secret("api_key").map(|key| key.expose_secret().to_owned());
    let key = own.or_else(|| build.env.filled("OPENAI_API_KEY").map(str::to_owned));
    let with = key.and_then(|key| service.secret(http::header::AUTHORIZATION, &format!("Bearer {key}")));
    let Some(service) = with else {
        problems.error(
            params.at(),
            "there is no key for the moderation",
            "add api_key, or set OPENAI_API_KEY",
        );
        return None;
    };
    let model = params.text("model").filter(|model| !model.is_empty()).unwrap_or_else(|| MODEL.to_owned());
    Some(Arc::new(Moderation { service, model }))
}

#[async_trait]
impl Check for Moderation {
    async fn check(&self, asked: &Asked) -> Result<Verdict, Fault> {
        let answer: Answer =
            self.service.ask(&json!({ "model": self.model, "input": asked.texts.join("\n") })).await?;
        let Some(flagged) = answer.results.into_iter().find(|judged| judged.flagged) else {
            return Ok(Verdict::Pass);
        };
        let violated: Vec<String> =
            flagged.categories.into_iter().filter(|(_, is)| *is == true).map(|(name, _)| name).collect();
        let facts = json!({ "violated_categories": violated, "category_scores": flagged.category_scores });
        let blocked = Blocked::new("Violated OpenAI moderation policy").by(violated.join(","));
        Ok(Verdict::Block(blocked.with("moderation_result", facts)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, service, verdict};
    use super::*;

    fn answer(path: &str, body: &Value) -> (u16, Value) {
        assert_eq!(path, "/v1/moderations");
        let flagged = body["input"].as_str().unwrap().contains("harm");
        let categories = json!({"violence": flagged, "hate": false});
        let scores = json!({"violence": 0.9, "hate": 0.1});
        let judged = json!({"flagged": flagged, "categories": categories, "category_scores": scores});
        (200, json!({"id": "m", "model": "x", "results": [judged]}))
    }

    #[tokio::test]
    async fn what_is_flagged_is_refused_with_its_categories() {
        let (base, seen) = service(answer).await;
        let entry = format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: openai_moderation, mode: pre_call, api_base: \"{base}/v1\", api_key: sk-1}}}}"
        );
        assert_eq!(verdict(&entry, &asked(&["fine"])).await, Verdict::Pass);
        let Verdict::Block(blocked) = verdict(&entry, &asked(&["do", "harm"])).await else {
            panic!("let pass")
        };
        assert_eq!(blocked.facts["moderation_result"]["violated_categories"], json!(["violence"]));
        let (head, body) = seen.lock().unwrap()[1].clone();
        assert!(head.contains("authorization: Bearer sk-1"), "{head}");
        assert_eq!((&body["model"], &body["input"]), (&json!(MODEL), &json!("do\nharm")));
    }
}
