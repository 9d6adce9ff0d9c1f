//! What is no chat: counting, Gemini's own routes, images, audio, moderations, rerankings, over mocks of all providers.

use crate::client::{self, Answer};
use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};
use weir_bench::mock::{Provider, Reply, Seen};

const CONFIG: &str = r#"
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-4o, api_base: "MOCK/v1", api_key: k}
  - model_name: claude
    litellm_params: {model: anthropic/claude-sonnet-4-5, api_base: "MOCK", api_key: k}
  - model_name: gem
    litellm_params: {model: gemini/gemini-2.5-flash, api_base: "MOCK", api_key: k}
  - model_name: nova:0
    litellm_params: {model: "bedrock/converse/amazon.nova-pro-v1:0", aws_bedrock_runtime_endpoint: "MOCK", aws_access_key_id: AKIAFAKE, aws_secret_access_key: fake, aws_region_name: us-east-1}
  - model_name: ranker
    litellm_params: {model: cohere/rerank-v3.5, api_base: "MOCK", api_key: k, input_cost_per_query: 0.002}
  - model_name: draws
    litellm_params: {model: openai/gpt-image-1, api_base: "MOCK/v1", api_key: k}
  - model_name: azure-draws
    litellm_params: {model: azure/my-images, api_base: "MOCK", api_key: k, api_version: "2025-04-01-preview"}
  - model_name: speaks
    litellm_params: {model: openai/tts-1, api_base: "MOCK/v1", api_key: k, input_cost_per_character: 0.000015}
  - model_name: hears
    litellm_params: {model: openai/gpt-4o-transcribe, api_base: "MOCK/v1", api_key: k}
  - model_name: judges
    litellm_params: {model: openai/omni-moderation-latest, api_base: "MOCK/v1", api_key: k}
litellm_settings: {num_retries: 0}
general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
"#;

async fn rig() -> Rig {
    Rig::config(CONFIG).over(Provider::new()).await
}

async fn ask(rig: &Rig, path: &str, body: Value) -> Answer {
    let answer = rig.post(path, MASTER, body).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer
}

async fn row(rig: &Rig, answer: &Answer) -> Value {
    rig.row(answer.header("x-litellm-call-id")).await
}

#[tokio::test]
async fn tokens_are_counted_for_every_provider_and_cost_nothing() {
    let rig = rig().await;
    let messages = json!([{"role": "user", "content": "How many tokens are these words?"}]);
    for model in ["gpt", "claude", "gem", "nova:0"] {
        let body = json!({"model": model, "messages": messages});
        let answer = ask(&rig, "/v1/messages/count_tokens", body).await;
        assert!(answer.json()["input_tokens"].as_u64().is_some_and(|n| n > 0), "{model}: {}", answer.text());
        let body = json!({"contents": [{"parts": [{"text": "How many tokens are these words?"}]}]});
        let counted = ask(&rig, &format!("/v1beta/models/{model}:countTokens"), body).await;
        assert!(counted.json()["totalTokens"].as_u64().is_some_and(|n| n > 0), "{model}: {}", counted.text());
        for answer in [answer, counted] {
            let row = row(&rig, &answer).await;
            assert_eq!((row["spend"].as_f64(), row["total_tokens"].as_u64()), (Some(0.0), Some(0)), "{row}");
        }
    }
}

#[tokio::test]
async fn who_counts_is_not_told_how_answers_are_wanted() {
    let plain = "{model: anthropic/claude-sonnet-4-5, ";
    let wanted = "{model: anthropic/claude-sonnet-4-5, temperature: 0.5, max_tokens: 9, ";
    let rig = Rig::config(CONFIG).replace(plain, wanted).over(Provider::new()).await;
    let body = json!({"model": "claude", "messages": [{"role": "user", "content": "hi"}]});
    ask(&rig, "/v1/messages/count_tokens", body.clone()).await;
    ask(&rig, "/v1/chat/completions", body).await;
    let seen: Vec<Value> =
        rig.mock.take_log().iter().map(|seen| seen.json()["temperature"].clone()).collect();
    assert_eq!(seen, [Value::Null, json!(0.5)]);
}

