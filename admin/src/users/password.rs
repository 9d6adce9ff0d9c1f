//! Passwords of users: kept as argon2id, never as they are.

use crate::error::Refusal;
use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHasher, SaltString};
use weir_core::error::{ApiError, Kind};

/// Longer ones are refused: hashing takes time.
const LONGEST: usize = 256;

/// Hashed beside the workers of requests, since it takes tens of milliseconds on purpose.
pub(super) async fn hashed(password: String) -> Result<String, Refusal> {
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

/// For passwords that come from elsewhere. Takes tens of milliseconds. `None`: it is none that may be set here.
pub fn password_hash(password: &str) -> Option<String> {
    let fits = !password.is_empty() && password.len() <= LONGEST;
    fits.then(|| hash(password).ok()).flatten()
}

fn failed(error: &dyn std::fmt::Display) -> Refusal {
    ApiError::new(Kind::Internal, "The password could not be hashed.").because(error).into()
}
