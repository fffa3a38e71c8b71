//! Connection strings: URLs and lists of `keyword=value`, as libpq reads them («Connection Strings»).
//!
//! The driver reads them too, but not what it does not do itself: certificates, services, the
//! password file. No message repeats a piece of the string, since that may be of the password.

use std::collections::BTreeMap;

use super::parameters::keyword;
use crate::answer::Failure;

type Values = BTreeMap<&'static str, String>;

/// Reads a connection string of either form.
pub(super) fn connection_string(text: &str) -> Result<Values, Box<Failure>> {
    let text = text.trim();
    match text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://")) {
        Some(rest) => url(rest),
        None if text.contains("://") => Err(malformed("is a URL of something else").into()),
        None => pairs(text),
    }
}

fn url(text: &str) -> Result<Values, Box<Failure>> {
    let mut values = Values::new();
    let (text, query) = text.split_once('?').unwrap_or((text, ""));
    let (place, database) = text.split_once('/').unwrap_or((text, ""));
    if database.contains('@') {
        // Then a password has been cut in two, and what follows would be shown as a name.
        return Err(malformed("has an `@` behind a `/`")
            .help("write `%2F` for a `/` inside of a password")
            .into());
    }
    // The last one: a password may hold an `@` that nobody has escaped.
    let (who, hosts) = place.rsplit_once('@').unwrap_or(("", place));
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    let mut insert = |word: &'static str, value: String| {
        if !value.is_empty() {
            let _none = values.insert(word, value);
        }
    };
    insert("user", decoded(user)?);
    insert("password", decoded(password)?);
    insert("dbname", decoded(database)?);
    let (names, ports) = places(hosts)?;
    insert("host", names);
    insert("port", ports);
    for pair in query.split('&').filter(|it| !it.is_empty()) {
        let (name, value) =
            pair.split_once('=').ok_or_else(|| malformed("has a parameter without a `=`"))?;
        let (name, value) = (decoded(name)?, decoded(value)?);
        // As other drivers write it; libpq takes it too.
        let (name, value) = match (name.as_str(), value.as_str()) {
            ("ssl", "true") => ("sslmode".to_owned(), "require".to_owned()),
            _ => (name, value),
        };
        let _older = values.insert(keyword(&name)?, value);
    }
    Ok(values)
}

/// `host:port,host:port`, where a host may be an address of IPv6 in brackets.
fn places(text: &str) -> Result<(String, String), Box<Failure>> {
    if text.is_empty() {
        return Ok((String::new(), String::new()));
    }
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for place in text.split(',') {
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest
                    .split_once(']')
                    .ok_or_else(|| malformed("has a `[` that is never closed"))?;
                (host, rest.strip_prefix(':').unwrap_or(rest))
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        if !port.bytes().all(|it| it.is_ascii_digit()) {
            return Err(malformed("has a port that is no number")
                .help("write `%40` for an `@`, `%3A` for a `:` and `%2F` for a `/` inside of a password")
                .into());
        }
        hosts.push(decoded(host)?);
        ports.push(port.to_owned());
    }
    let ports = if ports.iter().all(String::is_empty) { String::new() } else { ports.join(",") };
    Ok((hosts.join(","), ports))
}

/// `%40` becomes `@`.
fn decoded(text: &str) -> Result<String, Box<Failure>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = tail.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.ok_or_else(|| {
            malformed("has a `%` without two hexadecimal digits").help("write `%25` for a `%`")
        })?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).map_err(|_| malformed("is not UTF-8").into())
}

/// `keyword = 'value with \' and \\'`.
fn pairs(text: &str) -> Result<Values, Box<Failure>> {
    let mut values = Values::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, tail) = rest.split_once('=').ok_or_else(|| {
            Box::new(
                malformed("is neither a URL nor a list of `keyword=value`")
                    .help("postgres://user:password@host:5432/name"),
            )
        })?;
        let (value, tail) = value(tail.trim_start())?;
        let _older = values.insert(keyword(name.trim())?, value);
        rest = tail.trim_start();
    }
    Ok(values)
}

/// One value, and what follows it.
fn value(text: &str) -> Result<(String, &str), Box<Failure>> {
    let is_quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut characters = text.char_indices().skip(usize::from(is_quoted));
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, next)| next)),
            '\'' if is_quoted => return Ok((value, &text[at + 1..])),
            it if it.is_whitespace() && !is_quoted => return Ok((value, &text[at..])),
            it => value.push(it),
        }
    }
    if is_quoted {
        Err(malformed("has a `'` that is never closed").into())
    } else {
        Ok((value, ""))
    }
}

fn malformed(fact: &str) -> Failure {
    Failure::usage(format!("the connection string {fact}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let found = connection_string(text).unwrap();
        let found: Vec<_> = found.iter().map(|(word, value)| (*word, value.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn urls() {
        check("postgres://", &[]);
        check("postgresql://db", &[("host", "db")]);
        check(
            "postgres://ana:p%40ss@db:5433/app?sslmode=verify-full&sslrootcert=%2Fca.crt",
            &[
                ("dbname", "app"),
                ("host", "db"),
                ("password", "p@ss"),
                ("port", "5433"),
                ("sslmode", "verify-full"),
                ("sslrootcert", "/ca.crt"),
                ("user", "ana"),
            ],
        );
        check("postgres://a,b:2/x", &[("dbname", "x"), ("host", "a,b"), ("port", ",2")]);
        check("postgres://[::1]:5/x", &[("dbname", "x"), ("host", "::1"), ("port", "5")]);
        check("postgres:///x?host=/tmp", &[("dbname", "x"), ("host", "/tmp")]);
        check("postgres://u@%2Ftmp/x", &[("dbname", "x"), ("host", "/tmp"), ("user", "u")]);
        check(
            "postgres://u:a@b@h/x",
            &[("dbname", "x"), ("host", "h"), ("password", "a@b"), ("user", "u")],
        );
    }

    #[test]
    fn keywords_and_values() {
        check("host=db  user = ana", &[("host", "db"), ("user", "ana")]);
        check(r"password='a \' b\\' dbname=x\ y", &[("dbname", "x y"), ("password", r"a ' b\")]);
        check("dbname='' user=''", &[("dbname", ""), ("user", "")]);
    }

    #[test]
    fn what_cannot_be_read_is_not_repeated() {
        for text in [
            "postgres://ana:secret:more@db:port/x",
            "postgres://ana:sec%ret@db/x",
            "postgres://ana:12/secret@db/x",
            "postgres://ana:12?secret@db/x",
            "postgres://ana@db/x?password=a&secret",
            "postgres://ana@db/x?secret=1",
            "host=db password='secret",
            "secret",
            "mysql://ana:secret@db/x",
            "host=db pass-secret=1",
        ] {
            let failure = connection_string(text).unwrap_err();
            let is_word = text.contains("?secret=");
            assert_eq!(failure.finding.text.contains("secret"), is_word, "{text}");
        }
    }
}
