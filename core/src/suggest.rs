//! The known word nearest to a mistyped one.

/// The candidate with the smallest edit distance to `typed`, if it is near enough to be meant.
///
/// Near enough is a third of the word's length, as in rustc's own suggestions.
#[must_use]
pub fn nearest<'a>(typed: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let limit = typed.chars().count().max(3) / 3;
    candidates
        .iter()
        .map(|candidate| (distance(&typed.to_lowercase(), candidate), *candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours.
pub(crate) fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            let swapped =
                i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if swapped {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_finds_its_word() {
        let words = ["no-transaction", "breaking"];
        assert_eq!(nearest("no-transacton", &words), Some("no-transaction"));
        assert_eq!(nearest("no_transaction", &words), Some("no-transaction"));
        assert_eq!(nearest("No-Transaction", &words), Some("no-transaction"));
        assert_eq!(nearest("braeking", &words), Some("breaking"));
        assert_eq!(nearest("lock-timeout", &words), None);
        assert_eq!(nearest("", &words), None);
    }
}
