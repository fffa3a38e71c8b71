//! Versions and their order.
//!
//! **Invariant:** the order is total, and equal versions are those that mean the same number or the
//! same moment, however they are written.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The part of a migration's name that decides its place: a *counter* or a *timestamp*, and in the
/// layouts of other tools a *dotted* version or a *text*.
///
/// A timestamp starts with a plausible `YYYYMMDD`, followed by more digits or by groups of digits
/// behind `_` or `-`: `20251104`, `2025103001`, `20251031_01`, `20251031_120000`. Timestamps compare
/// as text, left aligned, with the separators removed. Everything else is a counter, `1`, `0002` or
/// `V10`, and compares as a number of any length.
///
/// ```
/// use dunlin_core::Version;
/// let version = |text: &str| Version::parse(text).expect("a version");
/// assert!(version("2025103001") < version("20251031_01"));
/// assert!(version("20251031_01") < version("20251104"));
/// assert!(version("V2") < version("V19"));
/// assert_eq!(version("0007"), version("7"));
/// ```
#[derive(Clone)]
pub struct Version {
    kind: VersionKind,
    text: Cow<'static, str>,
}

/// How a version is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionKind {
    /// A number: `1`, `0002`, `V10`.
    Counter,
    /// A moment: `20251104`, `20251031_01`.
    Timestamp,
    /// Numbers behind each other, Flyway's `V1.2` or `V1_2`; zeros at the end do not count.
    Dotted,
    /// A text, compared byte by byte without `-`, as diesel does.
    Text,
}

impl VersionKind {
    const ALL: [Self; 4] = [Self::Counter, Self::Timestamp, Self::Dotted, Self::Text];

    /// A number for it, in the code that the macro generates.
    #[doc(hidden)]
    #[must_use]
    pub const fn __number(self) -> u8 {
        self as u8
    }

    /// The kind with that number.
    #[doc(hidden)]
    #[must_use]
    pub const fn __from_number(number: u8) -> Self {
        Self::ALL[number as usize]
    }
}

impl Version {
    pub(crate) fn new(kind: VersionKind, text: &str) -> Self {
        Self { kind, text: Cow::Owned(text.to_owned()) }
    }

    /// A version whose kind is known already. For the code that the macro generates.
    #[doc(hidden)]
    #[must_use]
    pub const fn __from_static(kind: VersionKind, text: &'static str) -> Self {
        Self { kind, text: Cow::Borrowed(text) }
    }

    /// Reads a whole text as a version, or returns nothing when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (version, rest) = Self::split(text)?;
        rest.is_empty().then_some(version)
    }

    /// Cuts a version off the front of a migration's name; the rest begins with what follows it.
    #[must_use]
    pub fn split(name: &str) -> Option<(Self, &str)> {
        let digits_at = usize::from(name.starts_with(['v', 'V']));
        let n_digits = leading_digits(&name[digits_at..]);
        if n_digits == 0 {
            return None;
        }
        let mut end = digits_at + n_digits;
        let mut kind = VersionKind::Counter;
        if digits_at == 0 && starts_with_date(name) {
            kind = VersionKind::Timestamp;
            while let Some(group) = following_group(&name[end..]) {
                end += group;
            }
        }
        Some((Self::new(kind, &name[..end]), &name[end..]))
    }

    /// Counter, timestamp, or what another tool has.
    #[must_use]
    pub const fn kind(&self) -> VersionKind {
        self.kind
    }

    /// The version as it is written in the file's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is a date without anything behind it, which several migrations may share.
    #[must_use]
    pub fn is_bare_date(&self) -> bool {
        self.kind == VersionKind::Timestamp && self.significant_digits().count() == 8
    }

    /// What the order compares, of a counter and of a timestamp.
    fn significant_digits(&self) -> impl Iterator<Item = u8> + Clone {
        let skip_zeros = self.kind == VersionKind::Counter;
        self.text
            .bytes()
            .filter(u8::is_ascii_digit)
            .skip_while(move |digit| skip_zeros && *digit == b'0')
    }

    /// What the order compares, of a text.
    fn significant_bytes(&self) -> impl Iterator<Item = u8> + Clone {
        self.text.bytes().filter(|byte| *byte != b'-')
    }

    /// What the order compares, of a dotted version: its numbers without zeros in front, and without
    /// those that are zero at the end.
    fn significant_numbers(&self) -> Vec<&str> {
        let numbers = self.text.trim_start_matches(['v', 'V']).split(['.', '_']);
        let mut numbers: Vec<_> = numbers.map(|number| number.trim_start_matches('0')).collect();
        while numbers.last().is_some_and(|number| number.is_empty()) {
            let _zero = numbers.pop();
        }
        numbers
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.kind.cmp(&other.kind).then_with(|| match self.kind {
            VersionKind::Counter => {
                let (left, right) = (self.significant_digits(), other.significant_digits());
                left.clone().count().cmp(&right.clone().count()).then_with(|| left.cmp(right))
            }
            VersionKind::Timestamp => self.significant_digits().cmp(other.significant_digits()),
            VersionKind::Dotted => {
                let of_any_length = |number: &str| (number.len(), number.to_owned());
                let left = self.significant_numbers().into_iter().map(of_any_length);
                left.cmp(other.significant_numbers().into_iter().map(of_any_length))
            }
            VersionKind::Text => self.significant_bytes().cmp(other.significant_bytes()),
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        match self.kind {
            VersionKind::Counter | VersionKind::Timestamp => {
                self.significant_digits().for_each(|digit| state.write_u8(digit));
            }
            VersionKind::Dotted => self.significant_numbers().hash(state),
            VersionKind::Text => self.significant_bytes().for_each(|byte| state.write_u8(byte)),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({})", self.kind, self.text)
    }
}

/// The order of two migrations: by version, then by the whole name.
///
/// A name without a version, which only a history table can hold, comes after all others.
#[must_use]
pub fn compare_names(left: &str, right: &str) -> Ordering {
    let key = |name: &str| Version::split(name).map(|(version, _)| version);
    compare_known(key(left), key(right)).then_with(|| left.cmp(right))
}

/// The order of two versions, of which one that there is comes before one that there is not.
pub(crate) fn compare_known(left: Option<Version>, right: Option<Version>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => left.cmp(&right),
        (left, right) => right.is_some().cmp(&left.is_some()),
    }
}

fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The length of a separator and a group of digits that ends at a separator or at the end.
fn following_group(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['_', '-'])?;
    let n_digits = leading_digits(digits);
    let ends = matches!(digits.as_bytes().get(n_digits), None | Some(b'_' | b'-'));
    (n_digits > 0 && ends).then_some(1 + n_digits)
}

