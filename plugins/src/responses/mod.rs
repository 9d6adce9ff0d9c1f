//! The state of OpenAI's Responses API: what `previous_response_id` and `GET /v1/responses/{id}` find.
//!
//! A provider that speaks the API keeps its responses itself. Clients get a sealed id (`id.rs`) instead of the
//! provider's, put in by `rename.rs`, which tells any replica where the response is and whose it is. For other
//! providers the ledger keeps what was said (`keep.rs`). `read.rs` answers questions about what is kept.
//! `previous.rs` is how a request goes on from an earlier response.

mod id;
mod keep;
mod previous;
mod read;
mod rename;

#[cfg(test)]
mod tests;

pub use id::Origin;
pub use keep::{Kept, record};
pub use previous::{Conversation, Previous, conversation};
pub use read::{deleted, input_list};
pub use rename::{Names, Renamed};

use weir_core::config::Config;
use weir_core::domain::ids::KeyHash;
use weir_core::domain::key::Caller;
use weir_core::error::{ApiError, Kind};
use weir_core::ports::LedgerError;

/// What this caller may see: its own, also of the texts that its key had before; the master all, and so everybody where
/// the operator says so.
pub fn may_read(config: &Config, caller: &Caller, owner: &KeyHash) -> bool {
    match caller {
        Caller::Anonymous => false,
        _ if config.general.requests.shared_responses => true,
        Caller::Master(_) => true,
        Caller::Key(known) => known.key.is_or_was(owner),
    }
}

/// OpenAI's words. Another owner's response is not found either.
pub fn not_found(id: &str) -> ApiError {
    missing(format!("Response with id '{}' not found.", shown(id)))
}

fn previous_not_found(id: &str) -> ApiError {
    let message = format!("Previous response with id '{}' not found.", shown(id));
    missing(message).with_param("previous_response_id")
}

fn missing(message: String) -> ApiError {
    ApiError::new(Kind::BadRequest, message).with_status(404).with_class("NotFoundError")
}

/// Ids come from clients and may be of any length.
fn shown(id: &str) -> String {
    id.chars().take(600).collect()
}

/// The ledger is away, and with it what it keeps.
pub fn unavailable(error: LedgerError) -> ApiError {
    let message = "The ledger, which keeps this response, cannot be reached; try again in a moment, or send \
                   \"store\": false and the whole conversation.";
    ApiError::new(Kind::LedgerUnavailable, message).because(error)
}
