//! Whatever is sent for whatever a handler asks for: an answer or a refusal in LiteLLM's shape, and no failure of ours.

use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};
use weir_admin::{Access, Asked, Where, routes, watched};

/// Values of all kinds, few of which fit any field.
fn hostile() -> Vec<Value> {
    let number = |text: &str| serde_json::from_str(text).unwrap();
    vec![
        json!("'; DROP TABLE team; --"),
        json!("%_\\\u{202e}\u{0}"),
        json!(""),
        json!("x".repeat(100_000)),
        json!(-1),
        number("1e308"),
        number("123456789012345678901234567890"),
        json!("NaN"),
        json!("2026-13-45"),
        json!(true),
        json!([]),
        json!([[], { "a": null }, 7]),
        json!({}),
        json!({ "a": { "b": [1, "2", null] } }),
        Value::Null,
    ]
}

fn path_of(route: &Access, name: &str) -> String {
    let parts = route.path.split('/').map(|part| if part.starts_with('{') { name } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// What a handler asks for, when it is given nothing.
async fn asked(rig: &Rig, route: &Access) -> Vec<Asked> {
    let body = if route.method == "GET" { "" } else { "{}" };
    watched(rig.call(route.method.as_str(), &path_of(route, "x"), MASTER, body)).await.1
}

/// LiteLLM answers 500 for some bad input, and scripts know its words.
fn is_litellms(text: &str) -> bool {
    text.contains("Internal Server Error, ") || text.contains("Cache not initialized")
}

async fn holds(rig: &Rig, route: &Access, path: &str, body: &str) {
    let answer = rig.call(route.method.as_str(), path, MASTER, body).await;
    let case =
        || format!("{} {path} {}: {} {}", route.method, short(body), answer.status, short(&answer.text));
    assert!(answer.status < 500 || is_litellms(&answer.text), "{}", case());
    // Where a browser is led to, it is told so on a page; crawlers read no body.
    let wordless = answer.text.starts_with("<!doctype html>") || path == "/robots.txt";
    if answer.status >= 400 && !wordless {
        let told = answer.json();
        assert!(told["error"]["message"].is_string() || !told["detail"].is_null(), "{}", case());
    }
}

fn short(text: &str) -> String {
    text.chars().take(300).collect()
}

#[tokio::test]
async fn p37_no_value_of_any_field_of_any_route_is_a_failure_of_ours() {
    let rig = Rig::new();
    let mut sent = 0;
    for route in routes() {
        let asked = asked(&rig, route).await;
        for field in asked.iter().filter(|field| field.place == Where::Body && route.method != "GET") {
            for value in hostile() {
                // The other fields as they may be, so that this one is looked at.
                let mut body: serde_json::Map<String, Value> = asked
                    .iter()
                    .filter(|other| other.place == Where::Body && other.required)
                    .map(|other| (other.name.clone(), json!("x")))
                    .collect();
                body.insert(field.name.clone(), value);
                holds(&rig, route, &path_of(route, "x"), &Value::Object(body).to_string()).await;
                sent += 1;
            }
        }
        for field in asked.iter().filter(|field| field.place == Where::Query) {
            for value in
                ["'; DROP TABLE team; --", "-1", "NaN", "2026-13-45", "99999999999999999999", "%00", "%ff"]
            {
                let value = value.replace([' ', ';', '\''], "%27");
                holds(&rig, route, &format!("{}?{}={value}", path_of(route, "x"), field.name), "").await;
                sent += 1;
            }
        }
        for name in ["%27%3B--", "%00", "..%2f..", "x%20y"] {
            holds(&rig, route, &path_of(route, name), if route.method == "GET" { "" } else { "{}" }).await;
            sent += 1;
        }
    }
    println!("{sent} requests with values that fit nowhere");
    assert!(sent > 2_000, "{sent}");
}
