use super::super::{Ability, Catalogue, Component, PriceKey};
use crate::config::{Config, Env};
use std::path::Path;

/// provider, model, base_model; the name it is priced by.
type Case = (&'static str, &'static str, Option<&'static str>, Option<&'static str>);

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Plain names belong to their own provider.
    ("openai", "gpt-4o", None, Some("gpt-4o")),
    ("text-completion-openai", "gpt-3.5-turbo-instruct", None, Some("gpt-3.5-turbo-instruct")),
    ("anthropic", "claude-sonnet-4-5", None, Some("claude-sonnet-4-5")),
    ("cohere", "command-a-03-2025", None, Some("command-a-03-2025")),
    ("hosted_vllm", "gpt-4o", None, None),
    ("groq", "gpt-4o", None, None),
    // The prefixed name goes before the plain one.
    ("openai", "sora-2", None, Some("openai/sora-2")),
    ("gemini", "gemini-2.5-flash", None, Some("gemini/gemini-2.5-flash")),
    ("vertex_ai", "gemini-2.5-flash", None, Some("gemini-2.5-flash")),
    ("azure", "gpt-4o", None, Some("azure/gpt-4o")),
    ("azure", "eu/gpt-4o", None, Some("azure/eu/gpt-4o")),
    // An Azure deployment is called as its owner likes.
    ("azure", "prod-chat", None, None),
    ("azure", "claude-sonnet-4-5", None, None),
    ("azure", "gpt-3.5-turbo-0125:mine", None, None),
    ("azure", "prod-chat", Some("azure/gpt-4o"), Some("azure/gpt-4o")),
    ("azure", "prod-chat", Some("gpt-4o"), Some("azure/gpt-4o")),
    ("azure", "prod-chat", Some("azure/eu/gpt-4o"), Some("azure/eu/gpt-4o")),
    ("azure", "prod-chat", Some("nothing-known"), None),
    // base_model goes before the name, whatever that is, and may be another provider's.
    ("openai", "gpt-4o", Some("gpt-4o-mini"), Some("gpt-4o-mini")),
    ("hosted_vllm", "mine", Some("openai/gpt-4o"), Some("gpt-4o")),
    ("openai", "gpt-4o", Some("nothing-known"), Some("gpt-4o")),
    // Regions have prices of their own; only where there is none does the base's hold.
    ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", None, Some("us.anthropic.claude-sonnet-4-5-20250929-v1:0")),
    ("bedrock", "converse/au.anthropic.claude-opus-4-6-v1", None, Some("au.anthropic.claude-opus-4-6-v1")),
    ("bedrock", "ca.anthropic.claude-opus-4-6-v1", None, Some("anthropic.claude-opus-4-6-v1")),
    ("bedrock", "ap-northeast-1/qwen.qwen3-coder-next", None, Some("bedrock/ap-northeast-1/qwen.qwen3-coder-next")),
    ("bedrock", "mars-north-1/anthropic.claude-opus-4-6-v1", None, Some("anthropic.claude-opus-4-6-v1")),
    ("bedrock", "gpt-4o", None, None),
    ("openai", "us.gpt-4o", None, None),
    // Tuned models have prices of their own, and never the untuned model's.
    ("openai", "ft:gpt-4o-2024-08-06:acme::AbC123", None, Some("ft:gpt-4o-2024-08-06")),
    ("openai", "ft:gpt-5:acme::AbC123", None, None),
    // Nothing is nothing.
    ("", "", None, None),
    ("openai", "", Some(""), None),
    ("openai", "# name", None, None),
];

#[test]
fn p13_a_deployment_is_priced_by_the_fullest_name_that_is_known() {
    let catalogue = Catalogue::embedded();
    for (provider, model, base, expected) in CASES {
        let found = catalogue.find(provider, model, *base).map(|facts| facts.name);
        assert_eq!(found, *expected, "{provider} / {model} / {base:?}");
    }
}

/// All but those that cost nothing: what answers by itself, and what runs on one's own machine.
#[test]
fn p13_every_model_of_the_quickstart_has_a_price() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let served = ["openai", "azure", "anthropic", "ollama"];
    let (config, problems) = Config::from_text(&text, &Env::default(), &served);
    let models = config.unwrap_or_else(|| panic!("{problems}")).models;
    let (catalogue, mut asked) = (Catalogue::embedded(), Vec::new());
    for model in models.iter().filter(|m| m.provider != "ollama" && m.params.mock_response.is_none()) {
        let base = model.info.base_model.as_deref();
        let facts = catalogue.find(&model.provider, &model.upstream_model, base);
        let price =
            facts.and_then(|facts| facts.price).unwrap_or_else(|| panic!("{} has no price", model.name));
        assert!(price.get(PriceKey::standard(Component::Input)).is_some(), "{}", model.name);
        asked.push(model.name.as_str());
    }
    assert!(asked.contains(&"gpt-4o") && asked.contains(&"claude-sonnet-4-5"), "{asked:?}");
}

