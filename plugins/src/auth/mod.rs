//! Credentials that are more than a key in a header. No sockets here: what has to be fetched is described as data and
//! fetched by whoever asks.

pub mod gcp;
//! Credentials that are more than a key in a header: where they come from and how a request is signed with them.

pub mod aws;
pub mod sigv4;
