//! `datadog`: payloads as log lines. Source: Datadog, "Send logs", POST /api/v2/logs.

use super::bodies::{Body, Buffers, Frame, bodies};
use super::{Door, Parcel, Sink, secret};
use crate::callbacks::kinds::{Build, Made};
use crate::callbacks::payload;
use crate::callbacks::record::Told;
use http::{HeaderMap, HeaderName, Uri};
use weir_core::ExposeSecret;
use weir_core::body::write_object;
use weir_core::config::problems::Problems;

struct Datadog {
    url: Uri,
    headers: HeaderMap,
    source: String,
    service: String,
    host: String,
    tags: String,
}

/// Datadog takes 1,000 lines and 5 MB.
const LINES: Frame = Frame::list(1_000, 4 << 20);
const KEY: HeaderName = HeaderName::from_static("dd-api-key");

pub(in super::super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    let agent = build.env.filled("LITELLM_DD_AGENT_HOST").map(|host| {
        let port = build.env.filled("LITELLM_DD_AGENT_PORT").unwrap_or("10518");
        format!("http://{host}:{port}")
    });
    let key = build.secret("dd_api_key", &["DD_API_KEY"]);
    if key.is_none() && agent.is_none() {
        build.lacks("Datadog's key", "set DD_API_KEY and DD_SITE", problems);
        return None;
    }
    let site = build.text("dd_site", &["DD_SITE"]).unwrap_or_else(|| "datadoghq.com".to_owned());
    let base = build.text("dd_base_url", &["DD_BASE_URL"]).or(agent);
    let base = base.unwrap_or_else(|| format!("https://http-intake.logs.{site}"));
    let url = build.url("dd_base_url", &format!("{}/api/v2/logs", base.trim_end_matches('/')), problems)?;
    let key = key.and_then(|key| secret(key.expose_secret()));
    let var = |name: &str, usual: &str| build.env.filled(name).unwrap_or(usual).to_owned();
    let tags =
        [("env", "DD_ENV"), ("service", "DD_SERVICE"), ("version", "DD_VERSION"), ("pod_name", "POD_NAME")];
    let tags = tags.iter().filter_map(|(tag, name)| Some(format!("{tag}:{}", build.env.filled(name)?)));
    let sink = Datadog {
        url,
        headers: key.map(|key| (KEY, key)).into_iter().collect(),
        source: var("DD_SOURCE", "litellm"),
        service: var("DD_SERVICE", "litellm-server"),
        host: var("HOSTNAME", ""),
        tags: tags.collect::<Vec<_>>().join(","),
    };
    Some(Made { sink: Box::new(sink), door: Door::Open })
}

impl Sink for Datadog {
    fn write(&self, told: &[Told<'_>], buffers: &mut Buffers) -> Vec<Parcel> {
        let bodies = bodies(&LINES, told, |told, out| self.line(told, out), buffers);
        let parcel = |body: Body| Parcel::post(&self.url, &self.headers, body.text, body.records);
        bodies.into_iter().map(parcel).collect()
    }
}

impl Datadog {
    fn line(&self, told: &Told<'_>, out: &mut Vec<u8>) {
        let failed = told.exchange.as_ref().is_some_and(|x| payload::fault(x.entry()).is_some());
        write_object(out, |o| {
            o.put("ddsource", &self.source);
            o.put("ddtags", &self.tags);
            o.put("hostname", &self.host);
            o.put("message", told.text(usize::MAX));
            o.put("service", &self.service);
            o.put("status", if failed { "error" } else { "info" });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{sink, written};
    use serde_json::Value;

    #[tokio::test]
    async fn payloads_are_lines() {
        let env = [("DD_API_KEY", "dd-fake"), ("DD_SITE", "datadoghq.eu"), ("DD_ENV", "test")];
        let told = ["success", "failure"];
        let parcels = written(sink("datadog", "{}", &env).as_ref(), &told).await;
        assert_eq!(parcels[0].url, "https://http-intake.logs.datadoghq.eu/api/v2/logs");
        assert_eq!(parcels[0].headers[KEY], "dd-fake");
        let lines: Vec<Value> = serde_json::from_slice(&parcels[0].body).unwrap();
        assert_eq!((&lines[0]["status"], &lines[1]["status"]), (&"info".into(), &"error".into()));
        assert_eq!(lines[0]["ddtags"], "env:test");
        assert!(lines[0]["message"].as_str().unwrap().contains("\"response_cost\":0.0000975,"));
    }
}
