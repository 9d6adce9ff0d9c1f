//! Others are told of exchanges that are over: `litellm_settings.callbacks` and its kin, and those of keys and teams.
//!
//! `kinds.rs` is the table of callbacks, each with a file in `sinks/` that writes what it is told as requests, and
//! knows no sockets. `select.rs` says whom an exchange is told to, `own.rs` whom a key or a team names, `record.rs` is
//! what is told, `payload.rs` LiteLLM's form of it, which is written without a tree into memory that is used again
//! (`sinks/bodies.rs`). `desk.rs` is the queue, `lane.rs` sends for one callback, with batches and retries, `grpc.rs`
//! is how that is framed where it is gRPC. `tally.rs` counts how that goes, and `trial.rs` sends something made up when
//! somebody wants to see whether it arrives. Nobody waits for any of it: what there is no room for is dropped and
//! counted.

mod callback;
mod desk;
mod grpc;
mod kinds;
mod lane;
mod own;
mod payload;
mod record;
mod select;
mod sinks;
mod tally;
#[cfg(test)]
mod testing;
mod trial;

pub use callback::Callback;
pub use desk::Desk;
pub use record::Finished;
pub use select::{Telling, To, telling};

use crate::auth::Poster;
use callback::Events;
use own::Owns;
use std::sync::Arc;
use weir_core::config::Config;
use weir_core::config::env::Env;
use weir_core::config::problems::{Place, Problems};

/// All callbacks of a configuration.
pub struct Callbacks {
    all: Vec<Arc<Callback>>,
    /// Those that are told of what admins change.
    audits: Vec<Arc<Callback>>,
    /// Names of those that could not be built, and why.
    unusable: Vec<(String, String)>,
    owns: Owns,
}

/// What callbacks of one configuration are made with.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) config: Arc<Config>,
    pub(crate) env: Arc<Env>,
    pub(crate) http: Poster,
}

/// Lists of `litellm_settings`, and what is told to those in them.
type List = (&'static str, Events, fn(&Config) -> &[String]);

static LISTS: &[List] = &[
    ("callbacks", Events::ALL, |c| &c.litellm.callbacks),
    ("success_callback", Events { success: true, failure: false }, |c| &c.litellm.success_callback),
    ("failure_callback", Events { success: false, failure: true }, |c| &c.litellm.failure_callback),
];

/// They are not told: the first is asked, the second is a guardrail, the others are a rate limit.
const NOT_TOLD: [&str; 4] =
    ["prometheus", "detect_prompt_injection", "dynamic_rate_limiter", "dynamic_rate_limiter_v3"];

impl Callbacks {
    /// What cannot be built is a warning: without a callback everything else goes on.
    pub fn build(config: &Arc<Config>, env: &Arc<Env>, problems: &mut Problems) -> Self {
        let tools = Tools { config: Arc::clone(config), env: Arc::clone(env), http: Poster::new(env) };
        let (mut all, mut audits, mut unusable) = (Vec::new(), Vec::new(), Vec::new());
        for (list, name, events) in wanted(config) {
            let (at, said) = (place(list), problems.iter().count());
            match Callback::configured(&tools, name, events, &at, problems) {
                Some(callback) => all.push(Arc::new(callback)),
                None => unusable.push((name.to_owned(), why(problems, said))),
            }
        }
        for name in &config.litellm.audit_log_callbacks {
            let (at, said) = (place("audit_log_callbacks"), problems.iter().count());
            match Callback::of_audits(&tools, name, &at, problems) {
                Some(callback) => audits.push(Arc::new(callback)),
                None => unusable.push((name.clone(), why(problems, said))),
            }
        }
        Self { all, audits, unusable, owns: Owns::new(tools, problems) }
    }

    pub fn audits(&self) -> &[Arc<Callback>] {
        &self.audits
    }
}

fn place(list: &str) -> Place {
    Place { path: format!("litellm_settings.{list}"), ..Place::default() }
}

/// What was said since there were so many problems. No message quotes a secret.
fn why(problems: &Problems, before: usize) -> String {
    let said = problems.iter().skip(before).map(|problem| match problem.cure.as_str() {
        "" => problem.message.clone(),
        cure => format!("{}; {cure}", problem.message),
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { String::from("it could not be set up; see the log") } else { said.join("; ") }
}

/// Each name once, with all that it is told.
fn wanted(config: &Config) -> Vec<(&'static str, &str, Events)> {
    let mut wanted: Vec<(&'static str, &str, Events)> = Vec::new();
    for (list, events, names) in LISTS {
        for name in names(config).iter().filter(|name| !NOT_TOLD.contains(&name.as_str())) {
            match wanted.iter_mut().find(|(_, known, _)| known == name) {
                Some((_, _, known)) => *known = known.or(*events),
                None => wanted.push((*list, name.as_str(), *events)),
            }
        }
    }
    wanted
}
