//! The enterprise extension, and versions of resources.

use super::{ENTERPRISE, done, get, patch, refused, send, send_with, user};
use crate::rig::{MASTER, Rig};
use serde_json::{Value, json};

#[tokio::test]
async fn where_somebody_works_is_kept_as_okta_and_entra_send_it() {
    let rig = Rig::start().await;
    let path = |name: &str| format!("{ENTERPRISE}:{name}");
    let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE], "userName": "dora",
        ENTERPRISE: { "employeeNumber": "701984", "costCenter": "4130", "organization": "Universal",
            "division": "Parks", "department": "Tours", "manager": { "value": "mia", "displayName": "Mia" } } });
    let made = done(&rig, "POST", "/Users", body.clone()).await;
    assert_eq!(made["schemas"], body["schemas"]);
    let mut told = body[ENTERPRISE].clone();
    told["manager"]["$ref"] = json!(format!("{}/scim/v2/Users/mia", rig.url));
    assert_eq!(made[ENTERPRISE], told);
    let info = rig.get("/user/info?user_id=dora", MASTER).await.json();
    assert_eq!(info["user_info"]["metadata"]["scim_enterprise"]["department"], "Tours");
    // Entra ID's forms.
    let changed = patch(
        &rig,
        "/Users/dora",
        json!([
            { "op": "Add", "path": path("department"), "value": "Rides" },
            { "op": "Replace", "path": path("manager"), "value": "max" },
            { "op": "Remove", "path": path("division") },
            { "op": "Add", "value": { path("costCenter"): "4131" } },
        ]),
    )
    .await;
    let told = &changed[ENTERPRISE];
    assert_eq!(
        (&told["department"], &told["costCenter"], told.get("division")),
        (&json!("Rides"), &json!("4131"), None)
    );
    assert_eq!((&told["manager"]["value"], told["manager"].get("displayName")), (&json!("max"), None));
    // Okta's.
    let okta = json!([{ "op": "replace", "value": { ENTERPRISE: { "organization": "Global", "manager": { "value": "mia" } } } }]);
    let changed = patch(&rig, "/Users/dora", okta).await;
    assert_eq!(
        (&changed[ENTERPRISE]["organization"], &changed[ENTERPRISE]["manager"]["value"]),
        (&json!("Global"), &json!("mia"))
    );
    assert_eq!(changed[ENTERPRISE]["employeeNumber"], "701984", "what is not said stays");
    let shown = get(&rig, &format!("/Users/dora?attributes={ENTERPRISE}:department")).await;
    assert!(shown.get("userName").is_none() && shown[ENTERPRISE].is_object(), "{shown}");
    let wrong = json!({ "Operations": [{ "op": "add", "path": path("department"), "value": ["x"] }] });
    assert_eq!(refused(&rig, "PATCH", "/Users/dora", &wrong).await, (400, json!("invalidValue")));
    // A whole one that says nothing of it takes it away.
    let whole = done(&rig, "PUT", "/Users/dora", json!({ "userName": "dora" })).await;
    assert_eq!((whole.get(ENTERPRISE), whole["schemas"].as_array().map(Vec::len)), (None, Some(1)));
}

#[tokio::test]
async fn who_began_from_an_older_version_is_told_so() {
    let rig = Rig::start().await;
    user(&rig, "eve").await;
    let path = "/Users/eve@work.example";
    let asked = async |method: &str, path: &str, header: (&str, &str), body: &Value| {
        send_with(&rig, method, path, MASTER, &[header], body).await
    };
    let first = send(&rig, "GET", path, MASTER, &Value::Null).await;
    let version = first.header("etag").to_owned();
    assert!(version.starts_with("W/\""), "{version}");
    assert_eq!(first.json()["meta"]["version"], version);
    let same = asked("GET", path, ("if-none-match", version.as_str()), &Value::Null).await;
    assert_eq!((same.status, same.text(), same.header("etag")), (304, String::new(), version.as_str()));

    let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    let done_once = asked("PATCH", path, ("if-match", version.as_str()), &off).await;
    assert_eq!(done_once.status, 200, "{}", done_once.text());
    let newer = done_once.header("etag").to_owned();
    assert_ne!(newer, version);
    assert_eq!(get(&rig, path).await["meta"]["version"], newer);
    assert_eq!(asked("GET", path, ("if-none-match", version.as_str()), &Value::Null).await.status, 200);
    let whole = json!({ "userName": "eve@work.example" });
    for (method, body) in [("PATCH", &off), ("PUT", &whole), ("DELETE", &Value::Null)] {
        let late = asked(method, path, ("if-match", version.as_str()), body).await;
        assert_eq!((late.status, &late.json()["status"]), (412, &json!("412")), "{method}: {}", late.text());
    }
    assert_eq!(asked("PUT", path, ("if-match", "*"), &whole).await.status, 200);

    // A group is another one when its members are.
    let group = done(&rig, "POST", "/Groups", json!({ "displayName": "Red" })).await;
    let group_path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let version = group["meta"]["version"].as_str().unwrap().to_owned();
    let before = get(&rig, path).await["meta"]["version"].clone();
    let join = json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": "eve@work.example" }] }] });
    assert_eq!(asked("PATCH", group_path.as_str(), ("if-match", version.as_str()), &join).await.status, 200);
    assert_eq!(asked("PATCH", group_path.as_str(), ("if-match", version.as_str()), &join).await.status, 412);
    assert_ne!(get(&rig, path).await["meta"]["version"], before, "and so is who has come into it");
    let short = get(&rig, &format!("{group_path}?excludedAttributes=members")).await;
    assert_eq!(short["meta"].get("version"), None, "of what was not read");
    let now = get(&rig, &group_path).await["meta"]["version"].as_str().unwrap().to_owned();
    assert_eq!(
        asked("DELETE", group_path.as_str(), ("if-match", version.as_str()), &Value::Null).await.status,
        412
    );
    assert_eq!(
        asked("DELETE", group_path.as_str(), ("if-match", now.as_str()), &Value::Null).await.status,
        204
    );
}
