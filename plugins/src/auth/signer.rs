//! Signing the requests of a deployment, or giving them a token that is fetched.

use super::aws::{AwsCredentials, AwsFault, Source};
use super::sigv4::{self, SignError, ToSign};
use super::token::{self, Identity, Token, TokenFault, Tokens};
use aws_credential_types::Credentials;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::LazyLock;
use weir_core::ExposeSecret;
use weir_core::error::{ApiError, Kind};

/// How a deployment signs.
#[derive(Clone, Debug)]
pub enum Signer {
    /// Signature version 4 for Bedrock.
    Aws { source: Box<Source>, region: String },
    /// `authorization: Bearer …` with a token that is fetched and kept.
    Token(Identity),
}

/// A request that is whole but for its signature.
pub struct ToSend<'a> {
    pub method: &'a str,
    /// Scheme, host, path and query.
    pub url: &'a str,
    pub headers: &'a mut HeaderMap,
    pub body: &'a [u8],
}

/// One cache for all deployments: those that say the same share what they get.
static AWS: LazyLock<AwsCredentials> = LazyLock::new(AwsCredentials::default);
static TOKENS: LazyLock<Tokens> = LazyLock::new(Tokens::default);

impl Signer {
    /// Whether a signature depends on the body; where it does not, none need be given.
    pub fn reads_body(&self) -> bool {
        matches!(self, Signer::Aws { .. })
    }

    /// Whether it proves itself with what the deployment says, where its cloud is asked for that: by no identity or file of
    /// this machine.
    pub fn is_own(&self) -> bool {
        match self {
            Signer::Aws { source, .. } => source.is_own(),
            Signer::Token(identity) => identity.source().is_own(),
        }
    }

    /// Adds the headers of a signature. Waits for credentials where none are at hand, bounded in time.
    ///
    /// # Errors
    /// No credentials; another deployment may have some.
    pub async fn sign(&self, request: ToSend<'_>) -> Result<(), ApiError> {
        match self {
            Signer::Aws { source, region } => {
                let who = AWS.get(source).await.map_err(refused)?;
                let service = Service { name: sigv4::BEDROCK, region };
                add_signature(&who, service, request)
                    .map_err(|e| ApiError::new(Kind::Internal, "The request cannot be signed.").because(e))
            }
            Signer::Token(identity) => {
                let token = TOKENS.get(identity).await;
                let token = token.map_err(|fault| no_token(identity.source(), &fault))?;
                request.headers.insert(http::header::AUTHORIZATION, bearer(&token)?);
                Ok(())
            }
        }
    }
}

/// A service of AWS, where it is asked.
#[derive(Clone, Copy)]
pub(crate) struct Service<'a> {
    /// As signatures call it.
    pub(crate) name: &'a str,
    pub(crate) region: &'a str,
}

/// Signs what is sent to any service of AWS. Waits for credentials where none are at hand, bounded in time.
///
/// # Errors
/// No credentials; the text names their source, never a secret.
pub(crate) async fn sign_for(
    source: &Source,
    service: Service<'_>,
    request: ToSend<'_>,
) -> Result<(), String> {
    let who = AWS.get(source).await.map_err(|fault| fault.to_string())?;
    add_signature(&who, service, request).map_err(|e| e.to_string())
}

/// An access token of Google's or Microsoft's, as a header.
///
/// # Errors
/// There is none; the text shows no secret.
pub(crate) async fn bearer_of(identity: &Identity) -> Result<HeaderValue, String> {
    let token = TOKENS.get(identity).await.map_err(|fault| fault.to_string())?;
    bearer(&token).map_err(|e| e.message().to_owned())
}

fn add_signature(who: &Credentials, service: Service<'_>, request: ToSend<'_>) -> Result<(), SignError> {
    let signed = |name: &HeaderName| name == CONTENT_TYPE || name.as_str().starts_with("x-amz-");
    let headers = request.headers.iter().filter(|(name, _)| signed(name));
    let headers: Vec<(&str, &str)> =
        headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let to_sign = ToSign {
        method: request.method,
        url: request.url,
        headers: &headers,
        body: request.body,
        region: service.region,
        service: service.name,
        at: weir_core::time::now(),
    };
    let more = sigv4::sign(&to_sign, who)?;
    request.headers.extend(more);
    Ok(())
}

fn refused(fault: AwsFault) -> ApiError {
    let message = format!(
        "litellm.AuthenticationError: BedrockException - {fault}. Set aws_access_key_id and aws_secret_access_key, \
         aws_role_name or aws_profile_name for the deployment, or credentials in the environment of the gateway"
    );
    ApiError::new(Kind::Upstream, message).with_status(401).with_class("AuthenticationError")
}

fn bearer(token: &Token) -> Result<HeaderValue, ApiError> {
    let value = HeaderValue::from_str(&format!("Bearer {}", token.secret.expose_secret()));
    let mut value = value.map_err(|e| {
        ApiError::new(Kind::Internal, "The access token cannot be sent as a header.").because(e)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// What was refused stays so: 401. An endpoint that does not answer may do so for the next attempt: 503.
fn no_token(source: &token::Source, fault: &TokenFault) -> ApiError {
    let (status, class) = match fault {
        TokenFault::Unreachable(_) => (503, "ServiceUnavailableError"),
        _ => (401, "AuthenticationError"),
    };
    let (name, cloud, cure) = match source {
        token::Source::Google(_) => (
            "VertexAIException",
            "Google Cloud",
            "Check vertex_credentials, or GOOGLE_APPLICATION_CREDENTIALS in the environment of the gateway",
        ),
        token::Source::Entra(_) => (
            "AzureException",
            "Microsoft Entra",
            "Check tenant_id, client_id and client_secret, the identity of the machine, or set api_key",
        ),
    };
    let message = format!("litellm.{class}: {name} - No access token from {cloud}: {fault}. {cure}");
    ApiError::new(Kind::Upstream, message).with_status(status).with_class(class)
}
