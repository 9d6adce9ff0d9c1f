//! The recorded requests of fallbacks, retries, cooldowns and lookups of models, asked again in their order. Compared is what
//! routing decides: status, who was asked, who answered and after what, and how an error is typed. Which of two equal
//! deployments was drawn is chance, and so is not.

use super::{ask, cases, priced, shared};
use crate::client::Answer;
use crate::rig::Rig;
use serde_json::Value;
use weir_bench::mock::Provider;

/// Cases that follow from each other and so share a gateway, by their names; what else is set for them.
struct Run {
    file: &'static str,
    config: &'static str,
    cases: &'static [&'static str],
    more: (&'static str, &'static str),
}

const ROUTER: &str = "router_cache.json";
const NOT_COOLED: (&str, &str) = ("allowed_fails: 1", "disable_cooldowns: true");
const AS_IT_IS: (&str, &str) = ("", "");

const fn router(cases: &'static [&'static str], more: (&'static str, &'static str)) -> Run {
    Run { file: ROUTER, config: "router.yaml", cases, more }
}

/// The recorder let time pass between these, so that what had failed before was forgotten.
static RUNS: &[Run] = &[
    Run { file: "fallbacks_by_error.json", config: "fb.yaml", cases: &[], more: AS_IT_IS },
    router(&["drop_params", "fallback_", "default_fallbacks", "request_fallbacks"], NOT_COOLED),
    router(&["retry_flaky_2", "half_dead", "alias_", "wild_", "by_model_id"], NOT_COOLED),
    router(&["retry_flaky_1", "retry_429", "retry_4", "retry_500"], AS_IT_IS),
    router(&["cooldown_solo"], AS_IT_IS),
    router(&["cooldown_429_two", "cooldown_two_next"], AS_IT_IS),
    router(&["cooldown_two_404"], AS_IT_IS),
    router(&["cooldown_two_408"], AS_IT_IS),
    router(&["deployment_rpm"], AS_IT_IS),
];

/// (case, what, why): `all` is not asked at all.
static DIFFERENCES: &[(&str, &str, &str)] = &[
    ("solo_to_backup_on_422", "asked", "an ordinary fallback; LiteLLM asks again and answers null"),
    ("context_window_fallback", "type", "the provider's own type is passed on"),
    ("context_window_no_fallback", "type", "as above"),
    (
        "fallback_chain_second_ok",
        FALLBACKS,
        "each group that was asked counts; LiteLLM counts the outer list's",
    ),
    ("fallback_embeddings", "type", "the provider's own type is passed on"),
    ("default_fallbacks_unlisted", "type", "as above"),
    ("cooldown_solo", "type", "as above"),
    ("cooldown_two_404", "type", "as above"),
    ("fallback_embeddings", "status", "P28: the last error is the one told"),
    ("fallback_on_400", "asked", "a caller's fault is not tried again"),
    ("fallback_all_fail", "asked", "as above"),
    ("fallback_on_429", "all", "what was asked is not whole in the recording"),
    ("fallback_get", "all", "of the management API"),
    ("half_dead", RETRIES, "the dead one is not asked again while another lives; which is first is chance"),
    ("half_dead", MOST, "as above"),
    ("cooldown_two_408", "status", "P28: the provider's own status is passed on"),
    ("cooldown_two_408", "type", "as above"),
];

const RETRIES: &str = "x-litellm-attempted-retries";
const MOST: &str = "x-litellm-max-retries";
const FALLBACKS: &str = "x-litellm-attempted-fallbacks";

static HEADERS: &[&str] = &["x-litellm-model-group", RETRIES, MOST, FALLBACKS];

