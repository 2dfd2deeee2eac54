use std::fmt::Write;
use std::time::{Duration, Instant};

use super::*;
use crate::graphql::code::code_of;

fn code(source: &str) -> Option<Code> {
    let document = Document::parse(source, "").expect("it can be parsed");
    check(&document, &Positions::new(source)).err().as_ref().map(|error| code_of(error).expect("a code"))
}

fn is_too_complex(source: &str) -> bool {
    code(source) == Some(Code::QueryTooComplex)
}

fn nested(field: &str, levels: usize) -> String {
    format!("{}{}{}", format!("{{ {field} ").repeat(levels), "", "}".repeat(levels))
}

#[test]
fn doubling_fragments_are_refused_at_once() {
    let mut source = "{ ...F0 }".to_owned();
    for n in 0..25 {
        write!(source, " fragment F{n} on Query {{ ...F{m} ...F{m} }}", m = n + 1).expect("a string takes all");
    }
    source.push_str(" fragment F25 on Query { viewer { id } }");
    let began = Instant::now();
    assert!(is_too_complex(&source));
    assert!(is_too_complex(&source.replace("{ ...F0 }", "{ __typename }")));
    assert!(began.elapsed() < Duration::from_millis(50));
}

#[test]
fn a_fragment_that_contains_itself_is_invalid() {
    for source in [
        "{ ...A } fragment A on Query { ...A }",
        "{ a } fragment A on Query { b { ...B } } fragment B on Query { ... { ...A } }",
    ] {
        assert_eq!(code(source), Some(Code::ValidationFailed), "{source}");
    }
}

#[test]
fn fields_are_counted_with_fragments_spread_out() {
    let with = |spreads: usize, fields: usize| {
        format!("{{ {} }} fragment F on Query {{ {} }}", "...F ".repeat(spreads), "a ".repeat(fields))
    };
    assert!(code(&with(20, 100)).is_none());
    assert!(is_too_complex(&with(20, 101)));
    let operations = |n: usize| {
        let all: String = (0..n).map(|i| format!("query Q{i} {{ ...F }} ")).collect();
        format!("{all} fragment F on Query {{ {} }}", "a ".repeat(100))
    };
    assert!(code(&operations(20)).is_none());
    assert!(is_too_complex(&operations(21)));
}

#[test]
fn bytes_of_arguments_are_counted_with_fragments_spread_out() {
    // An argument of 1,024 bytes.
    let argument = format!("a: \"{}\"", "x".repeat(1_019));
    for fragment in [format!("b({argument})"), format!("b @c({argument})"), format!("... @c({argument}) {{ b }}")] {
        let with = |n: usize| format!("{{ {} }} fragment F on Query {{ {fragment} }}", "...F ".repeat(n));
        assert!(code(&with(64)).is_none());
        assert!(is_too_complex(&with(65)));
        // Also where that operation is not run, and across operations.
        assert!(is_too_complex(&format!("query A {{ a }} query B {}", with(65))));
        let operations: String = (0..65).map(|i| format!("query Q{i} {{ ...F }} ")).collect();
        assert!(is_too_complex(&format!("{operations} fragment F on Query {{ {fragment} }}")));
    }
}

#[test]
fn depth_aliases_directives_and_mutation_fields_have_limits() {
    assert!(code(&nested("a", 12)).is_none());
    assert!(is_too_complex(&nested("a", 13)));
    let spread = |levels| format!("{{ ...F }} fragment F on Query {}", nested("a", levels));
    assert!(code(&spread(12)).is_none());
    assert!(is_too_complex(&spread(13)));
    let aliases = |n: usize| format!("{{ {} }}", (0..n).map(|i| format!("a{i}: b ")).collect::<String>());
    assert!(code(&aliases(30)).is_none());
    assert!(is_too_complex(&aliases(31)));
    let directives = |n: usize| format!("{{ a {} }}", "@b ".repeat(n));
    assert!(code(&directives(20)).is_none());
    assert!(is_too_complex(&directives(21)));
    let mutation = |n: usize| format!("mutation {{ {} ...F }} fragment F on Mutation {{ a }}", "a ".repeat(n));
    assert!(code(&mutation(9)).is_none());
    assert!(is_too_complex(&mutation(10)));
}

#[test]
fn introspection_may_go_deeper_but_not_multiply() {
    let inner = |levels: usize| format!("{{ __schema {} }}", nested("ofType", levels));
    assert!(code(&inner(19)).is_none());
    assert!(is_too_complex(&inner(20)));
    // What lies beside introspection may not go deeper for it.
    assert!(is_too_complex(&format!("{{ __schema {} viewer {} }}", nested("ofType", 2), nested("a", 12))));
    let multiplied = |levels: usize| {
        format!("{{ __type {}{} }}", "{ fields { type ".repeat(levels), "{ name }".to_owned() + &"}}".repeat(levels))
    };
    assert!(code(&multiplied(3)).is_none());
    assert!(is_too_complex(&multiplied(4)));
    let mixed = |inner: &str| {
        format!("{{ __schema {{ types {{ interfaces {{ possibleTypes {{ fields {{ type {{ {inner} }} }} }} }} }} }} }}")
    };
    assert!(code(&mixed("name")).is_none());
    assert!(is_too_complex(&mixed("inputFields { name }")));
}

#[test]
fn chains_of_fragments_do_not_multiply_by_operations() {
    let chains = |operations: usize, length: usize| {
        let all: String = (0..operations).map(|n| format!("query Q{n} {{ ...F0 }} ")).collect();
        let links: String = (0..length).map(|n| format!("fragment F{n} on Query {{ ...F{} }} ", n + 1)).collect();
        format!("{all}{links}fragment F{length} on Query {{ a }}")
    };
    // 1 + 2 + … + 41 = 861 for each.
    assert!(code(&chains(58, 40)).is_none());
    assert!(is_too_complex(&chains(59, 40)));
    assert!(code(&chains(300, 5)).is_none());
}

#[test]
fn a_chain_of_fragments_is_bounded() {
    let chain = |length: usize| {
        let mut source = "{ ...F0 }".to_owned();
        for n in 0..length {
            write!(source, " fragment F{n} on Query {{ ...F{m} }}", m = n + 1).expect("a string takes all");
        }
        source + &format!(" fragment F{length} on Query {{ a }}")
    };
    assert!(code(&chain(40)).is_none());
    assert!(is_too_complex(&chain(100)));
}
