//! What models cost: `catalogue.tsv`, compiled in, and `prices/`, which finds a price in it and computes costs.

pub mod prices;
