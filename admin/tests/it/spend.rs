//! What was booked, listed and summed.

use crate::rig::{Answer, Rig, entry};
use serde_json::{Value, json};
use weir_core::domain::ids::KeyHash;
use weir_core::domain::spend::{Entry, Status};
use weir_core::domain::usage::{Usage, UsageSource};
use weir_core::time::Micros;

/// 2026-11-25T00:00:00Z
const START: i64 = 1_795_564_800_000_000;
const DAY: i64 = 86_400_000_000;

fn costs(answer: &Answer) -> Vec<f64> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let rows = answer.json().as_array().cloned().unwrap_or_default();
    rows.iter().map(|row| row["spend"].as_f64().unwrap_or(-1.0)).collect()
}

/// Four entries on three days, costing 1, 2, 3 and 4 dollars.
fn booked() -> Rig {
    let rig = Rig::new();
    let dollars = |n: i64| n * 1_000_000_000;
    rig.memory.book(entry(Micros(START), dollars(1)));
    rig.memory.book(Entry { user_id: None, ..entry(Micros(START + DAY - 1), dollars(2)) });
    rig.memory.book(Entry { team_id: Some("t2".to_owned()), ..entry(Micros(START + DAY), dollars(3)) });
    let last = Entry {
        key_hash: Some(KeyHash::of("sk-other")),
        call_id: "mine".to_owned(),
        ..entry(Micros(START + 3 * DAY), dollars(4))
    };
    rig.memory.book(Entry { provider_id: None, ..last });
    rig
}

#[tokio::test]
async fn entries_are_listed_newest_first_and_filtered() {
    let rig = booked();
    let other = KeyHash::of("sk-other").hex();
    for (query, wanted) in [
        ("", vec![4.0, 3.0, 2.0, 1.0]),
        ("?limit=1", vec![4.0]),
        ("?limit=3&page=2", vec![1.0]),
        ("?limit=3&page=9", vec![]),
        ("?limit=4294967295&page=4294967295", vec![]),
        ("?api_key=sk-other", vec![4.0]),
        (&format!("?api_key={other}"), vec![4.0]),
        ("?api_key=sk-xxx", vec![]),
        ("?user_id=u1&team_id=t2", vec![3.0]),
        ("?team_id=", vec![4.0, 3.0, 2.0, 1.0]),
        ("?request_id=mine", vec![4.0]),
        ("?start_date=2026-11-26", vec![4.0, 3.0]),
        ("?end_date=2026-11-25", vec![2.0, 1.0]),
        ("?start_date=2026-11-25&end_date=2026-11-25&summarize=false", vec![2.0, 1.0]),
        ("?start_date=2026-11-25&end_date=2026-11-26%2000:00:00&summarize=False", vec![2.0, 1.0]),
        ("?start_date=2026-11-25T12:00:00Z&end_date=2026-11-28&summarize=0", vec![4.0, 3.0, 2.0]),
        ("?unknown=1", vec![4.0, 3.0, 2.0, 1.0]),
    ] {
        assert_eq!(costs(&rig.get(&format!("/spend/logs{query}")).await), wanted, "{query}");
    }
}

