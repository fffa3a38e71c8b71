//! What the rules of this build are, as a number.
//!
//! The version alone does not tell: who follows the repository, or works on it, gets other rules under the
//! same version. So the number is made of the sources. They are read when it is asked for, which is in the
//! macro only: half a millisecond without optimisation, where the compiler would take 0.7 seconds to compute
//! the same as a constant, and a build script would have to be built. What never asks holds none of them.
//!
//! **Invariant:** every source is listed; `core/tests/known.rs` compares. Tests are none.

/// A number that is another one when a source is.
pub(super) fn number() -> u128 {
    let mut hash = 0;
    for text in TEXTS {
        // In large pieces, because this crate is not compiled with optimisation where it counts.
        let (words, rest) = text.as_chunks::<16>();
        for word in words {
            hash = mix(hash, u128::from_ne_bytes(*word));
        }
        for byte in rest {
            hash = mix(hash, u128::from(*byte));
        }
        hash = mix(hash, text.len() as u128);
    }
    hash
}

/// The multiplier is that of PCG, odd and without a pattern. Nobody has a reason to look for two texts that
/// are alike to it.
fn mix(hash: u128, word: u128) -> u128 {
    (hash ^ (hash >> 67) ^ word).wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645)
}

/// What is not in the sources: whose grammar it is.
const PARSER: &str = "squawk-parser =2.68.0";

macro_rules! texts {
    ($($path:literal,)*) => {
        &[PARSER.as_bytes(), $(include_bytes!(concat!("../", $path)),)*]
    };
}

const TEXTS: &[&[u8]] = texts![
    "adopt.rs",
    "adopt/matching.rs",
    "adopt/place.rs",
    "adopt/record.rs",
    "adopt/sum.rs",
    "adopt/tool.rs",
    "base.rs",
    "check.rs",
    "check/grammar.rs",
    "check/meaning.rs",
    "check/meaning/empty_undo.rs",
    "check/meaning/enum_value.rs",
    "check/meaning/history_table.rs",
    "check/meaning/identifier.rs",
    "check/meaning/setting.rs",
    "check/names.rs",
    "check/portable.rs",
    "check/script.rs",
    "check/transaction.rs",
    "checksum.rs",
    "diagnostic.rs",
    "directive.rs",
    "draft.rs",
    "filename.rs",
    "fingerprint.rs",
    "folder.rs",
    "folder/entry.rs",
    "folder/recorded.rs",
    "known.rs",
    "layout.rs",
    "layout/arrange.rs",
    "layout/code.rs",
    "layout/dbmate.rs",
    "layout/diesel.rs",
    "layout/flat.rs",
    "layout/flyway.rs",
    "layout/goose.rs",
    "layout/prisma.rs",
    "layout/recognise.rs",
    "layout/section.rs",
    "layout/settings.rs",
    "layout/sql_migrate.rs",
    "layout/tern.rs",
    "levels.rs",
    "lexer.rs",
    "lexer/class.rs",
    "lexer/copy.rs",
    "lexer/scan.rs",
    "lib.rs",
    "options.rs",
    "render.rs",
    "rule.rs",
    "rule/directives.rs",
    "rule/folder.rs",
    "rule/layouts.rs",
    "rule/meaning.rs",
    "rule/names.rs",
    "rule/recorded.rs",
    "rule/released.rs",
    "rule/statements.rs",
    "rule/text.rs",
    "rust_source.rs",
    "source.rs",
    "statement.rs",
    "statement/boundary.rs",
    "statement/command.rs",
    "statement/cursor.rs",
    "statement/effect.rs",
    "statement/lock.rs",
    "statement/object.rs",
    "statement/subscription.rs",
    "suggest.rs",
    "sum.rs",
    "sum/begun.rs",
    "sum/check.rs",
    "sum/read.rs",
    "syntax.rs",
    "syntax/budget.rs",
    "syntax/depth.rs",
    "syntax/dialect.rs",
    "syntax/escape.rs",
    "syntax/guess.rs",
    "syntax/head.rs",
    "syntax/mend.rs",
    "syntax/mend/command.rs",
    "syntax/mend/label.rs",
    "syntax/message.rs",
    "syntax/names.rs",
    "syntax/parse.rs",
    "syntax/repair.rs",
    "syntax/tree.rs",
    "syntax/tree/shape.rs",
    "syntax/view.rs",
    "syntax/words.rs",
    "version.rs",
];
