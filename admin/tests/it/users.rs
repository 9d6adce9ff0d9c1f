//! Users: what they are made with.

use crate::rig::Rig;
use serde_json::{Value, json};

async fn staffed() -> Rig {
    let rig = Rig::new();
    for id in ["red", "blue"] {
        assert_eq!(rig.post("/team/new", &json!({ "team_id": id, "team_alias": id })).await.status, 200);
    }
    let organization = json!({ "organization_id": "acme", "organization_alias": "Acme" });
    assert_eq!(rig.post("/organization/new", &organization).await.status, 200);
    rig
}

#[tokio::test]
async fn a_new_user_joins_teams_and_organizations_and_its_first_key_is_as_was_asked() {
    let rig = staffed().await;
    let body = json!({ "user_id": "ann", "user_role": "internal_user", "team_id": "red", "teams": ["blue", "red"],
        "organizations": ["acme", "nowhere"], "key_alias": "anns", "aliases": { "fast": "gpt-4o" },
        "permissions": { "get_spend_routes": true }, "spend": "1.5" });
    let made = rig.post("/user/new", &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let made = made.json();
    assert_eq!(made["spend"].to_string(), "1.5", "{made}");
    let info = rig.get(&format!("/key/info?key={}", made["key"].as_str().unwrap())).await.json();
    let key = &info["info"];
    let told = (&key["key_alias"], &key["team_id"], &key["aliases"], &key["permissions"]);
    let (aliases, permissions) = (json!({ "fast": "gpt-4o" }), json!({ "get_spend_routes": true }));
    assert_eq!(told, (&json!("anns"), &json!("red"), &aliases, &permissions), "{info}");
    let user = rig.get("/user/info?user_id=ann").await.json();
    let mut teams: Vec<&Value> = user["user_info"]["teams"].as_array().unwrap().iter().collect();
    teams.sort_by_key(|team| team.to_string());
    assert_eq!(teams, [&json!("blue"), &json!("red")], "{user}");
    let acme = rig.get("/organization/info?organization_id=acme").await;
    assert!(acme.text.contains(r#""user_id":"ann""#), "{}", acme.text);
    let spent = rig.memory.audited();
    assert!(spent.iter().any(|told| told.action == "spend_set" && told.object_id == "ann"));
}

#[tokio::test]
async fn a_new_user_that_cannot_be_as_was_asked_is_not_made_at_all() {
    let rig = staffed().await;
    rig.key(&json!({ "key_alias": "taken" })).await;
    for (body, status, says) in [
        (json!({ "user_id": "ben", "key_alias": "taken" }), 400, "already exists"),
        (json!({ "user_id": "ben", "team_id": "green" }), 404, "Team not found"),
        (json!({ "user_id": "ben", "organizations": "acme" }), 422, "valid list"),
    ] {
        let refused = rig.post("/user/new", &body).await;
        assert!(refused.status == status && refused.text.contains(says), "{body}: {}", refused.text);
        assert_eq!(rig.get("/user/list?user_ids=ben").await.json()["total"], 0, "{body}");
    }
}

#[tokio::test]
async fn p37_an_admin_of_an_organization_gives_no_more_than_its_own() {
    let rig = staffed().await;
    let other = json!({ "organization_id": "other", "organization_alias": "Other" });
    assert_eq!(rig.post("/organization/new", &other).await.status, 200);
    rig.post(
        "/user/new",
        &json!({ "user_id": "oto", "user_role": "internal_user", "auto_create_key": false }),
    )
    .await;
    let member = json!({ "role": "org_admin", "user_id": "oto" });
    let joined = json!({ "organization_id": "acme", "member": member });
    assert_eq!(rig.post("/organization/member_add", &joined).await.status, 200);
    rig.key(&json!({ "key": "sk-key-of-oto-0000", "user_id": "oto" })).await;
    for (body, status) in [
        (json!({ "user_id": "u1", "permissions": { "get_spend_routes": true } }), 403),
        (json!({ "user_id": "u2", "organizations": ["other"] }), 403),
        (json!({ "user_id": "u3", "team_id": "red" }), 403),
        (json!({ "user_id": "u4", "organizations": ["acme"], "spend": 9 }), 200),
    ] {
        let answer = rig.call("POST", "/user/new", "sk-key-of-oto-0000", &body.to_string()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
    let spent = rig.memory.audited();
    assert!(spent.iter().all(|told| told.action != "spend_set"), "only proxy admins say what was spent");
}
