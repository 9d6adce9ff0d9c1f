//! `generic_api` and `custom_callback`: payloads are posted to an address of one's own.
//!
//! With a `signing_secret` each request carries `x-weir-timestamp` and `x-weir-signature`: `sha256=` and the HMAC, in
//! hex, of the timestamp, a dot and the body. Whoever checks it knows who sent it, and that it is not an old one sent
//! again.

use super::bodies::{Body, Buffers, Frame, bodies};
use super::{Door, Parcel, Sink, headers, secret};
use crate::callbacks::kinds::{Build, Made};
use crate::callbacks::record::Told;
use hmac::{Hmac, Mac};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use sha2::Sha256;
use weir_core::config::problems::Problems;
use weir_core::{ExposeSecret, SecretString};

struct Generic {
    url: Uri,
    headers: HeaderMap,
    format: Format,
    signing: Option<SecretString>,
}

/// LiteLLM's `log_format`.
#[derive(Clone, Copy)]
enum Format {
    Array,
    Lines,
    Single,
}

/// Of one request.
const BYTES: usize = 4 << 20;
const MOST: usize = 1_000;

pub(in super::super) fn build(build: &Build<'_>, problems: &mut Problems) -> Option<Made> {
    const CURE: &str = "set GENERIC_LOGGER_ENDPOINT, or endpoint in callback_settings";
    let Some(endpoint) = build.text("endpoint", &["GENERIC_LOGGER_ENDPOINT"]) else {
        build.lacks("the address of the webhook", CURE, problems);
        return None;
    };
    let format = match build.params.text("log_format").as_deref() {
        Some("ndjson") => Format::Lines,
        Some("single") => Format::Single,
        _ => Format::Array,
    };
    let sink = Generic {
        url: build.url("endpoint", &endpoint, problems)?,
        headers: headers(build, &["GENERIC_LOGGER_HEADERS"], problems),
        format,
        signing: build.secret("signing_secret", &["GENERIC_LOGGER_SIGNING_SECRET"]),
    };
    Some(Made { sink: Box::new(sink), door: Door::Open })
}

impl Sink for Generic {
    fn write(&self, told: &[Told<'_>], buffers: &mut Buffers) -> Vec<Parcel> {
        let bodies = bodies(&self.format.frame(), told, Told::document, buffers);
        bodies.into_iter().map(|body| self.parcel(body)).collect()
    }
}

impl Generic {
    fn parcel(&self, body: Body) -> Parcel {
        let mut headers = self.headers.clone();
        if matches!(self.format, Format::Lines) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        }
        if let Some(key) = &self.signing {
            sign(&mut headers, key, weir_core::time::now().seconds(), &body.text);
        }
        Parcel::post(&self.url, &headers, body.text, body.records)
    }
}

impl Format {
    fn frame(self) -> Frame {
        let bare = Frame { open: "", between: "", close: "", most: 1, bytes: BYTES };
        match self {
            Format::Array => Frame::list(MOST, BYTES),
            Format::Lines => Frame { between: "\n", most: MOST, ..bare },
            Format::Single => bare,
        }
    }
}

fn sign(headers: &mut HeaderMap, key: &SecretString, at: i64, body: &[u8]) {
    // Keys may be of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()) else { return };
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    headers.insert("x-weir-timestamp", HeaderValue::from(at));
    headers.extend(secret(&signature).map(|value| (HeaderName::from_static("x-weir-signature"), value)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::testing::{ANSWER, saying, sink, told, written};
    use serde_json::Value;

    /// RFC 4231 has no key with a time in it; this one was computed with another implementation.
    #[test]
    fn a_signature_covers_time_and_body() {
        let mut headers = HeaderMap::new();
        sign(&mut headers, &SecretString::from("key"), 1_700_000_000, b"[]");
        assert_eq!(headers["x-weir-timestamp"], "1700000000");
        assert_eq!(
            headers["x-weir-signature"],
            "sha256=2afce10b4f37880815b715635811bcfa4d5334e7213eea5bc2e130e1008055c3"
        );
    }

    #[tokio::test]
    async fn forms_of_a_webhook() {
        let told = ["success", "failure"];
        for (settings, requests, begins) in [
            ("", 1, "[{\"id\":"),
            (", log_format: ndjson", 1, "{\"id\":"),
            (", log_format: single", 2, "{\"id\":"),
        ] {
            let sink = sink(
                "generic_api",
                &format!("{{endpoint: \"http://h.test/x\", headers: {{Authorization: Bearer t}}{settings}}}"),
                &[],
            );
            let parcels = written(sink.as_ref(), &told).await;
            assert_eq!(parcels.len(), requests, "{settings}");
            assert_eq!(parcels.iter().map(|parcel| parcel.records).sum::<usize>(), 2);
            assert!(parcels[0].body.starts_with(begins.as_bytes()), "{:?}", parcels[0].body);
            assert!(parcels[0].headers["authorization"].is_sensitive());
        }
    }

    #[tokio::test]
    async fn a_line_is_one_line_however_the_request_was_written() {
        let sink = sink("generic_api", "{endpoint: \"http://h.test\", log_format: ndjson}", &[]);
        let request = "{\r\n  \"messages\": [\n    {\"content\": \"two\\nlines\"}\n  ]\n}\n";
        let finished = || saying("success", request, ANSWER);
        let parcels = told(sink.as_ref(), [finished(), finished(), finished()]).await;
        let body = std::str::from_utf8(&parcels[0].body).unwrap();
        let lines: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines.len(), parcels[0].records), (3, 3));
        assert_eq!(lines[2]["messages"][0]["content"], "two\nlines");
    }

    #[tokio::test]
    async fn headers_come_from_the_environment_where_no_setting_says_any() {
        let env =
            [("GENERIC_LOGGER_ENDPOINT", "http://h.test"), ("GENERIC_LOGGER_HEADERS", "a=b=c, x-d = e")];
        let parcels = written(sink("custom_callback", "{}", &env).as_ref(), &["success"]).await;
        assert_eq!(
            (&parcels[0].headers["a"], &parcels[0].headers["x-d"]),
            (&HeaderValue::from_static("b=c"), &HeaderValue::from_static("e"))
        );
    }
}
