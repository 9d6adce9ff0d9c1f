//! Signing the requests of a deployment.

use super::aws::{AwsCredentials, AwsFault, Source};
use super::sigv4::{self, ToSign};
use http::HeaderMap;
use std::sync::LazyLock;
use weir_core::error::{ApiError, Kind};

/// How a deployment signs.
#[derive(Clone, Debug)]
pub enum Signer {
    /// Signature version 4 for Bedrock.
    Aws { source: Box<Source>, region: String },
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

impl Signer {
    /// Adds the headers of a signature. Waits for credentials where none are at hand, bounded in time.
    ///
    /// # Errors
    /// No credentials; another deployment may have some.
    pub async fn sign(&self, request: ToSend<'_>) -> Result<(), ApiError> {
        let Signer::Aws { source, region } = self;
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
}

fn refused(fault: AwsFault) -> ApiError {
    let message = format!(
        "litellm.AuthenticationError: BedrockException - {fault}. Set aws_access_key_id and aws_secret_access_key, \
         aws_role_name or aws_profile_name for the deployment, or credentials in the environment of the gateway"
    );
    ApiError::new(Kind::Upstream, message).with_status(401).with_class("AuthenticationError")
}
