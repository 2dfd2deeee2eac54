//! Rules for texts.

use icu_casemap::CaseMapper;

/// A line of 1 to `most` code points, without the white space at its ends.
///
/// # Errors
/// What is wrong with it, as a sentence that begins with `what`.
pub(super) fn line(text: &str, what: &str, most: usize) -> Result<String, String> {
    let line = text.trim();
    if line.is_empty() {
        return Err(format!("{what} needs at least one character that is not white space."));
    }
    check_length(line, what, most)?;
    if line.chars().any(char::is_control) {
        return Err(format!("{what} has no control characters (line breaks, tabs, NUL and the like)."));
    }
    Ok(line.to_owned())
}

/// A text of at most `most` code points, as it is.
///
/// # Errors
/// What is wrong with it, as a sentence that begins with `what`.
pub(super) fn block(text: String, what: &str, most: usize) -> Result<String, String> {
    check_length(&text, what, most)?;
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err(format!("{what} has no control characters but tabs and line breaks."));
    }
    Ok(text)
}

fn check_length(text: &str, what: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length <= most { Ok(()) } else { Err(format!("{what} has at most {most} characters; this one has {length}.")) }
}

/// What texts are sorted by: full case folding (Unicode, section 3.13), no locale, no normalization.
pub(super) fn fold(text: &str) -> String {
    CaseMapper::new().fold_string(text).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn title(text: &str) -> Result<String, String> {
        line(text, "A title", 200)
    }

    fn description(text: String) -> Result<String, String> {
        block(text, "A description", 10_000)
    }

    #[test]
    fn a_title_is_trimmed_and_bounded_in_code_points() {
        assert_eq!(title(" \u{3000}Milk\n").as_deref(), Ok("Milk"));
        assert!(title(&"ä".repeat(200)).is_ok());
        assert!(title(&"ä".repeat(201)).is_err());
        assert!(title(&format!("  {}  ", "x".repeat(200))).is_ok());
        for bad in ["", " \t\u{a0}", "a\u{0}b", "a\nb", "\u{0}", "a\u{7f}", "a\u{85}b"] {
            assert!(title(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_description_keeps_tabs_and_line_breaks_only() {
        assert!(description(" a\tb\r\nc ".into()).is_ok());
        assert!(description(String::new()).is_ok());
        assert!(description("é".repeat(10_000)).is_ok());
        assert!(description("é".repeat(10_001)).is_err());
        assert!(description("a\u{b}b".into()).is_err());
        assert!(description("a\u{0}b".into()).is_err());
    }

    #[test]
    fn folding_is_full_and_without_locale() {
        assert_eq!(fold("Straße ΣΑΣ ŒUVRE İ"), "strasse σασ œuvre i\u{307}");
    }

    proptest! {
        #[test]
        fn folding_puts_every_case_of_a_text_together(text in "\\PC{0,40}") {
            let key = fold(&text);
            prop_assert_eq!(&fold(&key), &key);
            if text.is_ascii() {
                prop_assert_eq!(fold(&text.to_ascii_uppercase()), key);
            }
        }

        #[test]
        fn a_key_stays_far_below_what_an_index_row_can_hold(text in "\\PC{200}") {
            prop_assert!(fold(&text).len() <= 200 * 6);
        }
    }
}
