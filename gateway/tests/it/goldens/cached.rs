//! The recorded requests to a LiteLLM that caches answers, asked again in their order. Which of them reach the provider, and
//! with whose id they are answered, must be the same.

use super::{cases, priced, shared};
use crate::client::Answer;
use crate::rig::Rig;
use serde_json::Value;
use std::collections::HashMap;
use std::time::Duration;
use weir_bench::mock::Provider;

const FILE: &str = "router_cache.json";
/// What follows is about routing.
const LAST: &str = "cache_after_flush";
const MORE: &str = "readiness_cache";

/// (case, aspect, why)
static DIFFERENCES: &[(&str, &str, &str)] = &[
    ("cache_hit_second", COST, "P10: a hit costs nothing, and its head says so"),
    ("cache_control_header", COST, "as above"),
    ("cache_after_flush", COST, "as above"),
    ("embedding_cache_2", "usage", "the answer that was cached, not tokens that were counted anew"),
    ("embedding_cache_partial", "usage", "the whole request is asked for, and is what is told"),
    ("embedding_cache_partial", "data", "LiteLLM gives the first vector for the second text"),
    ("messages_cache_1", "usage", "Anthropic's usage has no total"),
    ("messages_cache_2", "usage", "as above"),
    ("cache_delete", "status", "answers in memory can be deleted"),
    ("cache_flushall", "status", "and flushed"),
    ("cache_after_flush", "id", "so this one is asked for again"),
    ("cache_after_flush", "seen", "as above"),
    ("cache_after_flush", KEY, "as above"),
    ("cache_stream_second", KEY, "told of streams too: by it the answer can be deleted"),
    ("embedding_cache_2", KEY, "as above, of embeddings"),
];

const COST: &str = "x-litellm-response-cost";
const KEY: &str = "x-litellm-cache-key";

/// Heads that are compared; of the last two only whether they say something.
static HEADERS: &[&str] = &["x-litellm-model-group", "x-litellm-attempted-retries", COST, KEY];

fn differs(case: &str, aspect: &str) -> bool {
    DIFFERENCES.iter().any(|(name, what, _)| *name == case && *what == aspect)
}

#[tokio::test]
async fn goldens_of_the_cache_agree() {
    let (Some(folder), Some(all)) = (shared(), cases(FILE)) else { return };
    let config = std::fs::read_to_string(folder.join("configs/router.yaml")).unwrap();
    let config =
        config.replace("http://127.0.0.1:9100", "MOCK").replace("os.environ/LITELLM_MASTER_KEY", "sk-1234");
    let rig = Rig::config(&priced(config)).over(Provider::new()).await;
    let end = all.iter().position(|case| case["name"] == LAST).unwrap();
    let more = all.iter().filter(|case| case["name"] == MORE);
    let (mut ids, mut wrong) = (Ids::default(), Vec::new());
    for case in all[..=end].iter().chain(more) {
        let name = case["name"].as_str().unwrap();
        if name == "cache_ttl_after" {
            tokio::time::sleep(Duration::from_millis(1_100)).await;
        }
        rig.mock.take_log();
        let answer = super::ask(&rig, &case["request"]).await;
        let seen = rig.mock.take_log().len();
        wrong.extend(compare(case, &answer, seen, &mut ids).into_iter().map(|w| format!("{name}: {w}")));
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

/// Which id of ours stands for which of theirs: an answer that was given before has the id that it had then.
#[derive(Default)]
struct Ids(HashMap<String, String>);

impl Ids {
    fn agree(&mut self, theirs: &str, ours: &str) -> bool {
        let known = self.0.get(theirs);
        match known {
            Some(known) => known == ours,
            None => {
                let new = self.0.values().all(|known| known != ours);
                self.0.insert(theirs.to_owned(), ours.to_owned());
                new
            }
        }
    }
}

fn compare(case: &Value, answer: &Answer, seen: usize, ids: &mut Ids) -> Vec<String> {
    let (name, expected) = (case["name"].as_str().unwrap(), &case["response"]);
    let mut wrong = Vec::new();
    let mut say = |aspect: &str, same: bool, told: String| {
        if !same && !differs(name, aspect) {
            wrong.push(format!("{aspect}: {told}"));
        }
    };
    say("status", expected["status"] == answer.status, format!("{}: {}", answer.status, answer.text()));
    let asked = case["upstream_received"].as_array().map_or(0, Vec::len);
    say("seen", seen == asked, format!("{seen} requests upstream instead of {asked}"));
    if let Some((theirs, ours)) = first_id(expected).zip(id(answer)) {
        say("id", ids.agree(&theirs, &ours), format!("{ours} for {theirs}"));
    }
    for header in HEADERS {
        let (want, got) = (expected["headers"][*header].as_str().unwrap_or_default(), answer.header(header));
        let same = match *header {
            KEY => want.len() == got.len(),
            // Which of two deployments answers, at its own price, is chance.
            COST => want.is_empty() || got.parse::<f64>().is_ok_and(|cost| cost > 0.0),
            _ => want.is_empty() || want == got,
        };
        say(header, same, format!("{got:?} instead of {want:?}"));
    }
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    for member in ["usage", "data", "litellm_cache_params", "cache", "cache_type", "detail"] {
        let (want, got) = (meant(&expected["body"][member]), meant(&body[member]));
        let same = want.is_null() || differs(name, "status") || covers(&want, &got);
        say(member, same, format!("{got} instead of {want}"));
    }
    wrong
}

/// JSON inside of a text, however it is spaced.
fn meant(value: &Value) -> Value {
    let inner: Option<Value> = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    super::told::clean(inner.as_ref().filter(|inner| inner.is_object()).unwrap_or(value))
}

/// All that is wanted is there; zeros and nothing are the same.
fn covers(want: &Value, got: &Value) -> bool {
    match (want, got) {
        (Value::Object(want), got) => want.iter().all(|(name, want)| covers(want, &got[name.as_str()])),
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(want, got)| covers(want, got))
        }
        (want, Value::Null) => want.as_f64() == Some(0.0),
        (want, got) => want == got,
    }
}

fn first_id(expected: &Value) -> Option<String> {
    let of_body = expected["body"]["id"].as_str().map(str::to_owned);
    let lines = expected["sse_lines"].as_array().into_iter().flatten().filter_map(Value::as_str);
    of_body.or_else(|| lines.filter_map(id_of_line).next())
}

fn id(answer: &Answer) -> Option<String> {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let of_body = body.and_then(|body| body["id"].as_str().map(str::to_owned));
    of_body.or_else(|| answer.text().lines().filter_map(id_of_line).next())
}

fn id_of_line(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
    event["id"].as_str().map(str::to_owned)
}
