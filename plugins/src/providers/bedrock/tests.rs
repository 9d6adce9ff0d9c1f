use super::*;

fn entry(model: &str) -> ModelEntry {
    ModelEntry {
        name: "m".into(),
        id: "m".into(),
        provider: "bedrock".into(),
        upstream_model: model.into(),
        model_as_written: format!("bedrock/{model}"),
        params: weir_core::config::Params::default(),
        info: weir_core::config::Info::default(),
        shown: weir_core::config::JsonMap::default(),
        from_ledger: false,
        line: 0,
        provenance: Default::default(),
    }
}

fn to(model: &str, env: &Env) -> Endpoint {
    endpoint(model, route(model, false), &entry(model), env).unwrap()
}

#[test]
fn addresses_of_all_forms() {
    let none = Env::default();
    let cases = [
        (
            "anthropic.claude-3-sonnet-20240229-v1:0",
            "us-west-2",
            "/model/anthropic.claude-3-sonnet-20240229-v1%3A0/converse",
        ),
        ("converse/us.amazon.nova-micro-v1:0", "us-west-2", "/model/us.amazon.nova-micro-v1%3A0/converse"),
        ("converse_like/some-model", "us-west-2", "/model/some-model/converse"),
        ("us-gov-west-1/anthropic.claude-v2:1", "us-gov-west-1", "/model/anthropic.claude-v2%3A1/converse"),
        (
            "invoke/eu-central-1/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "eu-central-1",
            "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke",
        ),
        (
            "arn:aws:bedrock:ap-south-1:123456789012:application-inference-profile/1arbu5hu2sjr",
            "ap-south-1",
            "/model/arn%3Aaws%3Abedrock%3Aap-south-1%3A123456789012%3Aapplication-inference-profile%2F1arbu5hu2sjr\
             /converse",
        ),
    ];
    for (model, region, path) in cases {
        let endpoint = to(model, &none);
        assert_eq!((endpoint.region.as_str(), endpoint.path_plain.as_str()), (region, path), "{model}");
        assert_eq!(endpoint.base, format!("https://bedrock-runtime.{region}.amazonaws.com"));
    }
    let stream = to("invoke/anthropic.claude-3-haiku-20240307-v1:0", &none).path_stream;
    assert_eq!(stream, "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke-with-response-stream");
}

#[test]
fn the_region_comes_from_the_nearest_source() {
    let env = Env::of([("AWS_DEFAULT_REGION", "eu-west-3"), ("AWS_REGION", "eu-west-1")]);
    assert_eq!(to("amazon.nova-micro-v1:0", &env).region, "eu-west-1");
    let mut written = entry("amazon.nova-micro-v1:0");
    written.params.aws.region = Some("us-east-1".into());
    written.params.aws.bedrock_runtime_endpoint = Some("http://127.0.0.1:9100/".into());
    let found = endpoint(&written.upstream_model, Route::Converse, &written, &env).unwrap();
    assert_eq!((found.region.as_str(), found.base.as_str()), ("us-east-1", "http://127.0.0.1:9100"));
    for evil in ["us-east-1.evil.test", "a/b", "", "x@y"] {
        written.params.aws.region = Some(evil.into());
        assert!(endpoint(&written.upstream_model, Route::Converse, &written, &env).is_err(), "{evil}");
    }
}

#[test]
fn which_way_a_model_goes() {
    let claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    assert_eq!(route(claude, false), Route::Converse);
    assert_eq!(route(claude, true), Route::Invoke, "Anthropic's clients are relayed");
    assert_eq!(route(&format!("converse/{claude}"), true), Route::Converse);
    assert_eq!(route(&format!("invoke/{claude}"), false), Route::Invoke);
    assert_eq!(
        route("invoke/amazon.nova-micro-v1:0", false),
        Route::Converse,
        "only Claude's format is spoken"
    );
    assert_eq!(route("anthropic.claude-v2:1", true), Route::Converse);
}
