//! How a folder is to be read: the macro's arguments, as data.

use crate::known::Known;
use crate::layout::Layout;
use crate::levels::Levels;

/// What is asked of [`Folder::read`](crate::folder::Folder::read), apart from the folder itself.
///
/// ```
/// use dunlin_core::Options;
/// let options = Options { ignore: vec!["schema.sql".to_owned()], ..Options::default() };
/// assert!(options.syntax);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Files and folders that are passed over, by name; inside a folder by path, with `/`.
    pub ignore: Vec<String>,
    /// Which findings are errors, which are warnings, and which are not told.
    pub levels: Levels,
    /// Whether statements are checked against PostgreSQL's grammar.
    pub syntax: bool,
    /// Texts in which an earlier reading has found nothing ([`Reading::known`](crate::folder::Reading)).
    pub known: Known,
    /// Whose layout the folder has. Without it, the layout is recognised from the folder.
    pub layout: Option<Layout>,
    /// The name of the history table, which no migration may touch.
    pub history_table: String,
}

/// The name of the history table where none is chosen.
pub const DEFAULT_HISTORY_TABLE: &str = "migrations";

impl Default for Options {
    fn default() -> Self {
        Self {
            ignore: Vec::new(),
            levels: Levels::default(),
            syntax: true,
            known: Known::default(),
            layout: None,
            history_table: DEFAULT_HISTORY_TABLE.to_owned(),
        }
    }
}
