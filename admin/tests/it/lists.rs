//! Lists: what they are searched by, their pages, and who is named in them.

use crate::rig::{Rig, entry};
use serde_json::{Value, json};
use weir_core::domain::ids::KeyHash;
use weir_core::time;

/// Keys of a team and a user, one of nobody.
async fn some() -> Rig {
    let rig = Rig::new();
    let user = json!({ "user_id": "u-7", "user_email": "ada@work.example", "user_alias": "Countess",
        "user_role": "internal_user", "auto_create_key": false });
    assert_eq!(rig.post("/user/new", &user).await.status, 200);
    assert_eq!(
        rig.post("/team/new", &json!({ "team_id": "t-9", "team_alias": "Engines" })).await.status,
        200
    );
    for (key, alias) in [("sk-first-robot-1111", "Prod-Robot"), ("sk-other-thing-2222", "batch")] {
        rig.key(&json!({ "key": key, "key_alias": alias, "user_id": "u-7", "team_id": "t-9" })).await;
    }
    rig.key(&json!({ "key": "sk-nobodys-key-3333", "key_alias": "100%" })).await;
    rig
}

fn aliases(list: &Value) -> Vec<&str> {
    let mut found: Vec<&str> = list["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["key_alias"].as_str().unwrap_or_default())
        .collect();
    found.sort_unstable();
    found
}

#[tokio::test]
async fn a_key_is_found_by_part_of_its_name_its_end_its_hash_or_itself() {
    let rig = some().await;
    let hash = KeyHash::of("sk-other-thing-2222").hex();
    let begin = hash[..10].to_uppercase();
    for (search, found) in [
        ("robot", vec!["Prod-Robot"]),
        ("1111", vec!["Prod-Robot"]),
        ("sk-...2222", vec!["batch"]),
        (begin.as_str(), vec!["batch"]),
        ("sk-nobodys-key-3333", vec!["100%"]),
        ("no such key", vec![]),
        ("", vec!["100%", "Prod-Robot", "batch"]),
    ] {
        let list =
            rig.get(&format!("/key/list?return_full_object=true&search={search}").replace(' ', "%20")).await;
        assert_eq!(list.status, 200, "{search}: {}", list.text);
        assert_eq!(aliases(&list.json()), found, "{search}");
        assert_eq!(list.json()["total_count"], found.len(), "{search}");
    }
    let own = "/key/list?return_full_object=true&search=sk";
    let list = rig.call("GET", own, "sk-first-robot-1111", "").await.json();
    assert_eq!(aliases(&list), ["Prod-Robot", "batch"], "whoever sees not all finds its own only");
}

#[tokio::test]
async fn a_list_of_keys_names_their_teams_and_users() {
    let rig = some().await;
    let list = rig.get("/key/list?return_full_object=true&search=robot").await.json();
    let key = &list["keys"][0];
    assert_eq!((&key["team_alias"], &key["user_email"]), (&json!("Engines"), &json!("ada@work.example")));
    let list = rig.get("/key/list?return_full_object=true&search=100").await.json();
    assert_eq!(
        (&list["keys"][0]["team_alias"], &list["keys"][0]["user_email"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test]
async fn keys_of_a_team_or_a_user_come_in_pages_where_these_are_asked_for() {
    let rig = some().await;
    for path in ["/team/info?team_id=t-9", "/user/info?user_id=u-7"] {
        let whole = rig.get(path).await.json();
        assert_eq!(aliases(&whole), ["Prod-Robot", "batch"], "{path}");
        assert!(whole.get("total_count").is_none(), "{path}: as LiteLLM tells it");
        let mut seen = Vec::new();
        for page in [1, 2] {
            let part = rig.get(&format!("{path}&page={page}&size=1")).await.json();
            assert_eq!((&part["total_count"], &part["current_page"]), (&json!(2), &json!(page)), "{path}");
            assert_eq!(part["keys"].as_array().unwrap().len(), 1, "{path}");
            seen.push(part["keys"][0]["key_alias"].clone());
        }
        assert_eq!(seen, [json!("batch"), json!("Prod-Robot")], "{path}: the youngest first");
        assert_eq!(rig.get(&format!("{path}&page=0")).await.status, 422, "{path}");
    }
}

#[tokio::test]
async fn who_leads_a_team_lists_its_keys_where_they_are_asked_for() {
    let rig = some().await;
    for (id, role) in [("lea", "admin"), ("mel", "user")] {
        rig.post(
            "/user/new",
            &json!({ "user_id": id, "user_role": "internal_user", "auto_create_key": false }),
        )
        .await;
        rig.key(&json!({ "key": format!("sk-key-of-{id}-0000"), "key_alias": id, "user_id": id })).await;
        let member = json!({ "team_id": "t-9", "member": { "role": role, "user_id": id } });
        assert_eq!(rig.post("/team/member_add", &member).await.status, 200);
    }
    for (id, asked, found) in [
        ("lea", "", vec!["lea"]),
        ("lea", "&include_team_keys=true", vec!["Prod-Robot", "batch", "lea"]),
        ("mel", "&include_team_keys=true", vec!["mel"]),
    ] {
        let path = format!("/key/list?return_full_object=true{asked}");
        let list = rig.call("GET", &path, &format!("sk-key-of-{id}-0000"), "").await.json();
        assert_eq!(aliases(&list), found, "{id} {asked}");
    }
    let members = rig.get("/user/list?team=t-9").await.json();
    let ids: Vec<&str> =
        members["users"].as_array().unwrap().iter().filter_map(|user| user["user_id"].as_str()).collect();
    assert!(ids.contains(&"lea") && ids.contains(&"mel"), "{members}");
    assert_eq!(rig.get("/user/list?team=none").await.json()["total"], 0);
}

#[tokio::test]
async fn members_of_organizations_are_named_by_their_addresses_too_and_tags_get_budgets_that_are_there() {
    let rig = some().await;
    rig.post("/organization/new", &json!({ "organization_id": "o", "organization_alias": "o" })).await;
    let member = json!({ "role": "internal_user", "user_id": "u-7" });
    rig.post("/organization/member_add", &json!({ "organization_id": "o", "member": member })).await;
    let by =
        |email: &str| json!({ "organization_id": "o", "user_email": email, "role": "org_admin" }).to_string();
    let changed =
        rig.call("PATCH", "/organization/member_update", crate::rig::MASTER, &by("ada@work.example")).await;
    assert_eq!(
        (changed.status, &changed.json()["user_role"]),
        (200, &json!("org_admin")),
        "{}",
        changed.text
    );
    let unknown =
        rig.call("DELETE", "/organization/member_delete", crate::rig::MASTER, &by("x@y.example")).await;
    assert_eq!(unknown.status, 404, "{}", unknown.text);
    let gone =
        rig.call("DELETE", "/organization/member_delete", crate::rig::MASTER, &by("ada@work.example")).await;
    assert_eq!(gone.status, 200, "{}", gone.text);

    rig.post("/budget/new", &json!({ "budget_id": "b", "max_budget": 5 })).await;
    rig.post("/tag/new", &json!({ "name": "t" })).await;
    let tagged = rig.post("/tag/update", &json!({ "name": "t", "budget_id": "b" })).await;
    assert_eq!(tagged.status, 200, "{}", tagged.text);
    assert_eq!(tagged.json()["tag"]["budget_id"], "b", "{}", tagged.text);
    assert_eq!(rig.post("/tag/update", &json!({ "name": "t", "budget_id": "none" })).await.status, 400);
}

/// Where LiteLLM's clients look for them.
#[tokio::test]
async fn a_users_keys_name_their_teams_and_a_team_tells_its_own_names_for_models() {
    let rig = some().await;
    rig.key(&json!({ "user_id": "u-7", "key_alias": "mine" })).await;
    let keys = rig.get("/user/info?user_id=u-7").await.json()["keys"].clone();
    let teams = keys.as_array().unwrap().iter().map(|key| (&key["key_alias"], &key["team_alias"]));
    let (engines, none) = (json!("Engines"), json!("None"));
    for (alias, team) in teams {
        assert_eq!(team, if alias == "mine" { &none } else { &engines }, "{alias}");
    }
    let aliases = json!({ "fast": "gpt-4o" });
    rig.post("/team/update", &json!({ "team_id": "t-9", "model_aliases": aliases })).await;
    let info = rig.get("/team/info?team_id=t-9").await.json();
    assert_eq!(info["team_info"]["litellm_model_table"]["model_aliases"], aliases, "{info}");
    let list = rig.get("/team/list").await.json();
    assert_eq!(list[0]["litellm_model_table"]["model_aliases"], aliases, "{list}");
}

#[tokio::test]
async fn customers_organizations_and_users_are_searched_and_come_in_pages() {
    let rig = some().await;
    for id in ["c-1", "c-2", "x-3"] {
        rig.post("/customer/new", &json!({ "user_id": id, "alias": format!("Shop of {id}") })).await;
        let organization = json!({ "organization_id": id, "organization_alias": format!("Firm {id}") });
        assert_eq!(rig.post("/organization/new", &organization).await.status, 200);
    }
    for (path, name) in [("/customer/list", "customers"), ("/organization/list", "organizations")] {
        assert_eq!(rig.get(path).await.json().as_array().unwrap().len(), 3, "{path}");
        assert_eq!(rig.get(&format!("{path}?search=C-")).await.json().as_array().unwrap().len(), 2, "{path}");
        let page = rig.get(&format!("{path}?search=c-&page=2&size=1")).await.json();
        assert_eq!(page[name].as_array().unwrap().len(), 1, "{page}");
        assert_eq!((&page["total_count"], &page["total_pages"]), (&json!(2), &json!(2)), "{page}");
    }
    for search in ["u-7", "countess", "ADA@"] {
        let found = rig.get(&format!("/user/list?search={search}")).await.json();
        assert_eq!((&found["total"], &found["users"][0]["user_id"]), (&json!(1), &json!("u-7")), "{search}");
    }
    assert_eq!(rig.get("/user/list?search=nobody").await.json()["total"], 0);
}

#[tokio::test]
async fn p37_who_may_see_all_reads_the_logs_of_the_ui_and_litellms_routes_stay_refused() {
    let rig = Rig::new();
    for (id, role) in [("vic", "proxy_admin_viewer"), ("ann", "internal_user")] {
        rig.post("/user/new", &json!({ "user_id": id, "user_role": role, "auto_create_key": false })).await;
        rig.key(&json!({ "key": format!("sk-key-of-{id}-0000"), "user_id": id })).await;
    }
    rig.memory.book(entry(time::now(), 5));
    let seen = rig.call("GET", "/ui/entries?page_size=10", "sk-key-of-vic-0000", "").await;
    assert_eq!((seen.status, &seen.json()["total"]), (200, &json!(1)), "{}", seen.text);
    for path in ["/spend/logs", "/spend/logs/ui", "/spend/logs/v2"] {
        assert_eq!(rig.call("GET", path, "sk-key-of-vic-0000", "").await.status, 403, "{path}");
    }
    assert_eq!(rig.call("GET", "/ui/entries", "sk-key-of-ann-0000", "").await.status, 401);
    assert_eq!(rig.call("GET", "/ui/entries", "", "").await.status, 401);
}

#[tokio::test]
async fn p19_keys_of_a_team_end_with_the_membership_of_their_user() {
    let rig = some().await;
    let member = json!({ "team_id": "t-9", "member": { "role": "user", "user_id": "u-7" } });
    assert_eq!(rig.post("/team/member_add", &member).await.status, 200);
    rig.key(&json!({ "key": "sk-own-key-of-u7-4444", "user_id": "u-7" })).await;
    rig.key(&json!({ "key": "sk-of-the-team-5555", "team_id": "t-9" })).await;
    rig.key(&json!({ "key": "sk-of-another-6666", "team_id": "t-9", "user_id": "u-8" })).await;
    let left = rig.post("/team/member_delete", &json!({ "team_id": "t-9", "user_id": "u-7" })).await;
    assert_eq!(left.status, 200, "{}", left.text);
    for key in ["sk-first-robot-1111", "sk-other-thing-2222"] {
        assert!(rig.memory.stored(key).is_none(), "{key}");
        assert!(rig.memory.forgot(key), "at once: {key}");
        let hash = KeyHash::of(key).hex();
        let audited = rig.memory.audited();
        assert!(audited.iter().any(|told| told.action == "deleted" && told.object_id == hash), "{key}");
    }
    for key in ["sk-own-key-of-u7-4444", "sk-of-the-team-5555", "sk-of-another-6666", "sk-nobodys-key-3333"] {
        assert!(rig.memory.stored(key).is_some(), "{key}");
    }
}

#[tokio::test]
async fn keys_that_one_made_for_others_are_listed_where_they_are_asked_for() {
    let rig = some().await;
    let list = "/key/list?return_full_object=true";
    let made = rig.get(&format!("{list}&user_id=default_user_id")).await.json();
    assert!(aliases(&made).is_empty(), "{made}");
    let made = rig.get(&format!("{list}&user_id=default_user_id&include_created_by_keys=true")).await.json();
    assert_eq!(aliases(&made), ["100%", "Prod-Robot", "batch"]);
    for (id, role) in [("lea", "admin"), ("mel", "user")] {
        rig.post(
            "/user/new",
            &json!({ "user_id": id, "user_role": "internal_user", "auto_create_key": false }),
        )
        .await;
        let member = json!({ "team_id": "t-9", "member": { "role": role, "user_id": id } });
        assert_eq!(rig.post("/team/member_add", &member).await.status, 200);
    }
    rig.key(&json!({ "key": "sk-key-of-lea-0000", "key_alias": "lea", "user_id": "lea" })).await;
    let for_mel =
        json!({ "key": "sk-made-for-mel-0000", "key_alias": "made", "user_id": "mel", "team_id": "t-9" });
    let answer = rig.call("POST", "/key/generate", "sk-key-of-lea-0000", &for_mel.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let made = format!("{list}&include_created_by_keys=true");
    let seen = async |path: &str| rig.call("GET", path, "sk-key-of-lea-0000", "").await.json();
    assert_eq!(aliases(&seen(list).await), ["lea"]);
    assert_eq!(aliases(&seen(&made).await), ["lea", "made"]);
    rig.post("/team/member_delete", &json!({ "team_id": "t-9", "user_id": "lea" })).await;
    assert_eq!(aliases(&seen(&made).await), ["lea"], "the team is no longer theirs");
}

#[tokio::test]
async fn keys_that_were_deleted_are_listed_with_who_did_it() {
    let rig = some().await;
    let metadata = json!({ "key": "sk-first-robot-1111", "metadata": { "cost": 0.10 } });
    assert_eq!(rig.post("/key/update", &metadata).await.status, 200);
    let gone = json!({ "keys": ["sk-first-robot-1111", "sk-nobodys-key-3333"] });
    assert_eq!(rig.post("/key/delete", &gone).await.status, 200);
    let list = rig.get("/key/list?status=deleted&return_full_object=true&search=robot").await.json();
    assert_eq!((aliases(&list), &list["total_count"]), (vec!["Prod-Robot"], &json!(1)));
    let key = &list["keys"][0];
    assert_eq!((&key["team_alias"], &key["metadata"]), (&json!("Engines"), &json!({ "cost": 0.1 })));
    assert!(key["deleted_at"].is_string() && key["deleted_by"] == "default_user_id", "{key}");
    let page = rig.get("/key/list?status=deleted&size=1&page=2").await.json();
    assert_eq!((&page["total_count"], &page["total_pages"]), (&json!(2), &json!(2)), "{page}");
    assert_eq!(page["keys"].as_array().unwrap().len(), 1, "{page}");
    let own = rig.call("GET", "/key/list?status=deleted", "sk-other-thing-2222", "").await.json();
    assert_eq!(own["keys"], json!([KeyHash::of("sk-first-robot-1111").hex()]), "of the same user only");
    let refused = rig.get("/key/list?status=expired").await;
    assert!(refused.status == 400 && refused.text.contains("Currently only"), "{}", refused.text);
}

#[tokio::test]
async fn a_list_of_keys_tells_of_their_users_where_it_is_asked_to() {
    let rig = some().await;
    let list = rig.get("/key/list?expand=user&search=robot").await.json();
    let key = &list["keys"][0];
    assert_eq!(key["user"]["user_email"], "ada@work.example", "{key}");
    assert_eq!(key["created_by_user"]["user_id"], "default_user_id", "{key}");
    let nobodys = rig.get("/key/list?expand=user&search=100").await.json();
    assert_eq!(nobodys["keys"][0]["user"], Value::Null, "{nobodys}");
    let own = rig.call("GET", "/key/list?expand=user&search=robot", "sk-other-thing-2222", "").await.json();
    assert_eq!(own["keys"][0]["user"]["user_id"], "u-7", "{own}");
    assert!(own["keys"][0].get("created_by_user").is_none(), "others are none of their business: {own}");
}

#[tokio::test]
async fn days_are_narrowed_by_all_that_they_are_summed_by_and_refused_else() {
    let rig = Rig::new();
    let days = "start_date=2026-11-01&end_date=2026-11-30";
    for (path, status) in [
        ("/team/daily/activity?team_id=t&user_id=u&model=m&provider=openai", 200),
        ("/user/daily/activity?team_ids=t,s&organization_id=o&api_key=sk-x", 200),
        ("/tag/daily/activity?tag=a&model=m&api_key=sk-x", 200),
        ("/customer/daily/activity?end_user_ids=c&model=m", 200),
        ("/team/daily/activity?team_id=t&tag=a", 400),
        ("/tag/daily/activity?tags=a&team_id=t", 400),
        ("/customer/daily/activity?user_id=u", 400),
    ] {
        let answer = rig.get(&format!("{path}&{days}")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(status == 200 || answer.text.contains("are not summed by"), "{}", answer.text);
    }
}
