//! `gcs_bucket`: an object for each exchange. Source: Google Cloud Storage, JSON API, "Objects: insert".

use super::{Buffers, Door, Parcel, Sink, objects};
use crate::auth::{Identity, TokenSource, gcp};
use crate::callbacks::kinds::{Build, Made};
use crate::callbacks::record::Told;
use http::HeaderMap;
use weir_core::ExposeSecret;
use weir_core::config::problems::Problems;

struct Gcs {
    /// Up to the name of an object.
    base: String,
}

pub(in super::super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    let Some(bucket) = build.text("gcs_bucket_name", &["GCS_BUCKET_NAME"]) else {
        build.lacks("the bucket", "set GCS_BUCKET_NAME", problems);
        return None;
    };
    let account = build.secret("gcs_path_service_account", &["GCS_PATH_SERVICE_ACCOUNT"]);
    let account = account.as_ref().map(|account| account.expose_secret());
    let found = gcp::Credentials::find(account, build.env, |path| std::fs::read_to_string(path));
    let credentials = match found {
        Ok(credentials) => credentials,
        Err(fault) => {
            let cure = "set GCS_PATH_SERVICE_ACCOUNT to a service account's key";
            problems.warn(&build.at, format!("nobody is told: {fault}"), cure);
            return None;
        }
    };
    let host = build.text("gcs_endpoint_url", &[]).unwrap_or_else(|| "https://storage.googleapis.com".into());
    let base = format!(
        "{}/upload/storage/v1/b/{}/o?uploadType=media&name=",
        host.trim_end_matches('/'),
        objects::encoded(&bucket)
    );
    build.url("gcs_endpoint_url", &base, problems)?;
    let identity = Identity::new(TokenSource::Google(credentials), build.env);
    Some(Made { sink: Box::new(Gcs { base }), door: Door::Token(identity) })
}

impl Sink for Gcs {
    fn write(&self, told: &[Told<'_>], _: &mut Buffers) -> Vec<Parcel> {
        told.iter().filter_map(|told| self.parcel(told)).collect()
    }
}

impl Gcs {
    fn parcel(&self, told: &Told<'_>) -> Option<Parcel> {
        let name = objects::encoded(&objects::name(told, "", false)).replace('/', "%2F");
        let url = format!("{}{name}", self.base).parse().ok()?;
        Some(Parcel::post(&url, &HeaderMap::new(), told.text(usize::MAX), 1))
    }
}

#[cfg(test)]
mod tests {
    use crate::callbacks::testing::{sink, written};

    #[tokio::test]
    async fn an_object_is_named_in_the_query() {
        // The machine's own account: no file is read, and nobody is asked before something is sent.
        let env = [("GCS_BUCKET_NAME", "logs")];
        let parcels = written(sink("gcs_bucket", "{}", &env).as_ref(), &["success"]).await;
        assert_eq!(
            parcels[0].url,
            "https://storage.googleapis.com/upload/storage/v1/b/logs/o?uploadType=media\
             &name=2023-11-14%2Ftime-22-13-20-123456_chatcmpl-1.json"
        );
    }
}
