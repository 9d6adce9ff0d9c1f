//! Where AWS credentials come from: keys in the config, a profile, a role assumed by STS, a web identity, or whatever
//! the machine offers (environment, shared files, container, instance). One shared cache hands them out; a source is
//! asked once, however many requests wait, and again shortly before its credentials expire.

mod sources;

use aws_credential_types::Credentials;
use moka::Expiry;
use moka::future::Cache;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};
use weir_core::config::env::Env;
use weir_core::config::{Aws, ModelEntry};
use weir_core::time::{Micros, now};
use weir_core::{ExposeSecret, SecretString};

/// How long a source may take; a chain asks several services one after another.
const PATIENCE: Duration = Duration::from_secs(20);
/// Credentials are replaced this long before they expire.
const MARGIN: Duration = Duration::from_secs(300);
/// No credentials are kept longer, so that changed files and profiles are seen.
const LONGEST: Duration = Duration::from_secs(900);
/// The shortest time that credentials are kept, even if they expire sooner.
const SHORTEST: Duration = Duration::from_secs(1);
/// Sources kept in the cache.
const MOST: u64 = 1000;

/// What a deployment proves itself with.
#[derive(Clone, Debug)]
pub enum Access {
    /// `authorization: Bearer …`; nothing is signed.
    Bearer(SecretString),
    /// Requests are signed.
    Signed(Box<Source>),
}

/// One source of credentials, ready to be asked.
#[derive(Clone, Debug)]
pub struct Source {
    aws: Aws,
    /// For STS.
    region: String,
    env: Env,
    /// Over all of the above: sources that are the same share their credentials.
    key: [u8; 32],
}

/// No credentials could be had. The text names the source, never a secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AwsFault {
    #[error("no AWS credentials from {from}: {why}")]
    Refused { from: &'static str, why: String },
    #[error("no AWS credentials within {} s", PATIENCE.as_secs())]
    TooSlow,
}

/// All credentials of a process. Cheap to clone.
#[derive(Clone)]
pub struct AwsCredentials {
    cache: Cache<[u8; 32], Arc<Credentials>>,
}

impl Access {
    /// What a deployment says, else the environment.
    pub fn of(entry: &ModelEntry, region: &str, env: &Env) -> Self {
        let key = entry.params.api_key.clone().filter(|key| !key.expose_secret().is_empty());
        let signs = entry.params.aws.access_key_id.is_some() || entry.params.aws.role.is_some();
        let from_env = || env.filled("AWS_BEARER_TOKEN_BEDROCK").filter(|_| !signs).map(SecretString::from);
        match key.or_else(from_env) {
            Some(key) => Access::Bearer(key),
            None => Access::Signed(Box::new(Source::new(entry.params.aws.clone(), region, env))),
        }
    }
}

impl Source {
    pub fn new(aws: Aws, region: &str, env: &Env) -> Self {
        let aws = with_env(aws, env);
        let key = fingerprint(&aws, region);
        Self { aws, region: region.to_owned(), env: env.clone(), key }
    }

    /// Whether its keys were written down for it, so that nobody else is asked for some.
    pub(super) fn is_own(&self) -> bool {
        sources::in_config(&self.aws).is_some()
    }
}

/// LiteLLM's variables for what the deployment does not say. Keys stay together: a half pair is none.
fn with_env(mut aws: Aws, env: &Env) -> Aws {
    let var = |name: &str| env.filled(name).map(str::to_owned);
    aws.profile = aws.profile.or_else(|| var("AWS_PROFILE_NAME"));
    aws.role = aws.role.or_else(|| var("AWS_ROLE_NAME"));
    aws.session_name = aws.session_name.or_else(|| var("AWS_SESSION_NAME"));
    let token = || var("AWS_WEB_IDENTITY_TOKEN").map(SecretString::from);
    aws.web_identity_token = aws.web_identity_token.or_else(token);
    aws
}

fn fingerprint(aws: &Aws, region: &str) -> [u8; 32] {
    let secret = |s: &Option<SecretString>| s.as_ref().map(|s| s.expose_secret().to_owned());
    let parts = [
        aws.access_key_id.clone(),
        secret(&aws.secret_access_key),
        secret(&aws.session_token),
        aws.profile.clone(),
        aws.role.clone(),
        aws.session_name.clone(),
        aws.external_id.clone(),
        secret(&aws.web_identity_token),
        aws.sts_endpoint.clone(),
        Some(region.to_owned()),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths keep "ab" + "c" apart from "a" + "bc", and nothing apart from an empty text.
        hash.update(part.as_ref().map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
        hash.update(part.unwrap_or_default());
    }
    hash.finalize().into()
}

// --- AwsCredentials ---

impl Default for AwsCredentials {
    fn default() -> Self {
        Self { cache: Cache::builder().max_capacity(MOST).expire_after(UntilStale).build() }
    }
}

impl AwsCredentials {
    /// Credentials that are good for a while. Bounded in time.
    ///
    /// # Errors
    /// The source has none, or does not answer. Failures are not kept.
    pub async fn get(&self, source: &Source) -> Result<Arc<Credentials>, AwsFault> {
        if let Some(keys) = sources::in_config(&source.aws) {
            return Ok(Arc::new(keys)); // nothing to wait for or to keep
        }
        let fetch = async {
            let fetched = tokio::time::timeout(PATIENCE, sources::fetch(source)).await;
            fetched.map_err(|_| AwsFault::TooSlow)?.map(Arc::new)
        };
        self.cache
            .try_get_with(source.key, Box::pin(fetch))
            .await
            .map_err(|e: Arc<AwsFault>| AwsFault::clone(&e))
    }

    /// Forgets a source's credentials, after the provider called them expired.
    pub async fn forget(&self, source: &Source) {
        self.cache.invalidate(&source.key).await;
    }
}

/// Until shortly before the credentials expire.
struct UntilStale;

impl Expiry<[u8; 32], Arc<Credentials>> for UntilStale {
    fn expire_after_create(&self, _: &[u8; 32], made: &Arc<Credentials>, _: Instant) -> Option<Duration> {
        Some(good_for(made, now()))
    }
}

fn good_for(credentials: &Credentials, now: Micros) -> Duration {
    let Some(expiry) = credentials.expiry() else { return LONGEST };
    let now = Duration::from_micros(u64::try_from(now.0).unwrap_or(0));
    let left = expiry.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(now);
    // Credentials that live shorter than two margins are used for half of their life.
    left.saturating_sub(MARGIN).max(left / 2).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests;
