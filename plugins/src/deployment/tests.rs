//! What a team's own deployment gets of the operator's, which is nothing.

use super::*;
use crate::auth::gcp::tests::account_at;

const SETTINGS: &str = "litellm_settings: {headers: {x-operators: secret}, enable_azure_ad_token_refresh: true}\n\
                        router_settings: {provider_budget_config: {openai: {time_period: 1d, budget_limit: 5}}}\n";

fn built(params: &str, by_team: bool) -> Result<Deployment, Fault> {
    let text = format!(
        "model_list: [{{model_name: m, litellm_params: {{{params}}}, model_info: {{team_id: t, made_by_team: {by_team}}}}}]\n\
         {SETTINGS}"
    );
    let env = Env::of([("HOME", "/nowhere"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "s")]);
    let served: Vec<&str> = providers::rows().map(|row| row.prefix).collect();
    let (config, problems) = Config::from_text(&text, &env, &served);
    assert!(!problems.has_errors(), "{problems}");
    let config = config.unwrap();
    Deployment::build(&config.models[0], &config, &env, &Catalogue::embedded())
}

fn google(token_uri: &str) -> String {
    format!("model: vertex_ai/gemini-2.0-flash, vertex_credentials: '{}'", account_at(token_uri))
}

#[test]
fn p36_a_teams_own_is_never_asked_as_this_machine_or_with_a_file_of_it() {
    for params in [
        "model: vertex_ai/gemini-2.0-flash, vertex_project: p, api_key: x",
        "model: bedrock/anthropic.claude-3-haiku-20240307-v1, aws_region_name: us-east-1, client_secret: x",
        "model: bedrock/anthropic.claude-3-haiku-20240307-v1, aws_region_name: us-east-1, api_key: \"\"",
        "model: azure/gpt, api_base: \"https://a.test\", client_secret: x",
        "model: azure/gpt, api_base: \"https://a.test\", azure_ad_token: oidc/file//run/token, tenant_id: t, client_id: c",
    ] {
        assert!(built(params, true).is_err(), "{params}");
        assert!(built(params, false).is_ok(), "the operator's own may be: {params}");
    }
}

#[test]
fn p36_a_teams_own_asks_for_tokens_where_its_cloud_has_them() {
    assert!(built(&google("http://169.254.169.254/token"), true).is_err());
    for params in [
        google("https://oauth2.googleapis.com/token").as_str(),
        "model: bedrock/anthropic.claude-3-haiku-20240307-v1, aws_access_key_id: a, aws_secret_access_key: s",
        "model: bedrock/anthropic.claude-3-haiku-20240307-v1, api_key: x",
        "model: azure/gpt, api_base: \"https://a.test\", tenant_id: t, client_id: c, client_secret: x",
        "model: azure/gpt, api_base: \"https://a.test\", azure_ad_token: x",
    ] {
        assert!(built(params, true).is_ok(), "{params}: {:?}", built(params, true).err());
    }
}

#[test]
fn p35_headers_budgets_and_the_certificate_of_the_operators_are_not_a_teams() {
    let params = "model: openai/gpt-4o, api_key: sk-x, api_base: \"https://a.test\"";
    for by_team in [true, false] {
        let built = built(params, by_team).unwrap();
        assert_eq!(built.wire.headers.contains_key("x-operators"), !by_team);
        assert_eq!(built.budgets.is_empty(), by_team);
        assert_eq!(built.is_operators(), !by_team);
    }
}
