//! A gateway that runs already: `name=URL[,pid=PID][,key=KEY]`.

use anyhow::{Context as _, bail};
use http::Uri;

use super::Target;

#[derive(Debug, Clone)]
pub struct External {
    pub name: String,
    url: Uri,
    pid: Option<u32>,
    key: Option<String>,
}

// --- impl External ---

impl External {
    pub fn parse(text: &str) -> anyhow::Result<External> {
        let (name, rest) = text.split_once('=').context("name=URL")?;
        let mut parts = rest.split(',');
        let url: Uri = parts.next().unwrap_or_default().parse().context("URL of the target")?;
        if name.is_empty() || url.scheme_str() != Some("http") || url.host().is_none() {
            bail!("{text:?}: expected name=http://HOST:PORT[,pid=PID][,key=KEY]");
        }
        let mut external = External { name: name.to_owned(), url, pid: None, key: None };
        for part in parts {
            match part.split_once('=') {
                Some(("pid", pid)) => {
                    external.pid = Some(pid.parse().with_context(|| format!("pid {pid:?}"))?)
                }
                Some(("key", key)) => external.key = Some(key.to_owned()),
                _ => bail!("{part:?}: known are pid=PID and key=KEY"),
            }
        }
        Ok(external)
    }

    pub(super) async fn resolve(&self) -> anyhow::Result<Target> {
        let host = self.url.host().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.url.port_u16().unwrap_or(80);
        let addr = tokio::net::lookup_host((host, port)).await?.next().context("the name has no address")?;
        let mut target = Target::new(&self.name, addr, self.pid, None);
        self.url.path().trim_end_matches('/').clone_into(&mut target.prefix);
        if let Some(key) = &self.key {
            target.key.clone_from(key);
        }
        Ok(target)
    }
}
