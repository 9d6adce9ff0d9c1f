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

pub(super) async fn plain(setup: &Setup, mock: SocketAddr, dir: &Path) -> anyhow::Result<Target> {
    start(setup, "weir-plain", mock, dir, "", None).await
}

pub(super) async fn governed(setup: &Setup, mock: SocketAddr, dir: &Path) -> anyhow::Result<Target> {
    let settings = "litellm_settings:\n  callbacks: [prometheus]\n";
    let mut target =
        start(setup, "weir-governed", mock, dir, settings, setup.database_url.as_deref()).await?;
    target.key = generate_key(target.addr).await?;
    Ok(target)
}

/// A virtual key that may use the model and has a budget it will not reach.
pub(crate) async fn generate_key(addr: SocketAddr) -> anyhow::Result<String> {
    let ask = json!({"models": [MODEL], "max_budget": 1_000_000});
    let (status, body) = control::post(addr, "/key/generate", MASTER_KEY, &ask).await?;
    if status != 200 {
        bail!("/key/generate answers {status}: {}", String::from_utf8_lossy(&body));
    }
    let value: Value = serde_json::from_slice(&body)?;
    value["key"].as_str().map(str::to_owned).context("/key/generate answers without a key")
}

async fn start(
    setup: &Setup,
    name: &str,
    mock: SocketAddr,
    dir: &Path,
    settings: &str,
    database_url: Option<&str>,
) -> anyhow::Result<Target> {
    let addr = free_addr()?;
    let file = dir.join(format!("{name}.yaml"));
    fs::write(&file, config(mock, setup.more_models, settings))?;
    let mut command = Command::new(&setup.weir);
    command.args(["serve", "--host", "127.0.0.1", "--num_workers", "1", "--port", &addr.port().to_string()]);
    command.arg("--config").arg(&file);
    // Nothing of the operator's own environment: a proxy or a provider key there would change what is measured.
    command
        .env_clear()
        .env("LITELLM_MASTER_KEY", MASTER_KEY)
        .env("WEIR_DATA_DIR", dir.join(format!("{name}-data")));
    if let Some(url) = database_url {
        command.env("DATABASE_URL", url);
    }
    // Its drain would only make the harness wait: its data is thrown away.
    let mut process = Process::start(name, command, dir, Stop::Kill)?;
    ready(&mut process, addr).await?;
    let pid = process.pid();
    let mut target = Target::new(name, addr, Some(pid), Some(process));
    MASTER_KEY.clone_into(&mut target.key);
    target.weir = true;
    Ok(target)
}

async fn ready(process: &mut Process, addr: SocketAddr) -> anyhow::Result<()> {
    let deadline = Process::deadline();
    while !matches!(control::get(addr, READINESS, "").await, Ok((200, _))) {
        process.still_starting(deadline).await?;
    }
    Ok(())
}

fn config(mock: SocketAddr, more_models: usize, settings: &str) -> String {
    let mut text = String::from("model_list:\n");
    let names = (0..more_models).map(|number| format!("other-{number}"));
    for name in std::iter::once(MODEL.to_owned()).chain(names) {
        let _ = write!(
            text,
            "  - model_name: {name}\n    litellm_params:\n      model: openai/{MODEL}\n      \
             api_base: http://{mock}/v1\n      api_key: sk-fake-upstream\n      \
             input_cost_per_token: 0.000001\n      output_cost_per_token: 0.000002\n"
        );
    }
    text + settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_one_deployment_and_the_extra_ones() {
        let text = config("127.0.0.1:9".parse().unwrap(), 2, "litellm_settings: {}\n");
        assert_eq!(text.matches("- model_name: ").count(), 3);
        assert!(text.contains("- model_name: bench\n    litellm_params:\n      model: openai/bench\n"));
        assert!(text.ends_with("litellm_settings: {}\n"));
    }
}
