//! `litellm_params` of AWS: where a deployment stands and whose credentials it uses.

use super::section::Section;
use secrecy::SecretString;

/// What was written; nothing here was looked up in the environment.
#[derive(Clone, Debug, Default)]
pub struct Aws {
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<SecretString>,
    pub session_token: Option<SecretString>,
    pub region: Option<String>,
    pub profile: Option<String>,
    /// ARN of a role to assume.
    pub role: Option<String>,
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    /// The token itself, a file's path, or LiteLLM's `oidc/…` for either.
    pub web_identity_token: Option<SecretString>,
    pub sts_endpoint: Option<String>,
    /// Address of Bedrock's runtime in place of the region's.
    pub bedrock_runtime_endpoint: Option<String>,
}

impl Aws {
    /// Of any section whose table has AWS's names.
    pub fn read(s: &Section) -> Self {
        let text = |name| s.text(name).filter(|text| !text.is_empty());
        Self {
            access_key_id: text("aws_access_key_id"),
            secret_access_key: s.secret("aws_secret_access_key"),
            session_token: s.secret("aws_session_token"),
            region: text("aws_region_name"),
            profile: text("aws_profile_name"),
            role: text("aws_role_name"),
            session_name: text("aws_session_name"),
            external_id: text("aws_external_id"),
            web_identity_token: s.secret("aws_web_identity_token"),
            sts_endpoint: text("aws_sts_endpoint"),
            bedrock_runtime_endpoint: text("aws_bedrock_runtime_endpoint"),
        }
    }
}
