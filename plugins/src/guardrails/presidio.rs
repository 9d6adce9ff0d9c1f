//! `presidio`: Microsoft Presidio finds personal data (its analyzer) and masks it (its anonymizer). Source: Presidio's API
//! of both services. What is to be put back into the answer (`output_parse_pii`) is masked here, so that each text has
//! something of its own that stands for it.

use super::check::{Asked, Blocked, Check, Fault, Side, Verdict};
use super::kinds::Build;
use super::service::{Service, text_or_env};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use weir_core::config::problems::Problems;
use weir_core::config::section::Section;
use weir_core::config::tree::{self, Node};

struct Presidio {
    services: Services,
    /// Sent with each question: what else to look for.
    recognizers: Option<Value>,
    /// What is masked in a request comes back in the answer.
    restores: bool,
    language: String,
    /// Entities that are looked for, and whether finding one refuses; empty: whatever the analyzer knows, masked.
    entities: Vec<(String, bool)>,
    /// Entities, or `ALL`, and the least score that counts.
    thresholds: Vec<(String, f64)>,
    scope: Option<Side>,
    name: String,
}

enum Services {
    Asked {
        analyzer: Box<Service>,
        anonymizer: Box<Service>,
    },
    /// For trials without any: every text becomes this.
    Mocked(String),
}

/// What the analyzer found; offsets are characters.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Found {
    entity_type: String,
    start: u64,
    end: u64,
    score: f64,
}

impl Found {
    fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }
}

#[derive(Deserialize)]
struct Anonymized {
    text: String,
}

pub(super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Arc<dyn Check>> {
    let params = &build.entry.params;
    let services = services(build, problems);
    let entities = entities(params, problems);
    let scope = scope(params, problems)?;
    let recognizers = recognizers(params, problems)?;
    let scores = params.node("presidio_score_thresholds").map(Node::entries).unwrap_or_default();
    Some(Arc::new(Presidio {
        services: services?,
        recognizers,
        restores: params.bool("output_parse_pii").unwrap_or(false),
        language: params.text("presidio_language").unwrap_or_else(|| "en".to_owned()),
        entities: entities?,
        thresholds: scores.iter().filter_map(|(name, node)| Some((name.clone(), node.as_f64()?))).collect(),
        scope,
        name: build.entry.name.clone(),
    }))
}

fn services(build: &Build<'_>, problems: &mut Problems) -> Option<Services> {
    let mocked = build.entry.params.node("mock_redacted_text").and_then(|node| node.get("text")?.as_text());
    if let Some(text) = mocked {
        return Some(Services::Mocked(text.to_owned()));
    }
    let analyzer =
        place(build, "presidio_analyzer_api_base", "PRESIDIO_ANALYZER_API_BASE", "analyze", problems);
    let anonymizer =
        place(build, "presidio_anonymizer_api_base", "PRESIDIO_ANONYMIZER_API_BASE", "anonymize", problems);
    Some(Services::Asked { analyzer: Box::new(analyzer?), anonymizer: Box::new(anonymizer?) })
}

/// LiteLLM's two names of it.
static SCOPES: [&str; 2] = ["presidio_filter_scope", "presidio_run_on"];

fn scope(params: &Section, problems: &mut Problems) -> Option<Option<Side>> {
    let Some(name) = SCOPES.into_iter().find(|name| params.node(name).is_some()) else { return Some(None) };
    match params.text(name).as_deref() {
        Some("both") => Some(None),
        Some("input") => Some(Some(Side::Request)),
        Some("output") => Some(Some(Side::Answer)),
        _ => {
            problems.error(&params.place(name), "expected one of input, output, both", "");
            None
        }
    }
}

/// A list in the configuration, or the path of a JSON file with one.
fn recognizers(params: &Section, problems: &mut Problems) -> Option<Option<Value>> {
    const NAME: &str = "presidio_ad_hoc_recognizers";
    let Some(node) = params.node(NAME) else { return Some(None) };
    let listed = match node.as_text() {
        Some(path) => in_file(path),
        None => Ok(node.to_json()),
    };
    let read = listed.and_then(|json| serde_json::from_str(&json).map_err(|e| format!("is no JSON: {e}")));
    match read {
        Ok(list @ Value::Array(_)) => Some(Some(list)),
        Ok(_) => {
            problems.error(&params.place(NAME), "expected a list of recognizers", "");
            None
        }
        Err(why) => {
            problems.error(&params.place(NAME), why, "name a file with a list in JSON");
            None
        }
    }
}

fn in_file(path: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path} cannot be read: {e}"))?;
    let list = tree::parse(&text, 0).map_err(|fault| format!("line {}: {}", fault.line, fault.message))?;
    Ok(list.to_json())
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
        let (analyzer, anonymizer) = match &self.services {
            Services::Asked { analyzer, anonymizer } => (analyzer, anonymizer),
            Services::Mocked(text) => return Ok(Verdict::Edit(mocked(text, asked))),
        };
        let mut masked = Vec::with_capacity(asked.texts.len());
        for text in &asked.texts {
            if text.trim().is_empty() {
                masked.push(text.clone());
                continue;
            }
            let found = self.found(analyzer, text, asked).await?;
            if let Some(entity) =
                found.iter().map(|found| &found.entity_type).find(|entity| self.blocks(entity))
            {
                let message = format!("Blocked PII entity detected: {entity} by Guardrail: {}.", self.name);
                return Ok(Verdict::Block(
                    Blocked::new(message).by(entity).with("entity_type", entity.as_str()),
                ));
            }
            masked.push(match self.restores && asked.side == Side::Request {
                true => replaced(text, found, asked)?,
                false => anonymized(anonymizer, text, &found).await?,
            });
        }
        Ok(if masked == asked.texts { Verdict::Pass } else { Verdict::Edit(masked) })
    }

    fn looks_at(&self, side: Side) -> bool {
        self.scope.is_none_or(|scope| scope == side)
    }

    fn restores(&self) -> bool {
        self.restores
    }
}

