//! Whom an exchange is told to, and whether they are told what was said.

use super::Callback;
use super::own::Own;
use crate::exchange::Exchange;
use smallvec::SmallVec;
use std::sync::Arc;
use weir_core::domain::spend::Status;

/// Callbacks that are told of one exchange.
pub type To = SmallVec<[Arc<Callback>; 2]>;

/// What is decided of one exchange.
#[derive(Default)]
pub struct Telling {
    /// A key's own before the gateway's.
    to: To,
    /// What is said is kept nowhere and told to nobody.
    pub silent: bool,
}

/// LiteLLM's headers, both spellings.
const REDACT: [&str; 2] = ["x-litellm-enable-message-redaction", "litellm-enable-message-redaction"];
const NO_REDACTION: &str = "litellm-disable-message-redaction";
/// Names of callbacks that are not told, with commas.
const DISABLED: &str = "x-litellm-disable-callbacks";

impl Telling {
    /// Those that are told of an exchange that ended so. Of one name only the first: a key's own stands in for its
    /// team's or the gateway's.
    pub fn of(&self, status: Status) -> To {
        let mut told = To::new();
        for callback in self.to.iter().filter(|callback| callback.events.has(status)) {
            if told.iter().all(|known| known.name != callback.name) {
                told.push(Arc::clone(callback));
            }
        }
        told
    }

    /// Whether anybody wants to know what is said.
    pub fn hears(&self) -> bool {
        !self.silent && self.to.iter().any(|callback| !callback.silent)
    }
}

/// To be asked when the caller is known.
pub fn telling(x: &Exchange) -> Telling {
    let callbacks = &x.snapshot.callbacks;
    let own = x.caller.principal().and_then(|known| callbacks.owns.of(known));
    let own = own.as_deref();
    let nobody = callbacks.all.is_empty() && own.is_none();
    if nobody && !x.snapshot.config.general.store_prompts_in_spend_logs {
        // Nothing depends on it.
        return Telling::default();
    }
    let silent = silent(x, own);
    if nobody || unlogged(x) {
        return Telling { silent, ..Telling::default() };
    }
    let of_key = own.map(|own| own.to.as_slice()).unwrap_or_default();
    let to = of_key.iter().chain(&callbacks.all).filter(|callback| !disabled(x, &callback.name));
    Telling { to: to.cloned().collect(), silent }
}

/// A request may ask for it, and so may its key, its team and the operator. Only the operator's word can a request lift.
fn silent(x: &Exchange, own: Option<&Own>) -> bool {
    let says = |name: &str| {
        let value = x.header(name);
        !value.is_empty() && !value.eq_ignore_ascii_case("false")
    };
    let asked = || REDACT.into_iter().any(says) || x.request.body.is_true("turn_off_message_logging");
    let everywhere = x.snapshot.config.litellm.turn_off_message_logging;
    own.is_some_and(|own| own.silent) || asked() || everywhere && !says(NO_REDACTION)
}

/// LiteLLM's `no-log`, and what the operator says of streams.
fn unlogged(x: &Exchange) -> bool {
    let settings = &x.snapshot.config.litellm;
    let asked = x.request.body.is_true("no-log") && !settings.global_disable_no_log_param;
    asked || x.request.stream && settings.disable_streaming_logging
}

fn disabled(x: &Exchange, name: &str) -> bool {
    let named = x.header(DISABLED);
    !named.is_empty()
        && x.snapshot.config.litellm.allow_dynamic_callback_disabling
        && named.split(',').any(|other| other.trim().eq_ignore_ascii_case(name))
}
