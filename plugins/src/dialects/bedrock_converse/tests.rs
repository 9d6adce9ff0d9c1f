//! Recordings, goldens and hostile input.

mod reading;
mod writing;
