//! Right statements, of which `tests/it/syntax_oracle.rs` of the workspace has asked PostgreSQL, are
//! accepted: the same without a server, so that the check can be worked on by itself.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use dunlin_core::lexer::lex;
use dunlin_core::statement::{Statement, split};
use dunlin_core::{SourceFile, syntax};

#[test]
fn every_example_is_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sql/examples");
    let (mut n, mut refused) = (0, String::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let file = Arc::new(SourceFile::new(path.file_name().unwrap().to_str().unwrap(), &text));
        let lexed = lex(file.text());
        let statements = split(file.text(), &lexed);
        n += statements.len();
        // One by one, so that no budget of the file is a reason to pass.
        for statement in &statements {
            let one: [&Statement; 1] = [statement];
            for problem in syntax::check(&file, &lexed, &one) {
                writeln!(refused, "{problem}\n").unwrap();
            }
        }
    }
    assert!(refused.is_empty(), "{refused}");
    assert!(n > 1_000, "only {n} examples");
}
