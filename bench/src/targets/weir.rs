//! Weir, twice: plain with the master key, governed with a virtual key that has a budget.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::process::{Process, Stop};
use super::{Setup, Target, control};
use crate::cases::MODEL;
use crate::pass::free_addr;

pub const MASTER_KEY: &str = "sk-bench-master";

/// Where a gateway says that it may be sent requests.
pub const READINESS: &str = "/health/readiness";

/// What stands behind a model that a case asks for; `MOCK` is the mock's address.
struct Model {
    name: &'static str,
    params: &'static [(&'static str, &'static str)],
}

const MODELS: &[Model] = &[
    Model {
        name: MODEL,
        params: &[("model", "openai/bench"), ("api_base", "http://MOCK/v1"), ("api_key", "sk-fake-upstream")],
    },
    Model {
        name: "bench-anthropic",
        params: &[
            ("model", "anthropic/claude-sonnet-4-5-20250929"),
            ("api_base", "http://MOCK"),
            ("api_key", "sk-ant-fake-upstream"),
        ],
    },
    Model {
        name: "bench-bedrock",
        params: &[
            // Not one of Anthropic's, whose own API Bedrock has too: this one is translated.
            ("model", "bedrock/amazon.nova-lite-v1:0"),
            ("aws_bedrock_runtime_endpoint", "http://MOCK"),
            ("aws_region_name", "us-east-1"),
            ("aws_access_key_id", "AKIAFAKEUPSTREAM"),
            ("aws_secret_access_key", "fake-upstream"),
        ],
    },
    Model {
        name: "bench-ollama",
        params: &[("model", "ollama_chat/qwen2.5:7b-instruct"), ("api_base", "http://MOCK")],
    },
];

/// How one Weir differs from another.
#[derive(Debug, Clone)]
pub struct Shape {
    pub name: String,
    pub workers: String,
    /// Sections of its configuration beside models and `weir_settings`.
    pub settings: String,
    /// More of its `weir_settings`, each with a comma before it.
    pub weir: String,
    pub database_url: Option<String>,
}

pub(super) async fn plain(setup: &Setup, mock: SocketAddr, dir: &Path) -> anyhow::Result<Target> {
    let shape = Shape { settings: String::new(), database_url: None, ..Shape::governed("weir-plain", setup) };
    start(setup, &shape, mock, dir).await
}

pub(super) async fn governed(
    setup: &Setup,
    shape: &Shape,
    mock: SocketAddr,
    dir: &Path,
) -> anyhow::Result<Target> {
    let mut target = start(setup, shape, mock, dir).await?;
    target.key = generate_key(target.addr, &setup.models).await?;
    Ok(target)
}

/// A virtual key that may use the models and has a budget it will not reach.
pub(crate) async fn generate_key(addr: SocketAddr, more: &[&str]) -> anyhow::Result<String> {
    let models: Vec<&str> = std::iter::once(MODEL).chain(more.iter().copied()).collect();
    let ask = json!({"models": models, "max_budget": 1_000_000});
    let (status, body) = control::post(addr, "/key/generate", MASTER_KEY, &ask).await?;
    if status != 200 {
        bail!("/key/generate answers {status}: {}", String::from_utf8_lossy(&body));
    }
    let value: Value = serde_json::from_slice(&body)?;
    value["key"].as_str().map(str::to_owned).context("/key/generate answers without a key")
}

