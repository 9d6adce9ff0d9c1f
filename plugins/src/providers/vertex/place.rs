//! Where a model of Vertex AI stands: host, project, location, publisher.

use crate::providers::gemini::{Call, escaped};
use crate::providers::wire::{Fault, set};
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
    Mistral,
    Ai21,
    /// Everybody else, behind one endpoint that speaks OpenAI's dialect; also endpoints of one's own.
    Open,
}

/// Whose a model is, by how its bare name begins.
static MAKERS: &[(&str, Publisher)] = &[
    ("claude", Publisher::Anthropic),
    ("mistral", Publisher::Mistral),
    ("ministral", Publisher::Mistral),
    ("codestral", Publisher::Mistral),
    ("jamba", Publisher::Ai21),
];

/// Prefixes of Google's own models; any other prefix names a maker behind the open endpoint.
static GOOGLES: &[&str] = &["google", "gemini", "models", "publishers"];

/// Where LiteLLM looks when nobody says.
const DEFAULT_LOCATION: &str = "us-central1";
static PROJECT_ENV: &[&str] = &["VERTEXAI_PROJECT", "VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT"];
static LOCATION_ENV: &[&str] = &["VERTEXAI_LOCATION", "VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION"];

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

    /// What all paths begin with.
    pub fn prefix(&self) -> String {
        format!("/v1/projects/{}/locations/{}", self.project, self.location)
    }

    /// Path and query. A model that is a number is an endpoint of the project's own.
    pub fn path(&self, model: &str, publisher: Publisher, call: Call) -> String {
        let (place, name) = (self.prefix(), bare(model));
        if is_number(name) {
            return format!("{place}/endpoints/{name}{}", call.suffix());
        }
        let publisher = publisher.name();
        format!("{place}/publishers/{publisher}/models/{}{}", escaped(name), call.suffix())
    }

    /// The endpoint that speaks OpenAI's dialect: the common one, or the project's own.
    pub fn endpoint(&self, model: &str) -> String {
        let own = model.strip_prefix("openai/").filter(|id| is_number(id));
        format!("{}/endpoints/{}", self.prefix(), own.unwrap_or("openapi"))
    }
}

fn bare(model: &str) -> &str {
    model.rsplit_once('/').map_or(model, |(_, name)| name)
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
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
        let name = bare(model);
        if let Some((_, maker)) = MAKERS.iter().find(|(begin, _)| name.starts_with(begin)) {
            return *maker;
        }
        match model.split_once('/') {
            Some((prefix, _)) if !GOOGLES.contains(&prefix) => Publisher::Open,
            _ => Publisher::Google,
        }
    }

    /// As paths have it.
    pub fn name(self) -> &'static str {
        match self {
            Publisher::Google | Publisher::Open => "google",
            Publisher::Anthropic => "anthropic",
            Publisher::Mistral => "mistralai",
            Publisher::Ai21 => "ai21",
        }
    }
}
