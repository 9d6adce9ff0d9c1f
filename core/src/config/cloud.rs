//! `litellm_params` of clouds that hand out tokens: Microsoft Entra for Azure, Google Cloud for Vertex AI. What was
//! written; nothing here was looked up in the environment.

use super::env::Env;
use super::section::Section;
use super::tree::Node;
use secrecy::SecretString;

/// How tokens for Azure are asked for, beside `tenant_id`, `client_id` and `client_secret`.
#[derive(Clone, Debug, Default)]
pub struct Entra {
    /// What a token shall be good for.
    pub scope: Option<String>,
    /// Whom to ask; national clouds have their own.
    pub authority_host: Option<String>,
    /// `enable_azure_ad_token_refresh`: without a key, the identity of the machine or pod is used.
    pub ambient: bool,
}

/// Where a deployment's models live on Vertex AI, and who asks.
#[derive(Clone, Debug, Default)]
pub struct Vertex {
    pub project: Option<String>,
    pub location: Option<String>,
    /// The JSON of a service account or login, or the path of a file that holds it.
    pub credentials: Option<SecretString>,
}

impl Entra {
    pub(super) fn read(s: &Section) -> Self {
        let authority_host = filled(s, "azure_authority_host");
        Self { scope: filled(s, "azure_scope"), authority_host, ambient: false }
    }

    pub(super) fn default_to(&mut self, litellm_settings: &Section) {
        self.ambient |= litellm_settings.bool("enable_azure_ad_token_refresh").unwrap_or(false);
    }
}

impl Vertex {
    pub(super) fn read(s: &Section) -> Self {
        // JSON may stand in the file as text, or as a map of YAML.
        let text = |node: &Node| node.as_text().map_or_else(|| node.to_json(), str::to_owned);
        let credentials = s.node("vertex_credentials").map(text).filter(|text| !text.trim().is_empty());
        Self {
            project: filled(s, "vertex_project"),
            location: filled(s, "vertex_location"),
            credentials: credentials.map(SecretString::from),
        }
    }

    /// What a request goes by that is passed through: `default_vertex_config`, else LiteLLM's variables.
    pub(super) fn passed(s: &Section, env: &Env) -> Self {
        let said = |name: &str| env.filled(name).map(str::to_owned);
        let Self { project, location, credentials } = Self::read(s);
        Self {
            project: project.or_else(|| said("DEFAULT_VERTEXAI_PROJECT")),
            location: location.or_else(|| said("DEFAULT_VERTEXAI_LOCATION")),
            credentials: credentials
                .or_else(|| said("DEFAULT_GOOGLE_APPLICATION_CREDENTIALS").map(SecretString::from)),
        }
    }

    pub(super) fn default_to(&mut self, litellm_settings: &Section) {
        let default =
            |own: &mut Option<String>, name| *own = own.take().or_else(|| filled(litellm_settings, name));
        default(&mut self.project, "vertex_project");
        default(&mut self.location, "vertex_location");
    }
}

fn filled(s: &Section, name: &str) -> Option<String> {
    s.text(name).filter(|text| !text.is_empty())
}
