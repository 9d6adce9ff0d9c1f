//! Budgets and limits wherever a request can meet one, none of which is ever reached: what it costs to look.

use std::net::SocketAddr;

use bytes::Bytes;
use serde_json::{Value, json};

use super::weir::{make_key, manage};
use crate::cases::{MODEL, chat};

const TEAM: &str = "bench-team";
const USER: &str = "bench-user";
const ORGANIZATION: &str = "bench-organization";
const CUSTOMER: &str = "bench-customer";
const TAG: &str = "bench-tag";

/// Sets them, and makes a key that they all apply to.
pub(super) async fn everything(addr: SocketAddr) -> anyhow::Result<String> {
    for (path, ask) in [
        (
            "/organization/new",
            with_limits(json!({"organization_id": ORGANIZATION, "organization_alias": "bench"})),
        ),
        ("/user/new", with_limits(json!({"user_id": USER, "auto_create_key": false}))),
        ("/team/new", with_limits(json!({"team_id": TEAM, "model_rpm_limit": {MODEL: MANY}}))),
        (
            "/team/member_add",
            json!({"team_id": TEAM, "member": {"role": "user", "user_id": USER}, "max_budget_in_team": DOLLARS}),
        ),
        (
            "/team/member_update",
            json!({"team_id": TEAM, "user_id": USER, "rpm_limit": MANY, "tpm_limit": MANY}),
        ),
        ("/customer/new", with_limits(json!({"user_id": CUSTOMER}))),
        ("/tag/new", with_limits(json!({"name": TAG}))),
    ] {
        manage(addr, path, &ask).await?;
    }
    let of_model = json!({MODEL: {"budget_limit": DOLLARS, "time_period": "30d"}});
    let key = json!({
        "team_id": TEAM,
        "user_id": USER,
        "organization_id": ORGANIZATION,
        "model_rpm_limit": {MODEL: MANY},
        "model_tpm_limit": {MODEL: MANY},
        "model_max_budget": of_model,
    });
    make_key(addr, &with_limits(key)).await
}

const DOLLARS: u64 = 1_000_000;
const MANY: u64 = 1_000_000_000;

fn with_limits(mut ask: Value) -> Value {
    ask["max_budget"] = DOLLARS.into();
    ask["rpm_limit"] = MANY.into();
    ask["tpm_limit"] = MANY.into();
    ask["max_parallel_requests"] = 100_000.into();
    ask
}

/// A chat of about 1 KiB that names the customer and the tag. Where neither is known, they mean nothing.
pub(crate) fn body() -> anyhow::Result<Bytes> {
    let mut body: Value = serde_json::from_slice(&chat(1 << 10, false))?;
    body["user"] = CUSTOMER.into();
    body["metadata"] = json!({"tags": [TAG]});
    Ok(body.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_names_whom_the_limits_are_of() {
        let body: Value = serde_json::from_slice(&body().unwrap()).unwrap();
        assert_eq!((&body["user"], &body["metadata"]["tags"][0]), (&json!(CUSTOMER), &json!(TAG)));
        assert_eq!(body["model"], MODEL);
    }
}
