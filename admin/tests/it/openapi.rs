//! The OpenAPI document is what the handlers ask for. `BLESS=1` writes it anew.

use crate::rig::{MASTER, Rig};
use serde_json::{Map, Value, json};
use weir_admin::{Access, Asked, Described, Member, Of, Shape, Where, described, routes, shapes, watched};
use weir_core::access::RouteClass;
use weir_core::domain::operation::OPERATIONS;

#[tokio::test]
async fn the_document_is_what_handlers_ask_for() {
    let made = format!("{:#}\n", document().await);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var("BLESS").is_ok() {
        std::fs::write(path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(
        kept == made,
        "admin/openapi.json is not what the handlers say; run `make bless` and read the change"
    );
}

/// LiteLLM's clients send these; none may be missing.
#[tokio::test]
async fn the_document_knows_the_fields_of_the_usual_calls() {
    let document = document().await;
    let fields = |path: &str| {
        document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"].clone()
    };
    for name in ["key_alias", "models", "max_budget", "duration", "team_id", "metadata", "tpm_limit"] {
        assert!(fields("/key/generate")["properties"][name].is_object(), "{name}");
    }
    assert_eq!(fields("/customer/new")["required"], json!(["user_id"]));
    let logs = document["paths"]["/spend/logs"]["get"]["parameters"].as_array().unwrap();
    assert!(logs.iter().any(|parameter| parameter["name"] == "start_date"), "{logs:?}");
}

/// A parameter that nobody looks at is none.
#[tokio::test]
async fn handlers_ask_for_every_parameter_of_the_tables() {
    let rig = Rig::new();
    for row in described() {
        let days = row.query.iter().filter(|(_, of)| matches!(of, Of::Day));
        let days: Vec<String> = days.map(|(name, of)| format!("{name}={}", example(of))).collect();
        for (name, of) in row.query {
            let query = format!("{}&{name}={}", days.join("&"), example(of));
            let asked =
                watched(rig.call("GET", &format!("{}?{query}", filled(row.path)), MASTER, "")).await.1;
            let found = asked.iter().any(|asked| asked.place == Where::Query && asked.name == *name);
            assert!(found, "{} does not ask for {name}", row.path);
        }
    }
}

fn example(of: &Of) -> &'static str {
    match of {
        Of::Day => "2026-11-25",
        Of::Integer | Of::Number => "1",
        Of::Flag => "true",
        Of::OneOf(values) => values[0],
        _ => "x",
    }
}

#[tokio::test]
async fn p37_the_pages_need_no_key_and_show_every_route() {
    let rig = Rig::new();
    for (path, word) in
        [("/", "swagger"), ("/docs", "swagger"), ("/redoc", "/key/generate"), ("/openapi.json", "paths")]
    {
        let answer = rig.call("GET", path, "", "").await;
        assert!(answer.status == 200 && answer.text.contains(word), "{path}: {}", answer.status);
    }
    for file in ["swagger-ui-bundle.js", "swagger-ui.css", "swagger-initializer.js"] {
        let answer = rig.call("GET", &format!("/docs/{file}"), "", "").await;
        assert!(answer.status == 200 && answer.text.len() > 100, "{file}");
    }
    let initializer = rig.call("GET", "/docs/swagger-initializer.js", "", "").await;
    assert!(initializer.text.contains("openapi.json"), "{}", initializer.text);
    assert_eq!(rig.call("GET", "/docs/../secret", "", "").await.status, 404);
}

async fn document() -> Value {
    let rig = Rig::new();
    let mut paths: Map<String, Value> = Map::new();
    // Files of the UI are no API.
    for route in routes().filter(|route| !route.path.contains("{*")) {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_lowercase()] = operation(route, &asked(&rig, route).await);
    }
    for row in OPERATIONS.iter().filter(|row| row.route.starts_with("/v1") && row.call_type != "_arealtime") {
        paths.insert(row.route.to_owned(), json!({ "post": model_call(row.call_type) }));
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Weir API", "version": "1.81.0",
            "description": "The management API of LiteLLM 1.81, and the APIs of models." },
        "servers": [{ "url": "." }],
        "paths": paths,
        "components": {
            "schemas": named_shapes(),
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn named_shapes() -> Map<String, Value> {
    shapes().map(|shape| (shape.name.to_owned(), object(shape.members))).collect()
}

/// Calls the route with nothing, to see what it looks for.
async fn asked(rig: &Rig, route: &Access) -> Vec<Asked> {
    let body = if route.method == "GET" { "" } else { "{}" };
    watched(rig.call(route.method.as_str(), &filled(route.path), MASTER, body)).await.1
}

/// A path with something in place of its names.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// The table's row of a route.
fn row(route: &Access) -> Option<&'static Described> {
    described().find(|row| route.method == "GET" && row.path == route.path)
}

/// What the handler asks for, as the table has it, and what it asks for only beside others.
fn query(asked: &[Asked], row: Option<&Described>) -> Vec<(String, Value)> {
    let known = row.map(|row| row.query).unwrap_or_default();
    let asked = asked.iter().filter(|asked| asked.place == Where::Query);
    let mut all: Vec<(String, Value)> =
        asked.map(|asked| (asked.name.clone(), schema(asked.shape))).collect();
    for (name, of) in known {
        match all.iter_mut().find(|(other, _)| other == name) {
            Some((_, schema)) => *schema = value(of),
            None => all.push(((*name).to_owned(), value(of))),
        }
    }
    all
}

fn operation(route: &Access, asked: &[Asked]) -> Value {
    let mut parameters: Vec<Value> = names_in(route.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let of = |place| asked.iter().filter(move |asked| asked.place == place);
    let row = row(route);
    parameters.extend(
        query(asked, row).into_iter().map(
            |(name, schema)| json!({ "name": name, "in": "query", "required": false, "schema": schema }),
        ),
    );
    let words: Vec<&str> = route.path.trim_matches('/').split('/').collect();
    let mut told = json!({
        "tags": [words.first().filter(|word| !word.is_empty()).unwrap_or(&"docs")],
        "operationId": format!("{}_{}", route.method.as_str().to_lowercase(), words.join("_").replace(['{', '}'], "")),
        "parameters": parameters,
        "responses": { "200": { "description": "Done." }, "4XX": { "description": "Refused, with the reason." } },
    });
    if let Some(row) = row {
        told["responses"]["200"]["content"] = json!({ "application/json": { "schema": value(&row.answer) } });
    }
    if route.class != RouteClass::Public {
        told["security"] = json!([{ "key": [] }]);
    }
    if route.method != "GET" {
        let properties: Map<String, Value> =
            of(Where::Body).map(|asked| (asked.name.clone(), nullable(schema(asked.shape)))).collect();
        let required: Vec<&str> =
            of(Where::Body).filter(|asked| asked.required).map(|asked| asked.name.as_str()).collect();
        let mut body = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            body["required"] = json!(required);
        }
        told["requestBody"] = json!({ "content": { "application/json": { "schema": body } } });
    }
    told
}

fn model_call(name: &str) -> Value {
    json!({
        "tags": ["models"],
        "operationId": name,
        "requestBody": { "content": { "application/json": { "schema": { "type": "object" } } } },
        "responses": { "200": { "description": "The answer, as the API of this path has it." } },
        "security": [{ "key": [] }],
    })
}

fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn schema(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Integer => json!({ "type": "integer" }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Any => json!({}),
        Shape::List => json!({ "type": "array", "items": {} }),
        Shape::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Shape::Object => json!({ "type": "object" }),
        Shape::Moment => json!({ "type": "string", "format": "date-time" }),
        Shape::OneOf(allowed) => json!({ "type": "string", "enum": allowed }),
    }
}

fn value(of: &Of) -> Value {
    match of {
        Of::Text => json!({ "type": "string" }),
        Of::Integer => json!({ "type": "integer" }),
        Of::Number => json!({ "type": "number" }),
        Of::Flag => json!({ "type": "boolean" }),
        Of::Moment => json!({ "type": "string", "format": "date-time" }),
        Of::Day => json!({ "type": "string", "format": "date" }),
        Of::OneOf(values) => json!({ "type": "string", "enum": values }),
        Of::Any => json!({}),
        Of::Maybe(of) => json!({ "anyOf": [value(of), { "type": "null" }] }),
        Of::Either(all) => json!({ "anyOf": all.iter().map(value).collect::<Vec<_>>() }),
        Of::List(of) => json!({ "type": "array", "items": value(of) }),
        Of::Map(of) => json!({ "type": "object", "additionalProperties": value(of) }),
        Of::Members(groups) => object(groups),
        Of::Named(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
    }
}

fn object(groups: &[&[Member]]) -> Value {
    let members = || groups.iter().copied().flatten();
    let properties: Map<String, Value> =
        members().map(|member| (member.name.to_owned(), described_as(member))).collect();
    let required: Vec<&str> = members().filter(|member| !member.optional).map(|member| member.name).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

fn described_as(member: &Member) -> Value {
    let mut schema = value(&member.of);
    if !member.about.is_empty() {
        schema["description"] = json!(member.about);
    }
    schema
}

/// Null empties a field everywhere.
fn nullable(mut schema: Value) -> Value {
    if let Some(kind) = schema["type"].as_str().map(str::to_owned) {
        schema["type"] = json!([kind, "null"]);
    }
    schema
}
