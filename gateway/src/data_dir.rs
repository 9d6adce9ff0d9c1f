//! The folder that outlives the process: ledger, journal, generated master key, sockets.

use anyhow::Context;
use base64::Engine;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use weir_core::SecretString;
use weir_core::config::{Config, Env};

/// Where to keep things: `WEIR_DATA_DIR`, the config's `data_dir`, else `./data`.
pub fn choose(config: &Config, env: &Env) -> PathBuf {
    let named = env.filled("WEIR_DATA_DIR").map(str::to_owned).or_else(|| config.weir.data_dir.clone());
    PathBuf::from(named.unwrap_or_else(|| String::from("data")))
}

/// Makes the folder, readable by its owner only.
pub fn create(path: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the data directory {} cannot be made; set WEIR_DATA_DIR", path.display()))
}

/// The generated master key: made once, kept with mode 0600.
pub fn master_key(folder: &Path) -> anyhow::Result<SecretString> {
    if let Some(known) = known_master_key(folder) {
        return Ok(known);
    }
    let path = folder.join("master_key");
    let key = fresh_key()?;
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("the master key cannot be kept in {}", path.display()))?;
    file.write_all(key.as_bytes())?;
    Ok(SecretString::from(key))
}

/// The key that an earlier start has made.
pub fn known_master_key(folder: &Path) -> Option<SecretString> {
    let known = std::fs::read_to_string(folder.join("master_key")).ok()?;
    Some(known.trim()).filter(|key| !key.is_empty()).map(SecretString::from)
}

/// `sk-` and 24 random bytes.
fn fresh_key() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 24];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("sk-{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)))
}
