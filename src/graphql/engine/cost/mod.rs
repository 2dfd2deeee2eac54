//! What a document costs with all its fragments spread out. Fragments that each hold the next one twice double at every
//! step, so each is looked at once, then multiplied; what is refused here was never spread out.

use std::collections::HashMap;

use apollo_compiler::Node;
use apollo_compiler::ast::{
    Argument, Definition, Directive, Document, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
};
use async_graphql::ServerError;

use super::position::Positions;
use crate::graphql::code::{Code, coded};

/// Most fields of a document, fragments spread out.
const MAX_FIELDS: usize = 2_000;
/// Most selections of a document, fragments among them: what walking it costs.
const MAX_SELECTIONS: usize = 10_000;
/// Most selections of a document, each counted once for every fragment around it: what looking for fragments that contain
/// themselves costs.
const MAX_ENCLOSED: usize = 50_000;
/// Most bytes of arguments, as they are written, fragments spread out: what comparing and checking them costs.
const MAX_ARGUMENT_BYTES: usize = 64 * 1024;
/// Most selections within each other, fragments among them. Whatever walks a document recurses this deep.
pub(super) const MAX_SELECTION_NESTING: usize = 64;
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

/// Checks a document against the limits. It need not be valid.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`; `GRAPHQL_VALIDATION_FAILED` where a fragment contains itself.
pub(super) fn check(document: &Document, positions: &Positions) -> Result<()> {
    check_written(document)?;
    let mut costs = Costs { fragments: HashMap::new(), known: HashMap::new(), positions };
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition {
            costs.fragments.entry(fragment.name.as_str()).or_insert(fragment);
        }
    }
    // Validation walks every operation and fragment, whichever is run.
    let mut all = Cost::default();
    for definition in &document.definitions {
        match definition {
            Definition::FragmentDefinition(fragment) => _ = costs.of_fragment(&fragment.name, 0)?,
            Definition::OperationDefinition(operation) => {
                let cost = costs.of_operation(operation)?;
                all.add(cost);
                all.check_size().map_err(|what| too_complex(what, positions, operation))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Aliases and directives, as they are written.
fn check_written(document: &Document) -> Result<()> {
    let mut written = Written::default();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                written.directives += operation.directives.len();
                written.directives +=
                    operation.variables.iter().map(|variable| variable.directives.len()).sum::<usize>();
                written.add(&operation.selection_set);
            }
            Definition::FragmentDefinition(fragment) => {
                written.directives += fragment.directives.len();
                written.add(&fragment.selection_set);
            }
            _ => {}
        }
    }
    let refused = |what: &str, count, limit| {
        Err(coded(Code::QueryTooComplex, format!("The document has {count} {what}; the limit is {limit}."), None))
    };
    match written {
        Written { aliases, .. } if aliases > MAX_ALIASES => refused("aliases", aliases, MAX_ALIASES),
        Written { directives, .. } if directives > MAX_DIRECTIVES => refused("directives", directives, MAX_DIRECTIVES),
        _ => Ok(()),
    }
}

#[derive(Default)]
struct Written {
    aliases: usize,
    directives: usize,
}

