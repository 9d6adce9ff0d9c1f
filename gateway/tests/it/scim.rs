//! An identity provider keeps users and teams, as Okta and Entra ID do it.

use crate::client::{self, Answer};
use crate::rig::{MASTER, Rig, chat};
use crate::signon::Browser;
use serde_json::{Value, json};

mod extended;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

async fn send(rig: &Rig, method: &str, path: &str, key: &str, body: &Value) -> Answer {
    send_with(rig, method, path, key, &[], body).await
}

async fn send_with(
    rig: &Rig,
    method: &str,
    path: &str,
    key: &str,
    more: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let auth = format!("Bearer {key}");
    let mut headers = vec![("authorization", auth.as_str()), ("content-type", "application/scim+json")];
    headers.extend_from_slice(more);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client::send(method, &format!("{}/scim/v2{path}", rig.url), &headers, body).await
}

/// With the master key; it must be done.
async fn done(rig: &Rig, method: &str, path: &str, body: Value) -> Value {
    let answer = send(rig, method, path, MASTER, &body).await;
    assert!(answer.status < 300, "{method} {path} {body}: {} {}", answer.status, answer.text());
    if answer.status == 204 { Value::Null } else { answer.json() }
}

async fn get(rig: &Rig, path: &str) -> Value {
    done(rig, "GET", path, Value::Null).await
}

/// With the master key; it must be refused, in SCIM's shape.
async fn refused(rig: &Rig, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let answer = send(rig, method, path, MASTER, body).await;
    assert_eq!(answer.header("content-type"), "application/scim+json", "{method} {path} {body}");
    let told = answer.json();
    assert_eq!(told["status"], answer.status.to_string(), "{told}");
    assert_eq!(told["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert!(told["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{told}");
    (answer.status, told["scimType"].clone())
}

async fn patch(rig: &Rig, path: &str, operations: Value) -> Value {
    done(rig, "PATCH", path, json!({ "schemas": [PATCH], "Operations": operations })).await
}

/// As Okta makes one.
async fn user(rig: &Rig, name: &str) -> Value {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("{name}@work.example"),
        "name": { "givenName": name, "familyName": "Ash" }, "externalId": format!("00u-{name}"), "locale": "en-US",
        "emails": [{ "primary": true, "value": format!("{name}@work.example"), "type": "work" }],
        "displayName": format!("{name} Ash"), "groups": [], "active": true,
    });
    done(rig, "POST", "/Users", body).await
}

async fn calls(rig: &Rig, key: &str) -> u16 {
    rig.post("/v1/chat/completions", key, chat("gpt-4o", "hello")).await.status
}

