//! Credentials that are more than a key in a header: where they come from, and how a request is signed with them.

pub mod aws;
pub mod gcp;
mod signer;
pub mod sigv4;

pub use signer::{Signer, ToSend};
