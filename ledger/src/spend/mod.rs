//! Spend entries: written in batches, read by filter. What is not asked for in SQL stands in one JSON column.

mod detail;
mod read;
mod write;
