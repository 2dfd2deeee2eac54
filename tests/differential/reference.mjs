// What graphql-js says of a document, its variables and its rows, and in what it is no reference.
import {
  buildSchema,
  __DirectiveLocation,
  execute,
  getOperationAST,
  getVariableValues,
  GraphQLError,
  GraphQLSchema,
  introspectionTypes,
  isNonNullType,
  Kind,
  Lexer,
  MaxIntrospectionDepthRule,
  OperationTypeNode,
  parse,
  Source,
  specifiedDirectives,
  specifiedRules,
  specifiedScalarTypes,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from 'graphql';

import { roots } from './rows.mjs';

/**
 * Where taskql and graphql-js 16 differ on purpose. Each has its reason here; what it changes in the comparison stands
 * beside it in the code, under its name. Whatever else differs fails the test.
 */
export const DELIBERATE_DIFFERENCES = {
  limits:
    'taskql bounds what a document may cost (README, Limits) and answers QUERY_TOO_COMPLEX. These are counted ' +
    'apart, and only where the document is beyond a limit; graphql-js has one such rule of its own, which is left ' +
    'out.',
  emptyDocument:
    'A request without a query is BAD_REQUEST (GraphQL over HTTP); graphql-js calls the empty text a syntax ' +
    'error.',
  conditionalSubscription:
    '@skip and @include at the root of a subscription: refused by the September 2025 text (5.2.4.1), which ' +
    'graphql-js 16 does not know.',
  dateTime:
    "DateTime is taskql's own scalar. The reference has the rule that its description states: RFC 3339, an " +
    'offset, the years 0001 to 9999 in UTC, no leap second, six fraction digits (more where they are zeros).',
  wholeFloats:
    'JSON has one kind of number: 5.0 for an Int variable is accepted by both. For an ID the specification ' +
    'refuses 4.0 and graphql-js cannot tell it from 4, nor -0 from 0, so these are not tried for IDs.',
  lexicalPlace:
    'Where a token is broken off (an unterminated string, a wrong escape) graphql-js points at the character, ' +
    'others at the token. Either line will do, and any line where a description or another block string is in the ' +
    'document: a description that has no definition after it is reported at either of its ends.',
  unicodeEscapeLength:
    'The grammar (2.9.4) bounds the value of \\u{…}, not the number of its digits; graphql-js refuses more than ' +
    'eight zeros before it.',
  typenameShape:
    'Two fields of one response name must have the same shape (5.3.2), __typename too, which is a String!. graphql-js ' +
    'does not look at the type of __typename.',
  notationOfStrings:
    'Two fields merge where their arguments have the same values (5.3.2): "a" and """a""" are one value. graphql-js ' +
    'compares how they are printed.',
  nullForDefault:
    'A null for a nullable variable in a place that is not: graphql-js runs the operation and fails the field, ' +
    'taskql refuses the request before anything runs.',
  deprecatedDirectives:
    'graphql-js 16.15 knows deprecated directives (includeDeprecated of __Schema.directives, isDeprecated and ' +
    'deprecationReason of __Directive), which no published specification has. The reference forgets them.',
  typeSystemDirectives:
    'graphql-js adds @deprecated and @oneOf to every schema. The specification asks for them only where something ' +
    'is deprecated, or a OneOf input object; here nothing is.',
  libraryTexts:
    'The descriptions of introspection types, and of scalars and directives of the specification, are each ' +
    "library's own. For types it is compared whether there is one.",
  nullIncludeDeprecated:
    'includeDeprecated is a Boolean! since September 2025 and a Boolean in graphql-js 16: null is not tried for ' +
    'it.',
  draftLocations:
    'DIRECTIVE_DEFINITION is a directive location of the draft after September 2025; graphql-js has it already.',
  orderOfTypes:
    'The specification gives types, possible types and directives no order. Fields, arguments and values have the ' +
    'order of schema.graphql.',
};

/** Types and directives whose texts are the library's. */
const SPECIFIED = new Set([...specifiedScalarTypes, ...specifiedDirectives].map(({ name }) => name));

/** The codes of a request that ran, whatever came of it. */
const RAN = new Set([undefined, 'BAD_USER_INPUT', 'NOT_FOUND', 'CONFLICT', 'QUOTA_EXCEEDED', 'SYNC_TOKEN_EXPIRED']);

/** What an answer of taskql's says of the request. */
export function verdictOf({ data, errors = [] }) {
  const codes = errors.map(({ extensions }) => extensions?.code ?? 'no code');
  const code = codes.find((one) => !RAN.has(one));
  const message = errors[0]?.message ?? '';
  const [place] = errors[0]?.locations ?? [];
  // What is wrong with a request is known before anything of it runs.
  return { code: !code ? 'accepted' : data === undefined ? code : `${code} beside data`, message, ...place };
}

export class Reference {
  constructor(sdl) {
    const built = buildSchema(sdl);
    // DELIBERATE_DIFFERENCES.draftLocations
    const locations = __DirectiveLocation.getValues();
    const draft = locations.findIndex(({ name }) => name === 'DIRECTIVE_DEFINITION');
    if (draft >= 0) locations.splice(draft, 1);
    // DELIBERATE_DIFFERENCES.typeSystemDirectives
    this.directives = parse(sdl)
      .definitions.filter(({ kind }) => kind === Kind.DIRECTIVE_DEFINITION)
      .map(({ name }) => name.value);
    const directives = built.getDirectives().filter(({ name }) => this.directives.includes(name));
    this.schema = new GraphQLSchema({ ...built.toConfig(), directives });
    for (const type of Object.values(this.schema.getTypeMap())) {
      if (type.astNode?.kind !== Kind.SCALAR_TYPE_DEFINITION) continue;
      const reads = SCALARS[type.name];
      if (!reads) throw new Error(`reference.mjs has no rule for the scalar ${type.name}`);
      const parseValue = (value) => {
        if (typeof value === 'string' && reads(value)) return value;
        throw new GraphQLError(`not a ${type.name}`);
      };
      Object.assign(type, {
        parseValue,
        parseLiteral: (node) => parseValue(node.kind === Kind.STRING ? node.value : undefined),
        serialize: (value) => value,
      });
    }
    // DELIBERATE_DIFFERENCES.deprecatedDirectives
    const fieldsOf = (name) => introspectionTypes.find((type) => type.name === name).getFields();
    delete fieldsOf('__Directive').isDeprecated;
    delete fieldsOf('__Directive').deprecationReason;
    fieldsOf('__Schema').directives.args = [];
  }

  /** Whether a request would run, as taskql's codes say it. */
  verdict(document, operationName, variables = {}) {
    // DELIBERATE_DIFFERENCES.emptyDocument
    if (/^[^\S\uFEFF]*$/.test(document)) return { code: 'BAD_REQUEST' };
    let parsed;
    try {
      parsed = parse(document);
    } catch (error) {
      const [{ line, column }] = error.locations;
      const lines = [line, ...brokenToken(document)];
      return { code: 'GRAPHQL_PARSE_FAILED', message: error.message, line, column, lines };
    }
    const refused = ({ message, locations = [] }) => {
      return { code: 'GRAPHQL_VALIDATION_FAILED', message, ...locations[0], parsed };
    };
    // By themselves, since graphql-js's rule for single fields throws where a condition has a variable.
    for (const rules of [[UnconditionalSubscriptionRule], RULES]) {
      const [problem] = validate(this.schema, parsed, rules);
      if (problem) return refused(problem);
    }
    const operation = getOperationAST(parsed, operationName);
    if (!operation) return refused({ message: 'no such operation' });
    const { errors, coerced } = getVariableValues(this.schema, operation.variableDefinitions ?? [], variables);
    if (errors) return refused(errors[0]);
    return { code: 'accepted', parsed, hasNullForDefault: this.#hasNullForDefault(parsed, coerced) };
  }

  /** Whether a variable that is null stands where no null may be: DELIBERATE_DIFFERENCES.nullForDefault. */
  #hasNullForDefault(parsed, variables) {
    const types = new TypeInfo(this.schema);
    let found = false;
    const Variable = ({ name }) => {
      // DELIBERATE_DIFFERENCES.nullIncludeDeprecated
      const takesNull = !isNonNullType(types.getInputType()) && types.getArgument()?.name !== 'includeDeprecated';
      found ||= !takesNull && variables[name.value] === null;
    };
    visit(parsed, visitWithTypeInfo(types, { VariableDefinition: () => false, Variable }));
    return found;
  }

  /** Runs a request over rows. */
  run({ document, operationName, variables }, rows) {
    const rootValue = rows && roots(rows);
    const variableValues = JSON.parse(variables);
    const result = execute({
      schema: this.schema,
      document: parse(document),
      operationName,
      variableValues,
      rootValue,
    });
    return JSON.parse(JSON.stringify(result));
  }

  /** An answer of introspection without what differs on purpose. Its lists of types and directives have names. */
  plain(answer) {
    const isLibrarys = (name) => name !== undefined && (/^__/.test(name) || SPECIFIED.has(name));
    const walk = (value, key) => {
      if (Array.isArray(value)) {
        // DELIBERATE_DIFFERENCES.orderOfTypes and typeSystemDirectives
        const isKept = ({ name }) => key !== 'directives' || this.directives.includes(name);
        const isOrdered = !['types', 'directives', 'possibleTypes'].includes(key);
        const items = value.filter(isKept).map((item) => walk(item, key));
        return isOrdered ? items : Object.fromEntries(items.map((item) => [item.name, item]).sort());
      }
      if (value === null || typeof value !== 'object') return value;
      // DELIBERATE_DIFFERENCES.libraryTexts
      if (key === 'directives') return withoutTexts(value, () => 'a text');
      if (isLibrarys(value.name)) return withoutTexts(value, (text) => text !== null);
      return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, walk(inner, field)]));
    };
    return walk(answer);
  }
}

