//! Metrics that the guide selects: the same names and labels as LiteLLM shows with the same settings.

use super::cases;
use crate::rig::{CONFIG, MASTER, Rig};
use std::collections::BTreeSet;

const FILE: &str = "guide_prometheus_config.json";

const SELECTED: &str = "litellm_settings: {prometheus_metrics_config: [\
    {group: deployment_health, metrics: [litellm_deployment_success_responses, litellm_deployment_failure_responses]}, \
    {group: performance, metrics: [litellm_request_total_latency_metric]}], ";

/// Names of LiteLLM's series, with the names of their labels. The time at which each began is not shown here.
fn shape(page: &str) -> BTreeSet<String> {
    let lines = page.lines().filter(|line| line.starts_with("litellm_") && !line.contains("_created{"));
    lines
        .map(|line| {
            let (name, labels) = line.split_once('{').unwrap();
            let labels = labels.rsplit_once('}').unwrap().0.split("\",");
            let names: BTreeSet<&str> = labels.map(|label| label.split('=').next().unwrap()).collect();
            format!("{name} {names:?}")
        })
        .collect()
}

#[tokio::test]
async fn metrics_are_those_that_litellm_shows_with_the_guides_settings() {
    let Some(cases) = cases(FILE) else { return };
    let page = cases.iter().find(|case| case["request"]["path"] == "/metrics/").unwrap();
    let theirs = shape(page["response"]["body"].as_str().unwrap());
    assert!(theirs.len() >= 5, "{theirs:?}");
    let rig = Rig::config(CONFIG).replace("litellm_settings: {", SELECTED).start().await;
    rig.chat("gpt-4o", "hi").await;
    rig.chat("gpt-4o", "hi __err=500").await;
    let ours = shape(&rig.get("/metrics/", MASTER).await.text());
    assert_eq!(ours, theirs);
}
