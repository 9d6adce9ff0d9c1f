//! TLS to providers: whom we trust, what is said about whom we do not, and HTTP/2 where it is offered.

use crate::client;
use crate::pki::{Pki, TlsEnd};
use crate::rig::{CONFIG, MASTER, Rig, chat};
use http_body_util::BodyExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use weir_bench::mock::Reply;

const BOTH: &[&str] = &["h2", "http/1.1"];

/// The ordinary config over TLS providers, with a value for `ssl_verify`.
fn config(end: &TlsEnd, verify: &str) -> String {
    let verify = if verify.is_empty() { String::new() } else { format!(", ssl_verify: {verify}") };
    CONFIG
        .replace("MOCK", &format!("https://localhost:{}", end.address.port()))
        .replace("num_retries: 0", &format!("num_retries: 0{verify}"))
}

/// A gateway that trusts the CA, and its provider with TLS.
async fn trusting(alpn: &[&str]) -> (Arc<Pki>, TlsEnd, Rig) {
    let pki = Pki::new();
    let end = TlsEnd::start(&pki, alpn).await;
    let rig = Rig::config(&config(&end, &pki.file("ca.pem"))).start().await;
    end.forward_to(rig.mock.addr());
    (pki, end, rig)
}

#[tokio::test]
async fn a_ca_of_ones_own_is_trusted_by_setting_or_environment() {
    let pki = Pki::new();
    let ca = pki.file("ca.pem");
    let overlay = format!("environment_variables: {{SSL_CERT_FILE: {ca}}}\n");
    // An empty variable, as a compose file leaves it, counts as none.
    for (verify, environment, more) in [(ca.as_str(), "", ""), ("", ca.as_str(), ""), ("", "", &overlay)] {
        let end = TlsEnd::start(&pki, BOTH).await;
        let config = config(&end, verify) + more;
        let rig = Rig::config(&config).env("SSL_CERT_FILE", environment).start().await;
        end.forward_to(rig.mock.addr());
        let answer = rig.chat("gpt-4o", "hi").await;
        assert_eq!(answer.status, 200, "{verify:?} {environment:?} {more:?}: {}", answer.text());
        assert_eq!(rig.stream("gpt-4o", "hi").await.content(), "Hello from mock.");
    }
}