fn members(group: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> =
        group["members"].as_array().unwrap().iter().map(|m| m["value"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids
}

fn found(page: &Value) -> Vec<&str> {
    page["Resources"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_team_that_an_identity_provider_makes_has_the_operators_defaults() {
    let settings = "litellm_settings: {default_team_params: {models: [gpt-4o], max_budget: 2.5, budget_duration: 30d, \
                    rpm_limit: 7}, ";
    let rig = Rig::config(crate::rig::CONFIG).replace("litellm_settings: {", settings).start().await;
    let made = done(&rig, "POST", "/Groups", json!({ "displayName": "Research", "members": [] })).await;
    let path = format!("/team/info?team_id={}", made["id"].as_str().unwrap());
    let team = rig.get(&path, MASTER).await.json()["team_info"].clone();
    let told = json!([team["models"], team["max_budget"], team["budget_duration"], team["rpm_limit"]]);
    assert_eq!(told, json!([["gpt-4o"], 2.5, "30d", 7]), "{team}");
    assert!(team["budget_reset_at"].is_string(), "p17: {team}");
}

#[tokio::test]
async fn p37_whom_the_provider_switches_off_is_out_at_once_and_back_again() {
    let rig = Rig::start().await;
    let alice = user(&rig, "alice").await;
    let (id, path) = ("alice@work.example", "/Users/alice@work.example");
    assert_eq!(
        (&alice["id"], &alice["active"], &alice["externalId"]),
        (&json!(id), &json!(true), &json!("00u-alice"))
    );
    assert_eq!(alice["meta"]["location"], format!("{}/scim/v2{path}", rig.url));
    let info = rig.get(&format!("/user/info?user_id={id}"), MASTER).await.json();
    assert_eq!(info["user_info"]["user_role"], "internal_user_viewer");
    let key = rig.key(json!({ "user_id": id })).await;
    let password = json!({ "user_id": id, "password": "alice's password" });
    assert_eq!(rig.post("/user/update", MASTER, password).await.status, 200);
    let mut browser = Browser::new(&rig);
    assert_eq!(browser.sign_in(id, "alice's password").await.status, 200);
    assert_eq!(calls(&rig, &key).await, 200);

    // Okta's form, then Entra ID's.
    let off = patch(&rig, path, json!([{ "op": "replace", "value": { "active": false } }])).await;
    assert_eq!(off["active"], false);
    assert_eq!(calls(&rig, &key).await, 401);
    assert_eq!(browser.session().await, Err(401));
    let audited = rig.get("/audit?page_size=100", MASTER).await.text();
    assert!(audited.contains("\"action\":\"blocked\""), "{audited}");
    patch(&rig, path, json!([{ "op": "Replace", "path": "active", "value": "True" }])).await;
    assert_eq!(calls(&rig, &key).await, 200);
    assert_eq!(browser.session().await, Err(401), "a session that has ended does not come back");

    done(&rig, "DELETE", path, Value::Null).await;
    assert_eq!(refused(&rig, "GET", path, &Value::Null).await.0, 404);
    assert_eq!(refused(&rig, "DELETE", path, &Value::Null).await.0, 404);
    assert_eq!(calls(&rig, &key).await, 401);
}

#[tokio::test]
async fn users_are_changed_as_providers_change_them() {
    let rig = Rig::start().await;
    user(&rig, "bob").await;
    let path = "/Users/bob@work.example";
    let changed = patch(
        &rig,
        path,
        json!([
            { "op": "Replace", "path": "name.familyName", "value": "Birch" },
            { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "robert@work.example" },
            { "op": "Add", "value": { "displayName": "Robert", "userName": "robert@work.example" } },
            { "op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "R" },
        ]),
    )
    .await;
    assert_eq!(
        (&changed["id"], &changed["userName"]),
        (&json!("bob@work.example"), &json!("robert@work.example"))
    );
    assert_eq!(
        (&changed["name"]["givenName"], &changed["name"]["familyName"]),
        (&json!("bob"), &json!("Birch"))
    );
    assert_eq!(changed["emails"][0]["value"], "robert@work.example");
    assert_eq!(changed[ENTERPRISE], json!({ "department": "R" }));
    let listed = get(&rig, "/Users?filter=userName%20eq%20%22Robert@work.example%22").await;
    assert_eq!(found(&listed), ["bob@work.example"]);
    assert!(found(&get(&rig, "/Users?filter=userName%20eq%20%22bob@work.example%22").await).is_empty());
    // A whole one leaves nobody active who was not, unless it says so.
    patch(&rig, path, json!([{ "op": "replace", "path": "active", "value": false }])).await;
    let whole = json!({ "schemas": [], "userName": "robert@work.example", "emails": [] });
    let replaced = done(&rig, "PUT", path, whole).await;
    assert_eq!(
        (&replaced["active"], replaced.get("externalId"), &replaced["emails"]),
        (&json!(false), None, &json!([]))
    );
}

#[tokio::test]
async fn who_was_there_before_is_found_and_taken_over() {
    let rig = Rig::start().await;
    let made = json!({ "user_id": "carol", "user_email": "carol@work.example", "user_role": "internal_user", "auto_create_key": false });
    assert_eq!(rig.post("/user/new", MASTER, made).await.status, 200);
    let page = get(&rig, "/Users?filter=userName%20eq%20%22carol@work.example%22").await;
    assert_eq!((found(&page), &page["totalResults"]), (vec!["carol"], &json!(1)));
    let body = json!({ "userName": "carol@work.example", "externalId": "o-1", "active": true });
    let taken = done(&rig, "PUT", "/Users/carol", body).await;
    assert_eq!((&taken["id"], &taken["userName"]), (&json!("carol"), &json!("carol@work.example")));
    let again = json!({ "userName": "Carol@work.example" });
    assert_eq!(refused(&rig, "POST", "/Users", &again).await, (409, json!("uniqueness")));
    let other = json!({ "userName": "other", "emails": [{ "value": "carol@work.example" }] });
    assert_eq!(refused(&rig, "POST", "/Users", &other).await, (409, json!("uniqueness")));
    let role = rig.get("/user/info?user_id=carol", MASTER).await.json()["user_info"]["user_role"].clone();
    assert_eq!(role, "internal_user", "a role is not the provider's to take");
}

#[tokio::test]
async fn groups_are_teams_and_members_come_and_go() {
    let rig = Rig::start().await;
    for name in ["ann", "ben", "cal"] {
        user(&rig, name).await;
    }
    let id = |name: &str| json!({ "value": format!("{name}@work.example") });
    let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Red",
        "externalId": "g-1", "members": [id("ann")] });
    let group = done(&rig, "POST", "/Groups", body).await;
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    assert_eq!(members(&group), ["ann@work.example"]);
    let team = rig.get(&format!("/team/info?team_id={}", group["id"].as_str().unwrap()), MASTER).await.json();
    assert_eq!(team["team_info"]["team_alias"], "Red");
    assert_eq!(team["team_info"]["members_with_roles"][0]["user_id"], "ann@work.example");
    for (operations, left) in [
        // Entra ID's forms.
        (
            json!([{ "op": "Add", "path": "members", "value": [id("ben"), id("cal"), id("ann")] }]),
            vec!["ann", "ben", "cal"],
        ),
        (json!([{ "op": "Remove", "path": "members", "value": [id("ben")] }]), vec!["ann", "cal"]),
        // Okta's.
        (json!([{ "op": "remove", "path": "members[value eq \"cal@work.example\"]" }]), vec!["ann"]),
        (
            json!([{ "op": "replace", "path": "members", "value": [id("ben"), id("cal")] }]),
            vec!["ben", "cal"],
        ),
        (
            json!([{ "op": "replace", "value": { "id": "ignored", "displayName": "Crimson" } }]),
            vec!["ben", "cal"],
        ),
        // Who is none leaves nothing behind.
        (json!([{ "op": "remove", "path": "members[value eq \"nobody\"]" }]), vec!["ben", "cal"]),
    ] {
        let changed = patch(&rig, &path, operations.clone()).await;
        let left: Vec<String> = left.into_iter().map(|name| format!("{name}@work.example")).collect();
        assert_eq!(members(&changed), left, "{operations}");
        assert_eq!(members(&get(&rig, &path).await), left, "{operations}");
    }
    let ben = get(&rig, "/Users/ben@work.example").await;
    assert_eq!(ben["groups"][0]["display"], "Crimson");
    let team = group["id"].clone();
    let (key, own) = (
        rig.key(json!({ "user_id": "ben@work.example", "team_id": team })).await,
        rig.key(json!({ "user_id": "ben@work.example" })).await,
    );
    assert_eq!((calls(&rig, &key).await, calls(&rig, &own).await), (200, 200));
    let replaced = done(&rig, "PUT", &path, json!({ "displayName": "Red", "members": [id("ann")] })).await;
    assert_eq!((members(&replaced), replaced.get("externalId")), (vec!["ann@work.example"], None));
    assert_eq!(
        (calls(&rig, &key).await, calls(&rig, &own).await),
        (401, 200),
        "p19: his key of the team ends"
    );
    done(&rig, "DELETE", &path, Value::Null).await;
    assert_eq!(refused(&rig, "GET", &path, &Value::Null).await.0, 404);
    assert_eq!(get(&rig, "/Users/ben@work.example").await["groups"], json!([]));
}

#[tokio::test]
async fn lists_are_filtered_and_come_in_pages() {
    let rig = Rig::start().await;
    for number in 0..5 {
        user(&rig, &format!("u{number}")).await;
    }
    let group = json!({ "displayName": "Blue Team", "externalId": "g-7", "members": [{ "value": "u1@work.example" }] });
    done(&rig, "POST", "/Groups", group).await;
    let page = get(&rig, "/Users?startIndex=2&count=2").await;
    assert_eq!(
        (&page["totalResults"], &page["itemsPerPage"], &page["startIndex"]),
        (&json!(5), &json!(2), &json!(2))
    );
    assert_eq!(found(&page), ["u1@work.example", "u2@work.example"]);
    let none = get(&rig, "/Users?count=0").await;
    assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(5), &json!([])));
    for (filter, count) in [
        ("/Users?filter=externalId eq \"00u-u3\"", 1),
        ("/Users?filter=emails[type eq \"work\"].value eq \"u3@work.example\"", 1),
        ("/Users?filter=displayName eq \"u3 Ash\" and active eq true", 1),
        ("/Users?filter=id eq \"u3@work.example\" and active eq false", 0),
        ("/Users?filter=userName eq \"nobody\"", 0),
        ("/Groups?filter=displayName eq \"Blue Team\"", 1),
        ("/Groups?filter=externalId eq \"g-7\"&excludedAttributes=members", 1),
        ("/Groups?filter=members.value eq \"u1@work.example\"", 1),
        ("/Groups?filter=displayName eq \"Blue Team\" and members eq \"u2@work.example\"", 0),
        ("/Groups", 1),
    ] {
        let path = filter.replace(' ', "%20").replace('"', "%22").replace('[', "%5B").replace(']', "%5D");
        let page = get(&rig, &path).await;
        assert_eq!(found(&page).len(), count, "{filter}: {page}");
        let without = filter.contains("excludedAttributes");
        assert!(!without || page["Resources"][0].get("members").is_none(), "{page}");
    }
    for query in ["filter=userName%20co%20%22u%22", "filter=active%20eq%20true", "filter=x", "count=many"] {
        assert_eq!(refused(&rig, "GET", &format!("/Users?{query}"), &Value::Null).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_refused_whole() {
    let rig = Rig::start().await;
    let ann = user(&rig, "ann").await;
    let group = done(&rig, "POST", "/Groups", json!({ "displayName": "Red" })).await;
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let there = json!({ "value": "ann@work.example" });
    let missing = json!({ "value": "nobody@work.example" });
    for (method, path, body) in [
        ("POST", "/Groups", json!({ "displayName": "Blue", "members": [there, missing] })),
        ("POST", "/Groups", json!({ "displayName": "Blue", "members": [{}] })),
        ("POST", "/Groups", json!({ "displayName": "" })),
        ("PUT", path.as_str(), json!({ "displayName": "Blue", "members": [there, missing] })),
        (
            "PATCH",
            path.as_str(),
            json!({ "Operations": [{ "op": "add", "path": "members", "value": [there, missing] }] }),
        ),
        (
            "PATCH",
            path.as_str(),
            json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "Blue" }, { "op": "move" }] }),
        ),
        (
            "PATCH",
            "/Users/ann@work.example",
            json!({ "Operations": [{ "op": "replace", "path": "active", "value": false },
                { "op": "replace", "path": "emails[type eq", "value": 1 }] }),
        ),
        ("PATCH", "/Users/ann@work.example", json!({ "Operations": [{ "op": "remove" }] })),
        ("PATCH", "/Users/ann@work.example", json!({})),
        ("POST", "/Users", json!({ "userName": "x", "active": "perhaps" })),
        ("POST", "/Users", json!({ "displayName": "no name to sign in with" })),
        ("POST", "/Users", json!([])),
    ] {
        assert_eq!(refused(&rig, method, path, &body).await.0, 400, "{method} {path} {body}");
    }
    let auth = format!("Bearer {MASTER}");
    let headers = [("authorization", auth.as_str())];
    let broken =
        client::send("POST", &format!("{}/scim/v2/Users", rig.url), &headers, "{\"userName\":").await;
    assert_eq!((broken.status, &broken.json()["scimType"]), (400, &json!("invalidSyntax")));
    assert_eq!(get(&rig, "/Users").await["totalResults"], 1);
    assert_eq!(get(&rig, "/Users/ann@work.example").await, ann);
    let groups = get(&rig, "/Groups").await;
    assert_eq!((&groups["totalResults"], &groups["Resources"][0]), (&json!(1), &group));
}