fn said(chunk: &Value) -> String {
    let parts = chunk["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default();
    parts.iter().filter_map(|part| part["text"].as_str()).collect()
}

#[tokio::test]
async fn p10_p24_geminis_clients_reach_every_provider_plain_as_events_and_as_a_list() {
    let rig = rig().await;
    let body = json!({"contents": [{"role": "user", "parts": [{"text": "Say hello"}]}]});
    for prefix in ["/v1beta/models", "/models"] {
        for model in ["gpt", "claude", "gem", "nova:0"] {
            let at = format!("{prefix}/{model}");
            let whole = ask(&rig, &format!("{at}:generateContent"), body.clone()).await;
            let text = said(&whole.json());
            assert!(!text.is_empty(), "{at}: {}", whole.text());
            let events = ask(&rig, &format!("{at}:streamGenerateContent?alt=sse"), body.clone()).await;
            assert!(events.header("content-type").starts_with("text/event-stream"), "{at}");
            let lines = events.text();
            let chunks = lines.lines().filter_map(|line| line.strip_prefix("data: "));
            let streamed: String =
                chunks.map(|json| said(&serde_json::from_str(json).unwrap_or_default())).collect();
            assert_eq!(streamed, text, "{at}: {lines}");
            let list = ask(&rig, &format!("{at}:streamGenerateContent"), body.clone()).await;
            assert!(list.header("content-type").starts_with("application/json"), "{at}");
            let listed: String = list.json().as_array().into_iter().flatten().map(said).collect();
            assert_eq!(listed, text, "{at}: {}", list.text());
            let booked = [row(&rig, &whole).await, row(&rig, &events).await, row(&rig, &list).await];
            for row in &booked {
                assert_eq!(row["total_tokens"], booked[0]["total_tokens"], "{at}");
                assert!(row["total_tokens"].as_u64().is_some_and(|n| n > 0), "{at}: {row}");
            }
        }
    }
    let refused = rig.post("/v1beta/models/gem:generateContent", "sk-nobody", body).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["error"]["code"], 401, "{}", refused.text());
}

#[tokio::test]
async fn rerankings_are_paid_by_the_search() {
    let rig = rig().await;
    let body = json!({"model": "ranker", "query": "q", "documents": ["a", "b"], "metadata": {"tags": ["t"]}});
    for path in ["/v1/rerank", "/v2/rerank", "/rerank"] {
        let answer = ask(&rig, path, body.clone()).await;
        assert_eq!(answer.json()["results"][0]["index"], 1, "{}", answer.text());
        assert_eq!(row(&rig, &answer).await["spend"], 0.002);
    }
}

#[tokio::test]
async fn images_and_moderations_are_relayed_with_what_they_report() {
    let rig = rig().await;
    for model in ["draws", "azure-draws"] {
        let answer = ask(&rig, "/v1/images/generations", json!({"model": model, "prompt": "a cat"})).await;
        assert_eq!(answer.json()["data"][0]["b64_json"], "aGk=");
        let row = row(&rig, &answer).await;
        assert_eq!(
            (row["prompt_tokens"].as_u64(), row["completion_tokens"].as_u64()),
            (Some(5), Some(100)),
            "{row}"
        );
    }
    let path = "/openai/deployments/azure-draws/images/generations?api-version=2025-04-01-preview";
    ask(&rig, path, json!({"prompt": "a cat"})).await;
    let judged = ask(&rig, "/moderations", json!({"model": "judges", "input": "hello"})).await;
    assert_eq!(judged.json()["results"][0]["flagged"], false);
    assert_eq!(judged.json()["model"], "omni-moderation-latest", "the provider's name went out");
}

#[tokio::test]
async fn speech_comes_as_sound_and_is_paid_by_the_character() {
    let rig = rig().await;
    let body = json!({"model": "speaks", "input": "twelve bytes", "voice": "alloy"});
    let answer = ask(&rig, "/v1/audio/speech", body).await;
    assert_eq!(answer.header("content-type"), "audio/mpeg");
    assert_eq!(&answer.body[..], b"ID3mockmp3bytes");
    let spend = row(&rig, &answer).await["spend"].as_f64().unwrap_or_default();
    assert!((spend - 12.0 * 0.000_015).abs() < 1e-9, "{spend}");
}