#[tokio::test]
async fn an_unknown_ca_is_refused_with_its_cure() {
    let pki = Pki::new();
    let end = TlsEnd::start(&pki, BOTH).await;
    let rig = Rig::config(&config(&end, "")).start().await;
    end.forward_to(rig.mock.addr());
    let answer = rig.chat("gpt-4o", "hi").await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    for part in ["Connection error", "not trusted", "ssl_verify", "SSL_CERT_FILE"] {
        assert!(answer.text().contains(part), "{part}: {}", answer.text());
    }
    assert!(rig.log().contains("UnknownIssuer"), "the log has the exact reason");
    assert_eq!(rig.mock.seen_count(), 0, "not a byte of the request was sent");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let pki = Pki::named(&["other.test"]);
    let end = TlsEnd::start(&pki, BOTH).await;
    let rig = Rig::config(&config(&end, &pki.file("ca.pem"))).start().await;
    end.forward_to(rig.mock.addr());
    let answer = rig.chat("gpt-4o", "hi").await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert!(answer.text().contains("other host"), "{}", answer.text());
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn ssl_verify_false_trusts_everybody() {
    let pki = Pki::new();
    let end = TlsEnd::start(&pki, BOTH).await;
    let rig = Rig::config(&config(&end, "false")).start().await;
    end.forward_to(rig.mock.addr());
    assert_eq!(rig.chat("gpt-4o", "hi").await.status, 200);
}

#[tokio::test]
async fn a_deployment_may_trust_a_ca_of_its_own_or_everybody() {
    let pki = Pki::new();
    let end = TlsEnd::start(&pki, BOTH).await;
    let entry = |name: &str, verify: &str| {
        format!(
            "  - {{model_name: {name}, litellm_params: {{model: openai/{name}, api_base: \"https://localhost:{}/v1\", \
             api_key: sk-x, ssl_verify: {verify}}}}}\n",
            end.address.port()
        )
    };
    let gone = pki.write("gone.pem", "");
    let models = [
        entry("trusts", &pki.file("ca.pem")),
        entry("all", "false"),
        entry("none", "true"),
        entry("bad", &gone),
    ];
    let config = format!(
        "model_list:\n{}litellm_settings: {{num_retries: 0}}\nrouter_settings: {{disable_cooldowns: true}}\n\
         general_settings: {{master_key: os.environ/LITELLM_MASTER_KEY}}\n",
        models.concat()
    );
    let rig = Rig::config(&config).start().await;
    end.forward_to(rig.mock.addr());
    for _ in 0..2 {
        for (model, status) in [("trusts", 200), ("all", 200), ("none", 500), ("bad", 500)] {
            let answer = rig.chat(model, "hi").await;
            assert_eq!(answer.status, status, "{model}: {}", answer.text());
        }
    }
    let refused = rig.chat("bad", "hi").await.text();
    assert!(refused.contains("ssl_verify") && !refused.contains("gone.pem"), "{refused}");
    assert!(rig.log().contains("gone.pem"), "the log has the file");
}

#[tokio::test]
async fn a_ca_file_that_cannot_be_used_is_told_at_start() {
    let pki = Pki::new();
    let end = TlsEnd::start(&pki, BOTH).await;
    let garbage = pki.write("garbage.pem", "this is no certificate");
    let broken = pki.write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for file in ["/nowhere/ca.pem", &garbage, &broken] {
        let said = Rig::config(&config(&end, file)).refused().await;
        assert!(said.contains(file) && !said.contains("panicked"), "{file}: {said}");
    }
}

#[tokio::test]
async fn a_provider_that_asks_who_is_calling_is_shown_the_operators_certificate() {
    let pki = Pki::new();
    let read = |name: &str| std::fs::read_to_string(pki.file(name)).unwrap();
    let own = pki.write("client.pem", &(read("cert.pem") + &read("key.pem")));
    for (certificate, is_served) in [(own.as_str(), true), ("", false)] {
        let end = TlsEnd::asking(&pki, BOTH).await;
        let settings = match certificate {
            "" => pki.file("ca.pem"),
            file => format!("{}, ssl_certificate: {file}", pki.file("ca.pem")),
        };
        let rig = Rig::config(&config(&end, &settings)).start().await;
        end.forward_to(rig.mock.addr());
        let answer = rig.chat("gpt-4o", "hi").await;
        assert_eq!(answer.status == 200, is_served, "{certificate:?}: {}", answer.text());
        assert_eq!(rig.mock.seen_count() > 0, is_served, "not a byte of the request was sent");
    }
}

#[tokio::test]
async fn a_certificate_of_ones_own_that_cannot_be_used_is_told_at_start() {
    let (pki, others) = (Pki::new(), Pki::new());
    let end = TlsEnd::start(&pki, BOTH).await;
    let read = |pki: &Pki, name: &str| std::fs::read_to_string(pki.file(name)).unwrap();
    let alone = pki.file("cert.pem");
    let torn = pki.write("torn.pem", &(read(&pki, "cert.pem") + &read(&others, "key.pem")));
    for file in ["/nowhere/client.pem", &alone, &torn] {
        let settings = format!("{}, ssl_certificate: {file}", pki.file("ca.pem"));
        let said = Rig::config(&config(&end, &settings)).refused().await;
        assert!(said.contains(file) && !said.contains("panicked"), "{file}: {said}");
    }
}

/// Has the configuration read again, as it is.
async fn reload(rig: &Rig) {
    let times = || rig.log().matches("configuration reloaded").count();
    let before = times();
    rig.signal("HUP");
    for _ in 0..400 {
        if times() > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing is read again");
}

async fn answered(rig: &Rig, models: &[&str], status: u16) {
    for model in models {
        let answer = rig.chat(model, "hi").await;
        assert_eq!(answer.status, status, "{model}: {}", answer.text());
    }
}

#[tokio::test]
async fn p34_ca_files_that_have_changed_are_read_again_with_the_configuration() {
    let (pki, others) = (Pki::new(), Pki::new());
    let ca = |pki: &Pki| std::fs::read_to_string(pki.file("ca.pem")).unwrap();
    for alpn in [&["http/1.1"][..], BOTH] {
        let end = TlsEnd::start(&pki, alpn).await;
        let put = |all: &str, own: &str| (pki.write("all.pem", all), pki.write("own.pem", own));
        let (all, own) = put(&ca(&others), &ca(&others));
        let model = format!(
            "  - {{model_name: own, litellm_params: {{model: openai/own, api_key: sk-x, ssl_verify: {own}, \
             api_base: \"https://localhost:{}/v1\"}}}}\nlitellm_settings:",
            end.address.port()
        );
        let rig = Rig::config(&config(&end, &all)).replace("litellm_settings:", &model).start().await;
        end.forward_to(rig.mock.addr());
        let both = ["gpt-4o", "own"];
        answered(&rig, &both, 500).await;
        put(&ca(&pki), &ca(&pki));
        reload(&rig).await;
        answered(&rig, &both, 200).await;
        // What cannot be used changes nothing, and is told.
        for (all, own, told) in [
            (ca(&pki), String::from("none"), "what was read of it before stays"),
            (String::from("none"), ca(&others), "what TLS to providers trusts and shows stays as it was"),
        ] {
            put(&all, &own);
            reload(&rig).await;
            answered(&rig, &both, 200).await;
            assert!(rig.log().contains(told), "{told}");
        }
        // Whoever is not trusted any more is not asked over a connection that is open.
        put(&ca(&pki), &ca(&others));
        reload(&rig).await;
        answered(&rig, &["own"], 500).await;
        answered(&rig, &["gpt-4o"], 200).await;
        put(&ca(&others), &ca(&others));
        reload(&rig).await;
        answered(&rig, &both, 500).await;
    }
}

#[tokio::test]
async fn p34_roots_of_the_system_that_are_gone_at_a_reload_are_still_trusted() {
    let pki = Pki::new();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    let put = || assert!(std::fs::copy(pki.file("ca.pem"), &root).is_ok());
    put();
    let end = TlsEnd::start(&pki, BOTH).await;
    let rig = Rig::config(&config(&end, "")).env("SSL_CERT_DIR", &folder.path().display().to_string());
    let rig = rig.start().await;
    end.forward_to(rig.mock.addr());
    answered(&rig, &["gpt-4o"], 200).await;
    std::fs::remove_file(&root).unwrap();
    reload(&rig).await;
    assert!(rig.log().contains("root certificates cannot be read any more"), "it is told");
    answered(&rig, &["gpt-4o"], 200).await;
    put();
    reload(&rig).await;
    answered(&rig, &["gpt-4o"], 200).await;
}

#[tokio::test]
async fn p34_connections_are_kept_over_a_reload_that_changes_no_ca() {
    let (_pki, end, rig) = trusting(&["http/1.1"]).await;
    for _ in 0..2 {
        answered(&rig, &["gpt-4o"], 200).await;
        reload(&rig).await;
    }
    answered(&rig, &["gpt-4o"], 200).await;
    assert_eq!(end.protocols().len(), 1, "one connection");
}

#[tokio::test]
async fn p34_a_certificate_of_ones_own_that_has_changed_is_shown_after_a_reload() {
    let (pki, others) = (Pki::new(), Pki::new());
    let of = |pki: &Pki| {
        let read = |name: &str| std::fs::read_to_string(pki.file(name)).unwrap();
        read("cert.pem") + &read("key.pem")
    };
    let shown = pki.write("client.pem", &of(&others));
    let end = TlsEnd::asking(&pki, BOTH).await;
    let settings = format!("{}, ssl_certificate: {shown}", pki.file("ca.pem"));
    let rig = Rig::config(&config(&end, &settings)).start().await;
    end.forward_to(rig.mock.addr());
    assert_ne!(rig.chat("gpt-4o", "hi").await.status, 200);
    assert_eq!(rig.mock.seen_count(), 0);
    for text in [of(&pki), String::from("none")] {
        pki.write("client.pem", &text);
        reload(&rig).await;
        answered(&rig, &["gpt-4o"], 200).await;
    }
    assert!(rig.log().contains("ssl_certificate"), "why it stays as it was");
}

#[tokio::test]
async fn p21_a_provider_that_takes_no_more_bytes_ends_at_the_deployments_timeout() {
    let pki = Pki::new();
    let end = TlsEnd::start(&pki, &["http/1.1"]).await;
    let rig = Rig::config(&config(&end, &pki.file("ca.pem"))).start().await;
    // Nobody reads there: what is sent fills the buffers on the way, which are smaller.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    end.forward_to(silent.local_addr().unwrap());
    let text = "x".repeat(28 << 20);
    let asked = tokio::time::timeout(Duration::from_secs(30), rig.chat("slow", &text));
    let answer = asked.await.expect("nobody waits until the provider takes a farewell");
    assert_eq!(answer.status, 408, "{}", answer.text());
}

#[tokio::test]
async fn http2_is_spoken_where_the_provider_offers_it() {
    let (_pki, end, rig) = trusting(BOTH).await;
    assert_eq!(rig.chat("gpt-4o", "first").await.status, 200);
    let tasks = (0..12).map(|i| rig.chat("gpt-4o", if i % 2 == 0 { "hi __sleep=0.2" } else { "hi" }));
    for answer in futures_util::future::join_all(tasks).await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let stream = rig.stream("gpt-4o", "hi __chunks=50").await;
    assert_eq!(stream.chunks().len(), 52, "{}", stream.text());
    assert_eq!(rig.chat("gpt-4o", "hi __err=429").await.status, 429);
    // Requests that look for a connection in the same moment may each open one: Pingora's pool says so itself.
    let spoken = end.protocols();
    assert!(spoken.len() < 12 && spoken.iter().all(|p| p == "h2"), "connections are shared: {spoken:?}");
    assert_eq!(rig.mock.seen_count(), 15);
    let seen = &rig.mock.log()[0];
    assert_eq!(seen.header("authorization"), "Bearer sk-upstream-fake");
}

#[tokio::test]
async fn http1_is_spoken_where_the_provider_offers_nothing_else() {
    for (offers, agreed) in [(&["http/1.1"][..], "http/1.1"), (&[], "")] {
        let (_pki, end, rig) = trusting(offers).await;
        for text in ["one", "two"] {
            assert_eq!(rig.chat("gpt-4o", text).await.status, 200);
        }
        assert_eq!(end.protocols(), [agreed], "kept alive");
    }
}

#[tokio::test]
async fn a_large_body_and_a_large_answer_pass_over_http2() {
    let pki = Pki::new();
    let end = TlsEnd::start(&pki, BOTH).await;
    let rig = Rig::config(&config(&end, &pki.file("ca.pem")))
        .over(|seen: &weir_bench::mock::Seen| {
            let said = seen.json()["messages"][0]["content"].clone();
            let message = serde_json::json!({"role": "assistant", "content": said});
            Reply::json(200, &serde_json::json!({"choices": [{"message": message}]}))
        })
        .await;
    end.forward_to(rig.mock.addr());
    let text: String = (0..300_000).map(|i| format!("{i:07} ")).collect();
    let answer = rig.chat("gpt-4o", &text).await;
    assert_eq!(answer.status, 200, "{}", &answer.text()[..300]);
    assert_eq!(answer.json()["choices"][0]["message"]["content"], text);
    assert_eq!(end.protocols(), ["h2"]);
}

#[tokio::test]
async fn p22_a_client_that_leaves_resets_one_stream_of_the_providers_connection() {
    let (_pki, end, rig) = trusting(BOTH).await;
    rig.chat("gpt-4o", "first").await;
    let others = rig.chat("gpt-4o", "hi __sleep=1.5");
    let url = format!("{}/v1/chat/completions", rig.url);
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str()), ("x-litellm-call-id", "left")];
    let leaves = async {
        // One after the other, so that the second surely finds the connection of the first.
        while rig.mock.open_now() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let waiting = client::send("POST", &url, &headers, chat("gpt-4o", "hi __sleep=10").to_string());
        let _ = tokio::time::timeout(Duration::from_millis(300), waiting).await;
        let left = Instant::now();
        while rig.mock.hangups() == 0 && left.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        left.elapsed()
    };
    let (answer, took) = tokio::join!(others, leaves);
    assert_eq!(answer.status, 200, "the other exchange of the connection goes on");
    assert_eq!(rig.mock.hangups(), 1);
    assert!(took < Duration::from_secs(1), "the provider went on for {took:?}");
    assert_eq!(end.protocols(), ["h2"]);
    assert_eq!(rig.row("left").await["metadata"]["weir"]["status"], "cancelled");
}

#[tokio::test]
async fn p21_a_provider_that_breaks_off_over_http2_ends_in_an_error_event() {
    let (_pki, _end, rig) = trusting(BOTH).await;
    let mut body = chat("gpt-4o", "hi __hangmid");
    body["stream"] = true.into();
    let url = format!("{}/v1/chat/completions", rig.url);
    let auth = format!("Bearer {MASTER}");
    let (status, _, answer) =
        client::open("POST", &url, &[("authorization", auth.as_str())], body.to_string()).await;
    assert_eq!(status, 200);
    let text = answer.collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("\"error\"") && !text.contains("[DONE]"), "{text}");
}