#[tokio::test]
async fn p37_only_admins_and_keys_for_it_provision() {
    let rig = Rig::start().await;
    let mut keys = Vec::new();
    for role in ["proxy_admin_viewer", "internal_user", "internal_user_viewer"] {
        let made = json!({ "user_id": role, "user_role": role, "auto_create_key": false });
        assert_eq!(rig.post("/user/new", MASTER, made).await.status, 200);
        keys.push(rig.key(json!({ "user_id": role })).await);
        keys.push(rig.key(json!({ "user_id": role, "allowed_routes": ["/scim/*"] })).await);
    }
    keys.push(rig.key(json!({})).await);
    let body = json!({ "userName": "mallory" });
    for key in &keys {
        for (method, path) in
            [("POST", "/Users"), ("GET", "/Users"), ("DELETE", "/Users/internal_user"), ("GET", "/Groups")]
        {
            let status = send(&rig, method, path, key, &body).await.status;
            assert!([401, 403].contains(&status), "{method} {path} {status}");
        }
    }
    assert_eq!(client::send("GET", &format!("{}/scim/v2/Users", rig.url), &[], "").await.status, 401);
    let key = rig.key(json!({ "allowed_routes": ["/scim/*"] })).await;
    assert_eq!(send(&rig, "POST", "/Users", &key, &body).await.status, 201);
    assert!([401, 403].contains(&rig.post("/user/new", &key, json!({})).await.status));
    assert!([401, 403].contains(&calls(&rig, &key).await));
}

#[tokio::test]
async fn the_service_says_what_it_can() {
    let rig = Rig::start().await;
    let service = get(&rig, "/ServiceProviderConfig").await;
    assert_eq!(
        (&service["patch"]["supported"], &service["bulk"]["supported"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(service["etag"]["supported"], true);
    let extensions = get(&rig, "/ResourceTypes/User").await["schemaExtensions"].clone();
    assert_eq!(extensions, json!([{ "schema": ENTERPRISE, "required": false }]));
    let schema = get(&rig, &format!("/Schemas/{ENTERPRISE}")).await;
    let names: Vec<&str> =
        schema["attributes"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"costCenter") && names.contains(&"manager"), "{names:?}");
    for (path, ids) in [
        ("/ResourceTypes", vec!["User", "Group"]),
        (
            "/Schemas",
            vec![
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:core:2.0:Group",
                ENTERPRISE,
            ],
        ),
    ] {
        assert_eq!(found(&get(&rig, path).await), ids);
        for id in ids {
            assert_eq!(get(&rig, &format!("{path}/{id}")).await["id"], id);
        }
        assert_eq!(refused(&rig, "GET", &format!("{path}/None"), &Value::Null).await.0, 404);
    }
}
