// Whether a document is beyond one of taskql's limits (README, Limits), so that QUERY_TOO_COMPLEX is no excuse for
// one that is not.
import {
  Kind,
  Lexer,
  Source,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  visit,
} from 'graphql';

const MAX_BYTES = 16 * 1024;
const MAX_TOKENS = 2_000;
const MAX_NESTING = 32;
const MAX_FIELDS = 2_000;
const MAX_ALIASES = 30;
const MAX_DIRECTIVES = 20;
const MAX_DEPTH = 12;
const MAX_INTROSPECTION_DEPTH = 20;
const MAX_MULTIPLYING = 3;
const MAX_MUTATION_FIELDS = 10;
const MULTIPLYING = new Set(['fields', 'inputFields', 'interfaces', 'possibleTypes']);

/** Whether it is; `parsed` where it could be parsed. */
export function isBeyondLimits(schema, document, parsed) {
  return (
    Buffer.byteLength(document) > MAX_BYTES || isBeyondAsTokens(document) || (parsed && isBeyondAsTree(schema, parsed))
  );
}

function isBeyondAsTokens(document) {
  const lexer = new Lexer(new Source(document));
  let [count, open] = [0, 0];
  try {
    while (lexer.advance().kind !== '<EOF>') {
      count += 1;
      if ('{[('.includes(lexer.token.kind)) open += 1;
      if ('}])'.includes(lexer.token.kind)) open -= 1;
      if (count > MAX_TOKENS || open > MAX_NESTING) return true;
    }
  } catch {
    // What is no token ends the count.
  }
  return false;
}

function isBeyondAsTree(schema, parsed) {
  const lists = listFields(schema);
  let [aliases, directives, count] = [0, 0, 0];
  visit(parsed, {
    Directive: () => void (directives += 1),
    Field({ alias, name }) {
      if (alias) aliases += 1;
      if (lists.has(name.value)) count += 1;
    },
  });
  // One list alone has no more rows than a document may ask for; how many several have is not reckoned here.
  return aliases > MAX_ALIASES || directives > MAX_DIRECTIVES || count > 1 || isBeyondSpreadOut(parsed);
}

/** The names of fields that read several rows. */
function listFields(schema) {
  const types = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !isMeta(type.name));
  const fieldsOf = (type) => Object.values(type.getFields?.() ?? {});
  const isList = ({ type }) => isListType(getNullableType(type)) && isCompositeType(getNamedType(type));
  const fields = types
    .flatMap(fieldsOf)
    .filter((field) => isList(field) || fieldsOf(getNamedType(field.type)).some(isList));
  return new Set(fields.map(({ name }) => name));
}

const isMeta = (name) => name.startsWith('__');

/** Fields, depth and root fields, with the fragments spread out. */
function isBeyondSpreadOut({ definitions }) {
  const fragments = new Map(
    definitions.filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION).map((one) => [one.name.value, one]),
  );
  let fields = 0;
  const walk = (set, depth, seen) => {
    let roots = 0;
    for (const selection of set?.selections ?? []) {
      if (fields > MAX_FIELDS) return Infinity;
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        const inner = {
          fields: depth.fields + 1,
          isMeta: depth.isMeta || isMeta(name),
          multiplying: depth.multiplying + Number(depth.isMeta && MULTIPLYING.has(name)),
        };
        fields += 1;
        roots += 1;
        const max = inner.isMeta ? MAX_INTROSPECTION_DEPTH : MAX_DEPTH;
        if (inner.fields > max || inner.multiplying > MAX_MULTIPLYING) fields = Infinity;
        walk(selection.selectionSet, inner, seen);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        roots += walk(selection.selectionSet, depth, seen);
      } else if (!seen.has(selection.name.value)) {
        roots += walk(
          fragments.get(selection.name.value)?.selectionSet,
          depth,
          new Set([...seen, selection.name.value]),
        );
      }
    }
    return roots;
  };
  return definitions.some((one) => {
    const roots = walk(one.selectionSet, { fields: 0, isMeta: false, multiplying: 0 }, new Set());
    return fields > MAX_FIELDS || (one.operation === 'mutation' && roots > MAX_MUTATION_FIELDS);
  });
}
