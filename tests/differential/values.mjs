// Values: as tokens of a document, and as JSON texts for variables. Good ones, and ones of all other shapes.
import {
  Kind,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  typeFromAST,
} from 'graphql';

const INTS = ['0', '1', '5', '-1', '100', '-0', '2147483647', '-2147483648'];
export const STRINGS = [
  '""',
  '"x"',
  '"a # b, { } \' `"',
  '"日本 é 😀"',
  String.raw`"\"\\\/\b\f\n\r\t"`,
  String.raw`"\u00e9\u{1F600}\uD83D\uDE00\u{41}"`,
  '""""""',
  '"""x"""',
  '"""\n    two\n      lines # { "\n    """',
  String.raw`"""a \""" b \n \u00e9"""`,
  '"""\r\n\tx\r\n"""',
];
const DATE_TIMES = [
  '"2026-11-20T13:14:15Z"',
  '"2026-11-20t13:14:15.123456+05:30"',
  '"2024-02-29T00:00:00-00:00"',
  '"""2026-11-20T13:14:15.1z"""',
];

/** Good values of scalars. */
export const SCALARS = {
  Int: INTS,
  Float: ['0', '1.5', '-1e3'],
  Boolean: ['true', 'false'],
  String: STRINGS,
  ID: ['"x"', '1', '-7', '"00000000-0000-4000-8000-000000000000"', '9007199254740993', '""'],
  DateTime: DATE_TIMES,
};

/** Values of kinds that may not fit, and some that are none. */
export const ODD_VALUES = [
  ...INTS,
  '2147483648',
  '-2147483649',
  '9007199254740993',
  '1.0',
  '1e3',
  '-1.5E-2',
  '"1"',
  '"LOW"',
  'LOW',
  'low',
  'true',
  'false',
  'null',
  '$nowhere',
  '[]',
  '[1]',
  '["a"]',
  '[null]',
  '[["a"]]',
  '{}',
  '{title: "x"}',
  '{title: "x", title: "y"}',
  '{x: 1}',
  '"2026-02-30T00:00:00Z"',
  '"2026-11-20"',
];

/** The tokens of a short text without strings that hold white space. */
export function split(text) {
  return text.match(/"[^"]*"|\.\.\.|[\w.+-]+|\S/g);
}

/** Whole numbers that are written as fractions, for Int: DELIBERATE_DIFFERENCES.wholeFloats. */
export const WHOLE_FLOATS = ['5.0', '1e3', '-0', '-0.0', '2147483647.0', '-2147483648.0'];

const JSON_VALUES = {
  Int: ['0', '1', '100', '-1', '2147483647', '-2147483648', ...WHOLE_FLOATS],
  Float: ['0', '1.5', '1e3'],
  Boolean: ['true', 'false'],
  String: ['""', '"x"', '"é 😀"', String.raw`"\u0041\n"`],
  ID: ['"x"', '1', '-7', '"00000000-0000-4000-8000-000000000000"', '""'],
  DateTime: ['"2026-11-20T13:14:15Z"', '"2026-11-20t13:14:15.123456+05:30"'],
};

/** Values for variables of all shapes. */
export const ODD_JSON = [
  ...['null', 'true', 'false', '0', '1', '-1', '1.5', '-0.5', '2147483647', '2147483648', '-2147483648', '-2147483649'],
  ...[
    '9007199254740993',
    '""',
    '"x"',
    '"1"',
    '"1.0"',
    '"true"',
    '"null"',
    '"😀"',
    '"LOW"',
    '"low"',
    '"Low"',
    '"LOW "',
    '"CREATED"',
    '"ASC"',
  ],
  ...['[]', '[1]', '["x"]', '[null]', '["x", null]', '[["x"]]', '["LOW"]', '[true]', '[{}]'],
  ...['{}', '{"title": "x"}', '{"title": null}', '{"title": 1}', '{"title": ["x"]}', '{"title": "x", "unknown": 1}'],
  ...['{"title": "x", "unknown": null}', '{"Title": "x"}', '{"title": "x", "priority": "low"}', '{"title": {"x": 1}}'],
  ...[
    '{"title": "x", "priority": null, "description": null}',
    '{"title": "x", "dueDate": "never"}',
    '[{"title": "x"}]',
  ],
  ...['{"title": "x", "dueDate": "2026-11-20T13:14:15Z"}', '{"title": "x", "dueDate": 1}', '{"completed": "true"}'],
  ...['{"completed": null}', '{"title": "x", "priority": "HIGH", "id": 7}', '{"title": "x", "id": 1.5}'],
];

