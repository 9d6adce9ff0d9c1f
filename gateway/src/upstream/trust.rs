//! Whom TLS to providers trusts, and what it shows them: read at the start, and again with the configuration.

use super::certificate::{self, CertKey, Shown};
use super::roots::{Bundle, Roots};
use anyhow::bail;
use pingora::connectors::ConnectorOptions;
use pingora::connectors::http::Connector;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use weir_core::config::{Config, SslVerify};

/// One state of it. Nothing of it changes, but that connectors are made when they are needed first.
pub struct Trust {
    pub verify: bool,
    shown: Option<Shown>,
    all: Anchor,
    own: Mutex<Anchors>,
    roots: Roots,
    folder: PathBuf,
    pool_size: usize,
}

/// Who connects to those that some roots vouch for.
#[derive(Clone)]
struct Anchor {
    connector: Arc<Connector>,
    /// Tells the roots from others.
    mark: u64,
    /// Whether the system's are among them.
    of_system: bool,
}

/// For deployments that trust a CA of their own, by its file. Connections of one are never used for another.
type Anchors = HashMap<String, Anchor>;

/// So many of these files are kept read. One more, and all are read again when they are needed: whether a file that was
/// read once is still named by a deployment is not known here.
const MOST_FILES: usize = 256;

impl Trust {
    /// `folder`: where files for Pingora are kept.
    ///
    /// # Errors
    /// A file that the configuration names cannot be used.
    pub fn read(config: &Config, folder: &Path, pool_size: usize) -> anyhow::Result<Self> {
        Self::after(None, config, folder, pool_size)
    }

    /// What the configuration and the files that it names say now; `None` where they say what they said before. A file of
    /// a deployment that cannot be used any more counts as it was.
    ///
    /// # Errors
    /// As for [`Trust::read`]; and the system's roots are gone.
    pub fn again(&self, config: &Config) -> anyhow::Result<Option<Self>> {
        let next = Self::after(Some(self), config, &self.folder, self.pool_size)?;
        Ok((next.marks() != self.marks()).then_some(next))
    }

    fn after(
        before: Option<&Trust>,
        config: &Config,
        folder: &Path,
        pool_size: usize,
    ) -> anyhow::Result<Self> {
        let roots = Roots::new(&config.env, folder);
        let verify = &config.litellm.ssl_verify;
        let shown = config.litellm.library.certificate.as_deref().map(certificate::read).transpose()?;
        // Who is shown another certificate must be connected to anew.
        let kept = before.filter(|before| mark(&before.shown) == mark(&shown));
        let of_all = roots.of_all(verify)?;
        if before.is_some_and(|before| before.all.of_system) && !of_all.of_system {
            // Files that are being replaced, rather than a decision to trust nobody.
            bail!("the system's root certificates cannot be read any more");
        }
        let all = Anchor::of(&of_all, pool_size, kept.map(|kept| &kept.all))?;
        let own = before.map(|before| before.own_again(&roots, kept.is_some())).unwrap_or_default();
        Ok(Self {
            verify: *verify != SslVerify::Off,
            shown,
            all,
            own: Mutex::new(own),
            roots,
            folder: folder.to_owned(),
            pool_size,
        })
    }

    /// Shown to providers that ask who is calling.
    pub fn certificate(&self) -> Option<&Arc<CertKey>> {
        self.shown.as_ref().map(|shown| &shown.certificate)
    }

    /// Who connects to a deployment that says this of whom it trusts.
    ///
    /// # Errors
    /// The file that it names cannot be used.
    pub fn connector(&self, verify: Option<&SslVerify>) -> anyhow::Result<Arc<Connector>> {
        let Some(SslVerify::CaFile(path)) = verify else { return Ok(Arc::clone(&self.all.connector)) };
        let mut known = self.known();
        if let Some(found) = known.get(path) {
            return Ok(Arc::clone(&found.connector));
        }
        let made = Anchor::of(&self.roots.with(path)?, self.pool_size, None)?;
        let connector = Arc::clone(&made.connector);
        if known.len() >= MOST_FILES {
            known.clear();
        }
        known.insert(path.clone(), made);
        Ok(connector)
    }

    /// Those of deployments as their files are now. `keeps`: connections are used again where roots are the same.
    fn own_again(&self, roots: &Roots, keeps: bool) -> Anchors {
        let again = |path: &String, old: &Anchor| {
            let bundle = roots.with(path)?;
            Anchor::of(&bundle, self.pool_size, keeps.then_some(old))
        };
        let stays = |why: anyhow::Error, old: &Anchor| {
            tracing::error!("{why:#}; what was read of it before stays");
            old.clone()
        };
        let known = self.known();
        let all = known.iter();
        all.map(|(path, old)| (path.clone(), again(path, old).unwrap_or_else(|why| stays(why, old))))
            .collect()
    }

    /// What tells two states apart.
    fn marks(&self) -> (bool, Option<u64>, u64, HashMap<String, u64>) {
        let own = self.known().iter().map(|(path, anchor)| (path.clone(), anchor.mark)).collect();
        (self.verify, mark(&self.shown), self.all.mark, own)
    }

    fn known(&self) -> MutexGuard<'_, Anchors> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Anchor {
    /// `before`: taken where its roots are the same.
    fn of(bundle: &Bundle, pool_size: usize, before: Option<&Anchor>) -> anyhow::Result<Self> {
        let mark = bundle.mark();
        if let Some(same) = before.filter(|before| before.mark == mark) {
            return Ok(same.clone());
        }
        let mut options = ConnectorOptions::new(pool_size);
        options.ca_file = Some(bundle.written()?);
        let connector = Arc::new(Connector::new(Some(options)));
        Ok(Self { connector, mark, of_system: bundle.of_system })
    }
}

fn mark(shown: &Option<Shown>) -> Option<u64> {
    shown.as_ref().map(|shown| shown.mark)
}
