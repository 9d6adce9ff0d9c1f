//! OpenTelemetry over gRPC: a collector meets the messages of the published schema, and nobody waits for it.

use crate::callbacks::{nanos, told_to};
use crate::pki::{Pki, TlsEnd};
use crate::rig::{Builder, Rig};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use weir_bench::mock::{MockServer, Reply, Seen};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// A collector that answers each export with the next of these codes, the last one for ever.
async fn collector(codes: &'static [u8]) -> MockServer {
    let asked = AtomicUsize::new(0);
    let answer = move |_: &Seen| {
        let at = asked.fetch_add(1, Ordering::SeqCst).min(codes.len() - 1);
        Reply::full(200, "application/grpc", "").header("grpc-status", &codes[at].to_string())
    };
    MockServer::start(answer).await.unwrap()
}

fn over_grpc(server: &MockServer) -> Builder {
    told_to("otel").env("OTEL_EXPORTER", "otlp_grpc").env("OTEL_ENDPOINT", &server.url())
}

/// What the collector has seen, once it is so much.
async fn seen(server: &MockServer, count: usize, rig: &Rig) -> Vec<Seen> {
    let started = Instant::now();
    while server.log().len() < count {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.log()
}

/// The message of an export.
fn sent<M: Message + Default>(seen: &[Seen], path: &str) -> M {
    let export = seen.iter().find(|seen| seen.path == path).unwrap_or_else(|| panic!("no {path}"));
    assert_eq!(export.header("content-type"), "application/grpc");
    let (head, message) = export.body.split_at(5);
    assert_eq!(head, [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes()[..]].concat());
    M::decode(message).unwrap()
}

fn cost(span: &Span) -> f64 {
    let found = span.attributes.iter().find(|attribute| attribute.key == "gen_ai.cost.total_cost");
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Any::DoubleValue(cost)) => *cost,
        other => panic!("{other:?}"),
    }
}

async fn lost(rig: &Rig) -> u64 {
    let text = rig.get("/metrics", "none").await.text();
    let series = "weir_callback_dropped_total{callback_name=\"otel\"} ";
    text.lines().find_map(|line| line.strip_prefix(series)?.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn p10_spans_and_metrics_over_grpc_cost_what_was_booked() {
    let server = collector(&[0]).await;
    let rig = over_grpc(&server).env("LITELLM_OTEL_INTEGRATION_ENABLE_METRICS", "true").start().await;
    rig.stream("priced", "hi").await;
    let booked = nanos(&rig.rows(1).await[0]["spend"]);
    let seen = seen(&server, 2, &rig).await;
    let traces: ExportTraceServiceRequest = sent(&seen, TRACES);
    let told = cost(&traces.resource_spans[0].scope_spans[0].spans[0]);
    let metrics: ExportMetricsServiceRequest = sent(&seen, METRICS);
    let metrics = &metrics.resource_metrics[0].scope_metrics[0].metrics;
    let cost = metrics.iter().find(|metric| metric.name == "gen_ai.client.token.cost").unwrap();
    let Some(Data::Histogram(cost)) = &cost.data else { panic!("{cost:?}") };
    assert_eq!((nanos(&told.into()), nanos(&cost.data_points[0].sum.into())), (booked, booked));
    assert_eq!(lost(&rig).await, 0);
}

#[tokio::test]
async fn a_collector_that_is_not_there_yet_is_told_again_and_loses_nothing() {
    let server = collector(&[14, 0]).await;
    let rig = over_grpc(&server).start().await;
    rig.chat("priced", "hi").await;
    let seen = seen(&server, 2, &rig).await;
    assert_eq!((seen.len(), &seen[0].body), (2, &seen[1].body));
    assert_eq!(lost(&rig).await, 0);
}

#[tokio::test]
async fn an_address_of_https_or_without_a_scheme_is_asked_over_tls() {
    let pki = Pki::new();
    for scheme in ["https://", ""] {
        let server = collector(&[0]).await;
        let end = TlsEnd::start(&pki, &["h2"]).await;
        end.forward_to(server.addr());
        let address = format!("{scheme}localhost:{}", end.address.port());
        let rig = told_to("otel")
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &address)
            .env("SSL_CERT_FILE", &pki.file("ca.pem"));
        let rig = rig.start().await;
        rig.chat("priced", "hi").await;
        seen(&server, 1, &rig).await;
        assert_eq!(end.protocols(), ["h2"], "{scheme}");
    }
}

#[tokio::test]
async fn what_a_collector_refuses_is_counted() {
    let server = collector(&[3]).await;
    let rig = over_grpc(&server).start().await;
    rig.chat("priced", "hi").await;
    let started = Instant::now();
    while lost(&rig).await == 0 {
        assert!(started.elapsed() < Duration::from_secs(30), "{}", rig.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((lost(&rig).await, server.log().len()), (1, 1));
    assert!(rig.log().contains("INVALID_ARGUMENT"), "{}", rig.log());
}

#[tokio::test]
async fn a_slow_collector_delays_nobody_and_what_is_lost_is_counted() {
    let slow = |_: &Seen| Reply::full(200, "application/grpc", "").delayed(Duration::from_secs(3_600));
    let server = MockServer::start(slow).await.unwrap();
    let rig = over_grpc(&server).replace("weir_settings: {", "weir_settings: {callback_max_bytes: 64KB, ");
    let rig = rig.start().await;
    for _ in 0..200 {
        assert_eq!(rig.chat("priced", "hi").await.status, 200);
    }
    let lost = lost(&rig).await;
    assert!((100..200).contains(&lost), "{lost}");
    assert_eq!(rig.rows(200).await.len(), 200, "all are booked");
}
