//! `presidio`: Microsoft Presidio finds personal data (its analyzer) and masks it (its anonymizer). Source: Presidio's API
//! of both services.

use super::check::{Asked, Blocked, Check, Fault, Side, Verdict};
use super::kinds::Build;
use super::service::{Service, text_or_env};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use weir_core::config::problems::Problems;
use weir_core::config::section::Section;
use weir_core::config::tree::Node;

struct Presidio {
    analyzer: Service,
    anonymizer: Service,
    language: String,
    /// Entities that are looked for, and whether finding one refuses; empty: whatever the analyzer knows, masked.
    entities: Vec<(String, bool)>,
    /// Entities, or `ALL`, and the least score that counts.
    thresholds: Vec<(String, f64)>,
    scope: Option<Side>,
    name: String,
}

/// What the analyzer found; offsets are characters.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Found {
    entity_type: String,
    start: u64,
    end: u64,
    score: f64,
}

#[derive(Deserialize)]
struct Anonymized {
    text: String,
}

pub(super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    let params = &build.entry.params;
    let analyzer =
        place(build, "presidio_analyzer_api_base", "PRESIDIO_ANALYZER_API_BASE", "analyze", problems);
    let anonymizer =
        place(build, "presidio_anonymizer_api_base", "PRESIDIO_ANONYMIZER_API_BASE", "anonymize", problems);
    let entities = entities(params, problems);
    let scope = match params.text("presidio_filter_scope").as_deref() {
        None | Some("both") => None,
        Some("input") => Some(Side::Request),
        Some("output") => Some(Side::Answer),
        Some(_) => {
            let message = "expected one of input, output, both";
            problems.error(&params.place("presidio_filter_scope"), message, "");
            return None;
        }
    };
    let scores = params.node("presidio_score_thresholds").map(Node::entries).unwrap_or_default();
    Some(Arc::new(Presidio {
        analyzer: analyzer?,
        anonymizer: anonymizer?,
        language: params.text("presidio_language").unwrap_or_else(|| "en".to_owned()),
        entities: entities?,
        thresholds: scores.iter().filter_map(|(name, node)| Some((name.clone(), node.as_f64()?))).collect(),
        scope,
        name: build.entry.name.clone(),
    }))
}

/// An address without a scheme is taken for http, as LiteLLM does.
fn place(
    build: &Build<'_>,
    setting: &str,
    variable: &str,
    path: &str,
    problems: &mut Problems,
) -> Option<Service> {
    let Some(base) = text_or_env(build, setting, variable) else {
        let message = format!("{setting} is missing");
        problems.error(build.entry.params.at(), message, format!("add it, or set {variable}"));
        return None;
    };
    let scheme = if base.starts_with("http://") || base.starts_with("https://") { "" } else { "http://" };
    Service::new(build, setting, &format!("{scheme}{}/{path}", base.trim_end_matches('/')), problems)
}

fn entities(params: &Section, problems: &mut Problems) -> Option<Vec<(String, bool)>> {
    let written = params.node("pii_entities_config").map(Node::entries).unwrap_or_default();
    let read = |(name, node): &(String, Node)| match node.as_text() {
        Some("MASK") => Some((name.clone(), false)),
        Some("BLOCK") => Some((name.clone(), true)),
        _ => {
            let message = format!("{name}: expected MASK or BLOCK");
            problems.error(&params.place("pii_entities_config"), message, "");
            None
        }
    };
    written.iter().map(read).collect()
}

#[async_trait]
impl Check for Presidio {
    async fn check(&self, asked: &Asked) -> Result<Verdict, Fault> {
        let mut masked = Vec::with_capacity(asked.texts.len());
        for text in &asked.texts {
            if text.trim().is_empty() {
                masked.push(text.clone());
                continue;
            }
            let found = self.found(text, asked).await?;
            if let Some(entity) =
                found.iter().map(|found| &found.entity_type).find(|entity| self.blocks(entity))
            {
                let message = format!("Blocked PII entity detected: {entity} by Guardrail: {}.", self.name);
                return Ok(Verdict::Block(
                    Blocked::new(message).by(entity).with("entity_type", entity.as_str()),
                ));
            }
            masked.push(self.masked(text, &found).await?);
        }
        Ok(if masked == asked.texts { Verdict::Pass } else { Verdict::Edit(masked) })
    }

