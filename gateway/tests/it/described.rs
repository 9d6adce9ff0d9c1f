//! What the OpenAPI document says of answers is what is answered.

use crate::rig::{MASTER, Rig, chat};
use serde_json::{Value, json};
use weir_admin::{Described, Member, Of, described, named};

/// Something of everything that is told of; answers a key and the day of it.
async fn made(rig: &Rig) -> (String, String) {
    for (path, body) in [
        ("/user/new", json!({"user_id": "u", "max_budget": 5, "auto_create_key": false})),
        (
            "/team/new",
            json!({"team_id": "t", "team_alias": "Red", "max_budget": 5, "budget_duration": "30d"}),
        ),
        (
            "/team/member_add",
            json!({"team_id": "t", "member": {"role": "user", "user_id": "u"}, "max_budget_in_team": 5}),
        ),
    ] {
        let answer = rig.post(path, MASTER, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    let key = rig.key(json!({"key_alias": "k", "team_id": "t", "user_id": "u", "duration": "30d"})).await;
    let mut body = chat("priced", "hi");
    body["user"] = json!("customer");
    body["metadata"] = json!({"tags": ["a"], "more": 1});
    assert_eq!(rig.post("/v1/chat/completions", &key, body).await.status, 200);
    assert_ne!(rig.post("/v1/chat/completions", &key, chat("refused", "hi")).await.status, 200);
    let rows = rig.rows(2).await;
    (key, rows[0]["startTime"].as_str().unwrap()[..10].to_owned())
}

/// What a route needs to have something to tell.
fn needed(path: &str, key: &str) -> String {
    match path {
        "/key/info" => format!("key={key}"),
        "/key/list" => String::from("return_full_object=true"),
        "/team/info" => String::from("team_id=t"),
        "/user/info" => String::from("user_id=u"),
        _ => String::new(),
    }
}

/// Without more than it needs, and with each of the values that a parameter may have. CSV is no JSON.
fn queries(row: &Described, base: &str) -> Vec<String> {
    let mut all = vec![base.to_owned()];
    for (name, of) in row.query {
        let Of::OneOf(values) = of else { continue };
        let told = values.iter().filter(|value| !["csv", "focus"].contains(value));
        all.extend(told.map(|value| format!("{base}&{name}={value}")));
    }
    all
}

#[tokio::test]
async fn answers_are_what_the_document_says() {
    let rig = Rig::start().await;
    let (key, day) = made(&rig).await;
    for row in described().filter(|row| !row.path.contains('{')) {
        let days = row.query.iter().filter(|(_, of)| matches!(of, Of::Day));
        let mut base: Vec<String> = days.map(|(name, _)| format!("{name}={day}")).collect();
        base.push(needed(row.path, &key));
        for query in queries(row, &base.join("&")) {
            let path = format!("{}?{query}", row.path);
            let answer = rig.get(&path, MASTER).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
            if let Err(why) = fits(&row.answer, &answer.json()) {
                panic!("{path}: {why}\n{}", answer.text());
            }
        }
    }
    let row = described().find(|row| row.path == "/spend/logs").unwrap();
    let rows = rig.get("/spend/logs", MASTER).await.json();
    assert_eq!(fits(&row.answer, &rows), Ok(()));
    assert!(rows[0]["request_id"].is_string(), "{rows}");
}

fn fits(of: &Of, value: &Value) -> Result<(), String> {
    let text = |holds: &dyn Fn(&str) -> bool| value.as_str().is_some_and(holds);
    let plain = match of {
        Of::Any => true,
        Of::Text => value.is_string(),
        Of::Integer => value.is_i64() || value.is_u64(),
        Of::Number => value.is_number(),
        Of::Flag => value.is_boolean(),
        Of::Day => text(&|text| text.len() == 10),
        Of::Moment => text(&|text| text.contains('T')),
        Of::OneOf(values) => text(&|text| values.contains(&text)),
        Of::Maybe(of) => return if value.is_null() { Ok(()) } else { fits(of, value) },
        Of::Either(all) => return either(all, value),
        Of::List(of) => {
            let Some(all) = value.as_array() else { return Err(format!("no list: {value}")) };
            return all.iter().try_for_each(|one| fits(of, one));
        }
        Of::Map(of) => {
            let Some(all) = value.as_object() else { return Err(format!("no object: {value}")) };
            return all.values().try_for_each(|one| fits(of, one));
        }
        Of::Members(groups) => return members(groups, value),
        Of::Named(name) => return members(named(name).unwrap().members, value),
    };
    if plain { Ok(()) } else { Err(format!("{value} is no {of:?}")) }
}

fn either(all: &[Of], value: &Value) -> Result<(), String> {
    let mut whys = Vec::new();
    for of in all {
        match fits(of, value) {
            Ok(()) => return Ok(()),
            Err(why) => whys.push(why),
        }
    }
    Err(whys.join(" | "))
}

fn members(groups: &[&[Member]], value: &Value) -> Result<(), String> {
    let Some(object) = value.as_object() else { return Err(format!("no object: {value}")) };
    for member in groups.iter().copied().flatten() {
        match object.get(member.name) {
            Some(value) => fits(&member.of, value).map_err(|why| format!("{}: {why}", member.name))?,
            None if member.optional => {}
            None => return Err(format!("{} is missing", member.name)),
        }
    }
    Ok(())
}
