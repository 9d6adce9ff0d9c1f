//! Series are bounded, shown as Prometheus reads them, and as the settings want them.

use super::*;
use crate::budgets::{Terms, Watched};
use weir_core::config::Config;
use weir_core::domain::money::NanoUsd;
use weir_core::domain::spend::SpendScope;
use weir_core::ports::meter::{Call, Meter, Service, WRITE};
use weir_core::time::Micros;

fn metrics(settings: &str, most: u64) -> Metrics {
    let text = format!("litellm_settings: {{{settings}}}");
    let (config, problems) = Config::from_text(&text, &weir_core::config::Env::default(), &[]);
    let settings = config.unwrap_or_else(|| panic!("{problems}")).litellm.metrics;
    let metrics = Metrics::new(&settings, most).unwrap();
    metrics.record(true);
    metrics
}

fn page(metrics: &Metrics) -> String {
    String::from_utf8(metrics.render().unwrap()).unwrap()
}

fn spend(metrics: &Metrics, key: &str) -> Counter {
    metrics.counter(Name::Spend, &|label| Text::from(if label == "hashed_api_key" { key } else { NONE }))
}

#[test]
fn p39_what_there_is_no_room_for_is_counted_as_other() {
    let metrics = metrics("", 12); // ten are taken from the start
    for (at, key) in ["a", "b", "c", "d", "c"].into_iter().enumerate() {
        spend(&metrics, key).add(1_000_000_000 * (at as u64 + 1));
    }
    let page = page(&metrics);
    let line = |label: &str| page.lines().find(|l| l.contains(label)).unwrap_or_default();
    assert!(line("hashed_api_key=\"b\"").ends_with(" 2"), "{page}");
    assert!(line("hashed_api_key=\"other\"").ends_with(" 12"), "nothing is lost: {page}");
    assert!(!page.contains("hashed_api_key=\"c\""));
}

#[test]
fn p39_every_bucket_is_a_series() {
    let metrics = metrics("", 200);
    for key in 0..50 {
        let key = key.to_string();
        metrics.histogram(Name::RequestTotalLatency, &|_| Text::from(key.as_str())).observe(0.02);
    }
    let page = page(&metrics);
    let lines = page.lines().filter(|line| !line.starts_with('#')).count();
    // Beside what there is room for: one of all that is left, and what the process tells of itself.
    assert!(lines < 200 + 100, "{lines} series");
    assert!(page.contains("=\"other\""), "{page}");
}

#[test]
fn p39_series_of_whoever_is_gone_go_and_make_room() {
    let metrics = metrics("", 12);
    spend(&metrics, "a").inc();
    spend(&metrics, "b").inc();
    metrics.forget(SpendScope::Key, "a");
    spend(&metrics, "c").add(7);
    let page = page(&metrics);
    assert!(!page.contains("hashed_api_key=\"a\""), "{page}");
    assert!(page.contains("hashed_api_key=\"c\"") && page.contains("hashed_api_key=\"b\""), "{page}");
}

