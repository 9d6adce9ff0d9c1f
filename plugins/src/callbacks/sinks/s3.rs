//! `s3` and `s3_v2`: an object for each exchange, under LiteLLM's names. Source: Amazon S3 API Reference, PutObject.

use super::{Buffers, Door, Parcel, Sink, aws, objects};
use crate::auth::sigv4;
use crate::callbacks::kinds::{Build, Made};
use crate::callbacks::record::Told;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use weir_core::config::problems::Problems;

struct S3 {
    /// Address of the bucket.
    base: String,
    path: String,
    of_team: bool,
    headers: HeaderMap,
}

pub(in super::super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    let Some(bucket) = build.text("s3_bucket_name", &["S3_BUCKET_NAME"]) else {
        build.lacks("the bucket", "add s3_callback_params: {s3_bucket_name: …}", problems);
        return None;
    };
    let aws::Place { door, region } = aws::place(build, "s3_", true, sigv4::S3);
    let variables = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];
    let base = match build.text("s3_endpoint_url", &variables) {
        Some(own) => format!("{}/{}", own.trim_end_matches('/'), objects::encoded(&bucket)),
        None => format!("https://{bucket}.s3.{region}.{}", aws::domain(&region)),
    };
    build.url("s3_endpoint_url", &base, problems)?;
    let headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("private, immutable, max-age=31536000, s-maxage=0")),
    ]);
    let path = build.text("s3_path", &[]).unwrap_or_default();
    let of_team = build.params.bool("s3_use_team_prefix").unwrap_or(false);
    Some(made(S3 { base, path, of_team, headers }, door))
}

fn made(sink: S3, door: Door) -> Made {
    Made { sink: Box::new(sink), door }
}

impl Sink for S3 {
    fn write(&self, told: &[Told<'_>], _: &mut Buffers) -> Vec<Parcel> {
        told.iter().filter_map(|told| self.parcel(told)).collect()
    }
}

impl S3 {
    fn parcel(&self, told: &Told<'_>) -> Option<Parcel> {
        let name = objects::name(told, &self.path, self.of_team);
        let url = format!("{}/{}", self.base, objects::encoded(&name)).parse().ok()?;
        let posted = Parcel::post(&url, &self.headers, told.text(usize::MAX), 1);
        Some(Parcel { method: Method::PUT, ..posted })
    }
}

#[cfg(test)]
mod tests {
    use crate::callbacks::testing::{sink, written};
    use serde_json::Value;

    #[tokio::test]
    async fn objects_are_called_as_litellm_calls_them() {
        let plain = "{s3_bucket_name: logs, s3_region_name: eu-west-1, s3_path: /weir/}";
        let parcels = written(sink("s3_v2", plain, &[]).as_ref(), &["success"]).await;
        assert_eq!(
            parcels[0].url,
            "https://logs.s3.eu-west-1.amazonaws.com/weir/2023-11-14/time-22-13-20-123456_chatcmpl-1.json"
        );
        assert_eq!(parcels[0].method, "PUT");
        let body: Value = serde_json::from_slice(&parcels[0].body).unwrap();
        assert_eq!(body["id"], "chatcmpl-1");
        let own = "{s3_bucket_name: logs, s3_endpoint_url: \"http://s3.test/\", s3_use_team_prefix: true}";
        let parcels = written(sink("s3", own, &[]).as_ref(), &["success"]).await;
        let path = "http://s3.test/logs/The%20team/2023-11-14/time-22-13-20-123456_chatcmpl-1.json";
        assert_eq!(parcels[0].url, path);
    }
}
