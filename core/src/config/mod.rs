//! Configuration in two steps: `ConfigFile` is what was written, `Config` is what it means.
//!
//! `load` goes: files to one tree (`include`, `tree`), environment and references (`resolve`, `env`, `database`), every
//! name and type against the tables (`keys`, `section`, `file`), then the meaning (`models`, `params`, `prices`,
//! `provider`, `fallbacks`, `settings`). `additions` lays the ledger's models and settings over it. `effective` tells
//! every setting with its source, which `provenance` finds. `secrets` says what is asked of a secret manager before all
//! that. `problems` collects what is wrong on the way; nothing stops at the first.

mod additions;
mod aws;
mod cloud;
mod database;
pub mod effective;
pub mod env;
mod fallbacks;
pub mod file;
mod guardrails;
mod include;
mod json;
pub mod keys;
mod load;
mod models;
mod params;
mod prices;
pub mod problems;
mod provenance;
pub mod provider;
mod resolve;
mod secrets;
pub mod section;
mod settings;
pub mod tree;

#[cfg(test)]
mod tests;

pub use additions::{AddedCredential, AddedModel, Additions};
pub use aws::Aws;
pub use cloud::{Entra, Vertex};
pub use effective::Effective;
pub use env::Env;
pub use fallbacks::{Alias, Fallbacks};
pub use file::ConfigFile;
pub use guardrails::{GuardrailEntry, Modes, When};
pub use include::ReadFile;
pub use json::JsonMap;
pub use load::Config;
pub use models::ModelEntry;
pub use params::{Check, ClientParam, Info, Params};
pub use problems::{Problem, Problems, Severity};
pub use provenance::{Provenance, Source};
pub use secrets::{Keeper, SecretsWanted};
pub use settings::{
    ALERT_TYPES, AlertSettings, BudgetMode, CALL_TYPES, CachePlace, CacheScope, CacheSettings,
    CallbackSettings, CostSettings, GeneralSettings, HealthSettings, HubSettings, JwtSettings,
    KeepingSettings, KeyGeneration, Library, Listed, LitellmSettings, Makers, MetricsSettings, MetricsWhen,
    PassThrough, PreCallChecks, Priorities, RedisNode, RedisPlace, RedisSettings, RequestSettings,
    RoleMapping, RolePermissions, RouteSettings, RouterSettings, ScopeModels, SessionCaps, ShownMetric,
    SslVerify, Strategy, StrategyArgs, Sweep, TeamCallbacks, TeamDefaults, ThinkingBudgets, TokenRate,
    WeirSettings,
};
