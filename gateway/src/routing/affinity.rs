//! Where the beginnings of prompts are cached: at the deployment that answered one last. Exact for this process; another
//! one learns it by itself.

use std::time::{Duration, Instant};
use weir_plugins::deployment::Deployment;
use weir_plugins::prefix::{Prefixes, Print};

/// Bounded; what is not asked for again leaves by itself.
pub struct Affinity {
    /// By group and beginning: the deployment's id, and until when it counts.
    at: moka::sync::Cache<(String, Print), (String, Instant)>,
}

/// Beginnings that are remembered.
const MOST: u64 = 100_000;
/// No provider keeps them longer.
const LONGEST: Duration = Duration::from_secs(3_600);

impl Default for Affinity {
    fn default() -> Self {
        Self { at: moka::sync::Cache::builder().max_capacity(MOST).time_to_live(LONGEST).build() }
    }
}

impl Affinity {
    /// The id of the deployment that has the longest of these beginnings.
    pub fn of(&self, group: &str, prefixes: &Prefixes) -> Option<String> {
        let here = |print: &Print| self.at.get(&(group.to_owned(), *print));
        let found = prefixes.earlier.iter().filter_map(here).find(|(_, until)| *until > Instant::now());
        found.map(|(id, _)| id)
    }

    /// It has answered a prompt, and has its beginnings now.
    pub fn learn(&self, deployment: &Deployment, prefixes: &Prefixes) {
        let until = Instant::now() + prefixes.lasts;
        for print in &prefixes.marked {
            self.at.insert((deployment.group.clone(), *print), (deployment.id.clone(), until));
        }
    }
}
