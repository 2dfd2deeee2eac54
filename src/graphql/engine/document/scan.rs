//! A scan of the bytes, before the parser: 1,500 nested brackets overflow its stack and end the process. One pass, no
//! recursion. What is no GraphQL at all is left to the parser; what the parser takes although it is none, or reads
//! otherwise than GraphQL does, is refused or put in other words here.

use std::borrow::Cow;

use async_graphql::ServerError;

use super::strings::{plain, quoted};
use super::{parse_failed, too_complex};
use crate::graphql::code::{Code, coded};

/// Most bytes of a document.
const MAX_BYTES: usize = 16 * 1024;
/// Most tokens (GraphQL, section 2.1.6).
const MAX_TOKENS: usize = 2_000;
/// Most brackets open at once, of any kind.
const MAX_NESTING: usize = 32;

/// Checks size, tokens and nesting, and returns the document as the parser understands it.
pub(super) fn scan(source: &str) -> Result<Cow<'_, str>, ServerError> {
    if source.len() > MAX_BYTES {
        return Err(too_complex(format!("The document has {} bytes; the limit is {MAX_BYTES}.", source.len()), None));
    }
    let mut brackets = Brackets::default();
    let mut rewritten = Rewritten { source, text: String::new(), copied: 0 };
    let (mut tokens, mut at, mut previous) = (0, 0, "");
    while let Some(rest) = source.as_bytes().get(at..).filter(|rest| !rest.is_empty()) {
        let (length, is_token) = match rest[0] {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => (1, false),
            b'#' => (rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len()), false),
            b'"' => (string_length(rest), true),
            b'_' | b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => (word_length(rest), true),
            b'.' if rest.starts_with(b"...") => (3, true),
            _ => (1, true),
        };
        let end = (at + length).min(source.len());
        if is_token {
            // A cut within a character is no token of GraphQL's; the parser says so.
            let token = source.get(at..end).unwrap_or("?");
            tokens += 1;
            if tokens > MAX_TOKENS {
                return Err(too_complex(format!("The document has more than {MAX_TOKENS} tokens."), None));
            }
            brackets.meet(token, previous)?;
            if let Some(other) = in_other_words(token) {
                rewritten.replace(at, end, &other);
            }
            previous = token;
        }
        at = end;
    }
    Ok(rewritten.finish())
}

/// The brackets that are open, and the field names of the objects that are being written.
#[derive(Default)]
struct Brackets<'d> {
    open: Vec<u8>,
    parentheses: usize,
    names: Vec<(usize, &'d str)>,
}

impl<'d> Brackets<'d> {
    fn meet(&mut self, token: &'d str, previous: &'d str) -> Result<(), ServerError> {
        match token.as_bytes() {
            [bracket @ (b'{' | b'(' | b'[')] => {
                self.open.push(*bracket);
                self.parentheses += usize::from(*bracket == b'(');
                if self.open.len() > MAX_NESTING {
                    return Err(too_complex(format!("The document nests more than {MAX_NESTING} brackets."), None));
                }
            }
            // The parser takes an empty list of variables or arguments.
            b")" if previous == "(" => return Err(parse_failed("the parentheses are empty", None)),
            b"}" | b")" | b"]" => {
                self.names.retain(|(depth, _)| *depth < self.open.len());
                self.parentheses -= usize::from(self.open.pop() == Some(b'('));
            }
            // The parser keeps the last of several fields of one name (GraphQL, section 5.6.3).
            b":" if self.parentheses > 0 && self.open.last() == Some(&b'{') => {
                let name = (self.open.len(), previous);
                if self.names.contains(&name) {
                    let message = format!("The field '{previous}' is given twice in one input object.");
                    return Err(coded(Code::ValidationFailed, message, None));
                }
                self.names.push(name);
            }
            _ => {}
        }
        Ok(())
    }
}

/// What the parser reads wrongly, in words that it reads rightly: it takes -0 for a fraction, keeps the backslash of a
/// `\"""` in a block string, and knows neither `\u{1F600}` nor two escapes for one character (section 2.9.4).
fn in_other_words(token: &str) -> Option<String> {
    if token == "-0" {
        Some("0".into())
    } else if let Some(inner) = token.strip_prefix("\"\"\"").and_then(|rest| rest.strip_suffix("\"\"\"")) {
        token.contains("\\\"\"\"").then(|| quoted(&super::strings::block(inner)))
    } else if token.contains("\\u") {
        let inner = token.strip_prefix('"')?.strip_suffix('"')?;
        plain(inner).map(|text| quoted(&text))
    } else {
        None
    }
}

/// A document of which some tokens are put in other words; the lines stay.
struct Rewritten<'d> {
    source: &'d str,
    text: String,
    copied: usize,
}

impl<'d> Rewritten<'d> {
    fn replace(&mut self, start: usize, end: usize, by: &str) {
        self.text.push_str(&self.source[self.copied..start]);
        self.text.push_str(by);
        self.copied = end;
    }

    fn finish(mut self) -> Cow<'d, str> {
        if self.copied == 0 {
            return Cow::Borrowed(self.source);
        }
        self.text.push_str(&self.source[self.copied..]);
        Cow::Owned(self.text)
    }
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
            assert!(passes(&format!("{}a{}", open.repeat(32), close.repeat(32))));
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
    fn what_the_parser_reads_wrongly_is_put_in_other_words() {
        for (written, read) in [
            (r"{ a(n: -0, m: -0.5, k: -01) }", r"{ a(n: 0, m: -0.5, k: -01) }"),
            (r#"{ a(b: """x \""" y""") }"#, r#"{ a(b: "x \"\"\" y") }"#),
            (r#"{ a(b: "\u{1F600}\uD83D\uDE00\u0041\n") }"#, r#"{ a(b: "😀😀A\n") }"#),
            (r#"{ a(b: "\\u{41}") }"#, r#"{ a(b: "\\u{41}") }"#),
        ] {
            assert_eq!(scan(written).map(Cow::into_owned).map_err(|error| error.message), Ok(read.to_owned()));
        }
        // Half a character, or none: the parser's to refuse.
        for untouched in
            [r#"{ a(b: "\uD83D") }"#, r#"{ a(b: "\u{110000}") }"#, r#"{ a(b: "\u{}") }"#, r#"{ a(b: """plain""") }"#]
        {
            assert!(matches!(scan(untouched), Ok(Cow::Borrowed(_))), "{untouched}");
        }
    }

    #[test]
    fn what_the_parser_takes_although_it_is_none_is_refused() {
        for bad in ["query () { a }", "{ a( ) }", "{ a(in: {x: 1, x: 2}) }", "{ a(in: {y: {x: 1}, x: 2, y: 3}) }"] {
            assert!(!passes(bad), "{bad}");
        }
        for good in [
            "{ a(in: {x: 1, y: {x: 2}, z: [{x: 1}, {x: 2}]}) b: a(in: {x: 1}) { x: c x: c } }",
            "query($a: In = {x: 1}) { a }",
        ] {
            assert!(passes(good), "{good}");
        }
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
                let source = scan(&source).expect("it passes");
                let _either_way = async_graphql::parser::parse_query(source);
            }
        }
    }
}
