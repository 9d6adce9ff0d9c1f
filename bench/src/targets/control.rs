//! Single requests that are not load: options, keys, readiness.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::anyhow;
use bytes::Bytes;
use serde_json::Value;

use crate::load::{Client, Expect, Plan};

const TIMEOUT: Duration = Duration::from_secs(10);

/// Status and body. `key` may be empty.
pub async fn get(addr: SocketAddr, path: &str, key: &str) -> anyhow::Result<(u16, Bytes)> {
    send(Plan::get(addr, path, key, Expect::Any)).await
}

pub async fn post(addr: SocketAddr, path: &str, key: &str, body: &Value) -> anyhow::Result<(u16, Bytes)> {
    send(Plan::post(addr, path, key, body.to_string().as_bytes(), Expect::Any)).await
}

async fn send(mut plan: Plan) -> anyhow::Result<(u16, Bytes)> {
    plan.timeout = TIMEOUT;
    let mut client = Client::new();
    let arrival = client.exchange(&plan).await.map_err(|failure| anyhow!("{}: {}", plan.addr, failure.0))?;
    Ok((arrival.status, Bytes::copy_from_slice(client.body())))
}