#[test]
fn the_page_is_prometheus_text() {
    let metrics = metrics("", 100);
    metrics.count(Name::UnpricedRequests, "a\"b\\c\nd");
    spend(&metrics, "k").add(97_500);
    metrics.gauge(Name::RedisUp, 1.0);
    metrics.histogram(Name::LedgerWrite, &|_| Text::from(NONE)).observe(0.02);
    let page = page(&metrics);
    for wanted in [
        "# TYPE weir_unpriced_requests_total counter\nweir_unpriced_requests_total{model=\"a\\\"b\\\\c\\nd\"} 1\n",
        "hashed_api_key=\"k\",model=\"None\",team=\"None\",team_alias=\"None\",user=\"None\",user_email=\"None\"} 0.0000975\n",
        "weir_redis_up 1\n",
        "weir_ledger_write_seconds_bucket{le=\"0.0125\"} 0\n",
        "weir_ledger_write_seconds_bucket{le=\"0.025\"} 1\n",
        "weir_ledger_write_seconds_bucket{le=\"1.0\"} 1\n",
        "weir_ledger_write_seconds_bucket{le=\"+Inf\"} 1\n",
        "weir_ledger_write_seconds_sum 0.02\nweir_ledger_write_seconds_count 1\n",
        "python_gc_objects_collected_total{generation=\"2\"} 0\n",
        "python_gc_collections_total{generation=\"0\"} 0\n",
        "python_info{implementation=\"None\",major=\"None\",minor=\"None\",patchlevel=\"None\",version=\"None\"} 0\n",
        "# TYPE process_resident_memory_bytes gauge\n",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    assert!(!page.contains("litellm_redis_latency"), "only for prometheus_system");
}

#[test]
fn what_admins_are_told_of_is_counted_where_metrics_are_off() {
    let metrics = metrics("", 100);
    metrics.record(false);
    let call = |service, error| Call { service, operation: "write", took: Duration::ZERO, error };
    metrics.took(&call(Service::Ledger, Some("unavailable")));
    metrics.took(&call(Service::Ledger, None));
    metrics.took(&call(Service::Redis, Some("unavailable")));
    metrics.count(Name::ShedRequests, "a");
    metrics.count(Name::ShedRequests, "b");
    assert_eq!((metrics.total(Name::LedgerFailures), metrics.total(Name::ShedRequests)), (1, 2));
    assert_eq!(metrics.total(Name::RedisFailures), 0);
}

#[test]
fn settings_choose_metrics_and_labels() {
    let chosen = "prometheus_metrics_config: [{group: g, metrics: [litellm_spend_metric, litellm_requests_metric], \
                  include_labels: [hashed_api_key, team]}]";
    let metrics = metrics(chosen, 100);
    spend(&metrics, "k").inc();
    metrics.counter(Name::InputTokens, &|_| Text::from(NONE)).inc();
    let page = page(&metrics);
    assert!(
        page.contains("litellm_spend_metric_total{hashed_api_key=\"k\",team=\"None\"} 0.000000001"),
        "{page}"
    );
    assert!(page.contains("# TYPE litellm_requests_metric_total"), "declared before it counts");
    assert!(!page.contains("litellm_input_tokens"), "{page}");
    assert!(page.contains("weir_metric_series") && page.contains("process_cpu_seconds_total"));
}

#[test]
fn wished_labels_stand_on_what_is_counted_by_request() {
    let wished = "custom_prometheus_metadata_labels: [metadata.foo, bar.baz], custom_prometheus_tags: [\"a b*\"], \
                  service_callback: [prometheus_system]";
    let metrics = metrics(wished, 100);
    let labels = &metrics.family(Name::Spend).labels;
    for name in ["metadata_foo", "bar_baz", "tag_a_b_"] {
        assert!(labels.iter().any(|label| label == name), "{labels:?}");
    }
    assert!(labels.is_sorted());
    assert_eq!(metrics.family(Name::KeyBudgetLeft).labels, ["api_key_alias", "hashed_api_key"]);
    assert!(page(&metrics).contains("# TYPE litellm_redis_latency histogram"));
}

#[test]
fn services_are_counted_under_their_own_names() {
    let metrics = metrics("service_callback: [prometheus_system]", 10_000);
    let told = |service, operation, error| {
        metrics.took(&Call { service, operation, took: Duration::from_millis(20), error });
    };
    told(Service::Ledger, WRITE, None);
    told(Service::Ledger, "find", Some("Busy"));
    told(Service::Redis, "count", None);
    told(Service::Resets, "round", None);
    let page = page(&metrics);
    for wanted in [
        "litellm_batch_write_to_db_latency_count{batch_write_to_db=\"batch_write_to_db\"} 1\n",
        "litellm_postgres_total_requests_total{postgres=\"postgres\"} 2\n",
        "litellm_postgres_failed_requests_total{error_class=\"Busy\",function_name=\"find\",postgres=\"postgres\"} 1\n",
        "weir_ledger_failures_total{operation=\"find\"} 1\n",
        "weir_ledger_write_seconds_count 1\n",
        "litellm_redis_latency_bucket{redis=\"redis\",le=\"0.025\"} 1\n",
        "litellm_reset_budget_job_total_requests_total{reset_budget_job=\"reset_budget_job\"} 1\n",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
}

#[test]
fn p48_budgets_are_what_the_ledger_says() {
    let (metrics, watched) = (metrics("", 100), Watched::default());
    let terms = |max: Option<i64>| Terms {
        alias: Some(String::from("x")),
        max: max.map(NanoUsd),
        resets_at: Some(Micros(7_200_000_000)),
        ..Terms::default()
    };
    let owner = watched.learn(SpendScope::Team, "t", terms(Some(2_000_000_000))).unwrap();
    metrics.budget(&owner, NanoUsd(500_000_000), Micros(0));
    let before = page(&metrics);
    assert!(
        before.contains("litellm_remaining_team_budget_metric{team=\"t\",team_alias=\"x\"} 1.5\n"),
        "{before}"
    );
    assert!(before.contains("litellm_team_max_budget_metric{team=\"t\",team_alias=\"x\"} 2\n"));
    assert!(before.contains("litellm_team_budget_remaining_hours_metric{team=\"t\",team_alias=\"x\"} 2\n"));
    watched.learn(SpendScope::Team, "t", Terms { resets_at: None, ..terms(None) });
    metrics.budget(&owner, NanoUsd(500_000_000), Micros(0));
    let after = page(&metrics);
    assert!(
        after.contains("litellm_remaining_team_budget_metric{team=\"t\",team_alias=\"x\"} +Inf\n"),
        "{after}"
    );
    assert!(!after.contains("litellm_team_max_budget_metric{"), "there is none any more");
    assert!(!after.contains("litellm_team_budget_remaining_hours_metric{"));
}
