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

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Bytes as hexadecimal digits in lower case.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    // By hand: a macro writes the checksums of a thousand migrations, and is not optimised.
    let mut index = 0;
    while index < bytes.len() {
        digits[2 * index] = DIGITS[(bytes[index] >> 4) as usize];
        digits[2 * index + 1] = DIGITS[(bytes[index] & 0xf) as usize];
        index += 1;
    }
    String::from_utf8(digits).unwrap_or_default()
}

const NO_DIGIT: u8 = u8::MAX;

/// What a character counts as a hexadecimal digit. A table, for the same reason.
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value as usize] as usize] = value;
        values[DIGITS[value as usize].to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        f.write_str(&hex(&self.0))
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
        let digits: &[u8; 64] = digits.as_bytes().try_into().map_err(|_| ParseChecksumError)?;
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let (high, low) = (digits[2 * index], digits[2 * index + 1]);
            let (high, low) = (VALUES[high as usize], VALUES[low as usize]);
            if high == NO_DIGIT || low == NO_DIGIT {
                return Err(ParseChecksumError);
            }
            *byte = high << 4 | low;
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
