//! Mock providers and a load harness: what a gateway costs, measured beside nginx and a bare Pingora.
//!
//! `mock/` is the provider that benches and tests talk to; `switch.rs` lets one mock process serve all cases, `sink.rs`
//! receives webhooks and `stamped.rs` writes the time into every chunk. `pass.rs` is the bare Pingora proxy, `ports.rs` finds ports. The harness reads: `cases.rs`
//! (what is asked), `targets/` (who is asked: processes, their configuration), `load/` (how: closed and open loop),
//! `cpu.rs` (what it cost them), `run.rs` (rounds, interleaved), `guarantees/` (cases named after a guarantee),
//! `report/` (Markdown, JSON, HTML). `count.rs` counts instructions, `train.rs` gives a build something to learn from,
//! `tune/` tries settings on this machine. `scale.rs` is a model of many replicas, which measures nothing. The
//! gateway is reached over HTTP only.

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
