//! Redis: `counters.rs` counts requests that all processes are limited by together, `answers.rs` keeps answers for all of
//! them, `cooldowns.rs` tells them who is left alone, `there.rs` knows whether it answers. Nothing that is money.

mod answers;
mod cooldowns;
mod counters;
mod there;

pub use answers::SharedAnswers;
pub use cooldowns::CooldownList;
pub use counters::SharedCounters;

use fred::prelude::{Builder, Client, ClientLike, Config, ReconnectPolicy};
use fred::types::config::{Server, ServerConfig, TlsConnector};
use std::sync::Arc;
use std::time::{Duration, Instant};
use weir_core::ExposeSecret;
use weir_core::config::{RedisNode, RedisPlace, RedisSettings};
use weir_core::ports::meter::{Call, Meter, Service};

/// A connection that is made again whenever it is lost.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    /// How long a request waits for an answer.
    patience: Duration,
    /// Who wants to know how long it takes.
    meter: Option<Arc<dyn Meter>>,
}

/// Between tries to connect again: from the first to the last, in milliseconds.
const AGAIN: (u32, u32) = (100, 5_000);
/// Commands that wait for a connection are worth nothing when it is there.
const WAITING: usize = 4_096;

impl Redis {
    /// Begins to connect, and goes on trying. `patience`: how long a request waits. Must be called on the runtime that
    /// outlives the requests.
    ///
    /// # Errors
    /// The settings make no address.
    pub fn open(settings: &RedisSettings, patience: Duration) -> Result<Self, fred::error::Error> {
        let mut builder = Builder::from_config(config(settings)?);
        builder.with_performance_config(|performance| {
            performance.default_command_timeout = patience;
            performance.max_feed_count = 200;
            performance.broadcast_channel_capacity = 8;
        });
        builder.with_connection_config(|connection| {
            connection.connection_timeout = Duration::from_secs(2);
            connection.max_command_attempts = 1;
            connection.max_command_buffer_len = WAITING;
            connection.tcp.nodelay = Some(true);
        });
        builder.set_policy(ReconnectPolicy::new_exponential(0, AGAIN.0, AGAIN.1, 2));
        let client = builder.build()?;
        client.connect();
        Ok(Self { client, patience, meter: None })
    }

    /// The same, which tells how long it takes.
    #[must_use]
    pub fn metered(self, meter: Arc<dyn Meter>) -> Self {
        Self { meter: Some(meter), ..self }
    }

    /// A call is over that a request waited for.
    fn took(&self, operation: &'static str, begun: Instant, answered: bool) {
        if let Some(meter) = &self.meter {
            let error = (!answered).then_some("Unavailable");
            meter.took(&Call { service: Service::Redis, operation, took: begun.elapsed(), error });
        }
    }

    /// Waits for the connection, without a limit of its own, then for one answer: how long that took.
    ///
    /// # Errors
    /// Why it cannot be connected to, or does not answer. Says no password.
    pub async fn ping(&self) -> Result<Duration, String> {
        self.client.wait_for_connect().await.map_err(|e| e.to_string())?;
        let begun = Instant::now();
        let answer: Result<String, _> = self.client.ping(None).await;
        answer.map(|_| begun.elapsed()).map_err(|e| e.to_string())
    }
}

fn config(settings: &RedisSettings) -> Result<Config, fred::error::Error> {
    let mut config = match &settings.place {
        RedisPlace::Url(url) => Config::from_url(url.expose_secret())?,
        place => Config { server: server(place), ..Config::default() },
    };
    // Else nothing is tried again that was not there at the start.
    config.fail_fast = false;
    if let Some(user) = &settings.username {
        config.username = Some(user.clone());
    }
    if let Some(password) = &settings.password {
        config.password = Some(password.expose_secret().to_owned());
    }
    if settings.tls && config.tls.is_none() {
        config.tls = Some(TlsConnector::default_rustls()?.into());
    }
    config.database = config.database.or(settings.database);
    Ok(config)
}

fn server(place: &RedisPlace) -> ServerConfig {
    let hosts =
        |nodes: &[RedisNode]| nodes.iter().map(|n| Server::new(n.host.as_str(), n.port)).collect::<Vec<_>>();
    match place {
        RedisPlace::Url(_) => ServerConfig::default(),
        RedisPlace::One(node) => ServerConfig::new_centralized(node.host.as_str(), node.port),
        RedisPlace::Cluster(nodes) => ServerConfig::Clustered {
            hosts: hosts(nodes),
            policy: fred::types::config::ClusterDiscoveryPolicy::default(),
        },
        RedisPlace::Sentinel { nodes, service, password } => ServerConfig::Sentinel {
            hosts: hosts(nodes),
            service_name: service.clone(),
            username: None,
            password: password.as_ref().map(|password| password.expose_secret().to_owned()),
        },
    }
}
