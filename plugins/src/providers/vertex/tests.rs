use super::*;
use gemini::Call as Method;
use weir_core::SecretString;

fn place(location: &str) -> Place {
    Place::find(Some("p-1"), Some(location), None, &Env::default()).unwrap()
}

#[test]
fn hosts_follow_from_locations() {
    assert_eq!(place("europe-west1").host(), "europe-west1-aiplatform.googleapis.com");
    assert_eq!(place("global").host(), "aiplatform.googleapis.com");
    assert_eq!(place("eu").host(), "aiplatform.eu.rep.googleapis.com");
}

#[test]
fn paths_name_publisher_and_model() {
    let place = place("us-east5");
    let google =
        "/v1/projects/p-1/locations/us-east5/publishers/google/models/gemini-2.5-pro:generateContent";
    assert_eq!(place.path("gemini-2.5-pro", Publisher::Google, Method::Generate), google);
    let claude = "claude-sonnet-4-5@20250929";
    let expected =
        format!("/v1/projects/p-1/locations/us-east5/publishers/anthropic/models/{claude}:streamRawPredict");
    assert_eq!(place.path(claude, Publisher::of(claude), Method::StreamRawPredict), expected);
    let tuned = "/v1/projects/p-1/locations/us-east5/endpoints/123:generateContent";
    assert_eq!(place.path("gemini/123", Publisher::Google, Method::Generate), tuned);
}

#[test]
fn a_setting_wins_over_the_environment_and_that_over_the_credentials() {
    let env = Env::of([("VERTEXAI_PROJECT", "env"), ("VERTEXAI_LOCATION", "global")]);
    let found = Place::find(None, None, Some("own"), &env).unwrap();
    assert_eq!((found.project.as_str(), found.location.as_str()), ("env", "global"));
    let found = Place::find(Some("said"), Some("eu"), None, &env).unwrap();
    assert_eq!((found.project.as_str(), found.location.as_str()), ("said", "eu"));
    let found = Place::find(None, None, Some("own"), &Env::default()).unwrap();
    assert_eq!((found.project.as_str(), found.location.as_str()), ("own", "us-central1"));
}

#[test]
fn what_cannot_be_an_address_is_refused_by_name() {
    assert_eq!(Place::find(None, None, None, &Env::default()).unwrap_err().setting, "vertex_project");
    let bad = Place::find(Some("p"), Some("evil.example/"), None, &Env::default());
    assert_eq!(bad.unwrap_err().setting, "vertex_location");
}

#[test]
fn only_betas_that_vertex_knows_are_asked_for() {
    let asked = "oauth-2025-04-20, context-1m-2025-08-07,advanced-tool-use-2025-11-20,context-1m-2025-08-07";
    assert_eq!(claude::betas(asked), ["context-1m-2025-08-07", "tool-search-tool-2025-10-19"]);
}

fn entry(model: &str) -> ModelEntry {
    let mut params = weir_core::config::Params::default();
    params.vertex.project = Some("p-1".into());
    params.vertex.location = Some("us-east5".into());
    ModelEntry {
        name: "m".into(),
        id: "m".into(),
        provider: "vertex_ai".into(),
        upstream_model: model.into(),
        model_as_written: format!("vertex_ai/{model}"),
        params,
        info: weir_core::config::Info::default(),
        shown: weir_core::config::JsonMap::default(),
        from_ledger: false,
        line: 0,
        provenance: Default::default(),
    }
}

fn built(entry: &ModelEntry) -> Wire {
    ROW.wire(entry, &Env::default()).unwrap()
}

fn uri(wire: &Wire, call: Call, stream: bool) -> String {
    wire.uri(call, stream).map(ToString::to_string).unwrap_or_default()
}

const PLACE: &str = "/v1/projects/p-1/locations/us-east5";

#[test]
fn every_maker_is_asked_at_its_own_address_in_its_own_dialect() {
    let cases = [
        (
            "gemini-2.5-pro",
            Dialect::Gemini,
            "/publishers/google/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
        ),
        (
            "claude-opus-4@1",
            Dialect::AnthropicMessages,
            "/publishers/anthropic/models/claude-opus-4@1:streamRawPredict",
        ),
        (
            "mistral-large@2407",
            Dialect::OpenAiChat,
            "/publishers/mistralai/models/mistral-large@2407:streamRawPredict",
        ),
        ("jamba-1.5-mini", Dialect::OpenAiChat, "/publishers/ai21/models/jamba-1.5-mini:streamRawPredict"),
        ("meta/llama-4-scout-maas", Dialect::OpenAiChat, "/endpoints/openapi/chat/completions"),
        ("openai/gpt-oss-120b-maas", Dialect::OpenAiChat, "/endpoints/openapi/chat/completions"),
        ("openai/4711", Dialect::OpenAiChat, "/endpoints/4711/chat/completions"),
    ];
    for (model, dialect, path) in cases {
        let wire = built(&entry(model));
        assert_eq!(wire.host, "us-east5-aiplatform.googleapis.com");
        assert_eq!(uri(&wire, Call::Chat(dialect), true), format!("{PLACE}{path}"), "{model}");
        assert!(wire.signer.is_some() && wire.missing_key.is_none(), "{model}");
    }
    let embeds = uri(&built(&entry("text-embedding-005")), Call::Plain(Operation::Embeddings), false);
    assert_eq!(embeds, format!("{PLACE}/publishers/google/models/text-embedding-005:predict"));
    let counts = uri(&built(&entry("claude-opus-4")), Call::Plain(Operation::CountTokens), false);
    assert_eq!(counts, format!("{PLACE}/publishers/anthropic/models/count-tokens:rawPredict"));
}

#[test]
fn a_base_may_be_a_host_a_place_or_a_whole_model() {
    let full = format!("{PLACE}/publishers/google/models/gemini-x:generateContent");
    for (base, path) in [
        ("http://proxy.test", full.clone()),
        ("http://proxy.test/v1/", full.clone()),
        (&*format!("http://proxy.test{PLACE}"), full.clone()),
        ("http://proxy.test/below", format!("/below{full}")),
        ("http://proxy.test/a/models/other", "/a/models/other:generateContent".to_owned()),
    ] {
        let mut entry = entry("gemini-x");
        entry.params.api_base = Some(base.to_owned());
        assert_eq!(uri(&built(&entry), Call::Chat(Dialect::Gemini), false), path, "{base}");
    }
}

#[test]
fn credentials_that_cannot_be_used_are_told_at_load_and_never_shown() {
    let mut entry = entry("gemini-x");
    entry.params.vertex.credentials = Some(SecretString::from("{\"type\": \"hunter2\""));
    let fault = ROW.wire(&entry, &Env::default()).unwrap_err();
    assert_eq!(fault.setting, "vertex_credentials");
    assert!(!fault.message.contains("hunter2"), "{fault:?}");
    entry.params.vertex.credentials = Some(SecretString::from("/nowhere/key.json"));
    let fault = ROW.wire(&entry, &Env::default()).unwrap_err();
    assert!(fault.message.contains("/nowhere/key.json"), "{fault:?}");
}

#[test]
fn a_header_of_ones_own_needs_no_credentials() {
    let mut entry = entry("gemini-x");
    entry.params.extra_headers = vec![("authorization".into(), SecretString::from("Bearer t"))];
    assert!(built(&entry).signer.is_none());
}