/// Years from 1970 to 2199: what a person or a clock writes, and what a counter hardly reaches.
pub(crate) fn starts_with_date(text: &str) -> bool {
    let number =
        |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
    leading_digits(text) >= 8
        && number(0..4).is_some_and(|year| (1970..=2199).contains(&year))
        && number(4..6).is_some_and(|month| (1..=12).contains(&month))
        && number(6..8).is_some_and(|day| (1..=31).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_split(name: &str, expected: Option<(VersionKind, &str, &str)>) {
        let found = Version::split(name);
        let found = found.as_ref().map(|(version, rest)| (version.kind(), version.as_str(), *rest));
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn a_version_ends_where_the_name_begins() {
        use VersionKind::{Counter, Timestamp};
        check_split("1_users", Some((Counter, "1", "_users")));
        check_split("0002-users", Some((Counter, "0002", "-users")));
        check_split("V10__users", Some((Counter, "V10", "__users")));
        check_split("20251104-add", Some((Timestamp, "20251104", "-add")));
        check_split("2025103001-create", Some((Timestamp, "2025103001", "-create")));
        check_split("20251031_01_create", Some((Timestamp, "20251031_01", "_create")));
        check_split("20251031-12-30-00-x", Some((Timestamp, "20251031-12-30-00", "-x")));
        check_split("20251031_2fa", Some((Timestamp, "20251031", "_2fa")));
        check_split("20251031__x", Some((Timestamp, "20251031", "__x")));
        for no_date in
            ["20251399", "20251301", "20251032", "20250010", "20251000", "19690101", "22000101"]
        {
            check_split(&format!("{no_date}_x"), Some((Counter, no_date, "_x")));
        }
        check_split("1730275200_x", Some((Counter, "1730275200", "_x")));
        check_split("V20251104_x", Some((Counter, "V20251104", "_x")));
        check_split("version", None);
        check_split("users", None);
        check_split("", None);
        check_split("é1", None);
    }

    #[test]
    fn counters_compare_as_numbers_of_any_length() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("9") < version("10"));
        assert!(version("V2") < version("V19"));
        assert!(version("18446744073709551615") < version("99999999999999999999"));
        assert_eq!(version("7"), version("0007"));
        assert_eq!(version("0"), version("000"));
        assert!(version("0") < version("1"));
    }

    #[test]
    fn timestamps_compare_as_text_without_separators() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("2025103001") < version("20251031_01"));
        assert!(version("20251031_01") < version("20251104"));
        assert!(version("20251104") < version("20251104120000"));
        assert_eq!(version("20251031_01"), version("2025103101"));
    }

    #[test]
    fn only_a_date_alone_may_be_shared() {
        let bare = |text| Version::parse(text).unwrap().is_bare_date();
        assert!(bare("20251104"));
        assert!(!bare("20251104_01"));
        assert!(!bare("2025110401"));
        assert!(!bare("8"));
    }

    #[test]
    fn names_without_a_version_come_last() {
        let mut names = ["zebra", "2_b", "2_a", "10_c", "apple"];
        names.sort_by(|left, right| compare_names(left, right));
        assert_eq!(names, ["2_a", "2_b", "10_c", "apple", "zebra"]);
    }

    proptest! {
        #[test]
        fn the_order_is_total(names in prop::collection::vec("(V?[0-9]{1,22}|2025(0[1-9]|1[0-2])(0[1-9]|2[0-8])([0-9]{0,6}|_[0-9]{2}))_[a-c]{1,3}|[a-c]{1,3}", 3)) {
            let (a, b, c) = (&names[0], &names[1], &names[2]);
            prop_assert_eq!(compare_names(a, b), compare_names(b, a).reverse());
            prop_assert_eq!(compare_names(a, b) == Ordering::Equal, a == b);
            if compare_names(a, b).is_le() && compare_names(b, c).is_le() {
                prop_assert!(compare_names(a, c).is_le());
            }
        }
    }
}
