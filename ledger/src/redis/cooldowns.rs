//! Who is left alone, in Redis, see [`weir_core::ports::cooldowns`]: one list for all processes, which forgets by itself.
//! What a process tells is written by one task, in turn.

use super::Redis;
use super::there::There;
use async_trait::async_trait;
use fred::types::scripts::Script;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use weir_core::ports::cooldowns::{Cooled, Cooling, Failure, SharedCooldowns};

const KEY: &str = "weir:cooldowns";
/// What is known of each. In a cluster it lies where the list does, because of what stands between the braces.
const WHY: &str = "{weir:cooldowns}:why";
/// Deployments that are remembered; beyond that those that may be asked soonest are forgotten.
const MOST: usize = 1_000;
/// Told and not written yet; more are not told.
const QUEUE: usize = 1_024;

/// What all processes leave alone together.
pub struct CooldownList {
    redis: Redis,
    there: There,
    told: mpsc::Sender<(Cooled, Failure)>,
    look: Script,
    look_closer: Script,
}

impl CooldownList {
    /// Begins to write what it is told, on the runtime that it is called on.
    pub fn begin(redis: Redis) -> Arc<Self> {
        let (told, waiting) = mpsc::channel(QUEUE);
        let look = Script::from_lua(include_str!("cooled.lua"));
        let look_closer = Script::from_lua(include_str!("coolings.lua"));
        let list = Arc::new(Self { redis, there: There::default(), told, look, look_closer });
        tokio::spawn(Arc::clone(&list).write(waiting));
        list
    }

    async fn write(self: Arc<Self>, mut waiting: mpsc::Receiver<(Cooled, Failure)>) {
        let script = Script::from_lua(include_str!("cool.lua"));
        while let Some((cooled, failure)) = waiting.recv().await {
            let why = serde_json::to_string(&failure).unwrap_or_default();
            let left = cooled.left.as_millis().to_string();
            let arguments = vec![cooled.deployment, left, MOST.to_string(), why];
            let written: Result<i64, _> =
                script.evalsha_with_reload(&self.redis.client, both(), arguments).await;
            if let Err(error) = written {
                tracing::debug!("Redis: {error}");
            }
        }
    }

    /// What a script tells. `None`: nobody can say in time.
    async fn ask(&self, look: &Script, keys: Vec<String>) -> Option<Vec<String>> {
        if self.there.is_left_alone() {
            return None;
        }
        let told = self.read(look, keys).await;
        match (self.there.learn(told.is_some()), told.is_some()) {
            (true, false) => {
                tracing::warn!("Redis does not answer: each process cools deployments for itself")
            }
            (true, true) => tracing::info!("Redis answers again: cooldowns are shared"),
            _ => {}
        }
        told
    }

    async fn read(&self, look: &Script, keys: Vec<String>) -> Option<Vec<String>> {
        let asked = look.evalsha_with_reload(&self.redis.client, keys, vec![MOST.to_string()]);
        let told = tokio::time::timeout(self.redis.patience, asked).await.ok()?;
        told.inspect_err(|error| tracing::debug!("Redis: {error}")).ok()
    }
}

fn both() -> Vec<String> {
    vec![KEY.to_owned(), WHY.to_owned()]
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

/// Id, milliseconds still, milliseconds by now, why, id … What is not understood of the last two is not known.
fn read_closer(told: &[String]) -> Vec<Cooling> {
    let millis = |text: &str| text.parse().ok().map(Duration::from_millis);
    let one = |row: &[String]| {
        let [deployment, left, been, why] = row else { return None };
        let failure = serde_json::from_str(why).ok();
        Some(Cooling { deployment: deployment.clone(), left: millis(left)?, been: millis(been), failure })
    };
    told.chunks(4).filter_map(one).collect()
}

#[async_trait]
impl SharedCooldowns for CooldownList {
    fn tell(&self, cooled: Cooled, failure: Failure) {
        if self.told.try_send((cooled, failure)).is_err() {
            tracing::debug!("Redis is not told of a deployment that is left alone: too many are");
        }
    }

    async fn cooled(&self) -> Option<Vec<Cooled>> {
        self.ask(&self.look, vec![KEY.to_owned()]).await.map(|told| read(&told))
    }

    async fn coolings(&self) -> Option<Vec<Cooling>> {
        self.ask(&self.look_closer, both()).await.map(|told| read_closer(&told))
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

    #[test]
    fn what_an_older_process_told_is_left_alone_for_reasons_that_nobody_knows() {
        let why = r#"{"status":429,"class":"RateLimitError","message":"slow down"}"#;
        let told = ["a", "1500", "20", why, "b", "9", "", "", "c", "soon"].map(String::from);
        let millis = Duration::from_millis;
        let failure = Failure { status: 429, class: "RateLimitError".into(), message: "slow down".into() };
        let known = Cooling {
            deployment: "a".into(),
            left: millis(1_500),
            been: Some(millis(20)),
            failure: Some(failure),
        };
        let unknown = Cooling { deployment: "b".into(), left: millis(9), been: None, failure: None };
        assert_eq!(read_closer(&told), [known, unknown]);
    }
}
