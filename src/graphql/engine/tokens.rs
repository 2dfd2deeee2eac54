//! A document's tokens, before they are parsed: how many there are, and how many brackets are open at once. Both bound
//! what the parser and everything after it may cost.

use std::ops::Range;

use apollo_parser::{Lexer, Token, TokenKind};
use async_graphql::ServerError;

use crate::graphql::code::{Code, coded};

/// Most bytes of a document.
pub(super) const MAX_BYTES: usize = 16 * 1024;
/// Most tokens (GraphQL, section 2.1.6).
const MAX_TOKENS: usize = 2_000;
/// Most brackets open at once, of any kind.
pub(super) const MAX_NESTING: usize = 32;

/// A document's text as the parser understands it. Every token is where the document has it.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) text: String,
    /// Where something else stands than the colon after the name of an argument or of an input object's field.
    pub(super) missing_colon: Option<usize>,
}

/// Checks size, tokens and nesting, and does for the parser what it does not do itself:
/// - it looks for a colon or for what follows `...` past white space, but not past commas, so these go;
/// - it keeps every comment, so these go too;
/// - it does not know descriptions of operations, fragments and variables (GraphQL of September 2025, section 2.1.9), so
///   they go as well;
/// - it takes an argument, or a field of an input object, without a colon and a value.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`.
pub(super) fn read(source: &str) -> Result<Tokens, ServerError> {
    if source.len() > MAX_BYTES {
        return Err(too_complex(format!("The document has {} bytes; the limit is {MAX_BYTES}.", source.len())));
    }
    let mut tokens = 0;
    let mut reading = Reading::default();
    for item in Lexer::new(source) {
        match item.as_ref().map(Token::kind) {
            Ok(TokenKind::Whitespace) => continue,
            Ok(TokenKind::Comment | TokenKind::Comma) => {
                reading.blanks.extend(item.map(|ignored| range(&ignored)));
                continue;
            }
            Ok(TokenKind::Eof) => {}
            _ => tokens += 1,
        }
        if tokens > MAX_TOKENS {
            return Err(too_complex(format!("The document has more than {MAX_TOKENS} tokens.")));
        }
        // What is no token at all is the parser's to refuse.
        match item {
            Ok(token) => reading.meet(&token),
            Err(_) => reading.previous = None,
        }
        if reading.open.len() > MAX_NESTING {
            return Err(too_complex(format!("The document nests more than {MAX_NESTING} brackets.")));
        }
    }
    Ok(Tokens { text: blank(source, &reading.blanks), missing_colon: reading.missing_colon })
}

/// How far the tokens were read.
#[derive(Default)]
struct Reading {
    open: Vec<TokenKind>,
    /// How many of the open brackets are parentheses.
    parentheses: usize,
    previous: Option<TokenKind>,
    /// Whether the token before is the name of a directive.
    is_directive: bool,
    /// Whether the outermost parentheses hold arguments of a directive, not variables.
    are_arguments: bool,
    /// Whether the token before is a name that only a colon can follow.
    awaits_colon: bool,
    missing_colon: Option<usize>,
    /// A string that is a description if what follows can have one.
    pending: Option<Range<usize>>,
    /// What the parser is not to see.
    blanks: Vec<Range<usize>>,
}

impl Reading {
    fn meet(&mut self, token: &Token<'_>) {
        let kind = token.kind();
        if self.awaits_colon && kind != TokenKind::Colon {
            self.missing_colon.get_or_insert(token.index());
        }
        self.awaits_colon = kind == TokenKind::Name && self.is_key();
        let description = self.pending.take();
        let is_after_description = description.is_some();
        // What is wrong by itself after a description is the parser's to name, as a variable without its '$'. But these
        // would go on with what stands before the description.
        let is_described = match (self.open.is_empty(), kind) {
            (true, TokenKind::Name) => matches!(token.data(), "query" | "mutation" | "subscription" | "fragment"),
            (true, _) => !matches!(kind, TokenKind::LCurly | TokenKind::Eof),
            (false, TokenKind::Colon | TokenKind::Bang | TokenKind::Eq | TokenKind::At) => false,
            (false, _) => !matches!(kind, TokenKind::LParen | TokenKind::RParen | TokenKind::Eof),
        };
        if is_described {
            self.blanks.extend(description);
        }
        match kind {
            TokenKind::LCurly | TokenKind::LParen | TokenKind::LBracket => {
                if self.open.is_empty() {
                    self.are_arguments = self.is_directive;
                }
                self.open.push(kind);
                self.parentheses += usize::from(kind == TokenKind::LParen);
            }
            TokenKind::RCurly | TokenKind::RParen | TokenKind::RBracket => {
                self.parentheses -= usize::from(self.open.pop() == Some(TokenKind::LParen));
            }
            TokenKind::StringValue if self.may_describe() && !is_after_description => self.pending = Some(range(token)),
            _ => {}
        }
        self.is_directive = kind == TokenKind::Name && self.previous == Some(TokenKind::At);
        self.previous = Some(kind);
    }

    /// Whether a name here is an argument's or that of an input object's field: neither a value, nor a variable's, a
    /// type's or a directive's.
    fn is_key(&self) -> bool {
        let is_among_keys = match self.open.last() {
            Some(TokenKind::LParen) => true,
            Some(TokenKind::LCurly) => self.parentheses > 0,
            _ => false,
        };
        let is_other =
            matches!(self.previous, Some(TokenKind::Colon | TokenKind::Eq | TokenKind::Dollar | TokenKind::At));
        is_among_keys && !is_other
    }

