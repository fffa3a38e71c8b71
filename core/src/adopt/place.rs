//! The name of a table as a person writes it: `name`, `schema.name`, `"My.Schema"."my table"`.
//!
//! Not as SQL reads it: without quotes a name is taken as it is, capital letters included, because tools
//! such as Sequelize make tables that have them. Quotes are for what would end a name here.

use std::fmt;
use std::str::FromStr;

/// A table, and the schema if one is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The schema.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
}

impl FromStr for Place {
    /// A fact about the text, for a message.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (name, after) = first(rest)?;
            parts.push(name);
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => break,
                None => return Err(format!("a dot is missing in front of `{after}`")),
            }
        }
        match <[String; 2]>::try_from(parts) {
            Ok([schema, table]) => Ok(Self { schema: Some(schema), table }),
            Err(mut parts) => match (parts.pop(), parts.len()) {
                (Some(table), 0) => Ok(Self { schema: None, table }),
                _ => Err("it is a schema and a table; quote a name that has a dot: `\"a.b\".c`"
                    .to_owned()),
            },
        }
    }
}

/// The first name of a text, and what follows it.
fn first(text: &str) -> Result<(String, &str), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['.', '"']).unwrap_or(text.len());
        let (name, after) = text.split_at(end);
        return if name.is_empty() { Err(EMPTY.to_owned()) } else { Ok((name.to_owned(), after)) };
    };
    let mut name = String::new();
    let mut rest = quoted;
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            return Err("a quote is not closed".to_owned());
        };
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => {
                name.push('"');
                rest = next;
            }
            None if name.is_empty() => return Err(EMPTY.to_owned()),
            None => return Ok((name, after)),
        }
    }
}

const EMPTY: &str = "a name is empty";

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", quoted(schema))?;
        }
        f.write_str(&quoted(&self.table))
    }
}

/// A name in quotes where it could be read otherwise without them.
fn quoted(name: &str) -> String {
    let is_plain =
        !name.is_empty() && !name.contains(|it: char| it == '.' || it == '"' || it.is_whitespace());
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(schema: Option<&str>, table: &str) -> Place {
        Place { schema: schema.map(str::to_owned), table: table.to_owned() }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (text, expected) in [
            ("SequelizeMeta", place(None, "SequelizeMeta")),
            ("app.migrations", place(Some("app"), "migrations")),
            ("two.\"My.Table\"", place(Some("two"), "My.Table")),
            ("\"a.b\".\"c \"\"d\"\"\"", place(Some("a.b"), "c \"d\"")),
        ] {
            assert_eq!(text.parse(), Ok(expected.clone()), "{text}");
            assert_eq!(expected.to_string(), text);
        }
        assert_eq!("\"plain\"".parse(), Ok(place(None, "plain")));
    }

    #[test]
    fn what_is_no_name_is_said() {
        for (text, said) in [
            ("", "a name is empty"),
            (".a", "a name is empty"),
            ("a.", "a name is empty"),
            ("a.\"\"", "a name is empty"),
            ("\"a", "a quote is not closed"),
            ("\"a\"b", "a dot is missing in front of `b`"),
            ("a\"b\"", "a dot is missing in front of `\"b\"`"),
            ("a.b.c", "it is a schema and a table; quote a name that has a dot: `\"a.b\".c`"),
        ] {
            assert_eq!(text.parse::<Place>(), Err(said.to_owned()), "{text}");
        }
    }
}
