//! The values of strings as documents write them (GraphQL, section 2.9.4).

use std::fmt::Write;

/// The value of a block string, from what stands between its quotes.
pub(super) fn block(raw: &str) -> String {
    let raw = raw.replace("\\\"\"\"", "\"\"\"").replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = raw.split('\n').collect();
    let indent_of = |line: &&str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let is_blank = |line: &&str| indent_of(line) == line.len();
    let common = lines.iter().skip(1).filter(|line| !is_blank(line)).map(indent_of).min().unwrap_or(0);
    let outdented = lines.iter().enumerate().map(|(nth, line)| match nth {
        0 => *line,
        _ => line.get(common..).unwrap_or_default(),
    });
    let outdented: Vec<&str> = outdented.collect();
    let first = outdented.iter().position(|line| !is_blank(line)).unwrap_or(outdented.len());
    let last = outdented.iter().rposition(|line| !is_blank(line)).map_or(first, |last| last + 1);
    outdented[first..last].join("\n")
}

/// The value of a plain string, from what stands between its quotes; nothing where it is none.
pub(super) fn plain(raw: &str) -> Option<String> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(char) = rest.next() {
        if char != '\\' {
            value.push(char);
            continue;
        }
        value.push(match rest.next()? {
            escaped @ ('"' | '\\' | '/') => escaped,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (escaped, after) = unicode(rest.as_str())?;
                rest = after.chars();
                escaped
            }
            _ => return None,
        });
    }
    Some(value)
}

/// The character of an escape, from what follows its `\\u`, and what follows it.
fn unicode(text: &str) -> Option<(char, &str)> {
    if let Some(rest) = text.strip_prefix('{') {
        let (digits, rest) = rest.split_once('}')?;
        return Some((char::from_u32(hex(digits)?)?, rest));
    }
    let four = |text: &'_ str| hex(text.get(..4)?);
    let lead = four(text)?;
    let rest = &text[4..];
    if let Some(char) = char::from_u32(lead) {
        return Some((char, rest));
    }
    let after = rest.strip_prefix("\\u")?;
    let trail = four(after)?;
    let is_pair = (0xD800..0xDC00).contains(&lead) && (0xDC00..0xE000).contains(&trail);
    let char = is_pair.then(|| 0x10000 + ((lead - 0xD800) << 10) + (trail - 0xDC00)).and_then(char::from_u32)?;
    Some((char, &after[4..]))
}

fn hex(digits: &str) -> Option<u32> {
    let is_hex = !digits.is_empty() && digits.len() <= 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// A value as a plain string, in its quotes and on one line.
pub(super) fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for char in value.chars() {
        match char {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            char if char.is_control() => write!(text, "\\u{:04X}", u32::from(char)).expect("a string takes all"),
            char => text.push(char),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_block_string_loses_its_common_indent_and_its_blank_ends() {
        assert_eq!(
            block("\n    Hello,\n      World!\n\n    Yours,\n      GraphQL.\n  "),
            "Hello,\n  World!\n\nYours,\n  GraphQL."
        );
        assert_eq!(block("  first\r\n  second\r third"), "  first\n second\nthird");
        assert_eq!(block(" \n\t\n"), "");
        assert_eq!(block(r#"a \""" b \n"#), r#"a """ b \n"#);
    }

    proptest! {
        #[test]
        fn a_value_comes_back_as_it_was(value in "\\PC{0,40}[\n\t\u{0}\"\\\\]{0,5}") {
            let text = quoted(&value);
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(plain(&text[1..text.len() - 1]), Some(value));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[\\\\u{}0-9a-fD\"é]{0,40}") {
            let _may_be_none = plain(&text);
            let _always = block(&text);
        }
    }
}
