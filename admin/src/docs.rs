//! The API's own description: the OpenAPI document, Swagger UI over it, and a reference to read and print that needs no
//! script. Off with `NO_DOCS`, `NO_REDOC`, or an empty `DOCS_URL`, `REDOC_URL`.

use crate::context::Context;
use crate::error::Refusal;
use crate::routes::{Access, route};
use axum::extract::Path;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;
use utoipa_swagger_ui::Config as Swagger;
use weir_core::access::{Grant, RouteClass};
use weir_core::config::env::Env;
use weir_core::error::{ApiError, Kind};

const P: RouteClass = RouteClass::Public;

pub(crate) static ROUTES: &[Access] = &[
    route(Method::GET, "/openapi.json", P, Grant::ANY, || get(document)),
    route(Method::GET, "/", P, Grant::ANY, || get(root)),
    route(Method::GET, "/docs", P, Grant::ANY, || get(swagger)),
    route(Method::GET, "/docs/{file}", P, Grant::ANY, || get(file)),
    route(Method::GET, "/redoc", P, Grant::ANY, || get(reference)),
];

/// Made by a test from what the handlers ask for.
const OPENAPI: &str = include_str!("../openapi.json");

async fn document(context: Context) -> Response {
    let text = own(&(context.services.config)().env).unwrap_or(Cow::Borrowed(OPENAPI));
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// What the API is called (`DOCS_TITLE`).
pub(crate) fn title(env: &Env) -> &str {
    env.filled("DOCS_TITLE").unwrap_or("Weir API")
}

/// The document in the operator's words; `None`: there are none.
fn own(env: &Env) -> Option<Cow<'static, str>> {
    let words = [("title", env.filled("DOCS_TITLE")), ("description", env.filled("DOCS_DESCRIPTION"))];
    if words.iter().all(|(_, said)| said.is_none()) {
        return None;
    }
    let mut document: Value = serde_json::from_str(OPENAPI).ok()?;
    for (name, said) in words.into_iter().filter_map(|(name, said)| Some((name, said?))) {
        document["info"][name] = said.into();
    }
    Some(Cow::Owned(document.to_string()))
}

/// Whether a page is on: not switched off by one variable, nor given no address by the other.
fn is_on(env: &Env, off: &str, address: &str) -> bool {
    let off = env.filled(off).is_some_and(|value| ["true", "1"].contains(&value.to_lowercase().as_str()));
    !off && env.get(address) != Some("")
}

/// The pages, or where the operator wants people to go (`ROOT_REDIRECT_URL`); the pages are at `/docs` too.
async fn root(context: Context) -> Response {
    let config = (context.services.config)();
    let elsewhere = config.env.filled("ROOT_REDIRECT_URL").and_then(|to| HeaderValue::from_str(to).ok());
    match elsewhere {
        Some(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        None => swagger(context).await,
    }
}

async fn swagger(context: Context) -> Response {
    if !is_on(&(context.services.config)().env, "NO_DOCS", "DOCS_URL") {
        return axum::Json("LiteLLM: RUNNING").into_response();
    }
    match asset("index.html") {
        Some((bytes, _)) => Html(String::from_utf8_lossy(&bytes).replace("\"./", "\"docs/")).into_response(),
        None => not_found().into_response(),
    }
}

async fn file(context: Context, Path(name): Path<String>) -> Response {
    if !is_on(&(context.services.config)().env, "NO_DOCS", "DOCS_URL") {
        return not_found().into_response();
    }
    match asset(&name) {
        Some((bytes, kind)) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        None => not_found().into_response(),
    }
}

/// One of Swagger UI's files, and its type.
fn asset(name: &str) -> Option<(Vec<u8>, String)> {
    // Beside the page, wherever it is mounted.
    let config = Arc::new(Swagger::from("openapi.json"));
    let file = utoipa_swagger_ui::serve(name, config).ok()??;
    Some((file.bytes.into_owned(), file.content_type))
}

fn not_found() -> Refusal {
    ApiError::new(Kind::NotFound, "Not Found").into()
}

// --- the reference ---

async fn reference(context: Context) -> Response {
    let config = (context.services.config)();
    let env = &config.env;
    if !is_on(env, "NO_REDOC", "REDOC_URL") {
        return not_found().into_response();
    }
    let page = serde_json::from_str(OPENAPI).map(|document: Value| page(title(env), &document));
    match page {
        Ok(page) => Html(page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;\
    background:#fff}h2{margin-top:2.5rem;text-transform:capitalize}article{border-top:1px solid #d0d7de;padding:.7rem 0}\
    code{background:#f1f3f5;padding:.1rem .3rem;border-radius:4px}b{display:inline-block;min-width:4.5rem}\
    @media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}code{background:#21262d}article{border-color:#30363d}}";

fn page(title: &str, document: &Value) -> String {
    let title = escaped(title);
    let mut out = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1>"
    );
    let mut last = String::new();
    for (path, methods) in members(&document["paths"]) {
        for (method, operation) in members(methods) {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            if tag != last {
                let _ = write!(out, "<h2>{}</h2>", escaped(tag));
                tag.clone_into(&mut last);
            }
            describe(&mut out, path, method, operation);
        }
    }
    out
}

fn describe(out: &mut String, path: &str, method: &str, operation: &Value) {
    let _ = write!(out, "<article><b>{}</b> <code>{}</code>", method.to_uppercase(), escaped(path));
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let required: Vec<&str> = list(&schema["required"]).filter_map(Value::as_str).collect();
    let mut names: Vec<String> = list(&operation["parameters"])
        .filter_map(|parameter| parameter["name"].as_str())
        .map(|name| format!("<code>?{}</code>", escaped(name)))
        .collect();
    names.extend(members(&schema["properties"]).map(|(name, _)| {
        let mark = if required.contains(&name.as_str()) { "*" } else { "" };
        format!("<code>{}{mark}</code>", escaped(name))
    }));
    let _ = write!(out, "<div>{}</div></article>", names.join(" "));
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
