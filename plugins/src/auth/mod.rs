//! Credentials that are more than a key in a header. No sockets here: what has to be fetched is described as data and
//! fetched by whoever asks.

pub mod gcp;
