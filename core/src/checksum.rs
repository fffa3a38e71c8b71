//! Checksums of migrations.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// SHA-256 of the normalised text of a migration, written `sha256:` and 64 hexadecimal digits.
///
/// The text is hashed without a byte order mark and with every line end as LF (see
/// [`normalise`](crate::source::normalise)), so a checkout with other line ends keeps its checksums.
///
/// ```
/// use dunlin_core::Checksum;
/// let checksum = Checksum::of("SELECT 1;\n");
/// let written = checksum.to_string();
/// assert!(written.starts_with("sha256:"));
/// assert_eq!(written.parse(), Ok(checksum));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Checksum([u8; 32]);

impl Checksum {
    /// The checksum of a text that is normalised already.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// A checksum from its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Bytes as hexadecimal digits in lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    // By hand: a macro writes the checksums of a thousand migrations, and is not optimised.
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
    text
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex(&self.0))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseChecksumError;

impl fmt::Display for ParseChecksumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a checksum is `sha256:` and 64 hexadecimal digits")
    }
}

impl std::error::Error for ParseChecksumError {}

impl FromStr for Checksum {
    type Err = ParseChecksumError;

    fn from_str(text: &str) -> Result<Self, ParseChecksumError> {
        let digits = text.strip_prefix("sha256:").ok_or(ParseChecksumError)?;
        if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(ParseChecksumError);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| ParseChecksumError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| ParseChecksumError)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_text_has_its_published_sum() {
        // FIPS 180-4, example B.1.
        assert_eq!(
            Checksum::of("abc").to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn what_is_not_a_checksum_is_refused() {
        let good = Checksum::of("abc").to_string();
        assert_eq!(good.parse(), Ok(Checksum::of("abc")));
        for text in [
            "",
            "sha256:",
            "md5:00",
            &good[..70],
            &good.replace('a', "g"),
            &format!("{good}0"),
            "sha256:é",
        ] {
            assert_eq!(text.parse::<Checksum>(), Err(ParseChecksumError), "{text}");
        }
    }
}