    fn looks_at(&self, side: Side) -> bool {
        self.scope.is_none_or(|scope| scope == side)
    }
}

impl Presidio {
    async fn found(&self, text: &str, asked: &Asked) -> Result<Vec<Found>, Fault> {
        let language = asked.about.language.as_deref().unwrap_or(&self.language);
        let mut question = json!({ "text": text, "language": language });
        let mut names: Vec<&str> = asked.about.entities.iter().map(String::as_str).collect();
        if names.is_empty() {
            names.extend(self.entities.iter().map(|(name, _)| name.as_str()));
        }
        if !names.is_empty() {
            question["entities"] = json!(names);
        }
        let found: Vec<Found> = self.analyzer.ask(&question).await?;
        Ok(found.into_iter().filter(|found| found.score >= self.threshold(&found.entity_type)).collect())
    }

    fn threshold(&self, entity: &str) -> f64 {
        let of =
            |name: &str| self.thresholds.iter().find(|(known, _)| known == name).map(|(_, score)| *score);
        of(entity).or_else(|| of("ALL")).unwrap_or(0.0)
    }

    fn blocks(&self, entity: &str) -> bool {
        self.entities.iter().any(|(name, blocks)| *blocks && name == entity)
    }

    async fn masked(&self, text: &str, found: &[Found]) -> Result<String, Fault> {
        if found.is_empty() {
            return Ok(text.to_owned());
        }
        let question = json!({ "text": text, "analyzer_results": found });
        let anonymized: Anonymized = self.anonymizer.ask(&question).await?;
        Ok(anonymized.text)
    }
}

#[cfg(test)]
mod tests {
    use super::super::About;
    use super::super::testing::{asked, service, verdict};
    use super::*;
    use serde_json::Value;

    fn answer(path: &str, body: &Value) -> (u16, Value) {
        let text = body["text"].as_str().unwrap();
        if path == "/anonymize" {
            assert_eq!(body["analyzer_results"].as_array().unwrap().len(), 1);
            return (200, json!({"text": text.replace("Jörg", "<PERSON>"), "items": []}));
        }
        assert_eq!((path, &body["entities"]), ("/analyze", &json!(["PERSON", "CREDIT_CARD"])));
        let found =
            |kind: &str, score: f64| json!({"entity_type": kind, "start": 0, "end": 4, "score": score});
        (
            200,
            match text {
                "Jörg" => json!([found("PERSON", 0.85), found("PERSON", 0.2)]),
                "4111" => json!([found("CREDIT_CARD", 1.0)]),
                _ => json!([]),
            },
        )
    }

    #[tokio::test]
    async fn what_is_found_is_masked_or_refused() {
        let (base, _) = service(answer).await;
        let entry = format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: presidio, mode: pre_call, presidio_analyzer_api_base: \"{base}\", \
             presidio_anonymizer_api_base: \"{base}/\", pii_entities_config: {{PERSON: MASK, CREDIT_CARD: BLOCK}}, \
             presidio_score_thresholds: {{ALL: 0.5}}}}}}"
        );
        let edit = Verdict::Edit(vec!["<PERSON>".into(), " ".into(), "fine".into()]);
        assert_eq!(verdict(&entry, &asked(&["Jörg", " ", "fine"])).await, edit);
        assert_eq!(verdict(&entry, &asked(&["fine"])).await, Verdict::Pass);
        let Verdict::Block(blocked) = verdict(&entry, &asked(&["4111"])).await else { panic!("let pass") };
        assert_eq!(blocked.message, "Blocked PII entity detected: CREDIT_CARD by Guardrail: g.");
    }

    #[tokio::test]
    async fn a_trial_looks_for_what_it_names() {
        let (base, seen) = service(|_, _| (200, json!([]))).await;
        let entry = format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: presidio, mode: pre_call, presidio_analyzer_api_base: \"{base}\", \
             presidio_anonymizer_api_base: \"{base}\", pii_entities_config: {{PERSON: MASK}}}}}}"
        );
        let about = About { entities: vec!["EMAIL_ADDRESS".into()], ..About::default() };
        let asked = Asked { about: Arc::new(about), ..asked(&["fine"]) };
        assert_eq!(verdict(&entry, &asked).await, Verdict::Pass);
        assert_eq!(seen.lock().unwrap()[0].1["entities"], json!(["EMAIL_ADDRESS"]));
    }
}