#[tokio::test]
async fn goldens_of_routing_agree() {
    let Some(folder) = shared() else { return };
    let (mut walked, mut wrong) = (0, Vec::new());
    for run in RUNS {
        let config = std::fs::read_to_string(folder.join("configs").join(run.config)).unwrap();
        let (from, to) = run.more;
        assert!(config.contains(from), "{from}");
        let config = if from.is_empty() { config } else { config.replace(from, to) };
        let config = config
            .replace("http://127.0.0.1:9100", "MOCK")
            .replace("os.environ/LITELLM_MASTER_KEY", "sk-1234");
        let rig = Rig::config(&priced(config)).over(Provider::new()).await;
        for case in cases(run.file).unwrap() {
            let name = case["name"].as_str().unwrap();
            let chosen = run.cases.is_empty() || run.cases.iter().any(|start| name.starts_with(start));
            if !chosen || differs(name, "all") {
                continue;
            }
            walked += 1;
            wrong.extend(walk(&rig, name, &case).await.into_iter().map(|w| format!("{name}: {w}")));
        }
    }
    assert!(walked > 50, "only {walked} cases");
    assert!(wrong.is_empty(), "{} differences in {walked} cases:\n{}", wrong.len(), wrong.join("\n"));
}

fn differs(case: &str, what: &str) -> bool {
    DIFFERENCES.iter().any(|(name, aspect, _)| case.starts_with(name) && *aspect == what)
}

async fn walk(rig: &Rig, name: &str, case: &Value) -> Vec<String> {
    rig.mock.take_log();
    let answer = ask(rig, &case["request"]).await;
    let expected = &case["response"];
    let mut found = vec![("status", expected["status"].to_string(), answer.status.to_string())];
    found.push(("asked", recorded(&case["upstream_received"]), asked(rig)));
    let headers = HEADERS.iter().filter(|name| expected["headers"][**name].is_string());
    found.extend(headers.map(|name| {
        (*name, expected["headers"][*name].as_str().unwrap().to_owned(), answer.header(name).to_owned())
    }));
    if let Some(id) = expected["headers"]["x-litellm-model-id"].as_str().filter(|id| id.len() < 64) {
        let got = answer.header("x-litellm-model-id");
        found.push(("x-litellm-model-id", alike(id).to_owned(), alike(got).to_owned()));
    }
    found.extend(error(&expected["body"]["error"], &answer));
    let wrong = found.into_iter().filter(|(what, want, got)| want != got && !differs(name, what));
    wrong.map(|(what, want, got)| format!("{what}: {got} instead of {want}")).collect()
}

/// How an error is typed; of one of ours also what it says, but for the seconds, and the deployments of other models.
fn error(want: &Value, answer: &Answer) -> Vec<(&'static str, String, String)> {
    if !want.is_object() {
        return Vec::new();
    }
    let got = &answer.json()["error"];
    let mut found = vec![("type", want["type"].to_string(), got["type"].to_string())];
    if want["param"] == "None" {
        found.push(("param", want["param"].to_string(), got["param"].to_string()));
        found.push(("message", said(want), said(got)));
    }
    found
}

fn said(error: &Value) -> String {
    let message = error["message"].as_str().unwrap_or_default();
    let message = message.split("cooldown_list").next().unwrap_or_default();
    message.chars().filter(|c| !c.is_ascii_digit()).collect()
}

fn recorded(upstream: &Value) -> String {
    let calls = upstream.as_array().into_iter().flatten();
    told(
        calls.map(|call| {
            (call["path"].as_str().unwrap_or_default().to_owned(), call["body"]["model"].clone())
        }),
    )
}

fn asked(rig: &Rig) -> String {
    told(rig.mock.take_log().iter().map(|seen| (seen.path.clone(), seen.json()["model"].clone())))
}

fn told(calls: impl Iterator<Item = (String, Value)>) -> String {
    let call =
        |(path, model): (String, Value)| format!("{path} {}", alike(model.as_str().unwrap_or_default()));
    calls.map(call).collect::<Vec<_>>().join(", ")
}

/// One of two equal deployments, and what it is asked for.
fn alike(name: &str) -> &str {
    match name {
        "dep-b" => "dep-a",
        "gpt-4o-mini" => "gpt-4o",
        other => other,
    }
}