    /// Whether a string here is no value: between definitions, or between the variables of an operation.
    fn may_describe(&self) -> bool {
        match self.open.as_slice() {
            [] => matches!(self.previous, None | Some(TokenKind::RCurly)),
            [TokenKind::LParen] => {
                let is_within =
                    |kind| matches!(kind, TokenKind::Eq | TokenKind::Colon | TokenKind::Dollar | TokenKind::At);
                !self.are_arguments && !self.previous.is_some_and(is_within)
            }
            _ => false,
        }
    }
}

fn range(token: &Token<'_>) -> Range<usize> {
    token.index()..token.index() + token.data().len()
}

/// The source with spaces in place of some of it; lines stay. The parts need be in no order.
fn blank(source: &str, parts: &[Range<usize>]) -> String {
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|part| part.start);
    let mut text = String::with_capacity(source.len());
    let mut copied = 0;
    for part in parts {
        text.push_str(&source[copied..part.start]);
        let bytes = source[part.start..part.end].bytes();
        text.extend(bytes.map(|byte| if matches!(byte, b'\n' | b'\r') { byte.into() } else { ' ' }));
        copied = part.end;
    }
    text.push_str(&source[copied..]);
    text
}

fn too_complex(message: String) -> ServerError {
    coded(Code::QueryTooComplex, message, None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passes(source: &str) -> bool {
        read(source).is_ok()
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
        for source in
            [format!("\"\"{many}"), format!("\"\\\\\"{many}"), format!("\"\"\"\"\"\"{many}"), format!("#\n{many}")]
        {
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
        assert!(!passes(&"?".repeat(2_001)));
    }

    #[test]
    fn bytes_are_counted() {
        assert!(passes(&format!("#{}", "x".repeat(MAX_BYTES - 1))));
        assert!(!passes(&format!("#{}", "x".repeat(MAX_BYTES))));
    }

    #[test]
    fn what_the_parser_is_not_to_see_is_taken_out_and_values_stay() {
        for (written, parsed) in [
            ("\"a\" query Q { b }", "    query Q { b }"),
            ("\"a\" } { b }", "    } { b }"),
            ("\"a\" \"b\" query { c }", "    \"b\" query { c }"),
            ("{ a }\n\"\"\"\né\n\"\"\"\nfragment F on Q { b }", "{ a }\n   \n  \n   \nfragment F on Q { b }"),
            ("query Q(\"a\" $b: Int = 1, \"c\" $d: Int) { e }", "query Q(    $b: Int = 1      $d: Int) { e }"),
            ("query Q(\"a\" \"b\" $c: Int \"d\" Int) { e }", "query Q(    \"b\" $c: Int     Int) { e }"),
            ("query Q($a: Int \"b\" 1) { c }", "query Q($a: Int     1) { c }"),
            (",{ a,:b(c: [1,2], d: \"#,\") #,é\n ...,F }", " { a :b(c: [1 2]  d: \"#,\")     \n ... F }"),
        ] {
            assert_eq!(read(written).expect("it passes").text, parsed);
        }
        for untouched in [
            "query Q($a: String = \"x\" $b: Int) { c }",
            "query Q($a: [String] = [\"x\"] $b: Int) { c(d: [\"e\" $b]) }",
            "query Q @a(b: \"x\" $c: 1) { d }",
            "query Q @a(b: true \"x\") { d }",
            "query Q($a: Int \"x\") { b }",
            "query Q($a: Int \"x\" = 1) { b }",
            "query Q($a: Int \"x\" @b) { c }",
            "query Q($a: Int \"x\" !) { b }",
            "query Q($a \"x\" : Int @b \"y\" (c: 1)) { d }",
            "query Q($ \"x\" a: Int @ \"y\" b) { c }",
            "\"a\" { b }",
            "query Q \"a\" @b { c }",
            "query \"a\" query { b }",
            "{ a } \"b\"",
            "\"a\" b { c }",
            "{ query(a: \"b\" $c) \"d\" query }",
        ] {
            assert_eq!(read(untouched).expect("it passes").text, untouched);
        }
    }

    #[test]
    fn a_name_that_needs_a_colon_is_found_out() {
        for (source, at) in [
            ("{ a(b) }", ")"),
            ("{ a(b c: 1) }", "c: 1"),
            ("{ a(b: 1 c) }", ") }"),
            ("{ a(b: {c d: 1}) }", "d: 1"),
            ("{ a(b: [{c}]) }", "}])"),
            ("{ a(b: X C) }", ") }"),
            ("{ a @b(if) }", ") }"),
            ("query Q($a: In = {b}) { c }", "}) {"),
        ] {
            assert_eq!(read(source).expect("it passes").missing_colon, source.find(at), "{source}");
        }
        for good in [
            "{ a(b: X, c: $d, e: {f: X, g: [X Y {h: 1}]}) @i(j: k) { l: m n o { p } } }",
            "query Q($a: T = X @b $c: [T!]! @d(e: X)) { f }",
            "{ a(b: \"\" }",
        ] {
            assert_eq!(read(good).expect("it passes").missing_colon, None, "{good}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(source in "\\PC{0,300}") {
            let _either_way = read(&source);
        }

        #[test]
        fn no_punctuation_breaks_reader_and_parser(source in "[\\[\\]{}()\"\\\\#.,a1$@!:=|& \n]{0,400}") {
            if let Ok(tokens) = read(&source) {
                prop_assert_eq!(tokens.text.len(), source.len());
                let _either_way = apollo_compiler::ast::Document::parse(tokens.text, "");
            }
        }
    }
}
