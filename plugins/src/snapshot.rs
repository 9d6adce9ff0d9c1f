//! One state of the configuration, ready to serve. Exchanges keep the one they started with; a reload makes another.

use crate::callbacks::Callbacks;
use crate::guardrails::Guardrails;
use crate::inferred;
use crate::listed;
use crate::models::ModelTable;
use crate::pass::PassTable;
use crate::seal::Sealer;
use std::collections::HashSet;
use std::sync::Arc;
use weir_core::access::MasterKey;
use weir_core::config::problems::Problems;
use weir_core::config::{Config, env::Env};
use weir_core::model::prices::Catalogue;

/// Never changed: a reload makes another, and exchanges keep the one they began with.
pub struct Snapshot {
    pub config: Arc<Config>,
    /// `None`: everybody is the master, as LiteLLM has it without a master key.
    pub master: Option<MasterKey>,
    pub models: ModelTable,
    /// What models cost and can, by their names.
    pub catalogue: Arc<Catalogue>,
    /// What looks at requests and answers.
    pub guardrails: Guardrails,
    /// Who is told of exchanges that are over.
    pub callbacks: Callbacks,
    /// Customers whom nobody serves.
    pub blocked_users: HashSet<String>,
    /// Who answers raw requests.
    pub pass: PassTable,
    /// For what clients or the ledger keep for us.
    pub sealer: Arc<Sealer>,
}

impl Snapshot {
    /// Makes what is served of a configuration. What cannot be used is a problem of its setting, and is left out.
    pub fn build(
        mut config: Config,
        env: Arc<Env>,
        catalogue: Arc<Catalogue>,
        problems: &mut Problems,
    ) -> Self {
        inferred::add(&mut config, &env);
        let config = Arc::new(config);
        Self {
            guardrails: Guardrails::build(&config, &env, problems),
            callbacks: Callbacks::build(&config, &env, problems),
            blocked_users: blocked_users(&config, problems),
            pass: PassTable::build(&config, &env, &catalogue, problems),
            master: master(&config),
            sealer: Arc::new(sealer(&config, &env)),
            models: ModelTable::build(Arc::clone(&config), env, Arc::clone(&catalogue), problems),
            catalogue,
            config,
        }
    }
}

fn blocked_users(config: &Config, problems: &mut Problems) -> HashSet<String> {
    let at = listed::place("blocked_user_list");
    listed::words(&config.litellm.blocked_users, &at, problems).into_iter().collect()
}

fn master(config: &Config) -> Option<MasterKey> {
    let key = config.general.master_key.as_ref()?;
    let master = MasterKey::new(key).or(config.weir.master_key_previous.as_ref());
    Some(master.hidden(config.general.hides_master_key_hash))
}

/// What was sealed with the key that was the master key before is opened too.
fn sealer(config: &Config, env: &Env) -> Sealer {
    let sealer = Sealer::of(env, config.general.master_key.as_ref());
    match &config.weir.master_key_previous {
        Some(previous) => sealer.or_opened_by(previous),
        None => sealer,
    }
}
