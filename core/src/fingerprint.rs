//! A whole history in one number, which the server computes over its table as well.
//!
//! A start with nothing to do compares them, so that neither question nor answer grows with the
//! number of migrations. It is `bit_xor` over `hashtextextended(name || ' ' || checksum, 0)` of the rows,
//! which a generated column of the history table keeps. PostgreSQL keeps that function as it is, because it
//! decides in which hash partition a row lies. It needs no sorting, as a hash over all rows in one text
//! would.
//!
//! It tells accidents, not attacks, and it is never the reason why something runs: numbers that differ
//! lead to the rows themselves. A server that stores numbers the other way round, or whose encoding
//! writes a name in other bytes, is always asked for them.

use std::ops::BitXor;

/// A number over rows with a name and a checksum, in any order.
///
/// Rows are put in, and taken out again, with `^`.
///
/// ```
/// use dunlin_core::Fingerprint;
///
/// let (a, b) = (Fingerprint::of_row("1_a", Some("sha256:00")), Fingerprint::of_row("2_b", None));
/// assert_eq!(a ^ b, b ^ a);
/// assert_eq!(a ^ b ^ b, a);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// That of no rows.
    pub const EMPTY: Self = Self(0);

    /// From its number.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// That of one row: of its name, a space and its checksum, or of its name if it has none.
    #[must_use]
    pub fn of_row(name: &str, checksum: Option<&str>) -> Self {
        Self(match checksum {
            Some(checksum) => hash(&[name.as_bytes(), b" ", checksum.as_bytes()].concat()),
            None => hash(name.as_bytes()),
        })
    }
}

impl BitXor for Fingerprint {
    type Output = Self;

    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

impl FromIterator<Self> for Fingerprint {
    fn from_iter<I: IntoIterator<Item = Self>>(rows: I) -> Self {
        rows.into_iter().fold(Self::EMPTY, |all, row| all ^ row)
    }
}

/// By how many bits words are rotated while they are mixed.
const MIXING: [u32; 6] = [4, 6, 8, 16, 19, 4];

/// Three words that are mixed until every bit of the text has reached every bit of them.
#[derive(Clone, Copy)]
struct State([u32; 3]);

/// PostgreSQL's `hashtextextended` without a seed, on a machine that stores the lowest byte first: Bob
/// Jenkins' lookup3 over words of four bytes.
fn hash(text: &[u8]) -> u64 {
    /// What lookup3 begins with, and what PostgreSQL adds to it.
    const BEGINNING: u32 = 0x9e37_79b9_u32.wrapping_add(3_923_095);
    // No text of the server is longer than 1 GiB.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut state = State([BEGINNING.wrapping_add(length); 3]);
    let (chunks, rest) = text.as_chunks::<12>();
    for chunk in chunks {
        state.add(words(chunk));
        state.mix();
    }
    // What is left over. The lowest byte of the third word stays free, as the length has been there.
    let (first, second) = rest.split_at(rest.len().min(8));
    let mut last = [0; 12];
    last[..first.len()].copy_from_slice(first);
    last[9..9 + second.len()].copy_from_slice(second);
    state.add(words(&last));
    state.finish()
}

fn words(bytes: &[u8; 12]) -> [u32; 3] {
    let (words, _none) = bytes.as_chunks::<4>();
    let word = |index: usize| u32::from_le_bytes(words[index]);
    [word(0), word(1), word(2)]
}

impl State {
    fn add(&mut self, words: [u32; 3]) {
        let Self([a, b, c]) = *self;
        self.0 = [a.wrapping_add(words[0]), b.wrapping_add(words[1]), c.wrapping_add(words[2])];
    }

    fn mix(&mut self) {
        let [mut a, mut b, mut c] = self.0;
        // Each takes the place of the one before it in the next step, so it is the same step six times. The
        // plainest of loops, because a macro is not optimised.
        let mut step = 0;
        while step < MIXING.len() {
            a = a.wrapping_sub(c) ^ c.rotate_left(MIXING[step]);
            c = c.wrapping_add(b);
            (a, b, c) = (b, c, a);
            step += 1;
        }
        self.0 = [a, b, c];
    }

    fn finish(self) -> u64 {
        let [mut a, mut b, mut c] = self.0;
        for distance in [14, 11, 25, 16, 4, 14, 24] {
            c = (c ^ b).wrapping_sub(b.rotate_left(distance));
            (a, b, c) = (b, c, a);
        }
        // After seven steps the last one changed is the second.
        (u64::from(a) << 32) | u64::from(b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_hash_that_the_server_gives_it() {
        // `SELECT hashtextextended(text, 0)` on PostgreSQL 15.
        for (text, expected) in [
            ("", -6939563903564495251),
            ("a", 3591986179850072241),
            ("abc", -6747756470228489321),
            ("hello wo", 58981874615572143),
            ("hello wor", -106713554774777602),
            ("hello world", 6947366892317592103),
            ("hello world!", -2866487628948787489),
            ("é日本", -3225693905116566590),
            (
                "0001_userssha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                8391043750263960734,
            ),
        ] {
            let found = Fingerprint::of_row(text, None).number().cast_signed();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn rows_count_in_any_order_and_each_of_them_counts() {
        let rows = [("1_a", Some("sha256:00")), ("2_b", Some("sha256:01")), ("3_c", None)];
        let [a, b, c] = rows.map(|(name, checksum)| Fingerprint::of_row(name, checksum));
        let whole: Fingerprint = [a, b, c].into_iter().collect();
        assert_eq!(whole, [c, a, b].into_iter().collect());
        assert_eq!(whole ^ c, a ^ b);
        for part in [a ^ b, a ^ c, b ^ c, Fingerprint::EMPTY] {
            assert_ne!(part, whole);
        }
        assert_ne!(Fingerprint::of_row("1_a", Some("sha256:01")), a);
        // An empty checksum is one that somebody has written.
        assert_ne!(Fingerprint::of_row("3_c", Some("")), c);
    }
}
