//! Credentials that are more than a key in a header: where they come from, and how a request is signed with them.

pub mod aws;
pub mod gcp;
pub mod sigv4;
