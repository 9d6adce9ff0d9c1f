use crate::config::{AddedCredential, AddedModel, Additions, Config, Env};
use secrecy::{ExposeSecret, SecretString};

const FILE: &str = r#"
model_list:
  - model_name: own
    litellm_params: {model: openai/gpt-4o, api_key: os.environ/KEY, api_base: os.environ/BASE, rpm: 5}
  - model_name: named
    litellm_params: {model: azure/dep, api_key: k, api_base: "http://127.0.0.1:9"}
    model_info: {id: the-id}
litellm_settings: {num_retries: 1, drop_params: false}
"#;

fn load(added: &Additions) -> Config {
    let env = Env::of([("KEY", "sk-env"), ("BASE", "http://127.0.0.1:1/v1")]);
    let read = |_: &str| Ok(FILE.to_owned());
    let (config, problems) = Config::load_with("f.yaml", &read, &env, &["openai", "azure"], added);
    config.unwrap_or_else(|| panic!("{:?}", problems.iter().map(ToString::to_string).collect::<Vec<_>>()))
}

fn model(id: &str, name: &str, params: &str, info: &str, overrides: bool) -> AddedModel {
    AddedModel {
        id: id.into(),
        name: name.into(),
        params: params.into(),
        info: info.into(),
        overrides,
        by_team: false,
    }
}

#[test]
fn models_of_the_ledger_stand_behind_those_of_the_file() {
    let params = r#"{"model": "openai/gpt-4o-mini", "litellm_credential_name": "shared", "rpm": 7}"#;
    let config = load(&Additions {
        models: vec![model("m-1", "new", params, r#"{"description": "d"}"#, false)],
        credentials: vec![AddedCredential {
            name: "shared".into(),
            values: SecretString::from(r#"{"api_key": "os.environ/KEY"}"#),
        }],
        settings: vec![("litellm_settings".into(), SecretString::from(r#"{"drop_params": true}"#))],
        ..Additions::default()
    });
    let new = config.models.last().unwrap();
    assert_eq!((new.name.as_str(), new.id.as_str(), new.from_ledger), ("new", "m-1", true));
    assert_eq!(new.params.api_key.as_ref().unwrap().expose_secret(), "sk-env");
    assert_eq!(new.info.rest.get("description"), Some("\"d\""));
    assert!(!config.models[0].from_ledger);
    assert!(config.litellm.drop_params);
    assert_eq!(config.router.num_retries, 1, "what is not changed stays");
}

#[test]
fn an_entry_of_the_file_is_changed_member_by_member_and_keeps_its_id() {
    let before = load(&Additions::default());
    let derived = before.models[0].id.clone();
    let models = vec![
        model(&derived, "", r#"{"rpm": 9}"#, r#"{"base_model": "gpt-4"}"#, true),
        model("the-id", "", "{}", r#"{"base_model": "azure/gpt-4o"}"#, true),
        model("gone", "", r#"{"rpm": 1}"#, "{}", true),
    ];
    let config = load(&Additions { models, ..Additions::default() });
    assert_eq!(config.models.len(), 2);
    let [own, named] = &config.models[..] else { unreachable!() };
    assert_eq!((&own.id, own.params.rpm, own.info.base_model.as_deref()), (&derived, Some(9), Some("gpt-4")));
    assert_eq!(own.params.api_key.as_ref().unwrap().expose_secret(), "sk-env");
    assert_eq!(named.info.base_model.as_deref(), Some("azure/gpt-4o"));
    assert!(!own.from_ledger && !named.from_ledger);
}

#[test]
fn p35_what_is_shown_of_a_model_holds_no_secret() {
    let params = r#"{"model": "openai/x", "api_key": "sk-1", "aws_secret_access_key": "s", "api_base": "http://h/v1",
        "extra_headers": {"authorization": "Bearer b"}, "max_tokens": 5, "input_cost_per_token": 1e-06}"#;
    let config =
        load(&Additions { models: vec![model("m", "n", params, "{}", false)], ..Additions::default() });
    let shown = &config.models.last().unwrap().shown;
    let names: Vec<_> = shown.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["model", "api_base", "max_tokens", "input_cost_per_token"]);
    let own: Vec<_> = config.models[0].shown.iter().map(|(name, _)| name).collect();
    assert_eq!(
        own,
        ["model", "api_base", "rpm"],
        "addresses may come from the environment, keys may not be told"
    );
}
