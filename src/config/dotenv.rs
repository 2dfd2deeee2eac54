//! The form of a `.env` file: `NAME=VALUE` a line, `export` before it or not, comments behind `#`. Nothing is put in the
//! place of a `$`, so a password may have one. Crates that read such files substitute variables, and show lines in their
//! errors.

use std::collections::HashMap;

/// The variables of a file. Of several with one name the last counts.
///
/// # Errors
/// What is wrong and in which line; never the line's text, which may hold a secret.
pub(super) fn parse(text: &str) -> Result<HashMap<String, String>, String> {
    let mut variables = HashMap::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Ok(variables);
        }
        if rest.starts_with('#') {
            rest = split_line(rest).1;
            continue;
        }
        let number = text[..text.len() - rest.len()].matches('\n').count() + 1;
        let (name, value, after) = assignment(rest).map_err(|what| format!("line {number} {what}"))?;
        variables.insert(name.to_owned(), value);
        rest = after;
    }
}

/// A name, its value, and what comes after them.
fn assignment(text: &str) -> Result<(&str, String, &str), &'static str> {
    let (line, _) = split_line(text);
    let (name, _) = line.split_once('=').ok_or("is not of the form NAME=VALUE")?;
    let value = text[name.len() + 1..].trim_start_matches([' ', '\t']);
    let name = name.strip_prefix("export ").unwrap_or(name).trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if name.is_empty() || !name.bytes().all(is_name) {
        return Err("is not of the form NAME=VALUE");
    }
    let (value, after) = match value.chars().next() {
        Some('\'') => single_quoted(&value[1..]),
        Some('"') => double_quoted(&value[1..]),
        _ => return unquoted(value).map(|(value, after)| (name, value, after)),
    }
    .ok_or("opens a quote that is never closed")?;
    let (left, after) = split_line(after);
    match left.trim_start() {
        "" => Ok((name, value, after)),
        comment if comment.starts_with('#') => Ok((name, value, after)),
        _ => Err("has something behind the closing quote"),
    }
}

/// A value as it stands, up to the end of the line or to white space and `#`.
fn unquoted(text: &str) -> Result<(String, &str), &'static str> {
    let (line, after) = split_line(text);
    let end = line.match_indices('#').find(|(at, _)| line[..*at].ends_with([' ', '\t']) || *at == 0);
    let value = end.map_or(line, |(at, _)| &line[..at]).trim_end();
    if value.contains(char::is_whitespace) {
        return Err("has a value with spaces; put it in quotes");
    }
    Ok((value.to_owned(), after))
}

/// A value as it stands, up to the closing quote, line breaks included.
fn single_quoted(text: &str) -> Option<(String, &str)> {
    text.split_once('\'').map(|(value, after)| (value.to_owned(), after))
}

/// A value up to the closing quote, in which `\n`, `\"`, `\\` and `\$` have their usual meaning.
fn double_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\' | '$') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            _ => value.push(character),
        }
    }
    None
}

/// The first line, without its end, and the others.
fn split_line(text: &str) -> (&str, &str) {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    (line.strip_suffix('\r').unwrap_or(line), after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::parse;

    #[test]
    fn a_value_is_what_stands_there() {
        for (text, value) in [
            ("A=b", "b"),
            ("\u{feff}A=b\r\n", "b"),
            ("# comment\n\n  export A = b\t# comment\n", "b"),
            ("A=\n", ""),
            ("A=#none", ""),
            ("A=b#c", "b#c"),
            ("A=a$b${c}", "a$b${c}"),
            ("A=pa\"ss'word\\n", "pa\"ss'word\\n"),
            ("A=postgres://u:p%40@h/d?a=b", "postgres://u:p%40@h/d?a=b"),
            ("A='two words $x \\n' # comment", "two words $x \\n"),
            ("A=\"two words $x \\\" \\\\ \\$ \\q\"", "two words $x \" \\ $ \\q"),
            ("A=\"first\\nsecond\"", "first\nsecond"),
            ("B=\"-----BEGIN\nabc==\n-----END\"\nA=b", "b"),
            ("A=a\nA=b", "b"),
        ] {
            let variables = parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
            assert_eq!(variables.get("A").map(String::as_str), Some(value), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_and_never_by_its_text() {
        for (text, expected) in [
            ("A=b\nA=hunter two", "line 2 has a value with spaces"),
            ("\n\nhunter2\n", "line 3 is not of the form"),
            ("A='b\nc'\nhunter 2=b", "line 3 is not of the form"),
            ("=hunter2", "line 1 is not of the form"),
            ("A=\"hunter2\nB=c\n", "line 1 opens a quote"),
            ("A='hunter2", "line 1 opens a quote"),
            ("A=\"hunter2\\", "line 1 opens a quote"),
            ("A=\"hunter\"2", "line 1 has something behind"),
        ] {
            let error = parse(text).expect_err("refused");
            assert!(error.starts_with(expected) && !error.contains("hunter"), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_file_breaks_the_reader(text in "[A='\"\\\\#$ \r\nüx]{0,40}") {
            if let Err(error) = parse(&text) {
                prop_assert!(error.starts_with("line "));
            }
        }

        #[test]
        fn single_quotes_keep_any_value(value in "[^']{0,40}") {
            prop_assert_eq!(&parse(&format!("A='{value}'")).expect("good")["A"], &value);
        }
    }
}
