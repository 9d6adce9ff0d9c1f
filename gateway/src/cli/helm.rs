//! `weir check --helm-values`: a values file of the chart, held against the chart's own schema, which knows LiteLLM's
//! keys too. What stands below `proxy_config` is checked as the configuration that it is.

use crate::settings::Loader;
use anyhow::Context;
use serde_json::Value as Json;
use std::path::Path;
use weir_core::config::Env;
use weir_core::config::problems::{Place, Problems, did_you_mean};
use weir_core::config::tree::{Node, Value, parse};

/// The chart's, word for word.
const SCHEMA: &str = include_str!("../../../deploy/helm/weir/values.schema.json");

/// Set by the chart itself, so no configuration has to be warned of them.
static OF_THE_CHART: &[(&str, &str)] = &[("PROXY_MASTER_KEY", "sk-of-the-chart")];

/// Deeper than the schema goes.
const DEEPEST: usize = 32;

/// All that is wrong with a values file. `env` is what references of `proxy_config` find, beside `envVars`.
pub(super) fn check(path: &Path, env: &Env) -> anyhow::Result<Problems> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let schema: Json = serde_json::from_str(SCHEMA).context("the chart's schema")?;
    // What cannot be read is told by the loader, with its line.
    let values = parse(&text, 0).unwrap_or_default();
    let env = env.with(OF_THE_CHART.iter().copied()).with(variables(&values));
    let (_, mut problems) = Loader::new(Some(path.to_owned()), env).load();
    if values.get("proxy_config").is_none_or(Node::is_null) && matches!(values.value, Value::Map(_)) {
        // Without it the loader takes the chart's keys for settings.
        problems = problems.emptied();
        let place = Place { path: String::from("proxy_config"), ..Place::default() };
        problems.note(&place, "not set: the chart's example is the configuration");
    }
    Checker { schema: &schema, problems: &mut problems }.walk(&values, &schema, "", 0);
    problems.sort();
    Ok(problems)
}

/// `envVars`: what the chart puts into the container.
fn variables(values: &Node) -> Vec<(String, String)> {
    let vars = values.get("envVars").map(Node::entries).unwrap_or_default();
    vars.iter().filter_map(|(name, node)| Some((name.clone(), node.as_text()?.to_owned()))).collect()
}

struct Checker<'a> {
    schema: &'a Json,
    problems: &'a mut Problems,
}

impl Checker<'_> {
    /// Null takes a default away, in Helm; it is right everywhere.
    fn walk(&mut self, node: &Node, schema: &Json, path: &str, depth: usize) {
        let schema = self.resolved(schema);
        if node.is_null() || depth > DEEPEST {
            return;
        }
        if !fits(node, &schema["type"]) {
            let message = format!("expected {}, found {}", words(&schema["type"]), node.what());
            return self.problems.error(&node.place(path), message, "");
        }
        if let Some(choices) = schema["enum"].as_array() {
            self.choice(node, choices, path);
        }
        for (name, value) in node.entries() {
            self.member(name, value, &schema, path, depth);
        }
        if !schema["items"].is_null() {
            for (at, item) in node.items().iter().enumerate() {
                self.walk(item, &schema["items"], &format!("{path}[{at}]"), depth + 1);
            }
        }
    }

    /// Objects without properties in the schema are the operator's own.
    fn member(&mut self, name: &str, value: &Node, schema: &Json, path: &str, depth: usize) {
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match (schema["properties"].as_object(), &schema["additionalProperties"]) {
            (Some(known), _) => match known.get(name) {
                Some(one) => self.walk(value, one, &path, depth + 1),
                None => {
                    let near = did_you_mean(name, known.keys().map(String::as_str));
                    self.problems.warn(&value.place(path), "unknown key of the chart: it does nothing", near);
                }
            },
            (None, Json::Null) => {}
            (None, of_all) => self.walk(value, of_all, &path, depth + 1),
        }
    }

    fn choice(&mut self, node: &Node, choices: &[Json], path: &str) {
        let known: Vec<&str> = choices.iter().filter_map(Json::as_str).collect();
        match node.as_text() {
            Some(text) if known.contains(&text) => {}
            text => {
                let near = did_you_mean(text.unwrap_or_default(), known.iter().copied());
                let message = format!("expected one of {}", known.join(", "));
                self.problems.error(&node.place(path), message, near);
            }
        }
    }

    /// Follows one reference into `definitions`; the chart's point at nothing else.
    fn resolved(&self, schema: &Json) -> Json {
        let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/definitions/"));
        name.map_or(schema, |name| &self.schema["definitions"][name]).clone()
    }
}

/// A type, or a list of them; nothing said is anything.
fn fits(node: &Node, types: &Json) -> bool {
    match types {
        Json::String(one) => is(node, one),
        Json::Array(several) => several.iter().filter_map(Json::as_str).any(|one| is(node, one)),
        _ => true,
    }
}

fn is(node: &Node, of_type: &str) -> bool {
    match (&node.value, of_type) {
        (Value::Bool(_), "boolean")
        | (Value::Text(_), "string")
        | (Value::Number(_), "number")
        | (Value::List(_), "array")
        | (Value::Map(_), "object") => true,
        (Value::Number(_), "integer") => node.as_u64().is_some(),
        _ => false,
    }
}

fn words(types: &Json) -> String {
    match types {
        Json::String(one) => one.clone(),
        Json::Array(several) => {
            let names = several.iter().filter_map(Json::as_str).filter(|one| *one != "null");
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(values: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("values.yaml");
        std::fs::write(&file, values).unwrap();
        check(&file, &Env::of::<&str, &str>([])).unwrap().to_string()
    }

    #[test]
    fn unknown_keys_have_a_suggestion_and_wrong_types_an_error() {
        let said = said(
            "replicaCout: 2\nservice: {port: http}\nserviceMonitor:\n  enabled: true\n  labls: {a: b}\nimage: {pullPolicy: Allways}\nproxy_config:\n  model_list: []\n",
        );
        for line in [
            ":1: warning: replicaCout: unknown key of the chart: it does nothing; did you mean \"replicaCount\"?",
            ":2: service.port: expected integer, found text",
            ":5: warning: serviceMonitor.labls: unknown key of the chart: it does nothing; did you mean \"labels\"?",
            ":6: image.pullPolicy: expected one of Always, IfNotPresent, Never; did you mean \"Always\"?",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
    }

    #[test]
    fn proxy_config_is_checked_as_a_file_would_be_with_the_charts_variables() {
        let said = said(
            "envVars: {BASE: 'http://x.test'}\nproxy_config:\n  general_settings: {master_key: os.environ/PROXY_MASTER_KEY}\n  model_list:\n    - model_name: a\n      litellm_params: {model: azur/x, api_base: os.environ/BASE}\n",
        );
        assert!(said.contains("litellm_params.model") && said.contains("azure"), "{said}");
        assert!(!said.contains("is not set"), "{said}");
    }

    #[test]
    fn what_is_the_operators_own_is_not_looked_into() {
        let said = said(
            "podLabels: {anything: x}\nresources: {limits: {cpu: 1}}\nextraEnvVars: [{name: A, value: b}]\n",
        );
        assert!(!said.contains("warning") && said.contains("note: proxy_config: not set"), "{said}");
    }
}
