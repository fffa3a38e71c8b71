//! Repeated measurements: the middle and how far they lie apart.

use std::time::Duration;

/// Some measurements of the same thing, in the order they were made.
#[derive(Clone, Debug, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Adds a value.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Adds a duration, in milliseconds.
    pub fn add(&mut self, duration: Duration) {
        self.push(duration.as_secs_f64() * 1e3);
    }

    /// The middle one.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let n = sorted.len();
        match n {
            0 => None,
            _ if n % 2 == 1 => Some(sorted[n / 2]),
            _ => Some(f64::midpoint(sorted[n / 2 - 1], sorted[n / 2])),
        }
    }

    /// Each divided by the one of the other sample that was measured beside it, so that what else
    /// the machine did in that minute counts for both.
    #[must_use]
    pub fn relative_to(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(mine, theirs)| mine / theirs).collect())
    }

    /// `412 (388–530)`: the middle, the smallest and the largest; `412 (once)` when there is one.
    #[must_use]
    pub fn shown(&self, written: impl Fn(f64) -> String) -> String {
        match (self.median(), self.sorted().as_slice()) {
            (Some(median), [first, .., last]) => {
                format!("{} ({}–{})", written(median), written(*first), written(*last))
            }
            (Some(only), [_]) => format!("{} (once)", written(only)),
            _ => "—".to_owned(),
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// Milliseconds with as many digits as mean something.
#[must_use]
pub fn ms(value: f64) -> String {
    match value {
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => grouped(value.round()),
    }
}

/// Seconds, of milliseconds.
#[must_use]
pub fn seconds(value: f64) -> String {
    match value / 1e3 {
        value if value < 10.0 => format!("{value:.2}"),
        value => format!("{value:.1}"),
    }
}

/// A number with its thousands apart.
#[must_use]
pub fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_lies_between() {
        let mut sample = Sample::default();
        for milliseconds in [4, 1, 3, 2] {
            sample.add(Duration::from_millis(milliseconds));
        }
        assert_eq!(sample.median(), Some(2.5));
        assert_eq!(sample.shown(ms), "2.50 (1.00–4.00)");
    }

    #[test]
    fn numbers_are_written_to_be_read() {
        assert_eq!([ms(1.234), ms(56.78), ms(1234.4)], ["1.23", "56.8", "1,234"]);
        assert_eq!([grouped(7.0), grouped(1_000_000.0)], ["7", "1,000,000"]);
        assert_eq!(seconds(1_234.0), "1.23");
    }
}
