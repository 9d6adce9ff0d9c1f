//! AWS's Signature Version 4, computed by AWS's own crate. Pure: the time is an argument.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign as sign_http,
};
use aws_sigv4::sign::v4;
use http::{HeaderName, HeaderValue};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use weir_core::time::Micros;

/// The service's name in signatures for Bedrock's runtime.
pub const BEDROCK: &str = "bedrock";
pub const S3: &str = "s3";

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct ToSign<'a> {
    pub method: &'a str,
    /// With scheme, host, path and query as they go over the wire.
    pub url: &'a str,
    /// Headers that are signed beside `host`. Signed ones must arrive unchanged, so only those that nothing on the way
    /// touches: `content-type`, and AWS's own, which must be.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
    pub region: &'a str,
    pub service: &'a str,
    pub at: Micros,
}

/// The request cannot be signed: its URL or a header is none.
#[derive(Debug, thiserror::Error)]
#[error("cannot sign the request: {0}")]
pub struct SignError(String);

/// The headers to add: `x-amz-date`, `authorization`, `x-amz-security-token` for temporary credentials, and for S3 the hash
/// of the body.
/// Secret ones are marked sensitive.
///
/// # Errors
/// The URL or a header is none.
pub fn sign(request: &ToSign<'_>, who: &Credentials) -> Result<Vec<(HeaderName, HeaderValue)>, SignError> {
    let identity = who.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(request.region)
        .name(request.service)
        .time(time(request.at))
        .settings(settings(request.service))
        .build()
        .map_err(error)?;
    let headers = request.headers.iter().copied();
    let body = SignableBody::Bytes(request.body);
    let signable = SignableRequest::new(request.method, request.url, headers, body).map_err(error)?;
    let (instructions, _signature) = sign_http(signable, &params.into()).map_err(error)?.into_parts();
    let (headers, _query) = instructions.into_parts();
    headers.into_iter().map(|header| pair(header.name(), header.value())).collect()
}

/// S3 takes paths as they are, encoded once, and wants to be told the hash of the body. No other service does.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == S3 {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}

fn pair(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), SignError> {
    let name: HeaderName = name.parse().map_err(error)?;
    let mut value: HeaderValue = value.parse().map_err(error)?;
    value.set_sensitive(name != "x-amz-date");
    Ok((name, value))
}

fn time(at: Micros) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(at.0).unwrap_or(0))
}

fn error(e: impl std::fmt::Display) -> SignError {
    SignError(e.to_string())
}

#[cfg(test)]
mod tests;
