//! The gateway as its users meet it: the real binary, a mock provider, a client on a socket.
//!
//! `rig.rs` starts them; each other file is one promise or family of promises. Tests carry the number of the
//! guarantee they prove.

mod chat;
mod client;
mod config;
mod errors;
mod goldens;
mod keys;
mod lifecycle;
mod providers;
mod recordings;
mod rig;
mod routing;
mod secrets;
mod smuggling;
mod streams;
