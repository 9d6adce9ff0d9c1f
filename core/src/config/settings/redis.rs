//! Redis, where processes share what is no money: counters of rate limits, and answers.

use super::super::env::Env;
use super::super::problems::Problems;
use super::super::section::Section;
use super::super::tree::Node;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::time::Duration;

/// Where Redis is. `Debug` shows no password.
#[derive(Clone, Debug)]
pub struct RedisSettings {
    pub place: RedisPlace,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    pub tls: bool,
    pub database: Option<u8>,
    /// How long one answer may take; as long as `weir_settings.redis_timeout` where nothing is said.
    pub timeout: Option<Duration>,
}

#[derive(Clone, Debug)]
pub enum RedisPlace {
    /// `redis://`, `rediss://`, `redis-cluster://`, `redis-sentinel://`, with all that it needs.
    Url(SecretString),
    One(RedisNode),
    Cluster(Vec<RedisNode>),
    Sentinel {
        nodes: Vec<RedisNode>,
        service: String,
        password: Option<SecretString>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisNode {
    pub host: String,
    pub port: u16,
}

const PORT: u16 = 6379;
/// What sentinels call those that they watch, where nobody says otherwise.
const MASTER: &str = "mymaster";

/// What the settings are called in a section.
struct Names {
    url: &'static str,
    host: &'static str,
    port: &'static str,
}

static OF_ROUTER: Names = Names { url: "redis_url", host: "redis_host", port: "redis_port" };
static OF_CACHE: Names = Names { url: "url", host: "host", port: "port" };

impl RedisSettings {
    /// `router_settings.redis_*`, else `REDIS_*`. `None`: this process shares nothing.
    pub(in super::super) fn read(s: &Section, env: &Env, problems: &mut Problems) -> Option<Self> {
        let place = match of_settings(s, &OF_ROUTER, problems) {
            Some(place) => place,
            None => of_env(s, env, problems)?,
        };
        let of_env = Self::at(place, s, env, problems);
        Some(Self { password: s.secret("redis_password").or(of_env.password), ..of_env })
    }

    /// The Redis of `cache_params`, else the one that is shared for other things.
    pub(in super::super) fn of_cache(
        s: &Section,
        shared: Option<&Self>,
        env: &Env,
        problems: &mut Problems,
    ) -> Option<Self> {
        let timeout = s.seconds("socket_timeout").filter(|timeout| !timeout.is_zero());
        let named = startup_nodes(s).or_else(|| sentinels(s)).or_else(|| of_settings(s, &OF_CACHE, problems));
        let Some(place) = named else {
            return shared.map(|shared| Self { timeout, ..shared.clone() });
        };
        let of_env = Self::at(place, s, env, problems);
        Some(Self {
            username: s.text("username").or(of_env.username),
            password: s.secret("password").or(of_env.password),
            tls: s.bool("ssl").unwrap_or(of_env.tls),
            database: s.int("db").and_then(|db| u8::try_from(db).ok()).or(of_env.database),
            timeout,
            place: of_env.place,
        })
    }

    /// With all else from the environment.
    fn at(place: RedisPlace, s: &Section, env: &Env, problems: &mut Problems) -> Self {
        let filled = |name: &str| env.filled(name).map(str::to_owned);
        let on = |name: &str| env.filled(name).is_some_and(|v| v.eq_ignore_ascii_case("true") || v == "1");
        Self {
            place,
            username: filled("REDIS_USERNAME"),
            password: filled("REDIS_PASSWORD").map(SecretString::from),
            tls: on("REDIS_SSL"),
            database: number(env, "REDIS_DB", s, problems),
            timeout: None,
        }
    }
}

fn of_settings(s: &Section, names: &Names, problems: &mut Problems) -> Option<RedisPlace> {
    if let Some(url) = s.secret(names.url) {
        return Some(RedisPlace::Url(url));
    }
    let host = s.text(names.host).filter(|host| !host.is_empty())?;
    let port = s.int(names.port).map_or(Ok(PORT), u16::try_from).unwrap_or_else(|_| {
        problems.error(&s.place(names.port), "not a port", "write a number up to 65535");
        PORT
    });
    Some(RedisPlace::One(RedisNode { host, port }))
}

/// A cluster, as LiteLLM's `cache_params` name it.
fn startup_nodes(s: &Section) -> Option<RedisPlace> {
    listed(s, "redis_startup_nodes").map(RedisPlace::Cluster)
}

/// The same of sentinels.
fn sentinels(s: &Section) -> Option<RedisPlace> {
    let service = s.text("service_name").filter(|name| !name.is_empty());
    Some(RedisPlace::Sentinel {
        nodes: listed(s, "sentinel_nodes")?,
        service: service.unwrap_or_else(|| MASTER.to_owned()),
        password: s.secret("sentinel_password"),
    })
}

/// `{host: a, port: 6379}`, or `[a, 26379]`.
fn listed(s: &Section, name: &str) -> Option<Vec<RedisNode>> {
    let node = |item: &Node| {
        let (host, port) = match item.items() {
            [host, port] => (Some(host), Some(port)),
            _ => (item.get("host"), item.get("port")),
        };
        let port = port.map_or(Some(u64::from(PORT)), Node::as_u64)?;
        Some(RedisNode { host: host?.as_text()?.to_owned(), port: u16::try_from(port).ok()? })
    };
    let nodes: Vec<_> = s.node(name)?.items().iter().filter_map(node).collect();
    (!nodes.is_empty()).then_some(nodes)
}

fn of_env(s: &Section, env: &Env, problems: &mut Problems) -> Option<RedisPlace> {
    if let Some(url) = env.filled("REDIS_URL") {
        return Some(RedisPlace::Url(SecretString::from(url)));
    }
    if let Some(text) = env.filled("REDIS_CLUSTER_NODES") {
        return nodes(text, "REDIS_CLUSTER_NODES", s, problems).map(RedisPlace::Cluster);
    }
    if let Some(text) = env.filled("REDIS_SENTINEL_NODES") {
        let nodes = nodes(text, "REDIS_SENTINEL_NODES", s, problems)?;
        let service = env.filled("REDIS_SERVICE_NAME").unwrap_or(MASTER).to_owned();
        let password = env.filled("REDIS_SENTINEL_PASSWORD").map(SecretString::from);
        return Some(RedisPlace::Sentinel { nodes, service, password });
    }
    let host = env.filled("REDIS_HOST")?.to_owned();
    let port = number(env, "REDIS_PORT", s, problems).unwrap_or(PORT);
    Some(RedisPlace::One(RedisNode { host, port }))
}

/// What is set and no such number is said, and not guessed at.
fn number<N: std::str::FromStr>(env: &Env, name: &str, s: &Section, problems: &mut Problems) -> Option<N> {
    let text = env.filled(name)?;
    let number = text.parse().ok();
    if number.is_none() {
        problems.error(s.at(), format!("{name} is {text:?}, which is not a valid number"), "");
    }
    number
}

/// LiteLLM's forms: `[{"host": "a", "port": 6379}]` of a cluster, `[["a", 26379]]` of sentinels. Either is read for both.
fn nodes(text: &str, name: &str, s: &Section, problems: &mut Problems) -> Option<Vec<RedisNode>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Named { host: String, port: Port },
        Pair(String, Port),
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Port {
        Number(u16),
        Text(String),
    }
    let port = |port: Port| match port {
        Port::Number(port) => port,
        Port::Text(text) => text.parse().unwrap_or(PORT),
    };
    let read: Option<Vec<Written>> = serde_json::from_str(text).ok();
    let Some(read) = read.filter(|read| !read.is_empty()) else {
        let cure = r#"write it like [{"host": "redis-1", "port": 6379}]"#;
        problems.error(s.at(), format!("{name} is not a list of nodes"), cure);
        return None;
    };
    let node = |written| match written {
        Written::Named { host, port: at } | Written::Pair(host, at) => RedisNode { host, port: port(at) },
    };
    Some(read.into_iter().map(node).collect())
}

impl RedisSettings {
    /// For logs: without passwords.
    pub fn told(&self) -> String {
        let first =
            |nodes: &[RedisNode]| nodes.first().map(|n| format!("{}:{}", n.host, n.port)).unwrap_or_default();
        match &self.place {
            RedisPlace::Url(url) => {
                let url = url.expose_secret();
                let scheme = url.split("://").next().unwrap_or_default();
                let rest = url
                    .rsplit_once('@')
                    .map_or_else(|| url.split("://").nth(1).unwrap_or_default(), |(_, r)| r);
                format!("{scheme}://{}", rest.split('?').next().unwrap_or_default())
            }
            RedisPlace::One(node) => format!("{}:{}", node.host, node.port),
            RedisPlace::Cluster(nodes) => format!("a cluster by {}", first(nodes)),
            RedisPlace::Sentinel { nodes, service, .. } => {
                format!("{service} by the sentinel {}", first(nodes))
            }
        }
    }
}