impl Written {
    fn add(&mut self, selections: &[Selection]) {
        for selection in selections {
            self.directives += directives(selection).len();
            match selection {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.alias.is_some());
                    self.add(&field.selection_set);
                }
                Selection::InlineFragment(fragment) => self.add(&fragment.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}

/// What a selection set comes to, spread out.
#[derive(Clone, Copy, Default)]
struct Cost {
    fields: usize,
    /// Those that are no other field's.
    root_fields: usize,
    selections: usize,
    /// Selections, each once for every fragment around it.
    enclosed: usize,
    argument_bytes: usize,
    /// Selections within each other.
    nesting: usize,
    outside: Depth,
    /// Under `__schema` and `__type`, the fields above them included.
    introspection: Depth,
}

/// How deep fields lie within each other.
#[derive(Clone, Copy, Default)]
struct Depth {
    fields: usize,
    /// Those among them that multiply.
    multiplying: usize,
}

impl Depth {
    fn max(self, other: Self) -> Self {
        Self { fields: self.fields.max(other.fields), multiplying: self.multiplying.max(other.multiplying) }
    }

    fn within(self, field: &Field) -> Self {
        let multiplying = self.multiplying + usize::from(MULTIPLYING.contains(&field.name.as_str()));
        Self { fields: self.fields + 1, multiplying }
    }
}

impl Cost {
    /// The cost of both, one beside the other.
    fn add(&mut self, other: Self) {
        *self = Self {
            fields: self.fields.saturating_add(other.fields),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            selections: self.selections.saturating_add(other.selections),
            enclosed: self.enclosed.saturating_add(other.enclosed),
            argument_bytes: self.argument_bytes.saturating_add(other.argument_bytes),
            nesting: self.nesting.max(other.nesting),
            outside: self.outside.max(other.outside),
            introspection: self.introspection.max(other.introspection),
        };
    }

    /// The cost of a field that has `self` within it.
    fn within_field(self, field: &Field) -> Self {
        let is_introspection = matches!(field.name.as_str(), "__schema" | "__type");
        // Beside them, no path through introspection has a length yet.
        let introspection = match (is_introspection, self.introspection.fields) {
            (true, _) => self.outside.max(self.introspection).within(field),
            (false, 0) => Depth::default(),
            (false, _) => self.introspection.within(field),
        };
        let outside = if is_introspection { Depth::default() } else { self.outside.within(field) };
        Self {
            fields: self.fields.saturating_add(1),
            root_fields: 1,
            argument_bytes: self.argument_bytes.saturating_add(bytes_of(&field.arguments)),
            outside,
            introspection,
            ..self
        }
    }

    /// What is too much of it, wherever it stands.
    fn check_size(self) -> std::result::Result<(), String> {
        if self.fields > MAX_FIELDS || self.selections > MAX_SELECTIONS {
            Err(format!("With its fragments spread out the document selects more than {MAX_FIELDS} fields."))
        } else if self.enclosed > MAX_ENCLOSED {
            Err(format!(
                "Fragments within fragments hold more than {MAX_ENCLOSED} selections, each counted for all of them."
            ))
        } else if self.argument_bytes > MAX_ARGUMENT_BYTES {
            Err(format!(
                "With its fragments spread out the document has more than {MAX_ARGUMENT_BYTES} bytes of arguments."
            ))
        } else {
            Ok(())
        }
    }

    /// What is too deep in it, where it is an operation's.
    fn check_depth(self) -> std::result::Result<(), String> {
        if self.outside.fields > MAX_DEPTH {
            Err(format!("Fields lie more than {MAX_DEPTH} deep."))
        } else if self.introspection.fields > MAX_INTROSPECTION_DEPTH {
            Err(format!("Fields lie more than {MAX_INTROSPECTION_DEPTH} deep."))
        } else if self.introspection.multiplying > MAX_MULTIPLYING {
            Err(format!("More than {MAX_MULTIPLYING} of {} lie within each other.", MULTIPLYING.join(", ")))
        } else {
            Ok(())
        }
    }
}

struct Costs<'d> {
    fragments: HashMap<&'d str, &'d Node<FragmentDefinition>>,
    /// Nothing yet for a fragment that is being looked at: to meet it then is a cycle.
    known: HashMap<&'d str, Option<Cost>>,
    positions: &'d Positions,
}

impl<'d> Costs<'d> {
    fn of_operation(&mut self, operation: &'d Node<OperationDefinition>) -> Result<Cost> {
        let mut cost = self.of(&operation.selection_set, 0)?;
        cost.argument_bytes = cost.argument_bytes.saturating_add(bytes_of_directives(&operation.directives));
        let refused = |what| too_complex(what, self.positions, operation);
        cost.check_depth().map_err(refused)?;
        if operation.operation_type == OperationType::Mutation && cost.root_fields > MAX_MUTATION_FIELDS {
            return Err(refused(format!("A mutation has at most {MAX_MUTATION_FIELDS} fields at its root.")));
        }
        Ok(cost)
    }

    fn of(&mut self, selections: &'d [Selection], nesting: usize) -> Result<Cost> {
        if nesting > MAX_SELECTION_NESTING {
            return Err(nested_too_deep());
        }
        let mut sum = Cost::default();
        for selection in selections {
            let mut cost = match selection {
                Selection::Field(field) => self.of(&field.selection_set, nesting + 1)?.within_field(field),
                Selection::InlineFragment(fragment) => self.of(&fragment.selection_set, nesting + 1)?,
                Selection::FragmentSpread(spread) => self.of_fragment(&spread.fragment_name, nesting + 1)?,
            };
            cost.selections = cost.selections.saturating_add(1);
            cost.nesting += 1;
            cost.argument_bytes = cost.argument_bytes.saturating_add(bytes_of_directives(directives(selection)));
            sum.add(cost);
        }
        if nesting + sum.nesting > MAX_SELECTION_NESTING {
            return Err(nested_too_deep());
        }
        Ok(sum)
    }

    /// A fragment that there is not costs nothing; validation names it.
    fn of_fragment(&mut self, name: &str, nesting: usize) -> Result<Cost> {
        let Some((name, fragment)) = self.fragments.get_key_value(name).map(|(name, fragment)| (*name, *fragment))
        else {
            return Ok(Cost::default());
        };
        match self.known.get(name) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => {
                let message = format!("Fragment '{name}' contains itself.");
                let pos = self.positions.of(fragment.location());
                return Err(coded(Code::ValidationFailed, message, Some(pos)));
            }
            None => {}
        }
        self.known.insert(name, None);
        let mut cost = self.of(&fragment.selection_set, nesting)?;
        cost.enclosed = cost.enclosed.saturating_add(cost.selections);
        cost.argument_bytes = cost.argument_bytes.saturating_add(bytes_of_directives(&fragment.directives));
        cost.check_size().map_err(|what| too_complex(what, self.positions, fragment))?;
        self.known.insert(name, Some(cost));
        Ok(cost)
    }
}

fn directives(selection: &Selection) -> &[Node<Directive>] {
    match selection {
        Selection::Field(field) => &field.directives,
        Selection::InlineFragment(fragment) => &fragment.directives,
        Selection::FragmentSpread(spread) => &spread.directives,
    }
}

fn bytes_of(arguments: &[Node<Argument>]) -> usize {
    arguments.iter().filter_map(Node::location).map(|location| location.node_len()).sum()
}

fn bytes_of_directives(directives: &[Node<Directive>]) -> usize {
    directives.iter().map(|directive| bytes_of(&directive.arguments)).sum()
}

fn too_complex<T>(message: impl Into<String>, positions: &Positions, at: &Node<T>) -> ServerError {
    coded(Code::QueryTooComplex, message, Some(positions.of(at.location())))
}

fn nested_too_deep() -> ServerError {
    let message = format!("Fields and fragments lie more than {MAX_SELECTION_NESTING} deep within each other.");
    coded(Code::QueryTooComplex, message, None)
}

#[cfg(test)]
mod tests;
