//! Rules for the texts of a task.

use icu_casemap::CaseMapper;

/// Most code points of a title.
const MAX_TITLE: usize = 200;
/// Most code points of a description.
const MAX_DESCRIPTION: usize = 10_000;

/// A title without the white space at its ends.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub(super) fn title(text: &str) -> Result<String, String> {
    let title = text.trim();
    if title.is_empty() {
        return Err("A title needs at least one character that is not white space.".into());
    }
    let length = title.chars().count();
    if length > MAX_TITLE {
        return Err(format!("A title has at most {MAX_TITLE} characters; this one has {length}."));
    }
    if title.chars().any(char::is_control) {
        return Err("A title has no control characters (line breaks, tabs, NUL and the like).".into());
    }
    Ok(title.to_owned())
}

/// A description, as it is.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub(super) fn description(text: String) -> Result<String, String> {
    let length = text.chars().count();
    if length > MAX_DESCRIPTION {
        return Err(format!("A description has at most {MAX_DESCRIPTION} characters; this one has {length}."));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err("A description has no control characters but tabs and line breaks.".into());
    }
    Ok(text)
}

/// What titles are sorted by: full case folding (Unicode, section 3.13), no locale, no normalization.
pub(super) fn title_key(title: &str) -> String {
    CaseMapper::new().fold_string(title).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        assert_eq!(title_key("Straße ΣΑΣ ŒUVRE İ"), "strasse σασ œuvre i\u{307}");
    }

    proptest! {
        #[test]
        fn folding_puts_every_case_of_a_text_together(text in "\\PC{0,40}") {
            let key = title_key(&text);
            prop_assert_eq!(&title_key(&key), &key);
            if text.is_ascii() {
                prop_assert_eq!(title_key(&text.to_ascii_uppercase()), key);
            }
        }

        #[test]
        fn a_key_stays_far_below_what_an_index_row_can_hold(text in "\\PC{200}") {
            prop_assert!(title_key(&text).len() <= 200 * 6);
        }
    }
}
