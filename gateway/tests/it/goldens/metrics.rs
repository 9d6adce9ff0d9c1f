//! Metrics as LiteLLM was recorded to show them: all of them, and those that the guide selects.

use super::{cases, shared};
use crate::rig::{CONFIG, MASTER, Rig};
use std::collections::BTreeSet;
use weir_core::metrics::{Kind, LATENCY_BUCKETS, TABLE};

const FILE: &str = "guide_prometheus_config.json";

const SELECTED: &str = "litellm_settings: {prometheus_metrics_config: [\
    {group: deployment_health, metrics: [litellm_deployment_success_responses, litellm_deployment_failure_responses]}, \
    {group: performance, metrics: [litellm_request_total_latency_metric]}], ";

/// Names of LiteLLM's series, with the names of their labels. The time at which each began is not shown here.
fn shape(page: &str) -> BTreeSet<String> {
    let lines = page.lines().filter(|line| line.starts_with("litellm_") && !line.contains("_created{"));
    lines.map(|line| format!("{} {:?}", line.split_once('{').unwrap().0, label_names(line))).collect()
}

fn label_names(line: &str) -> BTreeSet<&str> {
    let Some((_, labels)) = line.split_once('{') else { return BTreeSet::new() };
    let labels = labels.rsplit_once('}').unwrap().0.split("\",");
    labels.map(|label| label.split('=').next().unwrap()).collect()
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

/// Scrapes after requests of all kinds.
const SCRAPES: [&str; 3] = ["metrics.txt", "metrics_router.txt", "metrics_fallbacks.txt"];

/// Names and types, but for when series began and what is told of the process.
fn types(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let heads = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    heads.filter(|(name, _)| !name.ends_with("_created") && !name.starts_with("process_"))
}

/// Upper bounds that stand on the page for a histogram.
fn bounds<'p>(page: &'p str, name: &str) -> BTreeSet<&'p str> {
    let series = page.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix("_bucket{"));
    series.filter_map(|labels| labels.split_once("le=\"")?.1.split('"').next()).collect()
}

/// LiteLLM 1.81 gives it the usual library's fifteen buckets and documents the thirty-five of all others; here it has these.
const PER_TOKEN: &str = "litellm_deployment_latency_per_output_token";

#[test]
fn every_metric_that_was_recorded_is_here_with_its_type_labels_and_buckets() {
    let Some(folder) = shared() else { return };
    let buckets: Vec<String> = LATENCY_BUCKETS.iter().map(|bound| format!("{bound:?}")).collect();
    let buckets: BTreeSet<&str> = buckets.iter().map(String::as_str).chain(["+Inf"]).collect();
    let mut seen = 0;
    for page in SCRAPES.map(|file| std::fs::read_to_string(folder.join(file)).unwrap()) {
        for (name, kind) in types(&page) {
            let row = TABLE.iter().find(|row| row.name == name).unwrap_or_else(|| panic!("no {name}"));
            let ours = match row.kind {
                Kind::Counter | Kind::Money => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            assert_eq!(ours, kind, "{name}");
            let labels: BTreeSet<&str> = row.labels.iter().copied().collect();
            let is_its = |line: &&str| {
                let rest = line.strip_prefix(name).unwrap_or_default();
                rest.starts_with('{') || rest.starts_with("_count{")
            };
            for line in page.lines().filter(is_its) {
                assert_eq!(label_names(line), labels, "{name}");
                seen += 1;
            }
            let theirs = bounds(&page, name);
            let known = if name == PER_TOKEN { theirs.len() == 15 } else { theirs == buckets };
            assert!(theirs.is_empty() || known, "{name}: {theirs:?}");
        }
    }
    assert!(seen > 100, "only {seen} series");
}
