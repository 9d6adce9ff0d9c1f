//! Signing the requests of a deployment, or giving them a token that is fetched.

use super::aws::{AwsCredentials, AwsFault, Source};
use super::sigv4::{self, ToSign};
use super::token::{self, Identity, Token, TokenFault, Tokens};
use http::{HeaderMap, HeaderValue};
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

    /// Adds the headers of a signature. Waits for credentials where none are at hand, bounded in time.
    ///
    /// # Errors
    /// No credentials; another deployment may have some.
    pub async fn sign(&self, request: ToSend<'_>) -> Result<(), ApiError> {
        match self {
            Signer::Aws { source, region } => aws(source, region, request).await,
            Signer::Token(identity) => {
                let token = TOKENS.get(identity).await;
                let token = token.map_err(|fault| no_token(identity.source(), &fault))?;
                request.headers.insert(http::header::AUTHORIZATION, bearer(&token)?);
                Ok(())
            }
        }
    }
}

async fn aws(source: &Source, region: &str, request: ToSend<'_>) -> Result<(), ApiError> {
    let who = AWS.get(source).await.map_err(refused)?;
    let kind = request.headers.get(http::header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = kind.map(|kind| [("content-type", kind)]);
    let signed = sigv4::sign(
        &ToSign {
            method: request.method,
            url: request.url,
            headers: kind.as_ref().map_or(&[], |kind| kind.as_slice()),
            body: request.body,
            region,
            service: sigv4::BEDROCK,
            at: weir_core::time::now(),
        },
        &who,
    );
    let signed =
        signed.map_err(|e| ApiError::new(Kind::Internal, "The request cannot be signed.").because(e))?;
    request.headers.extend(signed);
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
