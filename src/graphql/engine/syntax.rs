//! Parsing, and what clients hear of a document that cannot be parsed.

use apollo_compiler::ast::Document;
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::parser::Parser;
use apollo_parser::{Lexer, TokenKind};
use async_graphql::ServerError;

use super::position::Positions;
use super::tokens::{MAX_BYTES, MAX_NESTING, Tokens};
use crate::graphql::code::{Code, coded};

/// Most characters of a token in a message.
const MAX_SHOWN: usize = 20;
/// The parser's names of brackets.
const BRACKETS: [(&str, &str); 3] = [("R_CURLY", "'}'"), ("R_PAREN", "')'"), ("R_BRACK", "']'")];

/// Parses a document.
///
/// # Errors
/// `GRAPHQL_PARSE_FAILED`: what is wrong first.
pub(super) fn parse(tokens: Tokens, positions: &Positions) -> Result<Document, ServerError> {
    // Both limits are wider than what was counted before.
    let mut parser = Parser::new().recursion_limit(4 * MAX_NESTING).token_limit(2 * MAX_BYTES);
    let parsed = parser.parse_ast(tokens.text, "");
    let wrong = parsed.as_ref().err().and_then(|failed| failed.errors.iter().next());
    let wrong = wrong.map(|first| (first.error.location().map_or(0, |at| at.offset()), first.error.to_string()));
    // The parser goes on after an argument without its colon.
    let missing_colon = tokens.missing_colon.map(|at| (at, "expected ':'".to_owned()));
    match (parsed, missing_colon.into_iter().chain(wrong).min_by_key(|(at, _)| *at)) {
        (Ok(document), None) => Ok(document),
        (_, wrong) => {
            let (at, message) = wrong.unwrap_or_default();
            Err(refusal(&message, at, positions))
        }
    }
}

/// The parser's message, with the token that it met.
fn refusal(message: &str, at: usize, positions: &Positions) -> ServerError {
    let message = message.trim_start_matches("syntax error: ");
    let (mut what, _) = message.split_once(", got ").unwrap_or((message, ""));
    let mut at = at;
    if what.ends_with("an Inline Fragment or a Fragment Spread") {
        // Its place is that of the `...` before.
        (what, at) = ("expected a Name, 'on', '@' or '{'", next_token(positions.text(), at + 3));
    }
    let mut sentence = format!("Syntax error: {what}");
    for (name, bracket) in BRACKETS {
        sentence = sentence.replace(name, bracket);
    }
    if what.starts_with("expected") {
        sentence = format!("{sentence}, found {}", found(positions.text(), at));
    }
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    coded(Code::ParseFailed, sentence, Some(positions.at(at)))
}

/// Where the next token is, from some place on.
fn next_token(text: &str, from: usize) -> usize {
    let is_ignored = |kind| matches!(kind, TokenKind::Whitespace | TokenKind::Comment | TokenKind::Comma);
    let mut rest = Lexer::new(text.get(from..).unwrap_or_default());
    let next = rest.find(|item| !item.as_ref().is_ok_and(|token| is_ignored(token.kind())));
    next.map_or(text.len(), |item| from + item.map_or_else(|broken| broken.index(), |token| token.index()))
}

/// The token at some place, as a message shows it.
fn found(text: &str, at: usize) -> String {
    let rest = text.get(at..).unwrap_or_default();
    let token = match Lexer::new(rest).next() {
        Some(Ok(token)) => token.data(),
        _ => rest,
    };
    let line = token.lines().next().unwrap_or_default();
    match line.char_indices().nth(MAX_SHOWN) {
        _ if rest.is_empty() => "the end of the document".into(),
        Some((end, _)) => format!("'{}…'", &line[..end]),
        None => format!("'{line}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::read;
    use super::*;

    fn refused(source: &str) -> (String, usize, usize) {
        let error = parse(read(source).expect("it is small"), &Positions::new(source)).expect_err("it is refused");
        let pos = error.locations[0];
        (error.message, pos.line, pos.column)
    }

    #[test]
    fn a_refusal_tells_what_was_expected_and_what_was_found() {
        for (source, message, line, column) in [
            ("", "Syntax error: Unexpected <EOF>.", 1, 1),
            (
                "{",
                "Syntax error: expected at least one Selection in Selection Set, found the end of the document.",
                1,
                2,
            ),
            ("{ a } }", "Syntax error: expected a StringValue, Name or OperationDefinition, found '}'.", 1, 7),
            ("{ a(b: 1 }", "Syntax error: expected ')', found '}'.", 1, 10),
            ("{ a\r\n :\n}", "Syntax error: expected a Name, found '}'.", 3, 1),
            ("{ a ...\n# b\n, 7 }", "Syntax error: expected a Name, 'on', '@' or '{', found '7'.", 3, 3),
            ("{ ...\n\"b", "Syntax error: expected a Name, 'on', '@' or '{', found '\"b'.", 2, 1),
            ("{ a(b\n) c( }", "Syntax error: expected ':', found ')'.", 2, 1),
            ("{ a(: b) c(d) }", "Syntax error: expected an Argument, found ':'.", 1, 5),
            ("{ a(b: \"\"\"é\\\"\"\"\n\"\"\" \u{e9}", "Syntax error: Unexpected character \"é\".", 2, 5),
            ("{ a(b: \"😀\\u{1F600}\") ]", "Syntax error: expected '}', found ']'.", 1, 23),
            ("{ \"a long text that goes\non", "Syntax error: unterminated string value.", 1, 3),
            (
                "query Q($a: Int \"a text of more than twenty\" = 1) { b }",
                "Syntax error: expected ')', found '\"a text of more than…'.",
                1,
                17,
            ),
        ] {
            assert_eq!(refused(source), (message.to_owned(), line, column), "{source}");
        }
    }
}
