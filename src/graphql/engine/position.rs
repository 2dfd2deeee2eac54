//! Places in a document's text as clients count them: lines and columns (GraphQL, section 7.1.2).

use apollo_compiler::parser::SourceSpan;
use async_graphql::Pos;

/// So many bytes, or a few more, lie between two marks: no look-up counts more of them.
const BYTES_BETWEEN_MARKS: usize = 128;

/// A document's text, with the places of some of its bytes.
#[derive(Debug)]
pub(super) struct Positions {
    text: Box<str>,
    /// In the order of the text; the first is its beginning.
    marks: Box<[Mark]>,
}

/// The place of a byte that follows no carriage return.
#[derive(Clone, Copy, Debug)]
struct Mark {
    offset: u32,
    line: u32,
    column: u32,
}

/// A place that goes on through a text.
struct Place {
    line: u32,
    column: u32,
    is_after_return: bool,
}

impl Place {
    fn pass(&mut self, char: char) {
        match char {
            // A carriage return and the line feed after it end one line.
            '\n' if self.is_after_return => {}
            '\n' | '\r' => (self.line, self.column) = (self.line + 1, 1),
            _ => self.column += small(char.len_utf16()),
        }
        self.is_after_return = char == '\r';
    }
}

impl Positions {
    pub(super) fn new(text: &str) -> Self {
        let mut marks = vec![Mark { offset: 0, line: 1, column: 1 }];
        let mut place = Place { line: 1, column: 1, is_after_return: false };
        let mut next = BYTES_BETWEEN_MARKS;
        for (at, char) in text.char_indices() {
            if at >= next && !place.is_after_return {
                marks.push(Mark { offset: small(at), line: place.line, column: place.column });
                next = at + BYTES_BETWEEN_MARKS;
            }
            place.pass(char);
        }
        Self { text: text.into(), marks: marks.into() }
    }

    /// The place of a byte: its line, and its column in UTF-16 code units, both from 1.
    pub(super) fn at(&self, offset: usize) -> Pos {
        let after = self.marks.partition_point(|mark| mark.offset as usize <= offset);
        let mark = self.marks[after.saturating_sub(1)];
        let mut place = Place { line: mark.line, column: mark.column, is_after_return: false };
        let between = self.text.get(mark.offset as usize..offset).unwrap_or_default();
        between.chars().for_each(|char| place.pass(char));
        Pos { line: place.line as usize, column: place.column as usize }
    }

    /// Where something of the document begins; its first byte's place where it does not stand in the document.
    pub(super) fn of(&self, location: Option<SourceSpan>) -> Pos {
        self.at(location.map_or(0, |location| location.offset()))
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What it takes in memory, beside itself.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + size_of_val(&*self.marks)
    }
}

/// Documents are far smaller than 4 GiB.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As graphql-js counts, from the beginning.
    fn counted(text: &str, offset: usize) -> Pos {
        let before = text[..offset].replace("\r\n", "\n").replace('\r', "\n");
        let last = before.rsplit('\n').next().unwrap_or_default();
        Pos { line: before.matches('\n').count() + 1, column: last.encode_utf16().count() + 1 }
    }

    #[test]
    fn lines_end_as_the_specification_says_and_columns_are_utf_16_code_units() {
        let text = "a\nb\r\nc\rd é😀e";
        let positions = Positions::new(text);
        let at = |what: &str| positions.at(text.find(what).expect("it is there"));
        for (what, line, column) in
            [("a", 1, 1), ("b", 2, 1), ("c", 3, 1), ("d", 4, 1), ("é", 4, 3), ("😀", 4, 4), ("e", 4, 6)]
        {
            assert_eq!(at(what), Pos { line, column }, "{what}");
        }
    }

    proptest! {
        #[test]
        fn every_byte_has_the_place_that_counting_finds(text in "([a-z é😀\u{feff}]{0,400}(\r\n|\r|\n)?){0,6}") {
            let positions = Positions::new(&text);
            for (offset, _) in text.char_indices() {
                // No token begins within a line's end.
                if !text[..offset].ends_with('\r') {
                    prop_assert_eq!(positions.at(offset), counted(&text, offset));
                }
            }
        }
    }
}
