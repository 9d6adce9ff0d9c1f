//! Passwords of users: kept as argon2id, never as they are.

use crate::error::Refusal;
use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use std::sync::OnceLock;
use weir_core::error::{ApiError, Kind};

/// Longer ones are refused: hashing takes time.
const LONGEST: usize = 256;

/// Hashed beside the workers of requests, since it takes tens of milliseconds on purpose.
pub(crate) async fn hashed(password: String) -> Result<String, Refusal> {
    if password.is_empty() || password.len() > LONGEST {
        let message = format!("A password has between 1 and {LONGEST} characters.");
        return Err(Refusal::told(400, "bad_request_error", "password", message));
    }
    match tokio::task::spawn_blocking(move || hash(&password)).await {
        Ok(Ok(hash)) => Ok(hash),
        Ok(Err(error)) => Err(failed(&error)),
        Err(error) => Err(failed(&error)),
    }
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default().hash_password(password.as_bytes(), &salt).map(|hash| hash.to_string())
}

/// Whether a password is the one that was kept. Takes as long where none was.
pub(crate) async fn password_fits(kept: Option<String>, password: String) -> bool {
    let fits = tokio::task::spawn_blocking(move || match kept {
        Some(kept) => verified(&kept, &password),
        None => {
            verified(decoy(), &password);
            false
        }
    });
    fits.await.unwrap_or(false)
}

fn verified(kept: &str, password: &str) -> bool {
    if password.len() > LONGEST {
        return false;
    }
    let parsed = PasswordHash::new(kept);
    parsed.is_ok_and(|parsed| Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
}

/// Of a password that nobody has.
fn decoy() -> &'static str {
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| hash(&weir_core::domain::ids::unguessable_id()).unwrap_or_default())
}

/// For passwords that come from elsewhere. Takes tens of milliseconds. `None`: it is none that may be set here.
pub fn password_hash(password: &str) -> Option<String> {
    let fits = !password.is_empty() && password.len() <= LONGEST;
    fits.then(|| hash(password).ok()).flatten()
}

fn failed(error: &dyn std::fmt::Display) -> Refusal {
    ApiError::new(Kind::Internal, "The password could not be hashed.").because(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_only() {
        let kept = password_hash("correct horse").unwrap();
        assert!(kept.starts_with("$argon2id$") && verified(&kept, "correct horse"));
        assert!(!verified(&kept, "wrong horse") && !verified("correct horse", "correct horse"));
    }
}
