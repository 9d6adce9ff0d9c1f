//! Bytes to frames, by `sse.rs`, `ndjson.rs` and `event_stream.rs` behind `frames.rs`. Nothing here has heard of
//! models.

pub mod event_stream;
pub mod frames;
pub mod ndjson;
pub mod sse;

pub use frames::{Deframer, Frame, FrameError, Framing};
