//! A document, read with care: its size and its tokens are looked at before it is parsed, what it costs with all
//! fragments spread out before anything spreads them, and then it is validated. All this depends on its text alone, and
//! is remembered.

use std::sync::Arc;

use apollo_compiler::ast;
use apollo_compiler::executable::{self, ExecutableDocument, Field, OperationType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use async_graphql::ServerError;

use super::collect::{Collect, Conditions};
use super::plan::Plans;
use super::position::Positions;
use super::problems::{Problem, Problems};
use super::{cost, merging, syntax, tokens, values, weight};
use crate::graphql::code::{Code, coded};

/// A document within the limits, whose operations can be looked at. It need not be valid.
pub struct Document {
    schema: Arc<Valid<Schema>>,
    positions: Positions,
    /// The document, or what is wrong with it.
    tree: Result<Valid<ExecutableDocument>, Box<[Problem]>>,
    operations: Box<[Outline]>,
    /// What it takes in memory.
    bytes: usize,
}

/// What is known of an operation.
pub(super) struct Outline {
    pub(super) name: Option<Name>,
    pub(super) kind: OperationKind,
    /// Whether it selects a field that the schema defines at the root: all these are about the viewer.
    pub(super) is_personal: bool,
    /// Whether it selects `__schema` or `__type`.
    pub(super) introspects: bool,
    /// What it comes to where the document is valid.
    pub(super) valid: Option<Ready>,
}

/// What is known of an operation of a valid document.
pub(super) struct Ready {
    pub(super) node: Node<executable::Operation>,
    /// The fields at its root, each response key once.
    pub(super) roots: Box<[Node<Field>]>,
    /// Variables that must not be null, although their types allow it.
    pub(super) not_null: Box<[Name]>,
    /// How it goes the fast path.
    pub(super) plans: Option<Plans>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// It reads.
    Query,
    /// It writes.
    Mutation,
    /// It follows.
    Subscription,
}

/// One of a document's operations.
#[derive(Clone, Copy)]
pub struct Operation<'d> {
    /// The document that it stands in.
    pub document: &'d Arc<Document>,
    pub(super) outline: &'d Outline,
    /// What it does.
    pub kind: OperationKind,
    /// Its name, where it has one.
    pub name: Option<&'d str>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// `GRAPHQL_PARSE_FAILED`; `QUERY_TOO_COMPLEX`; `GRAPHQL_VALIDATION_FAILED` where it has no operation, or a fragment
    /// that contains itself. Whatever else is wrong with it is remembered as its problems.
    pub(super) fn read(schema: &Arc<Valid<Schema>>, source: &str) -> Result<Self, ServerError> {
        let tokens = tokens::read(source)?;
        let positions = Positions::new(source);
        let parsed = syntax::parse(tokens, &positions)?;
        cost::check(&parsed, &positions)?;
        let is_operation = |definition: &ast::Definition| definition.as_operation_definition().is_some();
        if !parsed.definitions.iter().any(is_operation) {
            let message = "The document has no operation, only fragments.";
            return Err(coded(Code::ValidationFailed, message, Some(positions.at(0))));
        }
        let mut problems = Problems::default();
        let (tree, not_null) = validate(schema, &parsed, &positions, &mut problems);
        let reading = Reading { schema, tree: &tree, positions: &positions, is_valid: problems.is_empty() };
        let operations = tree.operations.iter().zip(not_null).map(|(node, not_null)| reading.outline(node, not_null));
        let operations = operations.collect();
        let tree = if problems.is_empty() { Ok(tree) } else { Err(problems.finish()) };
        let mut document = Self { schema: Arc::clone(schema), positions, tree, operations, bytes: 0 };
        document.bytes = document.weight();
        Ok(document)
    }

    /// The document, if nothing is wrong with it.
    ///
    /// # Errors
    /// The first problem.
    pub(super) fn sound(self) -> Result<Self, ServerError> {
        self.problems().first().map(ServerError::from).map_or(Ok(self), Err)
    }

    /// The operation to run: the one of that name, or the only one.
    ///
    /// # Errors
    /// `GRAPHQL_VALIDATION_FAILED` where that cannot be told.
    pub fn operation(self: &Arc<Self>, name: Option<&str>) -> Result<Operation<'_>, ServerError> {
        let outline = match (name, &*self.operations) {
            (None, [only]) => only,
            (None, _) => {
                let message = "The document has several operations; say in operationName which one to run.";
                return Err(coded(Code::ValidationFailed, message, None));
            }
            (Some(name), all) => {
                all.iter().find(|op| op.name.as_ref().is_some_and(|of| of == name)).ok_or_else(|| {
                    coded(Code::ValidationFailed, format!("The document has no operation named '{name}'."), None)
                })?
            }
        };
        let name = outline.name.as_ref().map(Name::as_str);
        Ok(Operation { document: self, outline, kind: outline.kind, name })
    }

    /// What is wrong with it against the schema; nothing where it is valid.
    pub(super) fn problems(&self) -> &[Problem] {
        self.tree.as_ref().err().map_or(&[], |problems| problems)
    }

    /// The document, where it is valid.
    pub(super) fn tree(&self) -> Option<&Valid<ExecutableDocument>> {
        self.tree.as_ref().ok()
    }

    /// What it was validated against.
    pub(super) fn schema(&self) -> &Valid<Schema> {
        &self.schema
    }

    /// The places in its text.
    pub(super) fn positions(&self) -> &Positions {
        &self.positions
    }

    /// All that it takes in memory.
    fn weight(&self) -> usize {
        let problems = self.problems().iter().map(|problem| weight::block(problem.bytes())).sum::<usize>();
        let lists = weight::block(size_of_val(self.problems())) + weight::block(size_of_val(&*self.operations));
        let own = weight::block(weight::SHARED_BYTES + size_of::<Self>()) + weight::block(self.positions.bytes());
        let operations = self.operations.iter().filter_map(|outline| outline.valid.as_ref()).map(Ready::weight);
        own + lists + problems + operations.sum::<usize>() + self.tree().map_or(0, |tree| weight::tree(tree))
    }

    /// What it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Ready {
    /// What it takes in memory, but for the tree.
    fn weight(&self) -> usize {
        let plans = self.plans.as_ref().map_or(0, Plans::bytes);
        weight::block(size_of_val(&*self.roots)) + weight::block(size_of_val(&*self.not_null)) + plans
    }
}