#[tokio::test]
async fn a_bill_is_whole_or_refused() {
    let rig = Rig::new();
    let dates = "start_date=2026-11-01&end_date=2026-11-30";
    for path in ["/global/spend/report", "/user/daily/activity"] {
        rig.memory.sum_to(99_999);
        assert_eq!(rig.get(&format!("{path}?{dates}")).await.status, 200, "{path}");
        rig.memory.sum_to(1_000_000);
        let answer = rig.get(&format!("{path}?{dates}")).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.text.contains("Ask for fewer days"), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_narrowed_so_says_so() {
    let rig = Rig::new();
    for (query, status) in [
        ("group_by=tag&team_id=t", 400),
        ("group_by=team&customer_id=c", 400),
        ("group_by=customer&customer_id=c", 200),
        ("group_by=tag&api_key=sk-a", 200),
        ("group_by=model&provider=p&organization_id=o", 200),
        ("group_by=tag&tag=a&model=m", 200),
        ("group_by=model&tag=a", 400),
        ("group_by=model&model=m&format=focus", 200),
        ("group_by=customer&customer_id=c&format=focus", 400),
        ("group_by=moon", 400),
    ] {
        let path = format!("/global/spend/report?start_date=2026-11-01&end_date=2026-11-30&{query}");
        assert_eq!(rig.get(&path).await.status, status, "{query}");
    }
}

#[tokio::test]
async fn who_sets_spend_back_is_written_down() {
    let rig = Rig::new();
    assert_eq!(rig.post("/global/spend/reset", &json!({})).await.status, 200);
    let audited = rig.memory.audited();
    let told: Vec<_> = audited.iter().map(|e| (e.action, e.object_id.as_str(), e.after.as_str())).collect();
    assert_eq!(told, vec![("spend_set", "*", r#"{"spend":0}"#); 3]);
}

#[tokio::test]
async fn a_query_that_does_not_fit_is_told_where() {
    let rig = Rig::new();
    for (query, status, says) in [
        ("limit=x", 422, r#""loc":["query","limit"]"#),
        ("limit=0", 422, "greater_than_equal"),
        ("page=-1", 422, r#""loc":["query","page"]"#),
        ("start_date=2026-11-25&end_date=2026-11-25&summarize=perhaps", 422, "bool_parsing"),
        ("start_date=bad&end_date=bad", 400, "time data 'bad' does not match format '%Y-%m-%d'"),
        ("end_date=2026-02-30", 400, "does not match"),
    ] {
        let answer = rig.get(&format!("/spend/logs?{query}")).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text);
        assert!(answer.text.contains(says), "{query}: {}", answer.text);
    }
}

#[tokio::test]
async fn days_are_summed_by_user_model_and_key() {
    let rig = booked();
    let answer = rig.get("/spend/logs?start_date=2026-11-24&end_date=2026-11-29").await;
    let spender = KeyHash::of("sk-spender").hex();
    let other = KeyHash::of("sk-other").hex();
    let days = json!([
        {"users": {"": 2, "u1": 1}, "models": {"openai/gpt-4o": 3}, "spend": 3, &spender: 3, "startTime": "2026-11-25"},
        {"users": {"u1": 3}, "models": {"openai/gpt-4o": 3}, "spend": 3, &spender: 3, "startTime": "2026-11-26"},
        {"users": {"u1": 4}, "models": {"openai/gpt-4o": 4}, "spend": 4, &other: 4, "startTime": "2026-11-28"},
        {"users": {}, "models": {}, "spend": 0, "startTime": "2026-11-29"},
    ]);
    assert_eq!(answer.json(), days);
    let none = rig.get("/spend/logs?start_date=2020-01-01&end_date=2020-01-05").await;
    assert_eq!(none.json(), json!([]));
    let far = rig.get("/spend/logs?start_date=2026-11-25&end_date=9998-12-31").await;
    assert!(far.json().as_array().unwrap().len() < 4_000);
}

#[tokio::test]
async fn a_sum_counts_every_entry_once_however_many_there_are() {
    let rig = Rig::new();
    // Several pages, with many entries in the same microsecond at their edges.
    for index in 0..4_321 {
        rig.memory.book(entry(Micros(START + index / 7 * 10), 1));
    }
    let answer = rig.get("/spend/logs?start_date=2026-11-25&end_date=2026-11-25").await;
    assert!(answer.text.contains(r#""spend":0.000004321,"#), "{}", answer.text);
    let crowd = Rig::new();
    (0..2_500).for_each(|_| crowd.memory.book(entry(Micros(START), 1)));
    let answer = crowd.get("/spend/logs?start_date=2026-11-25&end_date=2026-11-25").await;
    assert_eq!(answer.status, 400, "a partial sum is not told: {}", answer.text);
}

#[tokio::test]
async fn money_is_exact_text() {
    let rig = Rig::new();
    rig.memory.book(entry(Micros(START), 97_500));
    rig.memory.book(entry(Micros(START), 9_007_199_254_740_993));
    let logs = rig.get("/spend/logs").await.text;
    assert!(
        logs.contains(r#""spend":0.0000975,"#) && logs.contains(r#""spend":9007199.254740993,"#),
        "{logs}"
    );
    let global = rig.get("/global/spend").await.text;
    assert_eq!(global, r#"{"spend":9007199.254838493,"max_budget":0.0}"#);
}

#[tokio::test]
async fn a_row_explains_itself() {
    let rig = Rig::new();
    let usage =
        Usage { input: 100, output: 7, cache_read: 60, cache_write: 20, reasoning: 3, ..Usage::default() };
    let metadata = r#"{"purpose": "test"}"#.to_owned();
    let usage = usage.served_at(Some("priority"));
    rig.memory.book(Entry { usage, metadata, unpriced: true, stream: true, ..entry(Micros(START), 0) });
    let row = rig.get("/spend/logs").await.json()[0].clone();
    assert_eq!(row["request_id"], "chatcmpl-1");
    assert_eq!(row["api_key"], json!(KeyHash::of("sk-spender").hex()));
    assert_eq!((&row["total_tokens"], &row["cache_hit"]), (&json!(107), &json!("False")));
    let about = &row["metadata"];
    assert_eq!(about["usage_object"]["prompt_tokens_details"]["cached_tokens"], 60);
    assert_eq!(about["usage_object"]["cache_creation_input_tokens"], 20);
    assert_eq!(about["additional_usage_values"]["completion_tokens_details"]["reasoning_tokens"], 3);
    assert_eq!(about["requester_metadata"], json!({"purpose": "test"}));
    let weir = &about["weir"];
    assert_eq!(
        (&weir["usage_source"], &weir["unpriced"], &weir["price_version"]),
        (&json!("reported"), &json!(true), &json!("2026-01"))
    );
    assert_eq!(weir["service_tier"], "priority");
    assert_eq!((&weir["status"], &weir["attempts"][0]["number"]), (&json!("success"), &json!(1)));
    assert_eq!(weir["entry_id"], row["session_id"]);
}

#[tokio::test]
async fn what_came_from_the_cache_is_told_apart() {
    let rig = Rig::new();
    for cache_hit in [false, true, true] {
        rig.memory.book(Entry { cache_hit, ..entry(weir_core::time::now(), 0) });
    }
    let rows = rig.get("/spend/logs").await.json();
    let told = |row: &Value| row["cache_hit"].as_str().unwrap().to_owned();
    let mut hits: Vec<String> = rows.as_array().unwrap().iter().map(told).collect();
    hits.sort();
    assert_eq!(hits, ["None", "True", "True"]);
}

#[tokio::test]
async fn every_end_but_success_is_a_failure_with_its_reason() {
    for (status, name) in
        [(Status::Failure, "failure"), (Status::Cancelled, "cancelled"), (Status::Interrupted, "interrupted")]
    {
        let rig = Rig::new();
        rig.memory.book(Entry {
            status,
            http_status: 429,
            error: "RateLimitError".to_owned(),
            error_message: "slow down".to_owned(),
            usage: Usage::default(),
            usage_source: UsageSource::None,
            provider_id: None,
            model: String::new(),
            provider: String::new(),
            ..entry(Micros(START), 0)
        });
        let row = rig.get("/spend/logs").await.json()[0].clone();
        assert_eq!((&row["status"], &row["metadata"]["weir"]["status"]), (&json!("failure"), &json!(name)));
        assert_eq!((&row["request_id"], &row["model"]), (&json!("call-1"), &json!("gpt-4o")));
        assert_eq!(
            (&row["metadata"]["usage_object"], &row["metadata"]["status"]),
            (&Value::Null, &json!("failure"))
        );
        let error = &row["metadata"]["error_information"];
        assert_eq!((&error["error_class"], &error["error_code"]), (&json!("RateLimitError"), &json!("429")));
        assert_eq!(error["error_message"], "slow down");
    }
}

#[tokio::test]
async fn entries_are_found_by_the_name_of_their_key_and_by_the_status_of_the_answer() {
    let rig = Rig::new();
    let robot = rig.key(&json!({ "key_alias": "robot" })).await;
    let of = |key: &str, http_status| Entry {
        key_hash: Some(KeyHash::of(key)),
        http_status,
        ..entry(Micros(START), 5)
    };
    for told in [of(&robot, 200), of(&robot, 429), of("sk-another-0000", 429)] {
        rig.memory.book(told);
    }
    let total = async |query: &str| rig.get(&format!("/spend/logs/v2?{query}")).await.json()["total"].clone();
    for (query, found) in [
        ("", 3),
        ("key_alias=robot", 2),
        ("key_alias=nobody", 0),
        ("error_code=429", 2),
        ("error_code=soon", 0),
        ("error_code=429&key_alias=robot", 1),
        ("api_key=sk-another-0000&key_alias=robot", 0),
    ] {
        assert_eq!(total(query).await, found, "{query}");
    }
    assert_eq!(rig.post("/key/delete", &json!({ "keys": [robot] })).await.status, 200);
    assert_eq!(total("key_alias=robot").await, 2, "also of a key that is gone");
}
