//! A scan of the bytes, before the parser: 1,500 nested brackets overflow its stack and end the process. One pass, no
//! recursion, no allocation. What is no GraphQL at all is left to the parser.

use async_graphql::ServerError;

use super::too_complex;

/// Most bytes of a document.
const MAX_BYTES: usize = 16 * 1024;
/// Most tokens (GraphQL, section 2.1.6).
const MAX_TOKENS: usize = 2_000;
/// Most brackets open at once, of any kind.
const MAX_NESTING: usize = 32;

/// Checks size, tokens and nesting.
pub(super) fn scan(source: &str) -> Result<(), ServerError> {
    if source.len() > MAX_BYTES {
        return Err(too_complex(format!("The document has {} bytes; the limit is {MAX_BYTES}.", source.len()), None));
    }
    let (mut tokens, mut nesting) = (0_usize, 0_usize);
    let mut rest = source.as_bytes();
    while let [byte, ..] = rest {
        let (length, is_token) = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => (1, false),
            b'#' => (rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len()), false),
            b'"' => (string_length(rest), true),
            b'_' | b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => (word_length(rest), true),
            b'.' if rest.starts_with(b"...") => (3, true),
            _ => (1, true),
        };
        match byte {
            b'{' | b'(' | b'[' => nesting += 1,
            b'}' | b')' | b']' => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        tokens += usize::from(is_token);
        if nesting > MAX_NESTING {
            return Err(too_complex(format!("The document nests more than {MAX_NESTING} brackets."), None));
        }
        if tokens > MAX_TOKENS {
            return Err(too_complex(format!("The document has more than {MAX_TOKENS} tokens."), None));
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(())
}

/// A name or a number.
fn word_length(bytes: &[u8]) -> usize {
    let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+');
    // A dot belongs to a number; after a name it begins a spread.
    let is_number = bytes.first().is_some_and(|b| b.is_ascii_digit() || *b == b'-');
    bytes.iter().position(|b| !(is_part(b) || (is_number && *b == b'.'))).unwrap_or(bytes.len())
}

/// A string with its quotes: to the closing quote, for a plain one at most to the end of the line.
fn string_length(bytes: &[u8]) -> usize {
    let is_block = bytes.starts_with(b"\"\"\"");
    let mut at = if is_block { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        let rest = &bytes[at..];
        match byte {
            b'"' if !is_block => return at + 1,
            b'"' if rest.starts_with(b"\"\"\"") => return at + 3,
            b'\\' if is_block => at += if rest.starts_with(b"\\\"\"\"") { 4 } else { 1 },
            b'\\' => at += 2,
            b'\n' | b'\r' if !is_block => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passes(source: &str) -> bool {
        scan(source).is_ok()
    }

    #[test]
    fn nesting_is_bounded_for_every_bracket_and_any_mixture() {
        for (open, close) in [("{", "}"), ("[", "]"), ("(", ")")] {
            assert!(passes(&format!("{}{}", open.repeat(32), close.repeat(32))));
            assert!(!passes(&open.repeat(33)));
        }
        assert!(!passes(&"{([".repeat(11)));
        assert!(passes(&"{}".repeat(900)));
        assert!(passes(&"}".repeat(900)));
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let many = "[".repeat(100);
        for source in [
            format!("{{ a(b: \"{many}\") }}"),
            format!("{{ a(b: \"\\\"{many}\") }}"),
            format!("{{ a(b: \"\"\"{many}\"{many}\"\"{many}\\\"\"\"{many}\"\"\") }}"),
            format!("#{many}\n{{ a }}"),
        ] {
            assert!(passes(&source), "{source}");
        }
        for source in [
            format!("\"\"{many}"),
            format!("\"\\\\\"{many}"),
            format!("\"\"\"\"\"\"{many}"),
            format!("#\n{many}"),
            format!("\"\n{many}"),
        ] {
            assert!(!passes(&source), "{source}");
        }
    }

    #[test]
    fn tokens_are_counted_as_the_specification_does() {
        assert!(passes(&"a ".repeat(2_000)));
        assert!(!passes(&"a ".repeat(2_001)));
        assert!(!passes(&"a,b,".repeat(1_001)));
        assert!(passes(&"...a ".repeat(1_000)));
        assert!(!passes(&"...a ".repeat(1_001)));
        assert!(passes(&"-1.5e+10 ".repeat(1_700)));
        assert!(passes(&"\"x y\" ".repeat(2_000)));
        assert!(!passes(&"$".repeat(2_001)));
    }

    #[test]
    fn bytes_are_counted() {
        assert!(passes(&format!("#{}", "x".repeat(MAX_BYTES - 1))));
        assert!(!passes(&format!("#{}", "x".repeat(MAX_BYTES))));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_scan(source in "\\PC{0,300}") {
            let _either_way = scan(&source);
        }

        #[test]
        fn no_punctuation_breaks_scan_and_parser(source in "[\\[\\]{}()\"\\\\#.a1$@!:=|& \n]{0,400}") {
            if passes(&source) {
                let _either_way = async_graphql::parser::parse_query(&source);
            }
        }
    }
}