/// A form with a file that holds what looks like a model.
fn form(model: &str) -> String {
    format!(
        "--b0\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\
         Content-Type: audio/mpeg\r\n\r\nname=\"model\"\r\n\r\n\r\n--b0\r\n\
         Content-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--b0--\r\n"
    )
}

async fn upload(rig: &Rig, path: &str, body: String) -> Answer {
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str()), ("content-type", "multipart/form-data; boundary=b0")];
    client::send("POST", &format!("{}{path}", rig.url), &headers, body).await
}

#[tokio::test]
async fn forms_reach_the_provider_with_its_own_name_for_the_model() {
    let rig = rig().await;
    for path in ["/v1/audio/transcriptions", "/audio/transcriptions"] {
        let answer = upload(&rig, path, form("hears")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["text"], "hello world");
        let row = row(&rig, &answer).await;
        assert_eq!(
            (row["prompt_tokens"].as_u64(), row["completion_tokens"].as_u64()),
            (Some(14), Some(4)),
            "{row}"
        );
    }
    let drawn = upload(&rig, "/v1/images/edits", form("draws")).await;
    assert_eq!(drawn.status, 200, "{}", drawn.text());
    let unknown = upload(&rig, "/v1/audio/transcriptions", form("nobody")).await;
    assert_eq!(unknown.status, 400, "{}", unknown.text());
    let secret = form("hears").replace("name=\"file\"; filename=\"a.mp3\"", "name=\"api_base\"");
    let refused = upload(&rig, "/v1/audio/transcriptions", secret).await;
    assert!(refused.text().contains("api_base is not allowed"), "{}", refused.text());
    let cut = upload(&rig, "/v1/audio/transcriptions", form("hears").replace("--b0--", "")).await;
    assert_eq!(cut.status, 400, "{}", cut.text());
    let bodies: Vec<String> = sent(&rig, "/v1/audio/transcriptions");
    assert_eq!(bodies, [form("gpt-4o-transcribe"), form("gpt-4o-transcribe")]);
}

#[tokio::test]
async fn p12_a_recording_whose_length_nobody_tells_is_paid_all_the_same() {
    let model = r#"
  - model_name: subtitles
    litellm_params: {model: openai/whisper-1, api_base: "MOCK/v1", api_key: k}
litellm_settings:"#;
    let says = |_: &Seen| Reply::full(200, "text/plain", "1\n00:00:00,000 --> 00:00:03,000\nhi\n");
    let rig = Rig::config(CONFIG).replace("\nlitellm_settings:", model).over(says).await;
    // Two seconds of what is no WAVE.
    let body =
        form("subtitles").replace("name=\"model\"\r\n\r\n\r\n", &format!("{}\r\n", "x".repeat(32_000)));
    let answer = upload(&rig, "/v1/audio/transcriptions", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let spend = row(&rig, &answer).await["spend"].as_f64().unwrap_or_default();
    assert!((spend - 0.000_2).abs() < 1e-9, "{spend}");
}

/// Bodies that the provider got at a path.
fn sent(rig: &Rig, path: &str) -> Vec<String> {
    let log = rig.mock.log();
    let there = log.iter().filter(|seen| seen.route() == path);
    there.map(|seen| String::from_utf8_lossy(&seen.body).into_owned()).collect()
}

#[tokio::test]
async fn what_is_out_of_scope_says_so_in_openais_shape() {
    let rig = rig().await;
    for path in [
        "/v1/files",
        "/batches/b1/cancel",
        "/v1/vector_stores/x/search",
        "/guardrails",
        "/responses/compact",
        "/v1/responses/compact",
        "/openai/v1/responses/compact",
    ] {
        let answer = rig.post(path, MASTER, json!({})).await;
        assert_eq!(answer.status, 501, "{path}: {}", answer.text());
        let message = answer.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains("OUT_OF_SCOPE.md"), "{path}: {message}");
    }
}
