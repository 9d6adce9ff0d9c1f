//! Weir: plain with the master key, governed with a virtual key that has a budget, and in any other [`Shape`].

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::process::{Patience, Process, Stop};
use super::{Setup, Target, control, policy};
use crate::cases::MODEL;
use crate::ports::free_addr;

pub const MASTER_KEY: &str = "sk-bench-master";

/// Where a gateway says that it may be sent requests.
pub const READINESS: &str = "/health/readiness";

/// What stands behind a model that a case asks for; `MOCK` is the mock's address.
struct Model {
    name: &'static str,
    params: &'static [(&'static str, &'static str)],
    /// Dollars for a token of input and of output.
    prices: [&'static str; 2],
}

const CHEAP: [&str; 2] = ["0.000001", "0.000002"];

/// A model of which some ninety answers cost a dollar, see `p15_overshoot`.
pub(crate) const DEAR: &str = "bench-dear";
/// Its prices in nano-dollars.
pub(crate) const DEAR_INPUT: i64 = 5_000;
pub(crate) const DEAR_OUTPUT: i64 = 50_000;

const MODELS: &[Model] = &[
    Model {
        name: MODEL,
        params: &[("model", "openai/bench"), ("api_base", "http://MOCK/v1"), ("api_key", "sk-fake-upstream")],
        prices: CHEAP,
    },
    Model {
        name: DEAR,
        params: &[("model", "openai/dear"), ("api_base", "http://MOCK/v1"), ("api_key", "sk-fake-upstream")],
        prices: ["0.000005", "0.00005"],
    },
    Model {
        name: "bench-anthropic",
        params: &[
            ("model", "anthropic/claude-sonnet-4-5-20250929"),
            ("api_base", "http://MOCK"),
            ("api_key", "sk-ant-fake-upstream"),
        ],
        prices: CHEAP,
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
        prices: CHEAP,
    },
    Model {
        name: "bench-ollama",
        params: &[("model", "ollama_chat/qwen2.5:7b-instruct"), ("api_base", "http://MOCK")],
        prices: CHEAP,
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
    /// Whose key its requests carry.
    pub caller: Caller,
    /// More of its environment; `MOCK` is the mock's address.
    pub env: Vec<(&'static str, String)>,
    /// A program that runs it, with arguments, such as one that counts instructions.
    pub within: Vec<String>,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Master,
    /// A virtual key, and nothing else.
    Key,
    /// A virtual key with a budget that it will not reach.
    Budget,
    /// Budgets and limits wherever there can be some, see `policy.rs`.
    Everything,
}

pub(super) async fn start(
    setup: &Setup,
    shape: &Shape,
    mock: SocketAddr,
    dir: &Path,
) -> anyhow::Result<Target> {
    let mut target = process(setup, shape, mock, dir).await?;
    target.key = match shape.caller {
        Caller::Master => MASTER_KEY.to_owned(),
        Caller::Key => make_key(target.addr, &json!({})).await?,
        Caller::Budget => generate_key(target.addr, &setup.models).await?,
        Caller::Everything => policy::everything(target.addr).await?,
    };
    Ok(target)
}

/// A virtual key that may use the models and has a budget it will not reach.
pub(crate) async fn generate_key(addr: SocketAddr, more: &[&str]) -> anyhow::Result<String> {
    let models: Vec<&str> = std::iter::once(MODEL).chain(more.iter().copied()).collect();
    make_key(addr, &json!({"models": models, "max_budget": 1_000_000})).await
}

/// `ask`: what `/key/generate` is sent.
pub(crate) async fn make_key(addr: SocketAddr, ask: &Value) -> anyhow::Result<String> {
    let value = manage(addr, "/key/generate", ask).await?;
    value["key"].as_str().map(str::to_owned).context("/key/generate answers without a key")
}

/// Something that an administrator asks for.
pub(super) async fn manage(addr: SocketAddr, path: &str, ask: &Value) -> anyhow::Result<Value> {
    let (status, body) = control::post(addr, path, MASTER_KEY, ask).await?;
    if status != 200 {
        bail!("{path} answers {status}: {}", String::from_utf8_lossy(&body));
    }
    Ok(serde_json::from_slice(&body)?)
}

async fn process(setup: &Setup, shape: &Shape, mock: SocketAddr, dir: &Path) -> anyhow::Result<Target> {
    let (addr, probes) = (free_addr()?, free_addr()?);
    let (name, port) = (&shape.name, addr.port().to_string());
    let file = dir.join(format!("{name}.yaml"));
    fs::write(&file, config(mock, setup, &shape.settings) + &shape.weir_settings())?;
    let mut command = shape.program(&setup.weir);
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
    for (name, value) in &shape.env {
        command.env(name, value.replace("MOCK", &mock.to_string()));
    }
    let mut process = shape.begin(command, dir)?;
    ready(&mut process, addr).await?;
    let pid = process.pid();
    let mut target = Target::new(name, addr, Some(pid), Some(process));
    (target.weir, target.probes) = (true, Some(probes));
    Ok(target)
}

async fn ready(process: &mut Process, addr: SocketAddr) -> anyhow::Result<()> {
    let deadline = process.deadline();
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
    /// With nothing but models.
    pub fn plain(name: &str) -> Shape {
        Shape {
            name: name.to_owned(),
            workers: String::from("1"),
            settings: String::new(),
            weir: String::new(),
            database_url: None,
            caller: Caller::Master,
            env: Vec::new(),
            within: Vec::new(),
        }
    }

    /// With all that a gateway for others has.
    pub fn governed(name: &str, setup: &Setup) -> Shape {
        Shape {
            settings: String::from("litellm_settings:\n  callbacks: [prometheus]\n"),
            database_url: setup.database_url.clone(),
            caller: Caller::Budget,
            ..Shape::plain(name)
        }
    }

    fn program(&self, weir: &Path) -> Command {
        let Some((first, rest)) = self.within.split_first() else { return Command::new(weir) };
        let mut command = Command::new(first);
        command.args(rest).arg(weir);
        command
    }

    fn begin(&self, command: Command, dir: &Path) -> anyhow::Result<Process> {
        if self.within.is_empty() {
            // Its drain would only make the harness wait: its data is thrown away.
            return Process::start(&self.name, command, dir, Stop::Kill);
        }
        // What it is run by writes what it found at the end.
        Ok(Process::start(&self.name, command, dir, Stop::Term)?.with_patience(Patience::WITHIN))
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
        let [input, output] = self.prices;
        let _ = write!(text, "      input_cost_per_token: {input}\n      output_cost_per_token: {output}\n");
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