/** The same, with something in place of the texts of descriptions. */
function withoutTexts(value, instead) {
  if (Array.isArray(value)) return value.map((item) => withoutTexts(item, instead));
  if (value === null || typeof value !== 'object') return value;
  const plain = ([key, inner]) => [key, key === 'description' ? instead(inner) : withoutTexts(inner, instead)];
  return Object.fromEntries(Object.entries(value).map(plain));
}

/** The lines where a broken token begins, where the document has one: DELIBERATE_DIFFERENCES.lexicalPlace. */
function brokenToken(document) {
  const lexer = new Lexer(new Source(document));
  let last = lexer.token;
  try {
    while (last.kind !== '<EOF>') last = lexer.advance();
    return [];
  } catch {
    const rest = document.slice(last.end);
    const ignored = rest.match(/^(?:[\s,\uFEFF]|#[^\r\n]*)*/)[0];
    return [document.slice(0, last.end + ignored.length).split(/\r\n|\r|\n/).length];
  }
}

/** DELIBERATE_DIFFERENCES.conditionalSubscription, as a rule of validation. */
function UnconditionalSubscriptionRule(context) {
  const check = (set, seen) => {
    for (const selection of set.selections) {
      const condition = selection.directives?.find(({ name }) => ['skip', 'include'].includes(name.value));
      if (condition) context.reportError(new GraphQLError('a condition at the root', { nodes: condition }));
      if (selection.kind === Kind.INLINE_FRAGMENT) check(selection.selectionSet, seen);
      if (selection.kind === Kind.FRAGMENT_SPREAD && !seen.has(selection.name.value)) {
        seen.add(selection.name.value);
        const fragment = context.getFragment(selection.name.value);
        if (fragment) check(fragment.selectionSet, seen);
      }
    }
  };
  return {
    OperationDefinition(operation) {
      if (operation.operation === OperationTypeNode.SUBSCRIPTION) check(operation.selectionSet, new Set());
    },
  };
}

/** DELIBERATE_DIFFERENCES.limits */
const RULES = specifiedRules.filter((rule) => rule !== MaxIntrospectionDepthRule);

/** DELIBERATE_DIFFERENCES.dateTime */
const SCALARS = {
  DateTime(text) {
    const form = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})0*)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
    const [, year, month, day, hour, minute, second, , sign, offsetHour, offsetMinute] = text.match(form) ?? [];
    if (year === undefined) return false;
    const daysOfMonth = new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate();
    const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth;
    const isTime = hour <= 23 && minute <= 59 && second <= 59 && !(offsetHour > 23) && !(offsetMinute > 59);
    if (!isDay || !isTime) return false;
    const at = new Date(0);
    at.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
    const offset = sign ? Number(`${sign}1`) * (Number(offsetHour) * 60 + Number(offsetMinute)) : 0;
    at.setUTCHours(Number(hour), Number(minute) - offset);
    return at.getUTCFullYear() >= 1 && at.getUTCFullYear() <= 9999;
  },
};