#[test]
fn p13_a_region_is_charged_its_own_price() {
    let catalogue = Catalogue::embedded();
    let input = |model: &str| {
        let price = catalogue.find("bedrock", model, None).and_then(|facts| facts.price).unwrap();
        price.get(PriceKey::standard(Component::Input)).unwrap().to_string()
    };
    assert_eq!(input("au.anthropic.claude-opus-4-6-v1"), "0.0000055");
    assert_eq!(input("anthropic.claude-opus-4-6-v1"), "0.000005");
}

#[test]
fn p13_no_price_and_free_are_different() {
    let catalogue =
        Catalogue::parse("free\tx\tchat\t\t\t\tin=0 out=0\nunknown\tx\tchat\t8\t\tfv\t\n").unwrap();
    assert!(catalogue.get("free").unwrap().price.is_some());
    let unknown = catalogue.get("unknown").unwrap();
    assert_eq!(
        (unknown.price.as_ref(), unknown.max_input_tokens, unknown.max_output_tokens),
        (None, Some(8), None)
    );
    assert!(unknown.can(Ability::Vision) && !unknown.can(Ability::Reasoning));
}

#[test]
fn every_model_is_found_by_its_name() {
    let catalogue = Catalogue::embedded();
    let mut count = 0;
    for facts in catalogue.models() {
        assert_eq!(catalogue.get(facts.name).map(|found| found.name), Some(facts.name));
        count += 1;
    }
    assert!(count > 4_000, "{count} models");
}

#[test]
fn every_model_of_a_provider_is_served_by_it() {
    let catalogue = Catalogue::embedded();
    for provider in ["openai", "anthropic", "azure", "groq", "bedrock", "vertex_ai", "gemini", "cohere"] {
        let models: Vec<_> = catalogue.models_of(provider).collect();
        assert!(!models.is_empty(), "{provider}");
        for model in models {
            let plain = model.strip_prefix(provider).and_then(|m| m.strip_prefix('/')).unwrap_or(model);
            assert!(catalogue.find(provider, plain, None).is_some(), "{provider}: {model}");
        }
    }
}

#[test]
fn p14_a_bad_catalogue_is_refused_with_its_line() {
    let good = "# remark\na\tx\tchat\t1\t\tf\tin=1\n";
    assert_eq!(Catalogue::parse(good).unwrap().get("a").unwrap().name, "a");
    for (more, what) in [
        ("b\tx\tchat\t1\t\tf\n", "fewer"),
        ("b\tx\tchat\t1\t\tf\tin=1\t\n", "more"),
        ("b\tx\tchat\tmany\t\tf\tin=1\n", "tokens"),
        ("b\tx\tchat\t1\t\tf\tin=-1\n", "decimal"),
        ("b\tx\tchat\t1\t\tf\tin=\n", "decimal"),
        ("b\tx\tchat\t1\t\tf\tin\n", "without"),
        ("b\tx\tchat\t1\t\tf\tinn=1\n", "kind"),
        ("b\tx\tchat\t1\t\tf\tin>0k=1\n", "kind"),
        ("a\tx\tchat\t1\t\tf\tin=1\n", "twice"),
        ("A\tx\tchat\t1\t\tf\tin=1\n", "sorted"),
        ("\n", "fewer"),
        ("\tx\tchat\t1\t\tf\tin=1\n", "no name"),
    ] {
        let bad = Catalogue::parse(format!("{good}{more}")).unwrap_err();
        assert_eq!((bad.line, bad.what.contains(what)), (3, true), "{more:?}: {bad}");
    }
    assert_eq!(Catalogue::parse("").unwrap().models().count(), 0);
}

#[test]
fn the_version_changes_with_the_content() {
    let version = |text: &str| Catalogue::parse(text).unwrap().version().to_owned();
    let one = version("a\tx\tchat\t1\t\tf\tin=1\n");
    assert_eq!(one.len(), 12);
    assert_eq!(one, version("a\tx\tchat\t1\t\tf\tin=1\n"));
    assert_ne!(one, version("a\tx\tchat\t1\t\tf\tin=2\n"));
    let embedded = Catalogue::embedded();
    assert_eq!(embedded.version(), Catalogue::parse(embedded.text()).unwrap().version());
}
