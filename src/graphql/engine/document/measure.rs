//! How large a document is with all fragments spread out. Fragments that each hold the next one twice double at every
//! step: 916 bytes cost the validator seconds. Each fragment is reckoned once, then multiplied.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, FragmentDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, ServerError};

use super::{Measured, too_complex};
use crate::graphql::code::{Code, coded};
use crate::graphql::engine::prepared::prepare;

/// Most fields of a document, fragments spread out.
const MAX_FIELDS: usize = 2_000;
/// Most selections of a document, fragments among them: what walking it costs.
const MAX_SELECTIONS: usize = 10_000;
/// Most selections within each other, fragments among them. The validator recurses this deep.
pub(in crate::graphql) const MAX_SELECTION_NESTING: usize = 64;
/// Most fields within each other.
const MAX_DEPTH: usize = 12;
/// The same under `__schema` and `__type`: tools ask for types nine deep.
const MAX_INTROSPECTION_DEPTH: usize = 20;
/// Fields of the introspection schema that lead back to types, and so multiply.
const MULTIPLYING: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];
/// How many of them may lie within each other.
const MAX_MULTIPLYING: usize = 3;
const MAX_ALIASES: usize = 30;
const MAX_DIRECTIVES: usize = 20;
const MAX_MUTATION_FIELDS: usize = 10;

type Result<T> = std::result::Result<T, ServerError>;

/// Checks the limits, looks at each operation's root, and counts the selections that are written.
pub(super) fn measure(document: &ExecutableDocument) -> Result<(Vec<Measured>, usize)> {
    let written = check_written(document)?;
    let mut sizes = Sizes { fragments: &document.fragments, known: HashMap::new() };
    for name in document.fragments.keys() {
        sizes.of_fragment(name, 0)?;
    }
    let walk = Walk { fragments: &document.fragments };
    let mut measured = Vec::new();
    let mut all = Size::default();
    for (name, operation) in document.operations.iter() {
        let set = &operation.node.selection_set.node;
        let size = sizes.of(set, 0)?;
        // Validation walks every operation, whichever is run.
        all.fields = all.fields.saturating_add(size.fields);
        all.selections = all.selections.saturating_add(size.selections);
        if all.fields > MAX_FIELDS || all.selections > MAX_SELECTIONS {
            let message = format!("With its fragments spread out the document selects more than {MAX_FIELDS} fields.");
            return Err(too_complex(message, Some(operation.pos)));
        }
        let mut roots = Vec::new();
        walk.roots(set, &mut roots);
        if operation.node.ty == OperationType::Mutation && roots.len() > MAX_MUTATION_FIELDS {
            let message = format!("A mutation has at most {MAX_MUTATION_FIELDS} fields at its root.");
            return Err(too_complex(message, Some(operation.pos)));
        }
        walk.check_depth(set, Depth::default())?;
        let lists = roots.iter().filter(|field| field.node.name.node == "tasks");
        let mut fields_of_lists = Vec::new();
        lists.for_each(|list| walk.roots(&list.node.selection_set.node, &mut fields_of_lists));
        measured.push(Measured {
            needs_sync_token: fields_of_lists.iter().any(|field| field.node.name.node == "syncToken"),
            name: name.map(ToString::to_string),
            kind: operation.node.ty.into(),
            variables: operation.node.variable_definitions.clone(),
            roots,
            prepared: prepare(document, &operation.node),
        });
    }
    Ok((measured, written.selections))
}

/// Aliases and directives, as they are written.
fn check_written(document: &ExecutableDocument) -> Result<Written> {
    let mut written = Written::default();
    for (_, operation) in document.operations.iter() {
        let definition = &operation.node;
        written.add_directives(&definition.directives);
        for variable in &definition.variable_definitions {
            written.add_directives(&variable.node.directives);
        }
        written.add(&definition.selection_set.node);
    }
    for fragment in document.fragments.values() {
        written.add_directives(&fragment.node.directives);
        written.add(&fragment.node.selection_set.node);
    }
    if written.aliases > MAX_ALIASES {
        return Err(too_complex(
            format!("The document has {} aliases; the limit is {MAX_ALIASES}.", written.aliases),
            None,
        ));
    }
    if written.directives > MAX_DIRECTIVES {
        let message = format!("The document has {} directives; the limit is {MAX_DIRECTIVES}.", written.directives);
        return Err(too_complex(message, None));
    }
    Ok(written)
}

#[derive(Default)]
struct Written {
    selections: usize,
    aliases: usize,
    directives: usize,
}

impl Written {
    fn add(&mut self, set: &SelectionSet) {
        for selection in &set.items {
            self.selections += 1;
            self.add_directives(selection.node.directives());
            match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.add(&field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => self.add(&fragment.node.selection_set.node),
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn add_directives(&mut self, directives: &[Positioned<Directive>]) {
        self.directives += directives.len();
    }
}

/// What a selection set comes to, spread out.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: usize,
    selections: usize,
    /// Selections within each other.
    nesting: usize,
}

struct Sizes<'d> {
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    /// Nothing yet for a fragment that is being reckoned: to meet it then is a cycle.
    known: HashMap<&'d str, Option<Size>>,
}

impl<'d> Sizes<'d> {
    fn of(&mut self, set: &'d SelectionSet, nesting: usize) -> Result<Size> {
        if nesting > MAX_SELECTION_NESTING {
            return Err(nested_too_deep(None));
        }
        let mut size = Size::default();
        for selection in &set.items {
            let (inner, fields) = match &selection.node {
                Selection::Field(field) => (self.of(&field.node.selection_set.node, nesting + 1)?, 1),
                Selection::InlineFragment(fragment) => (self.of(&fragment.node.selection_set.node, nesting + 1)?, 0),
                Selection::FragmentSpread(spread) => {
                    (self.of_fragment(&spread.node.fragment_name.node, nesting + 1)?, 0)
                }
            };
            size.fields = size.fields.saturating_add(inner.fields).saturating_add(fields);
            size.selections = size.selections.saturating_add(inner.selections).saturating_add(1);
            size.nesting = size.nesting.max(inner.nesting + 1);
        }
        if nesting + size.nesting > MAX_SELECTION_NESTING {
            return Err(nested_too_deep(None));
        }
        Ok(size)
    }

