//! A value that never shows itself.

use std::fmt;

use sha2::{Digest, Sha256};

/// An API key or bearer token. `Debug` prints nothing of it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the value, without the white space that files and shells leave around it.
    pub fn new(value: impl AsRef<str>) -> Self {
        Self(value.as_ref().trim().to_owned())
    }

    /// The value, for a header.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells one key from another without giving it away: 64 bits of a hash.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Sha256::digest(format!("mediaprep key\0{}", self.0));
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// `text` with the value blotted out, should somebody have put it there.
    pub(crate) fn redact(&self, text: &str) -> String {
        // A value as short as this is nobody's key, and would blot out half of any text.
        if self.0.len() < 6 { text.to_owned() } else { text.replace(&self.0, "…") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::new(" abcdef\n");
        assert_eq!(secret.expose(), "abcdef");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.redact("key abcdef is bad"), "key … is bad");
        assert!(!secret.fingerprint().contains("abcdef"));
        assert_ne!(secret.fingerprint(), Secret::new("abcdeg").fingerprint());
    }
}