/** DateTimes in many forms. */
export const ODD_DATE_TIMES = [
  ...['2026-11-20T13:14:15Z', '2026-11-20t13:14:15z', '2026-11-20T13:14:15.1Z', '2026-11-20T13:14:15.123456Z'],
  ...['2026-11-20T13:14:15.1234567Z', '2026-11-20T13:14:15.1234560Z', '2026-11-20T13:14:15.000000000Z'],
  ...['2026-11-20T13:14:15.Z', '2026-11-20T13:14:15,5Z', '2026-11-20T13:14:15', '2026-11-20', '2026-11-20T13:14Z'],
  ...['2026-11-20 13:14:15Z', ' 2026-11-20T13:14:15Z', '2026-11-20T13:14:15Z ', '2026-11-20T13:14:15 Z'],
  ...['2026-11-20T13:14:15+00:00', '2026-11-20T13:14:15-00:00', '2026-11-20T13:14:15+0530', '2026-11-20T13:14:15+05'],
  ...[
    '2026-11-20T13:14:15+23:59',
    '2026-11-20T13:14:15+24:00',
    '2026-11-20T13:14:15+05:60',
    '2026-11-20T13:14:15−05:00',
  ],
  ...[
    '2026-11-20T24:00:00Z',
    '2026-11-20T23:59:60Z',
    '2026-11-20T23:60:00Z',
    '2026-12-31T23:59:60Z',
    '2026-13-01T00:00:00Z',
  ],
  ...[
    '2026-02-30T00:00:00Z',
    '2024-02-29T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2000-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
  ],
  ...['0000-12-31T23:59:59Z', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00+00:01', '0000-12-31T23:59:59-00:01'],
  ...['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59-00:01', '12026-11-20T13:14:15Z', '+2026-11-20T13:14:15Z'],
  ...[
    '２０２６-11-20T13:14:15Z',
    '20261120T131415Z',
    '1763644455',
    '',
    'now',
    '2026-W47-5T00:00:00Z',
    '2026-324T00:00:00Z',
  ],
].map((text) => JSON.stringify(text));

/** A value for a variable of `type`, mostly a good one. */
export function jsonFor(type, random) {
  if (random.chance(0.03)) return random.pick(ODD_JSON);
  if (isNonNullType(type)) return jsonFor(type.ofType, random);
  if (isListType(type)) {
    if (random.chance(0.2)) return jsonFor(type.ofType, random);
    return `[${Array.from({ length: random.below(3) }, () => jsonFor(type.ofType, random))}]`;
  }
  if (isEnumType(type)) return JSON.stringify(random.pick(type.getValues()).name);
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter((one) => isRequiredInputField(one) || random.chance(0.3));
    return `{${fields.map((one) => `"${one.name}": ${jsonFor(one.type, random)}`)}}`;
  }
  return random.pick(JSON_VALUES[type.name] ?? ODD_JSON);
}

/** Variables for an operation, as a JSON text: some left out, some null, now and then one too many. */
export function variablesFor(schema, operation, random) {
  const given = [];
  for (const { variable, type: written, defaultValue } of operation?.variableDefinitions ?? []) {
    const type = typeFromAST(schema, written);
    if (!isInputType(type)) continue;
    const isOptional = defaultValue || written.kind !== Kind.NON_NULL_TYPE;
    if (random.chance(isOptional ? 0.3 : 0.02)) continue;
    const isNull = random.chance(isOptional ? 0.06 : 0.01);
    given.push(`${JSON.stringify(variable.name.value)}: ${isNull ? 'null' : jsonFor(type, random)}`);
  }
  if (random.chance(0.05)) given.push('"unknown": 1');
  return `{${given.join(', ')}}`;
}

/** Every place for an input, as its type and a document around it that calls the type of `$v` TYPE. */
export function places(schema) {
  const found = [];
  const roots = { query: schema.getQueryType(), mutation: schema.getMutationType() };
  for (const [kind, root] of Object.entries(roots)) {
    for (const field of Object.values(root.getFields())) {
      const around = (given) => `${kind}($v: TYPE) { ${field.name}(${required(field.args, given)}) { __typename } }`;
      for (const { name, type } of field.args) {
        found.push({ type, document: around({ [name]: '$v' }) });
        const input = isNonNullType(type) ? type.ofType : type;
        if (!isInputObjectType(input)) continue;
        const fields = Object.values(input.getFields());
        for (const inner of fields) {
          const value = `{${required(fields, { [inner.name]: '$v' })}}`;
          found.push({ type: inner.type, document: around({ [name]: value }) });
        }
      }
    }
  }
  const [condition] = schema.getDirective('skip').args;
  const [text] = schema.getDirective('specifiedBy').args;
  found.push({ type: condition.type, document: 'query($v: TYPE) { __typename @skip(if: $v) }' });
  found.push({ type: text.type, document: 'query($v: TYPE) { __type(name: $v) { kind } }' });
  return found;
}

/** What is required of these arguments or fields, and `given`. */
function required(inputs, given) {
  const isRequired = (one) => isRequiredArgument(one) || isRequiredInputField(one);
  const values = Object.fromEntries(inputs.filter(isRequired).map(({ name, type }) => [name, filler(type.ofType)]));
  return Object.entries({ ...values, ...given }).map(([name, value]) => `${name}: ${value}`);
}

/** Some value of a type. */
function filler(type) {
  if (isListType(type)) return '[]';
  if (isInputObjectType(type)) return `{${required(Object.values(type.getFields()), {})}}`;
  if (isEnumType(type)) return type.getValues()[0].name;
  return SCALARS[type.name][1];
}