impl OperationKind {
    /// The keyword.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

impl From<OperationType> for OperationKind {
    fn from(kind: OperationType) -> Self {
        match kind {
            OperationType::Query => Self::Query,
            OperationType::Mutation => Self::Mutation,
            OperationType::Subscription => Self::Subscription,
        }
    }
}

/// Validates a document. What is wrong goes to `problems`; of a document that is not valid comes back what can be made of
/// it. With it come, for each operation, the variables that must not be null although their types allow it.
fn validate(
    schema: &Valid<Schema>,
    parsed: &ast::Document,
    positions: &Positions,
    problems: &mut Problems,
) -> (Valid<ExecutableDocument>, Vec<Vec<Name>>) {
    let (mut tree, found) = match parsed.to_executable_validate(schema) {
        Ok(tree) => (tree.into_inner(), None),
        Err(failed) => (failed.partial, Some(failed.errors)),
    };
    // The text is remembered with its places.
    tree.sources = Arc::default();
    let tree = Valid::assume_valid(tree);
    if let Some(found) = found {
        problems.add_all(&found, Collect { schema, tree: &tree, conditions: Conditions::Ignored }, positions);
    }
    let operations = tree.operations.iter();
    let not_null = operations.map(|operation| values::check(schema, &tree, operation, positions, problems)).collect();
    if problems.is_empty() && merging::is_needed(&tree) {
        for operation in tree.operations.iter() {
            merging::check(schema, &tree, operation, positions, problems);
        }
    }
    (tree, not_null)
}

/// A document that was validated.
struct Reading<'d> {
    schema: &'d Valid<Schema>,
    tree: &'d Valid<ExecutableDocument>,
    positions: &'d Positions,
    is_valid: bool,
}

impl<'d> Reading<'d> {
    fn collect(&self, conditions: Conditions<'d>) -> Collect<'d> {
        Collect { schema: self.schema, tree: self.tree, conditions }
    }

    fn outline(&self, node: &'d Node<executable::Operation>, not_null: Vec<Name>) -> Outline {
        let roots = self.collect(Conditions::Ignored).fields([&node.selection_set]);
        let own = self.schema.get_object(node.object_type());
        let is_personal = roots.iter().any(|field| own.is_some_and(|own| own.fields.contains_key(&field[0].name)));
        let introspects = roots.iter().any(|field| matches!(field[0].name.as_str(), "__schema" | "__type"));
        let ready = || Ready {
            node: node.clone(),
            not_null: not_null.into(),
            plans: (is_personal || !introspects).then(|| self.plans(node)),
            roots: roots.iter().map(|field| field[0].clone()).collect(),
        };
        Outline {
            name: node.name.clone(),
            kind: node.operation_type.into(),
            is_personal,
            introspects,
            valid: self.is_valid.then(ready),
        }
    }

    fn plans(&self, node: &'d Node<executable::Operation>) -> Plans {
        Plans::new(node, self.collect(Conditions::Ignored), self.positions)
    }
}
