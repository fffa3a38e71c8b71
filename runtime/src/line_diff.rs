//! What differs between two texts, line by line.
//!
//! Separate because of what it does not use: a comparison that chooses among all algorithms, for each
//! kind of text, is compiled for all of them, and was more code in a debug build than this crate, to be
//! linked again in each build of an application.
//!
//! **Invariant:** one algorithm, one type of text.

use std::fmt::{self, Write as _};
use std::ops::Range;

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::{DiffOp, DiffTag, group_diff_ops};

/// Two texts and what makes the second of the first.
#[derive(Debug)]
pub(crate) struct LineDiff<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    steps: Vec<DiffOp>,
}

impl<'a> LineDiff<'a> {
    pub(crate) fn new(old: &'a str, new: &'a str) -> Self {
        let old: Vec<_> = old.split_inclusive('\n').collect();
        let new: Vec<_> = new.split_inclusive('\n').collect();
        let steps = steps(&old, &new);
        Self { old, new, steps }
    }

    /// The first line of the new text that differs; its last one if something at the end is gone.
    pub(crate) fn first_difference(&self) -> usize {
        let first = self.steps.iter().find(|step| step.tag() != DiffTag::Equal);
        first.map_or(1, |step| step.new_range().start + 1).min(self.new.len().max(1))
    }

    /// The form that `diff -u` writes, nothing when the texts are equal.
    pub(crate) fn unified(&self, context: usize, old_name: &str, new_name: &str) -> String {
        let mut text = String::new();
        for hunk in group_diff_ops(self.steps.clone(), context) {
            let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
            if text.is_empty() {
                text = format!("--- {old_name}\n+++ {new_name}\n");
            }
            let old = Lines(first.old_range().start..last.old_range().end);
            let new = Lines(first.new_range().start..last.new_range().end);
            let _written = writeln!(text, "@@ -{old} +{new} @@");
            for step in &hunk {
                self.write(step, &mut text);
            }
        }
        text
    }

    fn write(&self, step: &DiffOp, text: &mut String) {
        let (old, new) = (&self.old[step.old_range()], &self.new[step.new_range()]);
        let all: [(char, &[&str]); 2] = match step.tag() {
            DiffTag::Equal => [(' ', old), (' ', &[])],
            DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => [('-', old), ('+', new)],
        };
        for (sign, lines) in all {
            for line in lines {
                text.push(sign);
                text.push_str(line);
                if !line.ends_with('\n') {
                    text.push_str("\n\\ No newline at end of file\n");
                }
            }
        }
    }
}

fn steps(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut hook = Compact::new(Replace::new(Capture::new()), old, new);
    let Ok(()) = myers::diff(&mut hook, old, 0..old.len(), new, 0..new.len());
    hook.into_inner().into_inner().into_ops()
}

/// A hunk's lines as its head tells them: the first and how many, which counts from the line before
/// when there are none.
struct Lines(Range<usize>);

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            0 => write!(f, "{},0", self.0.start),
            1 => write!(f, "{}", self.0.start + 1),
            n => write!(f, "{},{n}", self.0.start + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, line: usize, expected: &str) {
        let diff = LineDiff::new(old, new);
        assert_eq!((diff.first_difference(), diff.unified(1, "a", "b").as_str()), (line, expected));
    }

    #[test]
    fn equal_texts_have_no_difference() {
        check("", "", 1, "");
        check("x\ny", "x\ny", 1, "");
    }

    #[test]
    fn what_is_gone_stands_before_what_is_new() {
        let expected = "--- a\n+++ b\n@@ -1,3 +1,4 @@\n 1\n-2\n+two\n+2½\n 3\n";
        check("1\n2\n3\n4\n", "1\ntwo\n2½\n3\n4\n", 2, expected);
    }

    #[test]
    fn distant_differences_have_a_hunk_each() {
        let expected = "--- a\n+++ b\n@@ -1,2 +1 @@\n-1\n 2\n@@ -5 +4,2 @@\n 5\n+6\n";
        check("1\n2\n3\n4\n5\n", "2\n3\n4\n5\n6\n", 1, expected);
    }

    #[test]
    fn a_text_that_is_all_new_or_all_gone() {
        check("", "x\n", 1, "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
        check("x\n", "", 1, "--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n");
        check("x\ny\n", "x\n", 1, "--- a\n+++ b\n@@ -1,2 +1 @@\n x\n-y\n");
    }

    #[test]
    fn a_line_without_an_end_is_told() {
        let end = "\\ No newline at end of file\n";
        check("x\n", "x", 1, &format!("--- a\n+++ b\n@@ -1 +1 @@\n-x\n+x\n{end}"));
        check("x\ny", "z\ny", 1, &format!("--- a\n+++ b\n@@ -1,2 +1,2 @@\n-x\n+z\n y\n{end}"));
    }
}
