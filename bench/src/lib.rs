//! Mock providers and a load harness: what a gateway costs, measured beside nginx and a bare Pingora. Gateways are
//! reached over HTTP only.
//!
//! - `mock/`: the providers that benches and tests talk to. `switch.rs` lets one mock process serve all cases,
//!   `stamped.rs` writes the time into every chunk, `sink.rs` receives webhooks.
//! - `cases.rs`: what is asked. `targets/`: who is asked, as processes with their configuration. `pass.rs` is the bare
//!   Pingora proxy among them.
//! - `load/`: how it is asked, closed and open loop. `cpu.rs` reads what that took, `run.rs` interleaves the rounds.
//! - `guarantees/`: cases named after a guarantee. `report/`: Markdown, JSON, HTML, with `machine.rs` saying where.
//! - `count.rs`: instructions of a request. `train.rs` gives `make bolt` something to learn from.
//! - `tune/`: tries settings on this machine. `scale.rs` is a model of many replicas, which measures nothing.
//!
//! `ports.rs` finds free ports. The command line itself is in the binary: `cli.rs`, `serve.rs`, `tools.rs`.

pub mod mock;

pub mod sink;
pub mod stamped;
pub mod switch;

pub mod pass;
pub mod ports;

pub mod cases;
pub mod cpu;
pub mod load;
pub mod machine;
pub mod targets;

pub mod run;

pub mod count;
pub mod guarantees;
pub mod report;
pub mod scale;
pub mod train;
pub mod tune;
