//! What of a resource is shown, and which page of them.

use super::answer::{Fault, Told};
use super::filter::{Filter, bare};
use crate::Services;
use crate::input::{Fields, Params};
use crate::signon;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use weir_core::domain::records::Kept;

/// Resources on one page, unless the client wants fewer.
pub(super) const PAGE: u32 = 100;

/// Always shown.
static ALWAYS: &[&str] = &["id", "schemas", "meta"];

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// How a client wants to see resources.
pub(super) struct View {
    base: String,
    only: Option<Vec<String>>,
    without: Vec<String>,
}

/// Which of the resources.
pub(super) struct Page {
    /// Counts from one.
    pub(super) start: u32,
    pub(super) count: u32,
    pub(super) filter: Option<Filter>,
}

/// A body, as far as it is an object.
pub(super) struct Sent(pub(super) Fields);

impl<S: Send + Sync> FromRequest<S> for Sent {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        Ok(Self(Fields::from_request(request, state).await?))
    }
}

impl FromRequestParts<Arc<Services>> for View {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, services: &Arc<Services>) -> Result<Self, Fault> {
        let params = Params::from_request_parts(parts, services).await?;
        let names = |name: &str| -> Option<Vec<String>> {
            let text = params.get(name)?;
            Some(text.split(',').map(|one| bare(one.trim()).to_lowercase()).collect())
        };
        Ok(Self {
            base: signon::base_url(&(services.config)().env, &parts.headers),
            only: names("attributes"),
            without: names("excludedAttributes").unwrap_or_default(),
        })
    }
}

impl FromRequestParts<Arc<Services>> for Page {
    type Rejection = Fault;

    /// 400 for what is no number, or no filter.
    async fn from_request_parts(parts: &mut Parts, services: &Arc<Services>) -> Result<Self, Fault> {
        let params = Params::from_request_parts(parts, services).await?;
        let start = number(&params, "startIndex")?.unwrap_or(1).max(1);
        let count = number(&params, "count")?.unwrap_or(i64::from(PAGE)).clamp(0, i64::from(PAGE));
        let filter = params.get("filter").map(Filter::parse).transpose()?;
        let narrow = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Self { start: narrow(start), count: narrow(count), filter })
    }
}

impl View {
    /// Whether this attribute is wanted.
    pub(super) fn shows(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        let part_of = |one: &String| {
            one.strip_prefix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
        };
        ALWAYS.contains(&name.as_str())
            || self.only.as_ref().is_none_or(|only| only.iter().any(part_of)) && !self.without.contains(&name)
    }

    /// The attributes that are wanted, of those that have a value.
    pub(super) fn shown(&self, resource: Value) -> Value {
        match resource {
            Value::Object(mut members) => {
                members.retain(|name, value| !value.is_null() && self.shows(name));
                Value::Object(members)
            }
            other => other,
        }
    }

    /// Where all of it is.
    pub(super) fn root(&self) -> String {
        format!("{}/scim/v2", self.base)
    }

    /// `kind`: `User` or `Group`.
    pub(super) fn location(&self, kind: &str, id: &str) -> String {
        format!("{}/scim/v2/{kind}s/{}", self.base, utf8_percent_encode(id, SEGMENT))
    }

    /// `version`: where all of the resource is at hand.
    pub(super) fn meta<T>(&self, kind: &str, id: &str, kept: &Kept<T>, version: Option<String>) -> Value {
        let mut meta = json!({ "resourceType": kind, "created": kept.created_at.rfc3339(),
            "lastModified": kept.updated_at.rfc3339(), "location": self.location(kind, id) });
        if let Some(version) = version {
            meta["version"] = version.into();
        }
        meta
    }
}

impl Page {
    pub(super) fn offset(&self) -> u32 {
        self.start - 1
    }

    /// This page of resources that are all at hand.
    pub(super) fn cut(&self, all: Vec<Value>) -> Told {
        let total = all.len() as u64;
        let here = all.into_iter().skip(self.offset() as usize).take(self.count as usize);
        Told::list(total, self.start, here.collect())
    }
}

fn number(params: &Params, name: &str) -> Result<Option<i64>, Fault> {
    let Some(text) = params.get(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Fault::value(format!("{name} must be a whole number")))
}

/// The texts named `name` in every object of a list, each once and in their order.
pub(super) fn texts(list: &[Value], name: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let all = list.iter().filter_map(|one| one.get(name).and_then(Value::as_str));
    all.filter(|text| seen.insert(*text)).map(str::to_owned).collect()
}