    /// A fragment that there is not has no size; validation names it.
    fn of_fragment(&mut self, name: &str, nesting: usize) -> Result<Size> {
        let Some((name, fragment)) = self.fragments.get_key_value(name) else { return Ok(Size::default()) };
        match self.known.get(name.as_str()) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                let message = format!("Fragment '{name}' contains itself.");
                return Err(coded(Code::ValidationFailed, message, Some(fragment.pos)));
            }
            None => {}
        }
        self.known.insert(name, None);
        let size = self.of(&fragment.node.selection_set.node, nesting)?;
        if size.fields > MAX_FIELDS || size.selections > MAX_SELECTIONS {
            let message = format!("With all fragments spread out '{name}' selects more than {MAX_FIELDS} fields.");
            return Err(too_complex(message, Some(fragment.pos)));
        }
        self.known.insert(name, Some(size));
        Ok(size)
    }
}

/// Walks operations whose size is known to be bounded.
struct Walk<'d> {
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
}

/// How deep a selection lies.
#[derive(Clone, Copy, Default)]
struct Depth {
    fields: usize,
    is_introspection: bool,
    multiplying: usize,
}

impl Walk<'_> {
    fn set_of<'s>(&'s self, selection: &'s Selection) -> Option<&'s SelectionSet> {
        match selection {
            Selection::Field(_) => None,
            Selection::InlineFragment(fragment) => Some(&fragment.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                self.fragments.get(&spread.node.fragment_name.node).map(|found| &found.node.selection_set.node)
            }
        }
    }

    /// The fields of a set, fragments spread out.
    fn roots(&self, set: &SelectionSet, roots: &mut Vec<Positioned<Field>>) {
        for selection in &set.items {
            if let Selection::Field(field) = &selection.node {
                roots.push(field.clone());
            } else if let Some(set) = self.set_of(&selection.node) {
                self.roots(set, roots);
            }
        }
    }

    fn check_depth(&self, set: &SelectionSet, outer: Depth) -> Result<()> {
        for selection in &set.items {
            if let Selection::Field(field) = &selection.node {
                self.check_depth(&field.node.selection_set.node, outer.within(field)?)?;
            } else if let Some(set) = self.set_of(&selection.node) {
                self.check_depth(set, outer)?;
            }
        }
        Ok(())
    }
}

impl Depth {
    /// The depth within `field`.
    fn within(mut self, field: &Positioned<Field>) -> Result<Self> {
        let name = field.node.name.node.as_str();
        self.is_introspection |= matches!(name, "__schema" | "__type");
        self.fields += 1;
        let limit = if self.is_introspection { MAX_INTROSPECTION_DEPTH } else { MAX_DEPTH };
        if self.fields > limit {
            return Err(too_complex(format!("Fields lie more than {limit} deep."), Some(field.pos)));
        }
        if self.is_introspection && MULTIPLYING.contains(&name) {
            self.multiplying += 1;
            if self.multiplying > MAX_MULTIPLYING {
                let message =
                    format!("More than {MAX_MULTIPLYING} of {} lie within each other.", MULTIPLYING.join(", "));
                return Err(too_complex(message, Some(field.pos)));
            }
        }
        Ok(self)
    }
}

fn nested_too_deep(pos: Option<Pos>) -> ServerError {
    too_complex(format!("Fields and fragments lie more than {MAX_SELECTION_NESTING} deep within each other."), pos)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;
    use std::time::{Duration, Instant};

    use async_graphql::Value;

    use super::super::Document;

    fn code(source: &str) -> Option<String> {
        let error = Document::read(source).err()?;
        match error.extensions?.get("code") {
            Some(Value::String(code)) => Some(code.clone()),
            other => panic!("no code: {other:?}"),
        }
    }

    fn is_too_complex(source: &str) -> bool {
        code(source).as_deref() == Some("QUERY_TOO_COMPLEX")
    }

    fn nested(field: &str, levels: usize) -> String {
        format!("{}{}", format!("{{ {field} ").repeat(levels), "}".repeat(levels))
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
            assert_eq!(code(source).as_deref(), Some("GRAPHQL_VALIDATION_FAILED"), "{source}");
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
    fn depth_aliases_directives_and_mutation_fields_have_limits() {
        assert!(code(&nested("a", 12)).is_none());
        assert!(is_too_complex(&nested("a", 13)));
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
        let multiplied = |levels: usize| {
            format!(
                "{{ __type {}{} }}",
                "{ fields { type ".repeat(levels),
                "{ name }".to_owned() + &"}}".repeat(levels)
            )
        };
        assert!(code(&multiplied(3)).is_none());
        assert!(is_too_complex(&multiplied(4)));
        let mixed = |inner: &str| {
            format!(
                "{{ __schema {{ types {{ interfaces {{ possibleTypes {{ fields {{ type {{ {inner} }} }} }} }} }} }} }}"
            )
        };
        assert!(code(&mixed("name")).is_none());
        assert!(is_too_complex(&mixed("inputFields { name }")));
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
}
