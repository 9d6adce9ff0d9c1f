//! What happens by itself at its time, once on any number of replicas: budgets begin again, keys are rotated.

use crate::rig::{CONFIG, MASTER, Rig, chat, database};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Asks until the answer is right.
async fn until(rig: &Rig, path: &str, right: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let answer = rig.get(path, MASTER).await.json();
        if right(&answer) {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{path}: {answer}\n{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn spent(info: &Value) -> f64 {
    info["spend"].as_f64().unwrap_or(-1.0)
}

#[tokio::test]
async fn p17_budgets_begin_again_at_their_time_for_whoever_has_them() {
    let rig = Rig::start().await;
    let budget = json!({"budget_id": "short", "max_budget": 5, "budget_duration": "4s"});
    assert_eq!(rig.post("/budget/new", MASTER, budget).await.status, 200);
    let customer = json!({"user_id": "cust", "budget_id": "short"});
    assert_eq!(rig.post("/customer/new", MASTER, customer).await.status, 200);
    let team = json!({"team_id": "red", "max_budget": 5, "budget_duration": "4s"});
    assert_eq!(rig.post("/team/new", MASTER, team).await.status, 200);
    let key = rig.key(json!({"team_id": "red", "max_budget": 5, "budget_duration": "1h"})).await;
    let body = json!({"model": "priced", "user": "cust", "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(rig.post("/v1/chat/completions", &key, body).await.status, 200);
    let rows = rig.rows(1).await;
    assert!(rows[0]["spend"].as_f64() > Some(0.0), "{rows:?}");
    let (customer, team) = ("/customer/info?end_user_id=cust", "/team/info?team_id=red");
    until(&rig, team, |info| spent(&info["team_info"]) == 0.0).await;
    let info = until(&rig, customer, |info| spent(info) == 0.0).await;
    assert!(info["litellm_budget_table"]["max_budget"].as_f64() == Some(5.0), "{info}");
    let hourly = until(&rig, &format!("/key/info?key={key}"), |info| spent(&info["info"]) > 0.0).await;
    assert!(hourly["info"]["budget_reset_at"].is_string(), "its hour is not over: {hourly}");
    assert_eq!(rig.rows(1).await, rows, "what was booked stays booked");
}

/// Both replicas see when it is due; if both began it anew, what is spent right after the first would be forgotten.
/// What is spent at the end of a period is booked in the next one, and counts in neither for who looks then.
async fn early_in_a_period_of(seconds: u64) {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let into = since_1970.as_millis() as u64 % (seconds * 1000);
    if into > seconds * 500 {
        tokio::time::sleep(Duration::from_millis(seconds * 1000 - into)).await;
    }
}

#[tokio::test]
async fn p17_a_budget_begins_again_once_on_two_replicas() {
    let Some(url) = database().await else { return };
    let rig = || Rig::config(CONFIG).env("DATABASE_URL", &url);
    let (one, two) = (rig().start().await, rig().start().await);
    early_in_a_period_of(8).await;
    let key = one.key(json!({"max_budget": 5, "budget_duration": "8s"})).await;
    let info = format!("/key/info?key={key}");
    let ask = async |rig: &Rig| rig.post("/v1/chat/completions", &key, chat("priced", "hi")).await;
    assert_eq!(ask(&one).await.status, 200);
    let before = until(&one, &info, |info| spent(&info["info"]) > 0.0).await;
    let begun = until(&one, &info, |info| {
        spent(&info["info"]) == 0.0 && info["info"]["budget_reset_at"] != before["info"]["budget_reset_at"]
    })
    .await;
    assert_eq!(ask(&two).await.status, 200);
    until(&two, &info, |info| spent(&info["info"]) > 0.0).await;
    let watched = Instant::now();
    while watched.elapsed() < Duration::from_secs(2) {
        for rig in [&one, &two] {
            let now = rig.get(&info, MASTER).await.json();
            assert_eq!(now["info"]["budget_reset_at"], begun["info"]["budget_reset_at"], "once: {now}");
            assert!((spent(&now["info"]) - 0.000_025).abs() < 1e-12, "{now}");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn p17_a_period_has_an_end_and_null_means_never() {
    let rig = Rig::start().await;
    let budget = json!({"max_budget": 5, "budget_duration": "30d"});
    let body = |id: Value| {
        let mut body = budget.clone();
        body.as_object_mut().unwrap().extend(id.as_object().unwrap().clone());
        body
    };
    let key = rig.key(budget.clone()).await;
    let info = rig.get(&format!("/key/info?key={key}"), MASTER).await.json();
    assert!(info["info"]["budget_reset_at"].is_string(), "{info}");
    for (path, id, told, at) in [
        ("/team/new", json!({"team_id": "red"}), "/team/info?team_id=red", "/team_info/budget_reset_at"),
        (
            "/user/new",
            json!({"user_id": "alice", "auto_create_key": false}),
            "/user/info?user_id=alice",
            "/user_info/budget_reset_at",
        ),
        ("/budget/new", json!({"budget_id": "monthly"}), "/budget/list", "/0/budget_reset_at"),
    ] {
        let answer = rig.post(path, MASTER, body(id)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let told = rig.get(told, MASTER).await.json();
        assert!(told.pointer(at).is_some_and(Value::is_string), "{path}: {told}");
    }
    let late = rig.key(json!({"max_budget": 5})).await;
    for (key, duration, ends) in [(&key, Value::Null, false), (&late, json!("1mo"), true)] {
        let changed = json!({"key": key, "budget_duration": duration});
        assert_eq!(rig.post("/key/update", MASTER, changed).await.status, 200);
        let told = rig.get(&format!("/key/info?key={key}"), MASTER).await.json()["info"].clone();
        assert_eq!(
            (&told["budget_duration"], told["budget_reset_at"].is_string()),
            (&duration, ends),
            "{told}"
        );
    }
    // A member's budget may have another period than the team's, and none.
    let member =
        json!({"team_id": "red", "member": {"role": "user", "user_id": "alice"}, "max_budget_in_team": 1});
    assert_eq!(rig.post("/team/member_add", MASTER, member).await.status, 200);
    for (duration, ends) in [(json!("7d"), true), (Value::Null, false)] {
        let changed = json!({"team_id": "red", "user_id": "alice", "budget_duration": duration});
        let answer = rig.post("/team/member_update", MASTER, changed).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let team = rig.get("/team/info?team_id=red", MASTER).await.json();
        let id = team["team_memberships"][0]["budget_id"].clone();
        let told = rig.post("/budget/info", MASTER, json!({"budgets": [id]})).await.json()[0].clone();
        assert_eq!(
            (&told["budget_duration"], told["budget_reset_at"].is_string()),
            (&duration, ends),
            "{told}"
        );
        assert_eq!(told["max_budget"].as_f64(), Some(1.0), "the amount stays: {told}");
    }
}

#[tokio::test]
async fn p17_a_duration_that_is_no_period_is_refused_wherever_a_budget_is_given() {
    let rig = Rig::start().await;
    let key = rig.key(json!({"max_budget": 5})).await;
    for (path, made) in [
        ("/team/new", json!({"team_id": "red"})),
        ("/user/new", json!({"user_id": "ann", "auto_create_key": false})),
        ("/customer/new", json!({"user_id": "shop", "max_budget": 1})),
        ("/tag/new", json!({"name": "blue", "max_budget": 1})),
        ("/budget/new", json!({"budget_id": "b"})),
    ] {
        assert_eq!(rig.post(path, MASTER, made).await.status, 200, "{path}");
    }
    let member = json!({"team_id": "red", "member": {"role": "user", "user_id": "ann"}});
    assert_eq!(rig.post("/team/member_add", MASTER, member).await.status, 200);
    let regenerate = format!("/key/{key}/regenerate");
    for (path, asked) in [
        ("/key/update", json!({"key": key})),
        (regenerate.as_str(), json!({})),
        ("/team/new", json!({"team_id": "new"})),
        ("/team/update", json!({"team_id": "red"})),
        ("/team/member_update", json!({"team_id": "red", "user_id": "ann"})),
        ("/user/new", json!({"user_id": "new"})),
        ("/user/update", json!({"user_id": "ann"})),
        ("/customer/new", json!({"user_id": "new"})),
        ("/customer/update", json!({"user_id": "shop"})),
        ("/organization/new", json!({"organization_alias": "new"})),
        ("/tag/new", json!({"name": "new"})),
        ("/tag/update", json!({"name": "blue"})),
        ("/budget/new", json!({"budget_id": "new"})),
        ("/budget/update", json!({"budget_id": "b"})),
    ] {
        for text in ["bad", "0d", "1y"] {
            let mut asked = asked.clone();
            asked["budget_duration"] = json!(text);
            let answer = rig.post(path, MASTER, asked).await;
            assert_eq!(answer.status, 400, "{path} {text}: {}", answer.text());
            let error = answer.json()["error"].clone();
            assert_eq!(error["param"], "budget_duration", "{path}: {error}");
            assert!(
                error["message"].as_str().is_some_and(|said| said.contains("write it like 30s")),
                "{error}"
            );
        }
    }
    // As LiteLLM has it.
    let made = rig.post("/key/generate", MASTER, json!({"budget_duration": "bad"})).await;
    assert_eq!(made.status, 200, "{}", made.text());
}

#[tokio::test]
async fn p19_a_key_is_rotated_once_and_its_old_text_tells_the_new_one() {
    let Some(url) = database().await else { return };
    let env =
        |rig: crate::rig::Builder| rig.env("DATABASE_URL", &url).env("LITELLM_SALT_KEY", "sk-salt-fake");
    let (one, two) = (env(Rig::config(CONFIG)).start().await, env(Rig::config(CONFIG)).start().await);
    let asked =
        json!({"auto_rotate": true, "rotation_interval": "3s", "key_alias": "robot", "max_budget": 9});
    let old = one.key(asked).await;
    let info = format!("/key/info?key={old}");
    assert!(one.get(&info, MASTER).await.json().get("rotated_key").is_none(), "not yet");
    let told = until(&one, &info, |info| info["rotated_key"].is_string()).await;
    assert_eq!(
        (&told["info"]["rotation_count"], &told["info"]["key_alias"]),
        (&json!(1), &json!("robot")),
        "once"
    );
    let new = told["rotated_key"].as_str().unwrap().to_owned();
    for (rig, key) in [(&one, &old), (&one, &new), (&two, &old), (&two, &new)] {
        let answer = rig.post("/v1/chat/completions", key, chat("gpt-4o", "hi")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let own = two.get(&info, &old).await.json();
    assert_eq!(own["rotated_key"], json!(new), "who has the old one may ask with it");
    let off = one.post("/key/update", MASTER, json!({"key": new, "auto_rotate": false})).await.json();
    assert!(off["key_rotation_at"].is_null(), "{off}");
    let hash = told["info"]["token"].as_str().map(str::to_owned);
    let by_hash = one.get(&format!("/key/info?key={}", hash.unwrap_or_default()), MASTER).await.text();
    assert!(!by_hash.contains(&new), "a hash is no proof: {by_hash}");
    assert!(!one.log().contains(&new) && !two.log().contains(&new), "the log does not hold it");
}
