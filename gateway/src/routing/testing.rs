//! What tests of routing are made of.

use super::strategies::View;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::sync::Arc;
use weir_core::config::problems::Problems;
use weir_core::config::{Config, StrategyArgs, env::Env};
use weir_core::model::prices::Catalogue;
use weir_core::time::Micros;
use weir_plugins::load::Loads;
use weir_plugins::models::Group;
use weir_plugins::snapshot::Snapshot;

static ARGS: StrategyArgs = StrategyArgs {
    ttl: std::time::Duration::from_secs(3_600),
    lowest_latency_buffer: 0.0,
    max_latency_list_size: 10,
};

pub(super) fn seeded() -> StdRng {
    StdRng::seed_from_u64(7)
}

pub(super) fn view(loads: &Loads) -> View<'_> {
    View { loads, args: &ARGS, stream: false, now: Micros(1_800_000_000_000_000) }
}

/// A group named `m` with a deployment for each of these parameters. Its models are in no price list.
pub(super) fn group(params: &[&str]) -> Arc<Group> {
    let entry = |(index, params): (usize, &&str)| {
        let more = if params.is_empty() { String::new() } else { format!(", {params}") };
        format!(
            "  - {{model_name: m, litellm_params: {{model: openai/nobody-{index}, api_key: sk-fake{more}}}, \
             model_info: {{id: d{index}}}}}\n"
        )
    };
    let models: String = params.iter().enumerate().map(entry).collect();
    snapshot(&format!("model_list:\n{models}")).models.find("m").unwrap()
}

pub(super) fn snapshot(text: &str) -> Snapshot {
    let (config, problems) = Config::from_text(text, &Env::default(), &["openai"]);
    let config = config.unwrap_or_else(|| panic!("{problems}"));
    Snapshot::build(config, Arc::default(), Arc::new(Catalogue::embedded()), &mut Problems::default())
}
