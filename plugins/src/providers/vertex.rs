//! Vertex AI: project, location and publisher stand in the path, the host follows from the location, a token in
//! `authorization` comes from [`crate::auth::gcp`]. Claude on Vertex speaks Anthropic's dialect with two changes.
//! Sources: Vertex AI REST reference; Anthropic's "Claude on Vertex AI".

use super::gemini::{Call, escaped};
use super::wire::{Fault, set};
use serde_json::Value;
use weir_core::chat::Object;
use weir_core::config::env::Env;

/// Where a deployment's models live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub project: String,
    pub location: String,
}

/// Who made a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publisher {
    Google,
    Anthropic,
}

/// Where LiteLLM looks when nobody says.
const DEFAULT_LOCATION: &str = "us-central1";
static PROJECT_ENV: &[&str] = &["VERTEXAI_PROJECT", "GOOGLE_CLOUD_PROJECT"];
static LOCATION_ENV: &[&str] = &["VERTEXAI_LOCATION", "VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION"];

/// What Vertex calls the version of Anthropic's API, in the body instead of a header.
pub const ANTHROPIC_VERSION: &str = "vertex-2023-10-16";

// --- Place ---

impl Place {
    /// `project` and `location`: `vertex_project` and `vertex_location`; `own`: the credentials' project.
    ///
    /// # Errors
    /// No project anywhere, or a name that cannot stand in an address.
    pub fn find(
        project: Option<&str>,
        location: Option<&str>,
        own: Option<&str>,
        env: &Env,
    ) -> Result<Self, Fault> {
        let from_env = |names: &[&str]| names.iter().find_map(|name| set(env, name));
        let said = |value: Option<&str>| value.filter(|v| !v.is_empty()).map(str::to_owned);
        let project =
            said(project).or_else(|| from_env(PROJECT_ENV)).or_else(|| said(own)).ok_or_else(|| {
                Fault::new(
                    "vertex_project",
                    "Vertex AI needs a project",
                    "set vertex_project, or VERTEXAI_PROJECT",
                )
            })?;
        let location =
            said(location).or_else(|| from_env(LOCATION_ENV)).unwrap_or_else(|| DEFAULT_LOCATION.to_owned());
        check("vertex_project", &project, ":.")?;
        check("vertex_location", &location, "")?;
        Ok(Self { project, location })
    }

    /// The host of the location: a region's, a continent's, or the world's.
    pub fn host(&self) -> String {
        match self.location.as_str() {
            "global" => "aiplatform.googleapis.com".to_owned(),
            continent @ ("us" | "eu") => format!("aiplatform.{continent}.rep.googleapis.com"),
            region => format!("{region}-aiplatform.googleapis.com"),
        }
    }

    /// Path and query. A model that is a number is an endpoint of the project's own.
    pub fn path(&self, model: &str, publisher: Publisher, call: Call) -> String {
        let Place { project, location } = self;
        let model = model.rsplit_once('/').map_or(model, |(_, name)| name);
        let place = format!("/v1/projects/{project}/locations/{location}");
        if model.bytes().all(|b| b.is_ascii_digit()) && !model.is_empty() {
            return format!("{place}/endpoints/{model}{}", call.suffix());
        }
        let publisher = publisher.name();
        format!("{place}/publishers/{publisher}/models/{}{}", escaped(model), call.suffix())
    }
}

/// Names of projects and locations are letters, digits and dashes; old projects have a domain before a colon.
fn check(setting: &'static str, name: &str, also: &str) -> Result<(), Fault> {
    if name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || also.contains(c)) {
        return Ok(());
    }
    Err(Fault::new(setting, format!("{name:?} cannot stand in an address"), "write its id, not its title"))
}

// --- Publisher ---

impl Publisher {
    /// By the model's name.
    pub fn of(model: &str) -> Self {
        let name = model.rsplit_once('/').map_or(model, |(_, name)| name);
        if name.starts_with("claude") { Publisher::Anthropic } else { Publisher::Google }
    }

    pub fn name(self) -> &'static str {
        match self {
            Publisher::Google => "google",
            Publisher::Anthropic => "anthropic",
        }
    }

    pub fn chat(self, stream: bool) -> Call {
        match (self, stream) {
            (Publisher::Google, false) => Call::Generate,
            (Publisher::Google, true) => Call::Stream,
            (Publisher::Anthropic, false) => Call::RawPredict,
            (Publisher::Anthropic, true) => Call::StreamRawPredict,
        }
    }
}

/// Anthropic's body as Vertex wants it: the model stands in the path, the version in the body.
pub fn claude_body(body: &mut Object) {
    body.remove("model");
    body.insert("anthropic_version".into(), Value::from(ANTHROPIC_VERSION));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place(location: &str) -> Place {
        Place::find(Some("p-1"), Some(location), None, &Env::default()).unwrap()
    }

    #[test]
    fn hosts_follow_from_locations() {
        assert_eq!(place("europe-west1").host(), "europe-west1-aiplatform.googleapis.com");
        assert_eq!(place("global").host(), "aiplatform.googleapis.com");
        assert_eq!(place("eu").host(), "aiplatform.eu.rep.googleapis.com");
    }

    #[test]
    fn paths_name_publisher_and_model() {
        let place = place("us-east5");
        let google =
            "/v1/projects/p-1/locations/us-east5/publishers/google/models/gemini-2.5-pro:generateContent";
        assert_eq!(place.path("gemini-2.5-pro", Publisher::Google, Call::Generate), google);
        let claude = "claude-sonnet-4-5@20250929";
        let publisher = Publisher::of(claude);
        let expected = format!(
            "/v1/projects/p-1/locations/us-east5/publishers/anthropic/models/{claude}:streamRawPredict"
        );
        assert_eq!(place.path(claude, publisher, publisher.chat(true)), expected);
        let tuned = "/v1/projects/p-1/locations/us-east5/endpoints/123:generateContent";
        assert_eq!(place.path("gemini/123", Publisher::Google, Call::Generate), tuned);
    }

    #[test]
    fn a_setting_wins_over_the_environment_and_that_over_the_credentials() {
        let env = Env::of([("VERTEXAI_PROJECT", "env"), ("VERTEXAI_LOCATION", "global")]);
        let found = Place::find(None, None, Some("own"), &env).unwrap();
        assert_eq!((found.project.as_str(), found.location.as_str()), ("env", "global"));
        let found = Place::find(Some("said"), Some("eu"), None, &env).unwrap();
        assert_eq!((found.project.as_str(), found.location.as_str()), ("said", "eu"));
        let found = Place::find(None, None, Some("own"), &Env::default()).unwrap();
        assert_eq!((found.project.as_str(), found.location.as_str()), ("own", "us-central1"));
    }

    #[test]
    fn what_cannot_be_an_address_is_refused_by_name() {
        assert_eq!(Place::find(None, None, None, &Env::default()).unwrap_err().setting, "vertex_project");
        let bad = Place::find(Some("p"), Some("evil.example/"), None, &Env::default());
        assert_eq!(bad.unwrap_err().setting, "vertex_location");
    }

    #[test]
    fn claude_has_its_version_in_the_body() {
        let mut body = json!({ "model": "claude-x", "max_tokens": 1 }).as_object().cloned().unwrap();
        claude_body(&mut body);
        assert_eq!(Value::from(body), json!({ "max_tokens": 1, "anthropic_version": "vertex-2023-10-16" }));
    }
}
