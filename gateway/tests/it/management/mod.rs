//! The management API against what was recorded of LiteLLM: whole files of calls, in their order, over one gateway with
//! its own ledger. What differs stands in `admin/COMPATIBILITY.md`, with its reason, and must differ.

mod compare;
mod listed;

use crate::client::{self, Answer};
use crate::rig::Rig;
use compare::{Names, differences, shapes};
use listed::Listed;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;
use weir_bench::mock::Provider;

/// Files of recordings in the order in which they were made, for they see what was made before, with their configuration.
static FILES: &[(&str, &[&str])] = &[
    ("db.yaml", &["db_guide_curls"]),
    ("db.yaml", &["db_keys", "db_teams", "db_users_roles", "db_customers_budgets_orgs_tags"]),
    ("db.yaml", &["db_spend_global"]),
    ("db.yaml", &["db_models_store"]),
];

/// Parts of paths whose answers are sums of calls that others made too: their fields are compared, and not their amounts.
static SUMS: &[&str] = &["/spend/", "/global/", "/daily/activity"];

/// A key that was made before a file's first call: after which case, and what was asked for.
static MADE: &[(&str, &str, &str)] = &[(
    "db_spend_global",
    "team",
    r#"{"key": "sk-5EKt9S-hp5od392qNRSa-w", "key_alias": "spend-key", "user_id": "spend-user", "max_budget": 50,
        "team_id": "8b7b742f-db70-40d0-b415-e26f4422b2ee"}"#,
)];

/// Longer than entries stay in the journal.
const BOOKED: Duration = Duration::from_millis(700);

/// Routes of recorded calls that are walked. The others' answers are other tests' business.
static ROOTS: &[&str] = &[
    "/key/",
    "/v2/key/",
    "/team/",
    "/v2/team/",
    "/user/",
    "/organization/",
    "/customer/",
    "/end_user/",
    "/budget/",
    "/tag/",
    "/audit",
    "/spend/",
    "/global/",
    "/model/",
    "/v1/model/info",
    "/v2/model/info",
    "/model_group/info",
    "/credentials",
    "/access_group/",
    "/config/",
    "/invitation/",
    "/cache/",
];

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("WEIR_SHARED").map_or(beside, PathBuf::from).join("compat/litellm-1.81");
    if folder.is_dir() {
        return Some(folder);
    }
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!ci, "recordings are needed in CI and {} is not there", folder.display());
    println!("skipped: no recordings at {}", folder.display());
    None
}

#[tokio::test]
async fn recorded_management_calls_agree() {
    let Some(folder) = shared() else { return };
    let listed = Listed::read();
    let (mut walked, mut wrong) = (0, Vec::new());
    for (config, files) in FILES {
        let config = std::fs::read_to_string(folder.join("configs").join(config)).unwrap();
        let rig = start(&config).await;
        let mut names = Names::default();
        for file in *files {
            let text = std::fs::read_to_string(folder.join(format!("goldens/{file}.json"))).unwrap();
            let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
            let sent = |case: &Value| !listed.unsent(file, case["name"].as_str().unwrap());
            let cases: Vec<Value> = cases.into_iter().filter(sent).collect();
            let told = walk(&rig, file, &cases, &mut names).await;
            walked += told.len();
            for (case, found) in told {
                wrong.extend(found.into_iter().filter_map(|what| listed.unknown(file, &case, what)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differences in {walked} calls:\n{}", wrong.len(), wrong.join("\n"));
    let vain = listed.vain();
    assert!(vain.is_empty(), "COMPATIBILITY.md lists what does not differ:\n{}", vain.join("\n"));
    println!("{walked} recorded calls agree");
}

async fn start(config: &str) -> Rig {
    let config = config.replace("http://127.0.0.1:9100", "MOCK");
    let env = [("LITELLM_MASTER_KEY", "sk-1234"), ("OPENAI_API_KEY", "sk-up-openai-env")];
    let builder = env.iter().fold(Rig::config(&config), |rig, (name, value)| rig.env(name, value));
    builder.over(Provider::new()).await
}

/// Sends all calls of a file; answers the differences of those that are compared.
async fn walk(rig: &Rig, file: &str, cases: &[Value], names: &mut Names) -> Vec<(String, Vec<String>)> {
    let mut told = Vec::new();
    let mut booked = true;
    for case in cases {
        let called = !ROOTS.iter().any(|root| case["request"]["path"].as_str().unwrap().starts_with(root));
        if !called && !booked {
            // What was called before is to be in the sums.
            tokio::time::sleep(BOOKED).await;
        }
        booked = !called;
        let answer = ask(rig, &case["request"], names).await;
        let theirs = &case["response"];
        let path = case["request"]["path"].as_str().unwrap();
        let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        let found = if theirs["status"] == answer.status {
            match SUMS.iter().any(|part| path.contains(part)) {
                true => shapes(&theirs["body"], &body, names),
                false => differences(&theirs["body"], &body, names),
            }
        } else {
            vec![format!("status {} is {}: {}", theirs["status"], answer.status, answer.text())]
        };
        for (_, _, body) in MADE.iter().filter(|(of, after, _)| *of == file && case["name"] == *after) {
            rig.post("/key/generate", "sk-1234", names.ours(body)).await;
        }
        if ROOTS.iter().any(|root| path.starts_with(root)) {
            told.push((case["name"].as_str().unwrap().to_owned(), found));
        }
    }
    told
}

async fn ask(rig: &Rig, request: &Value, names: &Names) -> Answer {
    let url = format!("{}{}", rig.url, names.ours(request["path"].as_str().unwrap()));
    let recorded = request["headers"].as_object().into_iter().flatten();
    let mut headers: Vec<(String, String)> =
        recorded.map(|(name, value)| (name.to_lowercase(), names.ours(value.as_str().unwrap()))).collect();
    let body = match &request["body"] {
        Value::Null => String::new(),
        body => names.ours(&body["__raw__"].as_str().map_or_else(|| body.to_string(), str::to_owned)),
    };
    if !headers.iter().any(|(name, _)| name == "content-type") && !body.is_empty() {
        headers.push(("content-type".into(), "application/json".into()));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    client::send(request["method"].as_str().unwrap(), &url, &headers, body).await
}
