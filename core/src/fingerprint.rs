//! A whole history in two numbers, which the server computes over its table as well.
//!
//! A start with nothing to do compares them, so that neither question nor answer grows with the
//! number of migrations. The numbers are `bit_xor(hashtextextended(name || checksum, seed))` for the
//! seeds 0 and 1. PostgreSQL keeps that function as it is, because it decides in which hash partition
//! a row lies. It needs no sorting, as a hash over all rows in one text would, and
//! what it finds in a history of hundreds of rows takes the server tenths of a millisecond.
//!
//! It tells accidents, not attacks, and it is never the reason why something runs: two numbers that
//! differ lead to the rows themselves. A server that stores numbers the other way round, or whose
//! encoding writes a name in other bytes, is always asked for them.

use std::ops::{BitXor, BitXorAssign};

/// The seeds of the two numbers.
pub const SEEDS: [u32; 2] = [0, 1];

/// Two numbers over rows with a name and a checksum, in any order.
///
/// Rows are put in, and taken out again, with `^`.
///
/// ```
/// use dunlin_core::fingerprint::Fingerprint;
///
/// let (a, b) = (Fingerprint::of_row("1_a", "sha256:00"), Fingerprint::of_row("2_b", ""));
/// assert_eq!(a ^ b, b ^ a);
/// assert_eq!(a ^ b ^ b, a);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fingerprint([u64; 2]);

impl Fingerprint {
    /// That of no rows.
    pub const EMPTY: Self = Self([0; 2]);

    /// From the two numbers.
    #[must_use]
    pub const fn from_numbers(numbers: [u64; 2]) -> Self {
        Self(numbers)
    }

    /// The two numbers.
    #[must_use]
    pub const fn numbers(self) -> [u64; 2] {
        self.0
    }

    /// That of one row, whose checksum is empty if it has none.
    #[must_use]
    pub fn of_row(name: &str, checksum: &str) -> Self {
        let text = [name.as_bytes(), checksum.as_bytes()].concat();
        Self(SEEDS.map(|seed| hash(&text, seed)))
    }
}

impl BitXor for Fingerprint {
    type Output = Self;

    fn bitxor(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        Self([a ^ c, b ^ d])
    }
}

impl BitXorAssign for Fingerprint {
    fn bitxor_assign(&mut self, other: Self) {
        *self = *self ^ other;
    }
}

impl FromIterator<Self> for Fingerprint {
    fn from_iter<I: IntoIterator<Item = Self>>(rows: I) -> Self {
        rows.into_iter().fold(Self::EMPTY, |all, row| all ^ row)
    }
}

/// Three words that are mixed until every bit of the text has reached every bit of them.
#[derive(Clone, Copy)]
struct State([u32; 3]);

/// PostgreSQL's `hashtextextended` on a machine that stores the lowest byte first: Bob Jenkins'
/// lookup3 over words of four bytes, with a seed.
fn hash(text: &[u8], seed: u32) -> u64 {
    /// What lookup3 begins with, and what PostgreSQL adds to it.
    const BEGINNING: u32 = 0x9e37_79b9_u32.wrapping_add(3_923_095);
    // No text of the server is longer than 1 GiB.
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut state = State([BEGINNING.wrapping_add(length); 3]);
    if seed != 0 {
        state.add([0, seed, 0]);
        state.mix();
    }
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
    [words[0], words[1], words[2]].map(u32::from_le_bytes)
}

impl State {
    fn add(&mut self, words: [u32; 3]) {
        for (word, more) in self.0.iter_mut().zip(words) {
            *word = word.wrapping_add(more);
        }
    }

    fn mix(&mut self) {
        let [mut a, mut b, mut c] = self.0;
        // Each takes the place of the one before it in the next step, so it is the same step six times.
        for distance in [4, 6, 8, 16, 19, 4] {
            a = a.wrapping_sub(c) ^ c.rotate_left(distance);
            c = c.wrapping_add(b);
            (a, b, c) = (b, c, a);
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
        // `SELECT hashtextextended(text, 0), hashtextextended(text, 1)` on PostgreSQL 15.
        for (text, expected) in [
            ("", [-6939563903564495251, -150071773020461347]),
            ("a", [3591986179850072241, 3325245193489759299]),
            ("abc", [-6747756470228489321, 2125675926272891485]),
            ("hello wo", [58981874615572143, -947359632670544270]),
            ("hello wor", [-106713554774777602, 2318929954835622386]),
            ("hello world", [6947366892317592103, -6360276938008087314]),
            ("hello world!", [-2866487628948787489, 2892710398881624464]),
            ("é日本", [-3225693905116566590, 5611282903786637074]),
            (
                "0001_userssha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                [8391043750263960734, -374642955120573484],
            ),
        ] {
            let found = Fingerprint::of_row(text, "").numbers().map(u64::cast_signed);
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn rows_count_in_any_order_and_each_of_them_counts() {
        let rows = [("1_a", "sha256:00"), ("2_b", "sha256:01"), ("3_c", "")];
        let [a, b, c] = rows.map(|(name, checksum)| Fingerprint::of_row(name, checksum));
        let whole: Fingerprint = [a, b, c].into_iter().collect();
        assert_eq!(whole, [c, a, b].into_iter().collect());
        assert_eq!(whole ^ c, a ^ b);
        for part in [a ^ b, a ^ c, b ^ c, Fingerprint::EMPTY] {
            assert_ne!(part, whole);
        }
        assert_ne!(Fingerprint::of_row("1_a", "sha256:01"), a);
    }
}
