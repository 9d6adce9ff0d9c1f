//! Deployments, models and what they cost.

pub mod prices;
