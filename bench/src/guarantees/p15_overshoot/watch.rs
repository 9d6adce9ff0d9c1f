//! What is settled of a key's budget, looked at from outside, again and again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::value::RawValue;
use weir_core::domain::money::NanoUsd;

use crate::targets::{MASTER_KEY, control};

/// So often in a row the same: everything is booked.
const SAME: usize = 5;
const BETWEEN: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Watch {
    addr: SocketAddr,
    path: String,
    /// When it was asked, and nano-dollars.
    looks: Vec<(Instant, i64)>,
}

#[derive(Deserialize)]
struct Told {
    info: Info,
}

#[derive(Deserialize)]
struct Info {
    spend: Box<RawValue>,
}

// --- impl Watch ---

impl Watch {
    pub(super) fn new(addr: SocketAddr, key: &str) -> Watch {
        Watch { addr, path: format!("/key/info?key={key}"), looks: Vec::new() }
    }

    #[cfg(test)]
    pub(super) fn tested(looks: Vec<(Instant, i64)>) -> Watch {
        Watch { looks, ..Watch::new(SocketAddr::from(([127, 0, 0, 1], 0)), "") }
    }

    /// What is settled now, in nano-dollars.
    pub(super) async fn look(&mut self) -> anyhow::Result<i64> {
        let asked = Instant::now();
        let (status, body) = control::get(self.addr, &self.path, MASTER_KEY).await?;
        if status != 200 {
            bail!("/key/info answers {status}: {}", String::from_utf8_lossy(&body));
        }
        let told: Told = serde_json::from_slice(&body).context("/key/info")?;
        let spent = NanoUsd::parse(told.info.spend.get()).ok().context("spend is no amount")?.0;
        self.looks.push((asked, spent));
        Ok(spent)
    }

    /// What is settled when nothing more is booked.
    pub(super) async fn settled(&mut self) -> anyhow::Result<i64> {
        let until = Instant::now() + PATIENCE;
        let (mut last, mut same) = (self.look().await?, 1);
        while same < SAME {
            if Instant::now() > until {
                bail!("entries are still being booked after {PATIENCE:?}");
            }
            tokio::time::sleep(BETWEEN).await;
            let now = self.look().await?;
            same = if now == last { same + 1 } else { 1 };
            last = now;
        }
        Ok(last)
    }

    pub(super) fn highest(&self) -> i64 {
        self.looks.iter().map(|(_, spent)| *spent).max().unwrap_or(0)
    }

    /// What was settled when it was looked at first after a moment.
    pub(super) fn after(&self, moment: Instant) -> Option<i64> {
        self.looks.iter().find(|(asked, _)| *asked >= moment).map(|(_, spent)| *spent)
    }
}