impl Presidio {
    async fn found(&self, analyzer: &Service, text: &str, asked: &Asked) -> Result<Vec<Found>, Fault> {
        let language = asked.about.language.as_deref().unwrap_or(&self.language);
        let mut question = json!({ "text": text, "language": language });
        let mut names: Vec<&str> = asked.about.entities.iter().map(String::as_str).collect();
        if names.is_empty() {
            names.extend(self.entities.iter().map(|(name, _)| name.as_str()));
        }
        if !names.is_empty() {
            question["entities"] = json!(names);
        }
        if let Some(recognizers) = &self.recognizers {
            question["ad_hoc_recognizers"] = recognizers.clone();
        }
        let found: Vec<Found> = analyzer.ask(&question).await?;
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
}

fn mocked(text: &str, asked: &Asked) -> Vec<String> {
    let mask = |said: &String| if said.trim().is_empty() { said.clone() } else { text.to_owned() };
    asked.texts.iter().map(mask).collect()
}

async fn anonymized(anonymizer: &Service, text: &str, found: &[Found]) -> Result<String, Fault> {
    if found.is_empty() {
        return Ok(text.to_owned());
    }
    let question = json!({ "text": text, "analyzer_results": found });
    let anonymized: Anonymized = anonymizer.ask(&question).await?;
    Ok(anonymized.text)
}

/// The text with something in the place of each thing found; of those that overlap the surest counts, then the longest.
fn replaced(text: &str, mut found: Vec<Found>, asked: &Asked) -> Result<String, Fault> {
    let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let place = |at: u64| usize::try_from(at).ok().and_then(|at| bytes.get(at).copied());
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.length().cmp(&a.length())));
    let mut chosen: Vec<(usize, usize, &str)> = Vec::new();
    for one in &found {
        let (Some(start), Some(end)) = (place(one.start), place(one.end)) else {
            return Err(Fault("the analyzer names a place outside of the text".to_owned()));
        };
        if start < end && chosen.iter().all(|(from, to, _)| end <= *from || *to <= start) {
            chosen.push((start, end, &one.entity_type));
        }
    }
    chosen.sort_unstable();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for (start, end, kind) in chosen {
        out.push_str(&text[at..start]);
        out.push_str(&asked.about.masked.stand_in(kind, &text[start..end], &asked.texts));
        at = end;
    }
    out.push_str(&text[at..]);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::About;
    use super::super::testing::{asked, service, verdict};
    use super::*;

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

    fn entry(base: &str, more: &str) -> String {
        format!(
            "{{guardrail_name: g, litellm_params: {{guardrail: presidio, mode: pre_call, presidio_analyzer_api_base: \"{base}\", \
             presidio_anonymizer_api_base: \"{base}\", {more}}}}}"
        )
    }

    #[tokio::test]
    async fn what_comes_back_is_masked_so_that_nothing_is_mistaken_for_another() {
        let names = |path: &str, body: &Value| {
            assert_eq!(path, "/analyze", "nobody else is asked");
            let text = body["text"].as_str().unwrap();
            let mut found = Vec::new();
            for (name, kind) in
                [("Jörg", "PERSON"), ("Ann", "PERSON"), ("Ann Lee", "PERSON"), ("a@b.io", "EMAIL")]
            {
                for (at, _) in text.match_indices(name) {
                    let start = text[..at].chars().count();
                    let (end, score) = (start + name.chars().count(), 0.9);
                    found.push(json!({"entity_type": kind, "start": start, "end": end, "score": score}));
                }
            }
            (200, json!(found))
        };
        let (base, _) = service(names).await;
        let set = super::super::testing::guardrails(&entry(&base, "output_parse_pii: true"));
        let check = &set.find("g").unwrap().check;
        assert!(check.restores());
        let asked = asked(&["Grüße: Jörg schreibt Ann Lee (a@b.io), Ann und Jörg.", "<PERSON_3>"]);
        let masked = "Grüße: <PERSON> schreibt <PERSON_2> (<EMAIL>), <PERSON_4> und <PERSON>.";
        let edit = Verdict::Edit(vec![masked.to_owned(), "<PERSON_3>".to_owned()]);
        assert_eq!(check.check(&asked).await.unwrap(), edit);
        assert!(!asked.about.masked.is_empty());
    }

    #[tokio::test]
    async fn recognizers_of_ones_own_are_sent_along_and_sides_have_two_names() {
        let (base, seen) = service(|_, _| (200, json!([]))).await;
        let list = "[{name: zip, supported_language: en, patterns: [{name: zip, regex: \"[0-9]{5}\", score: 0.5}], supported_entity: ZIP}]";
        let file = std::env::temp_dir().join(format!("weir-recognizers-{}.json", weir_core::time::now().0));
        std::fs::write(&file, r#"[{"name": "zip"}]"#).unwrap();
        for given in [list.to_owned(), format!("{:?}", file.display().to_string())] {
            let more = format!("presidio_ad_hoc_recognizers: {given}, presidio_run_on: input");
            assert_eq!(verdict(&entry(&base, &more), &asked(&["fine"])).await, Verdict::Pass);
            assert_eq!(seen.lock().unwrap().pop().unwrap().1["ad_hoc_recognizers"][0]["name"], "zip");
            let set = super::super::testing::guardrails(&entry(&base, &more));
            let check = &set.find("g").unwrap().check;
            assert!(check.looks_at(Side::Request) && !check.looks_at(Side::Answer));
        }
        std::fs::remove_file(&file).unwrap();
        for wrong in [
            "presidio_ad_hoc_recognizers: /nowhere.json",
            "presidio_ad_hoc_recognizers: {a: 1}",
            "presidio_run_on: all",
        ] {
            assert!(super::super::testing::build(&entry(&base, wrong)).1.has_errors(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_mocked_text_needs_no_service() {
        let entry = "{guardrail_name: g, litellm_params: {guardrail: presidio, mode: pre_call, mock_redacted_text: {text: \"<X>\"}}}";
        let edit = Verdict::Edit(vec!["<X>".into(), " ".into()]);
        assert_eq!(verdict(entry, &asked(&["Jörg", " "])).await, edit);
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