async fn start(setup: &Setup, shape: &Shape, mock: SocketAddr, dir: &Path) -> anyhow::Result<Target> {
    let (addr, probes) = (free_addr()?, free_addr()?);
    let (name, port) = (&shape.name, addr.port().to_string());
    let file = dir.join(format!("{name}.yaml"));
    fs::write(&file, config(mock, setup, &shape.settings) + &shape.weir_settings())?;
    let mut command = Command::new(&setup.weir);
    command.args(["serve", "--host", "127.0.0.1", "--num_workers", &shape.workers, "--port", &port]);
    command.arg("--config").arg(&file);
    // Nothing of the operator's own environment: a proxy or a provider key there would change what is measured.
    command
        .env_clear()
        .env("LITELLM_MASTER_KEY", MASTER_KEY)
        .env("SEPARATE_HEALTH_APP", "1")
        .env("SEPARATE_HEALTH_PORT", probes.port().to_string())
        .env("WEIR_DATA_DIR", dir.join(format!("{name}-data")));
    if let Some(url) = &shape.database_url {
        command.env("DATABASE_URL", url);
    }
    // Its drain would only make the harness wait: its data is thrown away.
    let mut process = Process::start(name, command, dir, Stop::Kill)?;
    ready(&mut process, addr).await?;
    let pid = process.pid();
    let mut target = Target::new(name, addr, Some(pid), Some(process));
    MASTER_KEY.clone_into(&mut target.key);
    (target.weir, target.probes) = (true, Some(probes));
    Ok(target)
}

async fn ready(process: &mut Process, addr: SocketAddr) -> anyhow::Result<()> {
    let deadline = Process::deadline();
    while !matches!(control::get(addr, READINESS, "").await, Ok((200, _))) {
        process.still_starting(deadline).await?;
    }
    Ok(())
}

fn config(mock: SocketAddr, setup: &Setup, settings: &str) -> String {
    let mut text = String::from("model_list:\n");
    let wanted = |model: &&Model| model.name == MODEL || setup.models.contains(&model.name);
    for model in MODELS.iter().filter(wanted) {
        model.write(model.name, mock, &mut text);
    }
    for number in 0..setup.more_models {
        MODELS[0].write(&format!("other-{number}"), mock, &mut text);
    }
    text + settings
}

// --- impl Shape ---

impl Shape {
    /// With all that a gateway for others has.
    pub fn governed(name: &str, setup: &Setup) -> Shape {
        Shape {
            name: name.to_owned(),
            workers: String::from("1"),
            settings: String::from("litellm_settings:\n  callbacks: [prometheus]\n"),
            weir: String::new(),
            database_url: setup.database_url.clone(),
        }
    }

    /// Memory is bounded by how many clients may come, see p49-overload.
    fn weir_settings(&self) -> String {
        format!("weir_settings: {{max_clients: 2000{}}}\n", self.weir)
    }
}

// --- impl Model ---

impl Model {
    fn write(&self, name: &str, mock: SocketAddr, text: &mut String) {
        let _ = write!(text, "  - model_name: {name}\n    litellm_params:\n");
        for (name, value) in self.params {
            let _ = writeln!(text, "      {name}: {}", value.replace("MOCK", &mock.to_string()));
        }
        text.push_str("      input_cost_per_token: 0.000001\n      output_cost_per_token: 0.000002\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::GROUPS;

    fn setup(more_models: usize, models: &[&'static str]) -> Setup {
        let (weir, own, nginx, temporary) = Default::default();
        let mock = "127.0.0.1:0".parse().unwrap();
        Setup { weir, own, nginx, mock, database_url: None, temporary, more_models, models: models.to_vec() }
    }

    #[test]
    fn the_configuration_has_the_models_asked_for_and_the_extra_ones() {
        let mock = "127.0.0.1:9".parse().unwrap();
        let text = config(mock, &setup(2, &[]), "litellm_settings: {}\n");
        assert_eq!(text.matches("- model_name: ").count(), 3);
        assert!(text.contains("- model_name: bench\n    litellm_params:\n      model: openai/bench\n"));
        assert!(text.contains("      api_base: http://127.0.0.1:9/v1\n"));
        assert!(text.contains("litellm_settings: {}\n"));
        let text = config(mock, &setup(0, &["bench-bedrock"]), "");
        assert_eq!(text.matches("- model_name: ").count(), 2);
        assert!(text.contains("      aws_bedrock_runtime_endpoint: http://127.0.0.1:9\n"));
    }

    #[test]
    fn every_model_of_a_case_is_known() {
        for case in GROUPS.iter().flat_map(|(_, cases)| *cases) {
            assert!(MODELS.iter().any(|model| model.name == case.model), "{}", case.model);
        }
    }
}
