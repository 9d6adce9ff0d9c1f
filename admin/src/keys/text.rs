//! The text of a key: made, or chosen.

use crate::error::Refusal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use weir_core::domain::key::mask;
use weir_core::error::{ApiError, Kind};

/// The longest key that may be chosen. Keys travel in headers.
const MAX_KEY: usize = 512;

/// `sk-` and 16 random bytes of the operating system, in 22 characters.
pub(super) fn fresh() -> Result<String, Refusal> {
    let mut bytes = [0_u8; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(|error| {
        ApiError::new(Kind::Internal, "The system's random number generator failed.").because(error)
    })?;
    Ok(format!("sk-{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// A key of the caller's choice, if it can be presented in a header afterwards.
pub(super) fn chosen(key: String) -> Result<String, Refusal> {
    if !key.starts_with("sk-") {
        // Masked: it may be a real secret of something else.
        let hint = mask(&key).replacen("sk-", "", 1);
        let message =
            format!("Invalid key format. LiteLLM Virtual Key must start with 'sk-'. Received: {hint}");
        return Err(Refusal::wrapped(400, &message));
    }
    if key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let message =
            format!("Invalid key format. At most {MAX_KEY} printable ASCII characters without spaces.");
        return Err(Refusal::wrapped(400, &message));
    }
    Ok(key)
}
