//! Credentials that are more than a key in a header: where they come from, and how a request is signed with them.
//!
//! `signer.rs` is what a deployment has. `sigv4.rs` is AWS's signature, `aws.rs` where its credentials come from.
//! `token.rs` fetches and keeps OAuth tokens for `gcp.rs` and `entra.rs`. `secrets.rs` asks secret managers, `http.rs`
//! is the client that all of them use.

pub mod aws;
pub mod entra;
pub mod gcp;
mod http;
pub mod secrets;
mod signer;
pub mod sigv4;
mod token;

pub use self::http::Http;
pub(crate) use self::http::{Answered, Poster, address, hosts_only};
pub(crate) use signer::{Service as AwsService, bearer_of, sign_for};
pub use signer::{Signer, ToSend};
pub use token::{Identity, Source as TokenSource, TokenFault};
