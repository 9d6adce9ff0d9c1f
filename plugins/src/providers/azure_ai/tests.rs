use super::*;
use weir_core::SecretString;

fn entry(model: &str, api_base: &str) -> ModelEntry {
    let params = weir_core::config::Params {
        api_base: Some(api_base.to_owned()),
        api_key: Some(SecretString::from("k")),
        ..weir_core::config::Params::default()
    };
    ModelEntry {
        name: "m".into(),
        id: "m".into(),
        provider: "azure_ai".into(),
        upstream_model: model.into(),
        model_as_written: format!("azure_ai/{model}"),
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

fn path(wire: &Wire, call: Call) -> String {
    wire.uri(call, false).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn every_kind_of_base_leads_to_its_own_paths() {
    let models = "/models/chat/completions?api-version=2024-05-01-preview";
    for (base, chat, header) in [
        ("https://r.services.ai.azure.com", models, "api-key"),
        ("https://r.services.ai.azure.com/models", models, "api-key"),
        (
            "https://r.services.ai.azure.com/models/chat/completions?api-version=v9",
            "/models/chat/completions?api-version=v9",
            "api-key",
        ),
        ("https://r.services.ai.azure.com/openai/v1/", "/openai/v1/chat/completions", "api-key"),
        ("https://r.openai.azure.com/openai/v1", "/openai/v1/chat/completions", "api-key"),
        (
            "https://r.openai.azure.com",
            "/openai/deployments/some/chat/completions?api-version=2025-02-01-preview",
            "api-key",
        ),
        ("https://e.eastus2.inference.ai.azure.com", "/v1/chat/completions", "authorization"),
        ("https://e.eastus2.models.ai.azure.com/v1/", "/v1/chat/completions", "authorization"),
        ("https://e.eastus2.models.ai.azure.com/chat/completions", "/chat/completions", "authorization"),
        ("http://proxy.test/below", "/below/chat/completions", "authorization"),
    ] {
        let wire = built(&entry("some", base));
        assert_eq!(path(&wire, Call::Chat(Dialect::OpenAiChat)), chat, "{base}");
        assert!(wire.headers.contains_key(header), "{base}: {:?}", wire.headers.keys());
        assert_eq!(wire.missing_key, None);
    }
}

#[test]
fn embeddings_and_rerankings_have_theirs() {
    let at = |base: &str, operation| path(&built(&entry("some", base)), Call::Plain(operation));
    let resource = "https://r.services.ai.azure.com";
    assert_eq!(at(resource, Operation::Embeddings), "/models/embeddings?api-version=2024-05-01-preview");
    for base in [
        "https://e.models.ai.azure.com",
        "https://e.models.ai.azure.com/v1",
        "https://e.models.ai.azure.com/v1/rerank",
    ] {
        assert_eq!(at(base, Operation::Rerank), "/v1/rerank", "{base}");
        assert_eq!(at(base, Operation::Embeddings), "/v1/embeddings", "{base}");
    }
}

#[test]
fn claude_speaks_its_own_dialect_with_its_own_key_header() {
    for base in [
        "https://r.services.ai.azure.com",
        "https://r.services.ai.azure.com/anthropic",
        "https://r.services.ai.azure.com/anthropic/v1/messages",
        "https://r.services.ai.azure.com/models/chat/completions?api-version=x",
    ] {
        let wire = built(&entry("claude-sonnet-4-5", base));
        assert_eq!(path(&wire, Call::Chat(Dialect::AnthropicMessages)), "/anthropic/v1/messages", "{base}");
        assert_eq!(wire.headers["x-api-key"], "k");
        assert_eq!(wire.headers["anthropic-version"], "2023-06-01");
        assert_eq!(wire.speaks(Dialect::OpenAiChat), Some(Dialect::AnthropicMessages));
    }
}

#[test]
fn a_version_that_is_written_is_sent() {
    let mut entry = entry("some", "https://r.services.ai.azure.com?x=1");
    entry.params.api_version = Some("2025-01-01".into());
    let chat = path(&built(&entry), Call::Chat(Dialect::OpenAiChat));
    assert_eq!(chat, "/models/chat/completions?x=1&api-version=2025-01-01");
}

#[test]
fn what_proves_a_deployment_is_what_it_says_itself_first() {
    let base = "https://r.services.ai.azure.com";
    let env = Env::of([("AZURE_AI_API_KEY", "env-key"), ("AZURE_AD_TOKEN", "env-token")]);
    let mut bare = entry("some", base);
    bare.params.api_key = None;
    let by_env = ROW.wire(&bare, &env).unwrap();
    assert_eq!(by_env.headers["api-key"], "env-key");
    let mut application = bare.clone();
    application.params.tenant_id = Some("t".into());
    application.params.client_id = Some("c".into());
    application.params.client_secret = Some(SecretString::from("s"));
    let fetched = ROW.wire(&application, &env).unwrap();
    assert!(fetched.signer.is_some() && !fetched.headers.contains_key("api-key"));
    application.params.azure_ad_token = Some(SecretString::from("own-token"));
    assert_eq!(ROW.wire(&application, &env).unwrap().headers["authorization"], "Bearer own-token");
    bare.params.entra.ambient = true;
    assert!(ROW.wire(&bare, &Env::default()).unwrap().signer.is_some());
    bare.params.entra.ambient = false;
    assert_eq!(ROW.wire(&bare, &Env::default()).unwrap().missing_key, Some("AZURE_AI_API_KEY"));
}
