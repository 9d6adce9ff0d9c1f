//! What the sections of settings mean, defaults filled in.

mod alerts;
mod cache;
mod callbacks;
mod checks;
mod costs;
mod general;
mod health;
mod hub;
mod jwt;
mod keeping;
mod library;
mod litellm;
mod makers;
mod metrics;
mod pass_through;
mod priorities;
mod redis;
mod requests;
mod router;
mod routes;
mod teams;
mod thinking;
mod weir;

pub use alerts::{ALERT_TYPES, AlertSettings};
pub use cache::{CALL_TYPES, CachePlace, CacheSettings};
pub use callbacks::CallbackSettings;
pub use checks::PreCallChecks;
pub use costs::CostSettings;
pub use general::{GeneralSettings, TokenRate};
pub use health::HealthSettings;
pub use hub::HubSettings;
pub use jwt::{JwtSettings, RoleMapping, RolePermissions, ScopeModels};
pub use keeping::{KeepingSettings, Sweep};
pub use library::Library;
pub(super) use litellm::budget;
pub use litellm::{Listed, LitellmSettings};
pub use makers::{KeyGeneration, Makers};
pub use metrics::{MetricsSettings, ShownMetric};
pub use pass_through::PassThrough;
pub use priorities::Priorities;
pub use redis::{RedisNode, RedisPlace, RedisSettings};
pub use requests::RequestSettings;
pub use router::{RouterSettings, Strategy, StrategyArgs};
pub use routes::RouteSettings;
pub use teams::{TeamCallbacks, TeamDefaults};
pub use thinking::ThinkingBudgets;
pub use weir::{BudgetMode, CacheScope, MetricsWhen, SessionCaps, WeirSettings};

use super::env::Env;
use super::tree::{Node, Value};

/// How an upstream's certificate is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum SslVerify {
    #[default]
    On,
    Off,
    /// Against the authorities in this PEM file instead of the usual ones.
    CaFile(String),
}

impl SslVerify {
    /// A bool, text that spells one, or a path.
    pub(super) fn read(node: &Node) -> Self {
        match (node.as_bool(), node.as_text()) {
            (Some(false), _) => Self::Off,
            (None, Some(path)) if !path.is_empty() => Self::CaFile(path.to_owned()),
            _ => Self::On,
        }
    }

    /// What `SSL_VERIFY` and `SSL_CERT_FILE` say where the file says nothing.
    pub(super) fn from_env(env: &Env) -> Self {
        match env_node(env, "SSL_VERIFY").as_ref().map(Self::read) {
            Some(verify) if verify != Self::On => verify,
            _ => env.filled("SSL_CERT_FILE").map_or(Self::On, |path| Self::CaFile(path.to_owned())),
        }
    }
}

/// A variable as a value of the file would be; nothing when it is empty.
fn env_node(env: &Env, name: &str) -> Option<Node> {
    let text = env.filled(name)?;
    Some(Node { value: Value::Text(text.to_owned()), from_env: true, ..Node::default() })
}

/// A variable as a number; nothing when it is none.
fn env_u64(env: &Env, name: &str) -> Option<u64> {
    env_node(env, name)?.as_u64()
}
