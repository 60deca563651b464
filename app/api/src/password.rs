//! Passwords: what may be one, how it is kept, and whether one is right.

use std::ops::RangeInclusive;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

/// Characters of a password. Twelve at least: length is what counts (NIST SP 800-63B-4 §3.1.1.2
/// asks for fifteen, eight beside another factor); chosen between, not measured.
pub const PASSWORD_CHARACTERS: RangeInclusive<usize> = 12..=256;

/// Why a text can be no password. Whoever chose it is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// It could be guessed, or would take too long to hash.
    #[error("a password has 12 to 256 characters: take a longer one, several words will do")]
    Length,
    /// The same letter over and over.
    #[error("this password is one character over and over: take several words")]
    Monotone,
    /// It cannot be hashed: memory is short.
    #[error("the password could not be hashed: {0}; try again when the machine has memory left")]
    Hash(argon2::password_hash::Error),
}

/// A password as it is kept: argon2id with 19 MiB, two passes and a salt of its own (RFC 9106;
/// what OWASP's password storage sheet names as the least). Takes some ten milliseconds.
///
/// # Errors
/// It is too short, too long, or one character over and over.
pub fn hashed(password: &str) -> Result<String, PasswordError> {
    let mut characters = password.chars();
    let first = characters.next();
    if !PASSWORD_CHARACTERS.contains(&password.chars().count()) {
        return Err(PasswordError::Length);
    }
    if characters.all(|c| Some(c) == first) {
        return Err(PasswordError::Monotone);
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(PasswordError::Hash)
}

/// Whether a password is the one that is kept. It takes as long where nobody is called so, with
/// [`NOBODYS`].
pub fn agrees(password: &str, kept: &str) -> bool {
    if password.len() > PASSWORD_CHARACTERS.end() * 4 {
        return false;
    }
    let kept = PasswordHash::new(kept);
    kept.is_ok_and(|kept| Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
}

/// What a password is held against where there is nobody of that name: 32 octets that no password
/// gives, at the cost of any other.
pub const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                                  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id_has_it_each_time_another() {
        let (one, two) = (hashed("correct horse").unwrap(), hashed("correct horse").unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        assert!(agrees("correct horse", &one) && agrees("correct horse", &two));
        assert!(!agrees("correct horsf", &one) && !agrees("", &one));
    }

    #[test]
    fn what_could_be_guessed_is_no_password() {
        assert_eq!(hashed("short"), Err(PasswordError::Length));
        assert_eq!(hashed(&"x y".repeat(100)), Err(PasswordError::Length));
        assert_eq!(hashed("aaaaaaaaaaaaaa"), Err(PasswordError::Monotone));
        assert!(hashed("äöüäöüäöüäöü").is_ok(), "characters count, not octets");
    }

    #[test]
    fn nobodys_password_can_be_held_against_and_never_agrees() {
        assert!(PasswordHash::new(NOBODYS).is_ok());
        assert!(!agrees("", NOBODYS) && !agrees("correct horse", NOBODYS));
        assert!(!agrees("correct horse", "no hash"));
    }
}
