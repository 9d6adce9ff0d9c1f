//! Models that only one team sees: of the configuration, and made over the API by its admins.

use crate::rig::{CONFIG, MASTER, Rig, chat};
use serde_json::{Value, json};

/// The team's own `gpt-4o` beside everybody's, and one that only the team has.
fn config() -> String {
    let own = "model_list:\n  \
               - {model_name: red-4o, litellm_params: {model: openai/red-4o, api_base: \"MOCK/v1\", api_key: sk-red}, \
               model_info: {id: red-1, team_id: red, team_public_model_name: gpt-4o}}\n  \
               - {model_name: red-only, litellm_params: {model: openai/red-only, api_base: \"MOCK/v1\", api_key: sk-red}, \
               model_info: {id: red-2, team_id: red}}\n  \
               - {model_name: red-any, litellm_params: {model: openai/*, api_base: \"MOCK/v1\", api_key: sk-red}, \
               model_info: {id: red-3, team_id: red, team_public_model_name: \"red/*\"}}";
    CONFIG.replace("model_list:", own)
}

async fn team(rig: &Rig, body: Value) {
    let answer = rig.post("/team/new", MASTER, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn asked(rig: &Rig, key: &str, model: &str) -> (u16, String) {
    let answer = rig.post("/v1/chat/completions", key, chat(model, "hi")).await;
    let upstream = rig.mock.take_log().pop().map(|seen| seen.json()["model"].as_str().unwrap().to_owned());
    (answer.status, upstream.unwrap_or_default())
}

async fn listed(rig: &Rig, key: &str) -> Vec<String> {
    let answer = rig.get("/v1/models", key).await.json();
    let names =
        answer["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap().to_owned());
    names.collect()
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

#[tokio::test]
async fn a_teams_models_are_seen_and_called_by_that_team_alone() {
    let rig = Rig::config(&config()).start().await;
    // What is its own a team has whatever it is given.
    team(&rig, json!({"team_id": "red", "models": ["emb-small"]})).await;
    team(&rig, json!({"team_id": "blue"})).await;
    let red = rig.key(json!({"team_id": "red"})).await;
    let blue = rig.key(json!({"team_id": "blue"})).await;
    let nobodys = rig.key(json!({})).await;

    assert_eq!(asked(&rig, &red, "gpt-4o").await, (200, "red-4o".into()), "its own comes first");
    assert_eq!(asked(&rig, &red, "red-only").await, (200, "red-only".into()));
    assert_eq!(asked(&rig, &red, "red-2").await, (200, "red-only".into()), "by its id");
    assert_eq!(asked(&rig, &red, "red/some").await, (200, "some".into()), "a pattern of its own");
    assert_eq!(asked(&rig, &red, "azure-gpt4").await.0, 401, "others it needs to be given");
    for key in [&blue, &nobodys] {
        assert_eq!(asked(&rig, key, "gpt-4o").await, (200, "gpt-4o".into()));
        for name in ["red-only", "red-4o", "red-1", "red-2", "red/some"] {
            assert_eq!(asked(&rig, key, name).await, (400, String::new()), "{name}");
            assert_eq!(rig.get(&format!("/v1/models/{name}"), key).await.status, 404, "{name}");
        }
        assert!(!has(&listed(&rig, key).await, "red-only"));
        let told = rig.get("/v1/model/info", key).await.text();
        assert!(!told.contains("red-"), "{told}");
    }
    assert_eq!(asked(&rig, MASTER, "red-only").await, (200, "red-only".into()), "an admin reaches it");
    let names = listed(&rig, &red).await;
    assert!(has(&names, "gpt-4o") && has(&names, "red-only"), "{names:?}");
    assert!(!has(&names, "red-4o"), "its name beside is told to nobody: {names:?}");
    let told = rig.get("/v1/model/info", &red).await.json();
    let shown: Vec<_> = told["data"].as_array().unwrap().iter().map(|m| m["model_name"].clone()).collect();
    assert!(shown.contains(&json!("gpt-4o")) && !shown.contains(&json!("red-4o")), "{told}");
}

#[tokio::test]
async fn a_teams_own_model_shares_no_answers_with_others_of_its_name() {
    let rig = Rig::config(&config())
        .replace(
            "litellm_settings: {",
            "litellm_settings: {cache: true, cache_params: {type: local, ttl: 60}, ",
        )
        .replace("weir_settings: {", "weir_settings: {cache_scope: all, ")
        .replace("disable_cooldowns: true", "disable_cooldowns: true, caching_groups: [[priced, gpt-4o]]")
        .start()
        .await;
    team(&rig, json!({"team_id": "red"})).await;
    let (red, nobodys) = (rig.key(json!({"team_id": "red"})).await, rig.key(json!({})).await);
    assert_eq!(asked(&rig, &nobodys, "priced").await.0, 200);
    assert_eq!(asked(&rig, &nobodys, "gpt-4o").await, (200, String::new()), "no provider is asked again");
    assert_eq!(asked(&rig, &red, "gpt-4o").await, (200, "red-4o".into()), "it is another model");
}

/// A key of somebody who leads `red`.
async fn leader(rig: &Rig) -> String {
    let user = json!({"user_id": "ann", "user_role": "internal_user", "auto_create_key": false});
    assert_eq!(rig.post("/user/new", MASTER, user).await.status, 200);
    team(rig, json!({"team_id": "red", "members_with_roles": [{"role": "admin", "user_id": "ann"}]})).await;
    rig.key(json!({"user_id": "ann"})).await
}

fn made(team: &str, params: Value) -> Value {
    json!({"model_name": "gpt-4o", "litellm_params": params, "model_info": {"team_id": team}})
}

#[tokio::test]
async fn a_teams_admin_makes_changes_and_deletes_its_models() {
    let mut rig = Rig::start().await;
    let ann = leader(&rig).await;
    let red = rig.key(json!({"team_id": "red"})).await;
    let said = json!({"model": "openai/mine", "mock_response": "red's own"});
    let answer = rig.post("/model/new", &ann, made("red", said)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = answer.json();
    assert_eq!(record["model_info"]["team_public_model_name"], "gpt-4o");
    assert_ne!(record["model_name"], "gpt-4o", "it has another name beside");
    let content = async |rig: &Rig, key: &str| {
        let told = rig.post("/v1/chat/completions", key, chat("gpt-4o", "hi")).await.json();
        told["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(content(&rig, &red).await, "red's own");
    assert_eq!(content(&rig, MASTER).await, "Hello from mock.");
    let id = record["model_id"].as_str().unwrap();
    let change = json!({"model_info": {"id": id}, "litellm_params": {"mock_response": "changed"}});
    let answer = rig.post("/model/update", &ann, change).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    rig.restart().await;
    assert_eq!(content(&rig, &red).await, "changed");
    assert_eq!(rig.post("/model/delete", &ann, json!({"id": id})).await.status, 200);
    assert_eq!(content(&rig, &red).await, "Hello from mock.");
}

#[tokio::test]
async fn nobody_else_makes_models_and_of_a_teams_own_nothing_is_the_operators() {
    let rig = Rig::start().await;
    let ann = leader(&rig).await;
    team(&rig, json!({"team_id": "blue"})).await;
    let mine = json!({"model": "openai/mine", "mock_response": "mine"});
    let nobodys = rig.key(json!({})).await;
    for (key, team) in [(&ann, "blue"), (&ann, ""), (&ann, "nowhere"), (&nobodys, "red"), (&nobodys, "")] {
        let answer = rig.post("/model/new", key, made(team, mine.clone())).await;
        assert_eq!(answer.status, 403, "{team}: {}", answer.text());
    }
    for (name, params) in [
        ("a variable", json!({"model": "openai/x", "api_key": "os.environ/LITELLM_MASTER_KEY"})),
        ("no key", json!({"model": "openai/x", "api_base": "https://example.com"})),
        (
            "a credential",
            json!({"model": "openai/x", "api_key": "sk-x", "litellm_credential_name": "shared"}),
        ),
        ("an empty key", json!({"model": "bedrock/x", "aws_region_name": "eu-west-1", "api_key": ""})),
        ("a file", json!({"model": "vertex_ai/x", "vertex_credentials": "/etc/passwd"})),
        (
            "everybody's pass-through",
            json!({"model": "openai/x", "api_key": "sk-x", "use_in_pass_through": true}),
        ),
    ] {
        let answer = rig.post("/model/new", &ann, made("red", params)).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text());
    }
    let inside =
        json!({"model": "openai/x", "api_key": "sk-x", "api_base": format!("{}/v1", rig.mock.url())});
    assert_eq!(rig.post("/model/new", &ann, made("red", inside)).await.status, 200);
    let red = rig.key(json!({"team_id": "red"})).await;
    let refused = rig.post("/v1/chat/completions", &red, chat("gpt-4o", "hi")).await;
    assert!(refused.status >= 400 && refused.text().contains("public address"), "{}", refused.text());
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn p36_a_teams_own_does_not_lead_inside_with_a_clients_key_either() {
    let rig = Rig::config(CONFIG)
        .replace("general_settings: {", "general_settings: {allow_client_side_credentials: true, ");
    let rig = rig.start().await;
    let ann = leader(&rig).await;
    let inside =
        json!({"model": "openai/x", "api_key": "sk-x", "api_base": format!("{}/v1", rig.mock.url())});
    assert_eq!(rig.post("/model/new", &ann, made("red", inside)).await.status, 200);
    let red = rig.key(json!({"team_id": "red"})).await;
    let mut body = chat("gpt-4o", "hi");
    body["api_key"] = "sk-mine".into();
    let refused = rig.post("/v1/chat/completions", &red, body).await;
    assert!(refused.status >= 400 && refused.text().contains("public address"), "{}", refused.text());
    assert_eq!(rig.mock.seen_count(), 0);
}

#[tokio::test]
async fn p35_a_key_that_is_there_goes_to_no_other_address() {
    let rig = Rig::start().await;
    let ann = leader(&rig).await;
    let first = json!({"model": "openai/x", "api_key": "sk-first", "api_base": "https://one.example"});
    let answer = rig.post("/model/new", &ann, made("red", first)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.json()["model_id"].as_str().unwrap().to_owned();
    let change = |params: Value| json!({"model_info": {"id": id}, "litellm_params": params});
    // An admin of the gateway lends the team a key.
    let lent = change(json!({"api_key": "sk-lent"}));
    assert_eq!(rig.post("/model/update", MASTER, lent).await.status, 200);
    for moved in [
        json!({"api_base": "https://two.example"}),
        json!({"base_url": "https://two.example"}),
        json!({"api_base": null}),
    ] {
        let answer = rig.post("/model/update", &ann, change(moved.clone())).await;
        assert_eq!(answer.status, 400, "{moved}: {}", answer.text());
        assert!(answer.text().contains("keys anew"), "{}", answer.text());
    }
    for fine in [
        json!({"rpm": 5}),
        json!({"api_base": "https://one.example"}),
        json!({"api_base": "https://two.example", "api_key": "sk-own"}),
    ] {
        let answer = rig.post("/model/update", &ann, change(fine.clone())).await;
        assert_eq!(answer.status, 200, "{fine}: {}", answer.text());
    }
}

#[tokio::test]
async fn p16_what_the_operator_pays_for_costs_what_the_operator_says() {
    let rig = Rig::start().await;
    let ann = leader(&rig).await;
    let own = json!({"model": "openai/gpt-4o", "api_key": "sk-first", "input_cost_per_token": 0});
    let answer = rig.post("/model/new", &ann, made("red", own)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.json()["model_id"].as_str().unwrap().to_owned();
    let change = |params: Value| json!({"model_info": {"id": id}, "litellm_params": params});
    let dear = change(json!({"output_cost_per_token": 0.5}));
    assert_eq!(rig.post("/model/update", &ann, dear).await.status, 200, "what is its own it prices");

    let lent = rig.post("/model/update", MASTER, change(json!({"api_key": "sk-lent"}))).await;
    assert_eq!(lent.status, 200, "{}", lent.text());
    let params = lent.json()["litellm_params"].clone();
    assert!(params.get("input_cost_per_token").is_none(), "the team's prices are gone: {params}");
    for cheaper in [
        change(json!({"input_cost_per_token": 0})),
        change(json!({"tiered_pricing": [{"range": [0, 1000], "input_cost_per_token": 0}]})),
        change(json!({"model": "openai/gpt-4o-mini"})),
        change(json!({"custom_llm_provider": "groq"})),
        json!({"model_info": {"id": id, "base_model": "gpt-4o-mini"}}),
        json!({"model_info": {"id": id, "output_cost_per_token": 0}}),
    ] {
        let answer = rig.post("/model/update", &ann, &cheaper).await;
        assert_eq!(answer.status, 400, "{cheaper}: {}", answer.text());
        assert!(answer.text().contains("keys anew"), "{}", answer.text());
    }
    for fine in [
        json!({"rpm": 5}),
        json!({"model": "openai/gpt-4o"}),
        json!({"api_key": "sk-own", "input_cost_per_token": 0}),
        json!({"output_cost_per_token": 0}),
    ] {
        let answer = rig.post("/model/update", &ann, change(fine.clone())).await;
        assert_eq!(answer.status, 200, "{fine}: {}", answer.text());
    }
}

#[tokio::test]
async fn p37_a_teams_own_does_not_stand_in_for_what_others_ask_for_by_an_id() {
    let rig = Rig::start().await;
    let ann = leader(&rig).await;
    let mut taken = made("red", json!({"model": "openai/x", "mock_response": "red's own"}));
    taken["model_info"]["id"] = "gpt-4o".into();
    let answer = rig.post("/model/new", &ann, taken).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(asked(&rig, MASTER, "gpt-4o").await, (200, "gpt-4o".into()));
}

#[tokio::test]
async fn what_the_operator_has_made_for_a_team_its_admins_do_not_change() {
    let rig = Rig::start().await;
    let ann = leader(&rig).await;
    let params =
        json!({"model": "openai/x", "api_key": "sk-operators", "api_base": format!("{}/v1", rig.mock.url())});
    let answer = rig.post("/model/new", MASTER, made("red", params)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.json()["model_id"].as_str().unwrap().to_owned();
    let elsewhere = json!({"model_info": {"id": id}, "litellm_params": {"api_base": "https://example.com"}});
    assert_eq!(rig.post("/model/update", &ann, elsewhere).await.status, 403);
    let of_files = rig.get("/v1/model/info", MASTER).await.json()["data"][0]["model_info"]["id"].clone();
    let taken =
        json!({"model_info": {"id": of_files, "team_id": "red"}, "litellm_params": {"api_key": "sk-x"}});
    assert_eq!(rig.post("/model/update", &ann, taken).await.status, 403);
    let nowhere = rig.post("/model/new", MASTER, made("nowhere", json!({"model": "openai/x"}))).await;
    assert_eq!(nowhere.status, 400, "{}", nowhere.text());
    let red = rig.key(json!({"team_id": "red"})).await;
    assert_eq!(asked(&rig, &red, "gpt-4o").await, (200, "x".into()));
}
