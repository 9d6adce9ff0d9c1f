//! From a deployment to its answer: connect, send, read the head.

pub mod certificate;
pub mod connect;
pub mod idle;
pub mod line;
pub mod public;
pub mod request;
pub mod resolve;
pub mod roots;
pub mod session;
pub mod trust;
pub mod tunnel;
