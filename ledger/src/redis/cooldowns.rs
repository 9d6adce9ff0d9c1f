//! Who is left alone, in Redis, see [`weir_core::ports::cooldowns`]: one list for all processes, which forgets by itself.
//! What a process tells is written by one task, in turn.

use super::Redis;
use super::there::There;
use async_trait::async_trait;
use fred::types::scripts::Script;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use weir_core::ports::cooldowns::{Cooled, SharedCooldowns};

const KEY: &str = "weir:cooldowns";
/// Deployments that are remembered; beyond that those that may be asked soonest are forgotten.
const MOST: usize = 1_000;
/// Told and not written yet; more are not told.
const QUEUE: usize = 1_024;

/// What all processes leave alone together.
pub struct CooldownList {
    redis: Redis,
    there: There,
    told: mpsc::Sender<Cooled>,
    look: Script,
}

impl CooldownList {
    /// Begins to write what it is told, on the runtime that it is called on.
    pub fn begin(redis: Redis) -> Arc<Self> {
        let (told, waiting) = mpsc::channel(QUEUE);
        let look = Script::from_lua(include_str!("cooled.lua"));
        let list = Arc::new(Self { redis, there: There::default(), told, look });
        tokio::spawn(Arc::clone(&list).write(waiting));
        list
    }

    async fn write(self: Arc<Self>, mut waiting: mpsc::Receiver<Cooled>) {
        let script = Script::from_lua(include_str!("cool.lua"));
        while let Some(cooled) = waiting.recv().await {
            let arguments = vec![cooled.deployment, cooled.left.as_millis().to_string(), MOST.to_string()];
            let written: Result<i64, _> =
                script.evalsha_with_reload(&self.redis.client, vec![KEY.to_owned()], arguments).await;
            if let Err(error) = written {
                tracing::debug!("Redis: {error}");
            }
        }
    }

    async fn read(&self) -> Option<Vec<String>> {
        let arguments = vec![MOST.to_string()];
        let asked = self.look.evalsha_with_reload(&self.redis.client, vec![KEY.to_owned()], arguments);
        let told = tokio::time::timeout(self.redis.patience, asked).await.ok()?;
        told.inspect_err(|error| tracing::debug!("Redis: {error}")).ok()
    }
}

/// Id, milliseconds, id, milliseconds … What is neither is left out.
fn read(told: &[String]) -> Vec<Cooled> {
    let one = |pair: &[String]| match pair {
        [deployment, left] => {
            Some(Cooled { deployment: deployment.clone(), left: Duration::from_millis(left.parse().ok()?) })
        }
        _ => None,
    };
    told.chunks(2).filter_map(one).collect()
}

#[async_trait]
impl SharedCooldowns for CooldownList {
    fn tell(&self, deployment: &str, wait: Duration) {
        let cooled = Cooled { deployment: deployment.to_owned(), left: wait };
        if self.told.try_send(cooled).is_err() {
            tracing::debug!("Redis is not told of a deployment that is left alone: too many are");
        }
    }

    async fn cooled(&self) -> Option<Vec<Cooled>> {
        if self.there.is_left_alone() {
            return None;
        }
        let told = self.read().await;
        match (self.there.learn(told.is_some()), told.is_some()) {
            (true, false) => {
                tracing::warn!("Redis does not answer: each process cools deployments for itself")
            }
            (true, true) => tracing::info!("Redis answers again: cooldowns are shared"),
            _ => {}
        }
        told.map(|told| read(&told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_understood_is_left_alone() {
        let told = ["a", "1500", "b", "soon", "c"].map(String::from);
        let cooled = Cooled { deployment: String::from("a"), left: Duration::from_millis(1_500) };
        assert_eq!(read(&told), [cooled]);
        assert!(read(&[]).is_empty());
    }
}
