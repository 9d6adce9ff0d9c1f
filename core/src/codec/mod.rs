//! Bytes to frames. Nothing here has heard of models.

pub mod sse;
