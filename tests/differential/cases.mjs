// Documents on which taskql has differed from the specification, with their variants: what is right, whatever
// graphql-js says. `place` is where the first error is; `refuses` a code; what has neither is accepted.

const PARSE = 'GRAPHQL_PARSE_FAILED';
const VALIDATION = 'GRAPHQL_VALIDATION_FAILED';
const at = (line, column) => ({ line, column });

/** One case each: a document with what is right, or several requests in a row. */
export const CASES = [
  // Defaults of variables are checked before anything runs (5.6.1).
  ...[
    ['Int', '2147483648', 'toggleTask(id: "x", expectedVersion: $v)'],
    ['Int', '1.0', 'toggleTask(id: "x", expectedVersion: $v)'],
    ['Int', '"1"', 'toggleTask(id: "x", expectedVersion: $v)'],
    ['UpdateTaskInput', 'true', 'updateTask(id: "x", input: $v)'],
    ['UpdateTaskInput!', '{title: 1}', 'updateTask(id: "x", input: $v)'],
    ['UpdateTaskInput!', '{unknown: 1}', 'updateTask(id: "x", input: $v)'],
    ['UpdateTaskInput!', '{title: "a", title: "b"}', 'updateTask(id: "x", input: $v)'],
    ['DateTime', '"2026-02-30T00:00:00Z"', 'updateTask(id: "x", input: {dueDate: $v})'],
    ['DateTime', '1', 'updateTask(id: "x", input: {dueDate: $v})'],
    ['TaskPriority', 'low', 'updateTask(id: "x", input: {priority: $v})'],
    ['TaskPriority', '"LOW"', 'updateTask(id: "x", input: {priority: $v})'],
    ['Boolean!', 'null', 'updateTask(id: "x", input: {completed: $v})'],
    ['ID!', '1.5', 'updateTask(id: $v, input: {})'],
  ].map(([type, preset, field]) => ({
    name: 'defaults',
    document: `mutation($v: ${type} = ${preset}) {
      a: createTask(input: {title: "w"}) { task { id } } b: ${field} { task { id } }
    }`,
    refuses: VALIDATION,
  })),

  // An unknown input field is refused, whatever was sent before (5.6.2).
  ...[
    'mutation M($t: DateTime) { createTask(input: {title: "y", duedate: $t}) { task { dueDate } } }',
    'mutation M($t: DateTime) { createTask(input: {title: "y", dueDate: $t, duedate: $t}) { task { dueDate } } }',
    `mutation M($t: DateTime) {
      createTask(input: {title: "y"}) { task { id } } updateTask(id: "x", input: {unknown: $t}) { task { id } }
    }`,
  ].map((document) => ({
    name: 'input fields',
    document,
    inTurn: [{ t: '2026-11-20T13:14:15Z' }, {}, { t: null }, { t: '2026-11-20T13:14:15Z' }],
    refuses: VALIDATION,
  })),

  // Variables in directives of __typename are used, and have to be defined (5.8.3, 5.8.4).
  {
    name: '__typename',
    document: 'query($a: Boolean!) { viewer { __typename @skip(if: $a) } }',
    variables: { a: true },
  },
  { name: '__typename', document: 'query($a: Boolean!) { __typename @include(if: $a) }', variables: { a: false } },
  {
    name: '__typename',
    document: 'query($a: Boolean! = true) { nodes(ids: []) { x: __typename @skip(if: $a) @include(if: $a) } }',
  },
  { name: '__typename', document: '{ __typename @skip(if: $undefined) }', refuses: VALIDATION },
  { name: '__typename', document: 'query($a: Int) { __typename @skip(if: $a) }', refuses: VALIDATION },
  {
    name: '__typename',
    document: 'query { ...F } fragment F on Query { viewer { __typename @include(if: $no) } }',
    refuses: VALIDATION,
  },

  // Introspection fields are fields.
  ...[
    'query($v: Int) { __type(name: $v) { name } }',
    'query($v: String) { __type(name: $v) { name } }',
    '{ __type(name: "Task") { x: name ... on __Type { x: kind } } }',
    '{ __type(name: "Task") { __typename @unknown } }',
    '{ __typename @skip }',
    '{ __typename @skip(if: true) @skip(if: true) }',
    '{ __typename(x: 1) }',
    '{ __typename { x } }',
    '{ viewer { __typename: id, __typename } }',
    '{ __schema }',
    '{ __schema { nothing } }',
    '{ __schema(x: 1) { __typename } }',
    '{ __type { name } }',
    '{ __type(name: 1) { name } }',
    '{ __type(name: "Task") { fields(includeDeprecated: "yes") { name } } }',
    '{ __type(name: "Task") { kind { x } } }',
    '{ __schema { types { ... on Task { id } } } }',
    '{ viewer { __schema { __typename } } }',
    'mutation { __schema { __typename } }',
    'subscription { __typename }',
    'subscription { __schema { __typename } }',
  ].map((document) => ({ name: 'introspection', document, refuses: VALIDATION })),
  {
    name: 'introspection',
    document: 'query($v: String!) { __type(name: $v) { x: name ... on __Type { x: name } } }',
    variables: { v: 'Task' },
  },
  { name: 'introspection', document: 'mutation { __typename }' },

  // White space and comments may stand between any two tokens.
  { name: 'white space', document: 'query($a: [\nID!\n]!) { nodes(ids: $a) { id } }', variables: { a: [] } },
  { name: 'white space', document: 'query($a: [ ID ! ] !) { nodes(ids: $a) { id } }', variables: { a: [] } },
  {
    name: 'white space',
    document: 'query($a#\n:#\n[#\nID#\n!#\n]#\n!#\n)#\n{#\nnodes#\n(#\nids#\n:#\n$#\na#\n)#\n{#\nid#\n}#\n}#',
    variables: { a: [] },
  },
  { name: 'white space', document: '{ node(id: "x") { ... on # a comment\n Task { id } } }' },
  {
    name: 'white space',
    document: '{ node(id: "x") { ...#\non#\nTask#\n@#\nskip#\n(#\nif#\n:#\ntrue#\n)#\n{ id } } }',
  },
  { name: 'white space', document: '{ node(id: "x") { ... F } } fragment#\nF#\non#\nTask { id }' },
  { name: 'white space', document: '\uFEFF{\uFEFF__typename\uFEFF}' },
  { name: 'white space', document: '{\rviewer\r\n{\tid,,,}}' },
  { name: 'white space', document: 'query($v: Int = 1 @foo) { tasks(first: $v) { totalCount } }', refuses: VALIDATION },
  {
    name: 'white space',
    document: 'query($v: Int @skip(if: true)) { tasks(first: $v) { totalCount } }',
    refuses: VALIDATION,
  },
  { name: 'white space', document: 'query($v: Int @foo = 1) { tasks(first: $v) { totalCount } }', refuses: PARSE },

  // An inline fragment without a condition keeps its parent's type.
  {
    name: 'inline fragments',
    document: '{ nodes(ids: [1]) { ... on Task { ... { x: description } } ... on User { ... { x: name } } } }',
  },
  {
    name: 'inline fragments',
    document: '{ nodes(ids: [1]) { ... on Task { ... @skip(if: false) { x: description } } ... on User { x: name } } }',
  },
  {
    name: 'inline fragments',
    document: `{ nodes(ids: [1]) { ... on Task { ... { ... { x: description } } } ... on User { ...F } } }
      fragment F on User { ... { x: name } }`,
  },
  {
    name: 'inline fragments',
    document: '{ nodes(ids: [1]) { ... on Task { ... { x: description } } ... { ... on Task { x: title } } } }',
    refuses: VALIDATION,
  },
  { name: 'inline fragments', document: '{ viewer { ... { x: id } ... { x: name } } }', refuses: VALIDATION },

  // Int variables.
  ...['-2147483648.0', '2147483647.0', '5.0', '1e3', '-0', '-2147483648', '2147483647', 'null'].map((value) => ({
    name: 'Int',
    document: 'query($v: Int) { tasks(first: $v) { totalCount } }',
    variablesText: `{"v": ${value}}`,
  })),
  ...['-2147483649', '2147483648', '2147483648.0', '1.5', '1e10', '"1"', 'true', '[1]', '{}'].map((value) => ({
    name: 'Int',
    document: 'query($v: Int) { tasks(first: $v) { totalCount } }',
    variablesText: `{"v": ${value}}`,
    refuses: VALIDATION,
  })),

  // Places are those of the client's text.
  { name: 'places', document: '{ task(id: """a\n\\"""\n""") { id }\n nothing }', refuses: VALIDATION, place: at(4, 2) },
  { name: 'places', document: '{ task(id: """a\n\\"""\n""") { id }\n ] }', refuses: PARSE, place: at(4, 2) },
  { name: 'places', document: '{ task(id: """\\"""""") { id } nothing }', refuses: VALIDATION, place: at(1, 31) },
  {
    name: 'places',
    document: String.raw`{ task(id: "\u{1F600}\u{41}") { id } nothing }`,
    refuses: VALIDATION,
    place: at(1, 38),
  },
  { name: 'places', document: String.raw`{ task(id: "\uD83D\uDE00") { id } ] }`, refuses: PARSE, place: at(1, 35) },
  { name: 'places', document: '{ task(id: -0) { id } nothing }', refuses: VALIDATION, place: at(1, 23) },
  { name: 'places', document: '{\r\n viewer { id }\r ] }', refuses: PARSE, place: at(3, 2) },

  // Descriptions of operations, fragments and variables (September 2025).
  { name: 'descriptions', document: '"""What it does""" query Q { viewer { id } }' },
  { name: 'descriptions', document: '"What it does" query { viewer { id } }' },
  { name: 'descriptions', document: '{ viewer { ...F } } "Some of it" fragment F on User { id }' },
  { name: 'descriptions', document: 'query Q("How many" $first: Int) { tasks(first: $first) { totalCount } }' },
  { name: 'descriptions', document: '"""\nmany\nlines\n"""\nmutation M { toggleTask(id: "x") { task { id } } }' },
  { name: 'descriptions', document: '"No place for it" { viewer { id } }', refuses: PARSE },
  { name: 'descriptions', document: '"one" "two" query Q { viewer { id } }', refuses: PARSE },
  { name: 'descriptions', document: '{ "a field" viewer { id } }', refuses: PARSE },

  // What else has to be told apart.
  { name: 'operations', document: 'query A { __typename } query B { __typename }', operationName: 'B' },
  { name: 'operations', document: 'query A { __typename } query B { __typename }', refuses: VALIDATION },
  { name: 'operations', document: 'query A { __typename }', operationName: 'B', refuses: VALIDATION },
  {
    name: 'operations',
    document: 'query A { __typename } query A { __typename }',
    operationName: 'A',
    refuses: VALIDATION,
  },
  { name: 'operations', document: '{ __typename } query A { __typename }', operationName: 'A', refuses: VALIDATION },
  { name: 'operations', document: 'fragment F on Query { __typename }', refuses: VALIDATION },
  { name: 'operations', document: '# nothing', refuses: PARSE },
  { name: 'operations', document: '{ __typename } type T { a: Int }', refuses: VALIDATION },
  { name: 'subscriptions', document: 'subscription { taskChanged { kind } taskChanged { taskId } }' },
  {
    name: 'subscriptions',
    document: 'subscription { ...F ... { taskChanged { kind } } } fragment F on Subscription { taskChanged { kind } }',
  },
  {
    name: 'subscriptions',
    document: 'subscription { taskChanged { kind } x: taskChanged { kind } }',
    refuses: VALIDATION,
  },
  { name: 'subscriptions', document: 'subscription { taskChanged { kind } __typename }', refuses: VALIDATION },
  {
    name: 'subscriptions',
    document: 'subscription { ...F } fragment F on Subscription { taskChanged { kind } x: taskChanged { kind } }',
    refuses: VALIDATION,
  },
  { name: 'subscriptions', document: 'subscription { taskChanged @skip(if: true) { kind } }', refuses: VALIDATION },
  {
    name: 'subscriptions',
    document: 'subscription($a: Boolean!) { ... @include(if: $a) { taskChanged { kind } } }',
    variables: { a: true },
    refuses: VALIDATION,
  },
];
