//! What callbacks of AWS share: who asks, where, and how long things may be.

use super::{Door, Parcel};
use crate::auth::aws::Source;
use crate::callbacks::kinds::Build;
use crate::providers::bedrock::region_of;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use weir_core::config::Aws;
use weir_core::config::problems::Problems;

/// A service in a region.
pub(super) struct Place {
    pub(super) door: Door,
    pub(super) region: String,
}

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// `prefix`: of the names in the settings; `keys`: whether they may hold credentials.
pub(super) fn place(build: &Build<'_>, prefix: &str, keys: bool, service: &'static str) -> Place {
    let text = |name: &str| build.params.text(&format!("{prefix}{name}")).filter(|text| !text.is_empty());
    let region = region_of(text("region_name").as_deref(), build.env);
    let aws = if keys { access(build, prefix) } else { Aws::default() };
    let source = Box::new(Source::new(aws, &region, build.env));
    Place { door: Door::Aws { source, region: region.clone(), service }, region }
}

fn access(build: &Build<'_>, prefix: &str) -> Aws {
    let text = |name: &str| build.params.text(&format!("{prefix}aws_{name}")).filter(|text| !text.is_empty());
    let secret = |name: &str| build.params.secret(&format!("{prefix}aws_{name}"));
    Aws {
        access_key_id: text("access_key_id"),
        secret_access_key: secret("secret_access_key"),
        session_token: secret("session_token"),
        profile: text("profile_name"),
        role: text("role_name"),
        session_name: text("session_name"),
        web_identity_token: secret("web_identity_token"),
        sts_endpoint: text("sts_endpoint"),
        ..Aws::default()
    }
}

/// Where a service is: as the settings or AWS's own variables have it, else the region's.
pub(super) fn endpoint(
    build: &Build<'_>,
    setting: &str,
    variable: &str,
    usual: &str,
    problems: &mut Problems,
) -> Option<Uri> {
    let said = build.text(setting, &[variable, "AWS_ENDPOINT_URL"]);
    let base = said.unwrap_or_else(|| usual.to_owned());
    build.url(setting, base.trim_end_matches('/'), problems)
}

/// `amazonaws.com`, or what it is called in that region.
pub(super) fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// A request of AWS's JSON protocol.
pub(super) fn call(
    url: &Uri,
    target: &'static str,
    version: &'static str,
    body: String,
    records: usize,
) -> Parcel {
    let headers = HeaderMap::from_iter([
        (TARGET, HeaderValue::from_static(target)),
        (CONTENT_TYPE, HeaderValue::from_static(version)),
    ]);
    Parcel::post(url, &headers, body, records)
}
