//! The local, append-only file that an entry reaches before the client sees its last byte.
//!
//! An instance has its own locked folder of segments, a few of them written side by side. A record is copied into pages
//! that the kernel owns, so it survives the death of this process; it does not survive the machine. All records of an
//! exchange go to the same shard, so that its `begin` is always read before its `end`. `frame.rs` is the format,
//! `layout.rs` what earlier programs wrote, `instance.rs` the folder, `spares.rs` what of it is written to again,
//! `reader.rs` what the writer into the ledger sees, `mark.rs` how far that is booked.

mod frame;
mod ids;
mod instance;
mod layout;
mod mark;
mod reader;
mod shard;
mod spares;

pub(crate) use instance::orphans;
pub use instance::{FileJournal, JournalOptions, JournalStats};
pub(crate) use reader::{Reader, replay};
