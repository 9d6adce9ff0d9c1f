//! Asking a service that checks texts: where it is, what it wants in its headers, and what it answers.

use super::check::Fault;
use super::kinds::Build;
use crate::auth::{Poster, address};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use weir_core::config::problems::Problems;

/// One address of a service.
pub(super) struct Service {
    http: Poster,
    url: Uri,
    headers: HeaderMap,
    within: Duration,
}

/// A model waits for it.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(60);

impl Service {
    /// `setting`: where the address stands, for messages.
    pub(super) fn new(build: &Build<'_>, setting: &str, url: &str, problems: &mut Problems) -> Option<Self> {
        let Some(url) = address(url) else {
            let cure = "write it like https://host/path";
            problems.error(&build.entry.params.place(setting), "expected an http or https address", cure);
            return None;
        };
        let within = build.entry.params.seconds("timeout").unwrap_or(PATIENCE).min(LONGEST);
        Some(Self { http: build.http.clone(), url, headers: HeaderMap::new(), within })
    }

    /// A header that is never shown.
    pub(super) fn secret(mut self, name: HeaderName, value: &str) -> Option<Self> {
        let mut value = HeaderValue::from_str(value).ok()?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Some(self)
    }

    pub(super) fn url(&self) -> &Uri {
        &self.url
    }

    /// Posts JSON and reads JSON.
    ///
    /// # Errors
    /// No answer in time, a status that is none of success, or no such JSON.
    pub(super) async fn ask<T: DeserializeOwned>(&self, body: &Value) -> Result<T, Fault> {
        self.send(Bytes::from(body.to_string()), HeaderMap::new()).await
    }

    /// As [`Service::ask`], of a body that is written, with headers of this request alone.
    pub(super) async fn send<T: DeserializeOwned>(&self, body: Bytes, more: HeaderMap) -> Result<T, Fault> {
        let mut headers = self.headers.clone();
        headers.extend(more);
        let (status, answer) = self.http.post(&self.url, headers, body, self.within).await.map_err(Fault)?;
        if !(200..300).contains(&status) {
            return Err(Fault(format!("{} answered {status}", self.url.host().unwrap_or_default())));
        }
        // The position, not the text: answers repeat what was said.
        serde_json::from_slice(&answer).map_err(|e| {
            Fault(format!(
                "{} answered what cannot be read, at byte {}",
                self.url.host().unwrap_or_default(),
                e.column()
            ))
        })
    }
}

/// A text of the settings, else of the environment. Empty ones are none.
pub(super) fn text_or_env(build: &Build<'_>, name: &str, variable: &str) -> Option<String> {
    let own = build.entry.params.text(name).filter(|text| !text.is_empty());
    own.or_else(|| build.env.filled(variable).map(str::to_owned))
}
