//! Replicas over one database, and one of them that dies.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;

use super::Context;
use super::streams::body;
use crate::load::{Expect, Plan};
use crate::targets::{Caller, DEAR, Fleet, Mock, Setup, Shape, Target, make_key};

/// Between two pieces of a stream, and before its first.
const PACE_US: u64 = 5_000;
/// Whoever watches a process needs so long to start it again.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Cluster {
    fleet: Fleet,
    setup: Setup,
    url: String,
}

/// Where requests go, replica by replica; nowhere while one is down.
pub(super) struct Doors(RwLock<Vec<Option<Arc<Plan>>>>);

// --- impl Cluster ---

impl Cluster {
    pub(super) async fn start(context: &Context, url: &str, replicas: usize) -> anyhow::Result<Cluster> {
        let setup = Setup { models: vec![DEAR], ..context.setup.clone() };
        let fleet = Fleet::start(&setup, &[], &Mock::Obedient { pace_us: PACE_US }).await?;
        let mut cluster = Cluster { fleet, setup, url: url.to_owned() };
        // One after the other: the first makes the tables.
        for number in 0..replicas {
            cluster.add(number).await?;
        }
        Ok(cluster)
    }

    async fn add(&mut self, number: usize) -> anyhow::Result<()> {
        let shape = Shape {
            database_url: Some(self.url.clone()),
            caller: Caller::Master,
            ..Shape::governed(&name(number), &self.setup)
        };
        self.fleet.add(&self.setup, &shape).await
    }

    fn replica(&self, number: usize) -> anyhow::Result<Arc<Target>> {
        self.fleet.find(&name(number)).with_context(|| format!("{} is gone", name(number)))
    }

    /// The last of so many, which is never killed.
    pub(super) fn last(&self, replicas: usize) -> anyhow::Result<SocketAddr> {
        Ok(self.replica(replicas.saturating_sub(1))?.addr)
    }

    /// A key with a budget, in nano-dollars.
    pub(super) async fn key(&self, budget: i64) -> anyhow::Result<String> {
        let ask = json!({"models": [DEAR], "max_budget": budget as f64 / 1e9});
        make_key(self.replica(0)?.addr, &ask).await
    }

    /// The doors of the first so many.
    pub(super) fn doors(&self, replicas: usize, key: &str) -> Doors {
        let door = |number| self.replica(number).ok().map(|replica| Arc::new(plan(&replica, key)));
        Doors(RwLock::new((0..replicas).map(door).collect()))
    }

    /// Kills the first replica and starts it again with its data.
    pub(super) async fn kill_one(&mut self, doors: &Doors, key: &str) -> anyhow::Result<()> {
        doors.set(0, None);
        self.fleet.end(&name(0));
        tokio::time::sleep(AGAIN).await;
        self.add(0).await?;
        let first = self.replica(0)?;
        doors.set(0, Some(Arc::new(plan(&first, key))));
        Ok(())
    }
}

// --- impl Doors ---

impl Doors {
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn get(&self, number: usize) -> Option<Arc<Plan>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(number).cloned().flatten()
    }

    fn set(&self, number: usize, plan: Option<Arc<Plan>>) {
        if let Some(door) = self.0.write().unwrap_or_else(PoisonError::into_inner).get_mut(number) {
            *door = plan;
        }
    }
}

fn name(number: usize) -> String {
    format!("replica-{number}")
}

fn plan(replica: &Target, key: &str) -> Plan {
    replica.plan_with(key, &body(), Expect::Any)
}
