//! Virtual keys: made, shown, deleted.

use crate::rig::{MASTER, Rig, entry, record};
use serde_json::{Value, json};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::KeyRecord;
use weir_core::domain::money::NanoUsd;
use weir_core::time;

#[tokio::test]
async fn a_new_key_is_random_url_safe_and_stored_as_its_hash() {
    let rig = Rig::new();
    let (one, other) = (rig.key(&json!({})).await, rig.key(&json!({})).await);
    assert_ne!(one, other);
    let secret = one.strip_prefix("sk-").unwrap();
    assert_eq!(secret.len(), 22);
    assert!(secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{secret}");
    let stored = rig.memory.stored(&one).unwrap();
    assert_eq!(stored.masked, format!("sk-...{}", &one[one.len() - 4..]));
    assert!(!format!("{stored:?}").contains(secret));
    assert!(rig.memory.forgot(&one), "the cache may hold it as unknown");
}

#[tokio::test]
async fn what_was_asked_is_kept_and_told() {
    let rig = Rig::new();
    let body = r#"{"key_alias": "a", "models": ["gpt-4o", "openai/*"], "duration": "1h", "user_id": "u", "team_id": "t",
        "metadata": {"n": 18446744073709551616.10, "o": {}}, "max_budget": 0.1, "blocked": true, "tpm_limit": 5,
        "guardrails": ["g"], "no_such_field": 1}"#;
    let answer = rig.call("POST", "/key/generate", MASTER, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let told = answer.json();
    assert_eq!((&told["tpm_limit"], &told["guardrails"]), (&json!(5), &json!(["g"])));
    assert!(told.get("no_such_field").is_none());
    let stored = rig.memory.stored(told["key"].as_str().unwrap()).unwrap();
    assert_eq!(stored.models, ["gpt-4o", "openai/*"]);
    assert_eq!(
        (stored.alias.as_deref(), stored.user_id.as_deref(), stored.team_id.as_deref()),
        (Some("a"), Some("u"), Some("t"))
    );
    assert_eq!(stored.metadata, r#"{"guardrails":["g"],"n":18446744073709551616.10,"o":{}}"#);
    let kept = rig.memory.kept::<KeyRecord>(&stored.hash.hex()).unwrap();
    assert_eq!(kept.created_by.as_deref(), Some("default_user_id"));
    assert!(stored.blocked);
    let left = stored.expires_at.unwrap().since(time::now());
    assert!((3_500_000_000..=3_600_000_000).contains(&left), "{left}");
}

#[tokio::test]
async fn a_budget_is_kept_to_the_last_digit() {
    let rig = Rig::new();
    for (sent, nano, told) in [
        ("0.1", 100_000_000, "0.1"),
        ("0.000000001", 1, "0.000000001"),
        ("9007199254.740993", 9_007_199_254_740_993_000, "9007199254.740993"),
        ("1e-3", 1_000_000, "0.001"),
        ("\"50\"", 50_000_000_000, "50"),
        ("0", 0, "0"),
    ] {
        let answer = rig.call("POST", "/key/generate", MASTER, &format!(r#"{{"max_budget": {sent}}}"#)).await;
        assert!(answer.text.contains(&format!(r#""max_budget":{told},"#)), "{sent}: {}", answer.text);
        let key = answer.json()["key"].as_str().unwrap().to_owned();
        assert_eq!(rig.memory.stored(&key).unwrap().limits.max_budget, Some(NanoUsd(nano)), "{sent}");
        let info = rig.get(&format!("/key/info?key={key}")).await;
        assert!(info.text.contains(&format!(r#""max_budget":{told},"#)), "{sent}: {}", info.text);
    }
}

#[tokio::test]
async fn what_cannot_be_made_is_refused() {
    let rig = Rig::new();
    rig.key(&json!({"key_alias": "taken"})).await;
    let before = rig.memory.calls();
    for (body, status, says) in [
        (r#"{"key": "notsk"}"#, 400, "must start with 'sk-'"),
        (r#"{"key": "sk-with space"}"#, 400, "printable ASCII"),
        (r#"{"key": "sk-\u00e4"}"#, 400, "printable ASCII"),
        (r#"{"max_budget": -1}"#, 400, "max_budget cannot be negative"),
        (r#"{"max_budget": 1e10}"#, 422, "too large"),
        (r#"{"models": "gpt-4o"}"#, 422, "valid list"),
        (r#"{"metadata": "{}"}"#, 422, "valid dictionary"),
        (r#"{"duration": "1y"}"#, 500, "Unsupported duration unit, passed duration: 1y"),
        (r#"{"duration": "soon"}"#, 500, "Invalid duration format"),
        (r#"{"duration": 30}"#, 422, "valid string"),
        (r#"{"key_type": "god"}"#, 422, "'llm_api', 'management'"),
        ("[]", 422, "valid dictionary"),
        ("{\"a\"", 422, "JSON decode error"),
    ] {
        let answer = rig.call("POST", "/key/generate", MASTER, body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
        assert!(answer.text.contains(says), "{body}: {}", answer.text);
    }
    assert_eq!(rig.memory.calls(), before, "nothing reached the ledger");
    let long = format!(r#"{{"metadata": {{"a": "{}"}}}}"#, "x".repeat(300_000));
    let answer = rig.call("POST", "/key/generate", MASTER, &long).await;
    assert_eq!(
        (answer.status, answer.json()["error"]["type"].as_str()),
        (413, Some("invalid_request_error"))
    );
    let answer = rig.post("/key/generate", &json!({"key_alias": "taken"})).await;
    assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &json!("key_alias")));
}

#[tokio::test]
async fn a_chosen_key_that_exists_is_told_as_it_is() {
    let rig = Rig::new();
    let key = rig.key(&json!({"key": "sk-my-own-key-000", "key_alias": "mine", "max_budget": 1})).await;
    let again = rig.post("/key/generate", &json!({"key": key, "max_budget": 1000})).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!((&again.json()["key_alias"], &again.json()["max_budget"]), (&json!("mine"), &json!(1)));
    assert_eq!(rig.memory.stored(&key).unwrap().limits.max_budget, Some(NanoUsd(1_000_000_000)));
    for (alias, param) in [("mine", "key_alias"), ("another", "key")] {
        let answer = rig.post("/key/generate", &json!({"key": key, "key_alias": alias})).await;
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &json!(param)));
    }
}

#[tokio::test]
async fn a_key_sees_itself_and_its_users_keys_only() {
    let rig = Rig::new();
    let of = |key: &str, user: Option<&str>| KeyRecord { user_id: user.map(str::to_owned), ..record(key) };
    for (key, user) in
        [("sk-alice-one", Some("alice")), ("sk-alice-two", Some("alice")), ("sk-bob-one", Some("bob"))]
    {
        rig.memory.put(&of(key, user));
    }
    rig.memory.put(&of("sk-nobody-one", None));
    rig.memory.put(&of("sk-nobody-two", None));
    for (caller, asked, status) in [
        ("sk-alice-one", "", 200),
        ("sk-alice-one", "?key=sk-alice-one", 200),
        ("sk-alice-one", "?key=sk-alice-two", 200),
        ("sk-alice-one", "?key=sk-bob-one", 403),
        ("sk-nobody-one", "?key=sk-nobody-two", 403),
        ("sk-nobody-one", "?key=", 200),
        ("sk-alice-one", "?key=sk-none", 404),
        (MASTER, "?key=sk-nobody-two", 200),
        (MASTER, "", 404),
    ] {
        let answer = rig.call("GET", &format!("/key/info{asked}"), caller, "").await;
        assert_eq!(answer.status, status, "{caller} {asked}: {}", answer.text);
    }
    let own = rig.call("GET", "/key/info", "sk-alice-one", "").await.json();
    assert_eq!(own["key"], json!(KeyHash::of("sk-alice-one").hex()));
}

#[tokio::test]
async fn info_tells_what_was_spent() {
    let rig = Rig::new();
    rig.memory.put(&record("sk-spender"));
    rig.memory.book(entry(time::now(), 97_500));
    rig.memory.book(entry(time::now(), 1));
    let info = rig.get("/key/info?key=sk-spender").await;
    assert!(info.text.contains(r#""spend":0.000097501,"#), "{}", info.text);
}

/// Logs show the hash that an entry was booked under.
#[tokio::test]
async fn a_former_hash_finds_the_key_as_it_is_now_for_whoever_may_see_it() {
    let rig = Rig::new();
    let of = |key: &str, user: &str| KeyRecord { user_id: Some(user.to_owned()), ..record(key) };
    rig.memory.put(&of("sk-alice-one", "alice"));
    rig.memory.put(&of("sk-alice-two", "alice"));
    rig.memory.put(&of("sk-bob-one", "bob"));
    let rotate = async |key: &str| {
        let answer = rig.post("/key/regenerate", &json!({ "key": key })).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    let first = KeyHash::of("sk-alice-one").hex();
    let second = rotate(&first).await;
    let current = rotate(&second).await;
    for former in [&first, &second] {
        let told = rig.get(&format!("/key/info?key={former}")).await.json();
        assert_eq!(told["key"], json!(current), "by the hash that it has now: {told}");
        assert_eq!(told["info"]["rotation_count"], 2, "{told}");
        assert!(told.get("rotated_key").is_none(), "a hash is no proof: {told}");
        let own = rig.call("GET", &format!("/key/info?key={former}"), "sk-alice-two", "").await;
        assert_eq!((own.status, &own.json()["key"]), (200, &json!(current)), "{}", own.text);
        let other = rig.call("GET", &format!("/key/info?key={former}"), "sk-bob-one", "").await;
        assert_eq!(other.status, 403, "{}", other.text);
    }
    assert_eq!(rig.get("/key/info?key=sk-alice-one").await.status, 404, "its text is no key any more");
    rig.post("/key/delete", &json!({ "keys": [current] })).await;
    assert_eq!(rig.get(&format!("/key/info?key={first}")).await.status, 404, "nor is that of a deleted one");
}

#[tokio::test]
async fn deleted_keys_are_gone_here_at_once() {
    let rig = Rig::new();
    let key = rig.key(&json!({})).await;
    let hashed = rig.key(&json!({})).await;
    let aliased = rig.key(&json!({"key_alias": "al"})).await;
    let hash = KeyHash::of(&hashed).hex();
    let body = json!({"keys": [key, hash, "sk-none"], "key_aliases": ["al"]});
    let answer = rig.post("/key/delete", &body).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"deleted_keys": [key, hash, "al"]})));
    for key in [&key, &hashed, &aliased] {
        assert!(rig.memory.stored(key).is_none() && rig.memory.forgot(key));
        assert_eq!(rig.call("GET", "/key/info", key, "").await.status, 401);
    }
    let again = rig.post("/key/delete", &body).await;
    assert_eq!(
        (again.status, &again.json()["error"]["message"]),
        (404, &json!("{'error': 'No keys found'}"))
    );
}

#[tokio::test]
async fn an_alias_that_was_not_there_is_not_told_as_deleted() {
    let rig = Rig::new();
    rig.key(&json!({"key_alias": "al"})).await;
    let answer = rig.post("/key/delete", &json!({"key_aliases": ["al", "none"]})).await;
    assert_eq!(answer.json(), json!({"deleted_keys": ["al"]}));
}

#[tokio::test]
async fn a_deletion_names_between_one_and_a_thousand_keys() {
    let rig = Rig::new();
    let many = vec!["sk-x"; 1_001];
    for body in
        [json!({}), json!({"keys": []}), json!({"keys": null, "key_aliases": null}), json!({"keys": many})]
    {
        let answer = rig.post("/key/delete", &body).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
    }
}

#[tokio::test]
async fn p35_no_answer_tells_a_key_but_the_one_that_made_it() {
    let rig = Rig::new();
    let secret = "MARKED-secret-of-a-key";
    let key = format!("sk-{secret}");
    rig.post("/key/generate", &json!({"key": key, "key_alias": "marked", "user_id": "u"})).await;
    let other = rig.key(&json!({"user_id": "u"})).await;
    let hash = KeyHash::of(&key).hex();
    let mut told = Vec::new();
    for body in wrong_bodies(&key) {
        told.push(rig.call("POST", "/key/generate", MASTER, &body).await);
        told.push(rig.call("POST", "/key/delete", MASTER, &body).await);
        told.push(rig.call("POST", "/key/generate", &key, &body).await);
    }
    rig.post("/key/generate", &json!({"key": key, "key_alias": "marked"})).await;
    for path in
        ["/key/info".to_owned(), format!("/key/info?key={hash}"), format!("/spend/logs?api_key={key}")]
    {
        told.push(rig.call("GET", &path, &key, "").await);
        told.push(rig.call("GET", &path, &other, "").await);
        told.push(rig.call("GET", &path, MASTER, "").await);
    }
    told.push(rig.get(&format!("/spend/logs?limit={key}")).await);
    told.push(rig.get(&format!("/key/info?key={key}x")).await);
    told.push(rig.call("GET", "/key/info", &format!("{key}x"), "").await);
    told.push(rig.call("GET", "/key/info", secret, "").await);
    for answer in told {
        assert!(!answer.text.contains("MARKED-secret"), "{}", answer.text);
    }
}

/// Bodies that hold a key where none belongs, or in a wrong shape.
fn wrong_bodies(key: &str) -> Vec<String> {
    let secret = &key[3..];
    let bodies: [Value; 8] = [
        json!({"key": [key]}),
        json!({"key": {"a": secret}}),
        json!({"key": secret}),
        json!({"keys": key, "max_budget": format!("Bearer {key}")}),
        json!({"keys": [[key]], "metadata": key}),
        json!({"keys": [5], "models": {key: key}}),
        json!([key]),
        json!(key),
    ];
    bodies
        .iter()
        .map(Value::to_string)
        .chain([format!(r#"{{"key": "{key}""#), format!("{{{key}}}")])
        .collect()
}

#[tokio::test]
async fn p16_a_budget_is_raised_for_a_while_and_both_fields_belong_together() {
    let rig = Rig::new();
    let key = rig.key(&json!({ "max_budget": 1, "metadata": { "kept": true } })).await;
    let raised = json!({ "key": key, "temp_budget_increase": "0.5", "temp_budget_expiry": "2030-01-02" });
    let answer = rig.post("/key/update", &raised).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let told = json!({ "kept": true, "temp_budget_increase": 0.5,
        "temp_budget_expiry": "2030-01-02T00:00:00.000000Z" });
    assert_eq!(answer.json()["metadata"], told);
    for (field, value, status, says) in [
        ("temp_budget_increase", json!(3), 422, "must be set together"),
        ("temp_budget_expiry", json!("2030-01-01"), 422, "must be set together"),
        ("temp_budget_expiry", json!(7), 422, "valid datetime"),
    ] {
        let answer = rig.post("/key/update", &json!({ "key": key, field: value })).await;
        assert!(answer.status == status && answer.text.contains(says), "{field}: {}", answer.text);
    }
    for (increase, expiry, status) in [(json!(1), "soon", 422), (json!(-1), "2030-01-01", 400)] {
        let body = json!({ "key": key, "temp_budget_increase": increase, "temp_budget_expiry": expiry });
        assert_eq!(rig.post("/key/update", &body).await.status, status, "{body}");
    }
    let ended = json!({ "key": key, "temp_budget_increase": null, "temp_budget_expiry": null });
    assert_eq!(rig.post("/key/update", &ended).await.json()["metadata"], json!({ "kept": true }));
}

#[tokio::test]
async fn a_new_text_may_come_with_another_type_of_key_and_never_with_a_new_master() {
    let rig = Rig::new();
    let key = rig.key(&json!({ "key_type": "llm_api", "allowed_routes": ["/key/info"] })).await;
    let changed = rig.post("/key/regenerate", &json!({ "key": key, "key_type": "read_only" })).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.json()["allowed_routes"], json!(["/key/info", "info_routes"]));
    let key = changed.json()["key"].clone();
    let changed = rig.post("/key/regenerate", &json!({ "key": key, "key_type": "default" })).await;
    assert_eq!(changed.json()["allowed_routes"], json!(["/key/info"]), "{}", changed.text);
    let body = json!({ "key": MASTER, "new_master_key": "sk-new-master-0000" });
    let refused = rig.post("/key/regenerate", &body).await;
    assert!(refused.status == 400 && refused.text.contains("weir reseal"), "{}", refused.text);
    assert!(!refused.text.contains("sk-new-master-0000"), "{}", refused.text);
}
