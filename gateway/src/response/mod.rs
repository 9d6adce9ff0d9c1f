//! From the provider's answer to the client's: the head, then the body relayed plain or as a stream, or an error.

pub mod carry;
pub mod counted;
pub mod fail;
pub mod guard;
pub mod head;
pub mod mocked;
pub mod outlet;
pub mod passed;
pub mod plain;
pub mod realtime;
pub mod replied;
pub mod series;
pub mod state;
pub mod stream;
