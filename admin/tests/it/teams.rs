//! Teams: what they are changed to, and those that are gone; budgets whose period's end is said.

use crate::rig::Rig;
use serde_json::{Value, json};

#[tokio::test]
async fn what_all_members_may_spend_has_a_period_of_its_own() {
    let rig = Rig::new();
    assert_eq!(rig.post("/team/new", &json!({ "team_id": "red" })).await.status, 200);
    let budget = async || {
        rig.get("/team/info?team_id=red").await.json()["team_info"]["team_member_budget_table"].clone()
    };
    let nothing =
        json!({ "team_id": "red", "team_member_budget_duration": null, "team_member_budget": null });
    assert_eq!(rig.post("/team/update", &nothing).await.status, 200);
    assert_eq!(budget().await, Value::Null, "none was asked for");
    let begun = json!({ "team_id": "red", "team_member_budget": 5, "team_member_budget_duration": "7d" });
    assert_eq!(rig.post("/team/update", &begun).await.status, 200);
    let told = budget().await;
    assert_eq!((&told["max_budget"], &told["budget_duration"]), (&json!(5), &json!("7d")), "{told}");
    let longer = json!({ "team_id": "red", "team_member_budget_duration": "30d" });
    assert_eq!(rig.post("/team/update", &longer).await.status, 200);
    let told = budget().await;
    assert_eq!((&told["max_budget"], &told["budget_duration"]), (&json!(5), &json!("30d")), "{told}");
    let refused =
        rig.post("/team/update", &json!({ "team_id": "red", "team_member_budget_duration": "x" })).await;
    assert!(refused.status == 400 && refused.text.contains("no period"), "{}", refused.text);
}

#[tokio::test]
async fn fields_of_a_team_that_stand_in_its_metadata_are_told_there() {
    let rig = Rig::new();
    let body = json!({ "team_id": "red", "rpm_limit_type": "best_effort_throughput",
        "tpm_limit_type": "guaranteed_throughput", "allowed_passthrough_routes": ["/bria"] });
    assert_eq!(rig.post("/team/new", &body).await.status, 200);
    let told = rig.get("/team/info?team_id=red").await.json()["team_info"]["metadata"].clone();
    for name in ["rpm_limit_type", "tpm_limit_type", "allowed_passthrough_routes"] {
        assert_eq!(told[name], body[name], "{told}");
    }
    let refused = rig.post("/team/new", &json!({ "rpm_limit_type": "dynamic" })).await;
    assert_eq!(refused.status, 422, "a key's only: {}", refused.text);
}

#[tokio::test]
async fn teams_are_guaranteed_no_more_than_their_organization_has() {
    let rig = Rig::new();
    let made = json!({ "organization_id": "o", "organization_alias": "o", "rpm_limit": 10 });
    assert_eq!(rig.post("/organization/new", &made).await.status, 200);
    let team = |id: &str, rpm: u32, kind: &str| json!({ "team_id": id, "organization_id": "o", "rpm_limit": rpm, "rpm_limit_type": kind });
    assert_eq!(rig.post("/team/new", &team("red", 6, "guaranteed_throughput")).await.status, 200);
    let refused = rig.post("/team/new", &team("blue", 5, "guaranteed_throughput")).await;
    let why = "Allocated RPM limit=6 + Team RPM limit=5 is greater than organization RPM limit=10";
    assert!(refused.status == 400 && refused.text.contains(why), "{}", refused.text);
    assert_eq!(rig.post("/team/new", &team("blue", 5, "best_effort_throughput")).await.status, 200);
    let renamed = json!({ "team_id": "red", "team_alias": "crimson" });
    assert_eq!(rig.post("/team/update", &renamed).await.status, 200, "what it had it keeps");
}

#[tokio::test]
async fn teams_that_were_deleted_are_listed_with_who_did_it() {
    let rig = Rig::new();
    for id in ["red", "blue"] {
        assert_eq!(rig.post("/team/new", &json!({ "team_id": id, "team_alias": id })).await.status, 200);
    }
    assert_eq!(rig.post("/team/delete", &json!({ "team_ids": ["red"] })).await.status, 200);
    let gone = rig.get("/v2/team/list?status=deleted").await.json();
    assert_eq!((&gone["total"], &gone["teams"][0]["team_id"]), (&json!(1), &json!("red")), "{gone}");
    let red = &gone["teams"][0];
    assert!(red["deleted_at"].is_string() && red["deleted_by"] == "default_user_id", "{red}");
    assert_eq!(rig.get("/v2/team/list?status=deleted&team_alias=blu").await.json()["total"], 0);
    assert_eq!(rig.get("/v2/team/list").await.json()["teams"][0]["team_id"], "blue");
    assert_eq!(rig.get("/v2/team/list?status=blocked").await.status, 400);
}

#[tokio::test]
async fn p17_the_end_of_a_budgets_period_may_be_said() {
    let rig = Rig::new();
    let end = "2030-01-02T03:04:05.000000Z";
    let body = json!({ "budget_id": "b", "max_budget": 5, "budget_duration": "30d",
        "budget_reset_at": "2030-01-02T03:04:05Z" });
    let made = rig.post("/budget/new", &body).await;
    assert_eq!((made.status, &made.json()["budget_reset_at"]), (200, &json!(end)), "{}", made.text);
    let kept = json!({ "budget_id": "b", "max_budget": 6, "budget_reset_at": null });
    assert_eq!(rig.post("/budget/update", &kept).await.json()["budget_reset_at"], end, "null says nothing");
    let moved = json!({ "budget_id": "b", "budget_duration": "7d", "budget_reset_at": "2031-01-01" });
    let moved = rig.post("/budget/update", &moved).await.json();
    assert_eq!(moved["budget_reset_at"], "2031-01-01T00:00:00.000000Z", "{moved}");
    let begun =
        rig.post("/budget/update", &json!({ "budget_id": "b", "budget_duration": "1d" })).await.json();
    assert_ne!(begun["budget_reset_at"], moved["budget_reset_at"], "another period begins now");
    let refused = rig.post("/budget/new", &json!({ "budget_reset_at": "soon" })).await;
    assert!(refused.status == 422 && refused.text.contains("valid datetime"), "{}", refused.text);
    let customer = json!({ "user_id": "c", "max_budget": 1, "budget_reset_at": "2030-01-02T03:04:05Z" });
    let customer = rig.post("/customer/new", &customer).await;
    assert_eq!(customer.status, 200, "{}", customer.text);
}
