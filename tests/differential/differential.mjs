// taskql beside graphql-js, over the repository's schema.graphql:
//     npm ci --ignore-scripts && node differential.mjs PATH-OF-TASKQL [--seed N] [--documents N] [--only PART:N]
// Random documents and variables get the same verdict, reads over the same rows and introspection the same data.
// Prints the seed, and each kind of disagreement with its smallest document; ends with 1 where there is one.
// DELIBERATE_DIFFERENCES in reference.mjs says in what the two may differ.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Kind, getIntrospectionQuery, parse } from 'graphql';

import { Random, mutated, shrunk, spaced } from './alter.mjs';
import { CASES } from './cases.mjs';
import { Document, Introspection } from './generate.mjs';
import { isBeyondLimits } from './limits.mjs';
import { Reference, verdictOf } from './reference.mjs';
import { Read, prepare } from './rows.mjs';
import { CONNECTIONS, Server, token } from './server.mjs';
import { ODD_DATE_TIMES, ODD_JSON, WHOLE_FLOATS, places, variablesFor } from './values.mjs';

const { values: options, positionals } = parseArgs({
  options: { seed: { type: 'string' }, documents: { type: 'string' }, only: { type: 'string' } },
  allowPositionals: true,
});
const [binary] = positionals;
const seed = Number(options.seed ?? Math.floor(Math.random() * 1e9));
const documents = Number(options.documents ?? 3_000);
if (!binary || !Number.isInteger(seed) || !Number.isInteger(documents)) {
  console.error('node differential.mjs PATH-OF-TASKQL [--seed N] [--documents N] [--only PART:N]');
  process.exit(2);
}

/** Most kinds of disagreement that are shown. */
const MAX_SHOWN = 40;
/** The options of getIntrospectionQuery; each number of the first 64 is a choice of them. */
const FLAGS = [
  'descriptions',
  'specifiedByUrl',
  'directiveIsRepeatable',
  'schemaDescription',
  'inputValueDeprecation',
  'oneOf',
];

const began = Date.now();
const reference = new Reference(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const { schema } = reference;
const PLACES = places(schema);
const server = new Server(resolve(binary));
const [tester, reader] = [token('tester'), token('reader')];
/** Disagreements by their kind: how often, and the shortest. */
const kinds = new Map();
const counts = { accepted: 0, refused: 0, limited: 0, otherColumn: 0, data: 0, cases: 0 };

/** The body of a request, with its variables as they were written. */
function bodyOf({ document, operationName = null, variables }) {
  const [query, name] = [document, operationName].map((text) => JSON.stringify(text));
  return `{"query": ${query}, "operationName": ${name}, "variables": ${variables}}`;
}

/** Asks both for a verdict: what they say, and the kind of their disagreement where they disagree. */
async function ask(request, user = tester) {
  const expected = reference.verdict(request.document, request.operationName, JSON.parse(request.variables));
  const got = verdictOf(await server.send(user, bodyOf(request)));
  // DELIBERATE_DIFFERENCES.limits
  const isLimited = got.code === 'QUERY_TOO_COMPLEX' && isBeyondLimits(schema, request.document, expected.parsed);
  return { expected, got, isLimited, kind: isLimited ? undefined : disagreement(request.document, expected, got) };
}

/** Asks both for data as well, where both accept. */
async function askForData(request, { user, rows, plain = (data) => data }) {
  const verdicts = await ask(request, user);
  const { expected: verdict, isLimited, kind } = verdicts;
  if (kind || isLimited || verdict.code !== 'accepted' || verdict.hasNullForDefault) return verdicts;
  const expected = reference.run(request, rows);
  const got = await server.send(user, bodyOf(request));
  let what = difference(plain(expected.data), plain(got.data));
  if (!what && Boolean(expected.errors) !== Boolean(got.errors)) what = 'only one has errors';
  // Of the path only the last name tells kinds apart.
  const name = what?.replace(/^[^:]*?(\w*):/, '$1:').slice(0, 80);
  return { ...verdicts, what, kind: what && `other data: ${name}` };
}

/** Where graphql-js reads the specification otherwise. */
function isDeliberate(document, expected, got) {
  if (expected.code === 'accepted') {
    // DELIBERATE_DIFFERENCES.typenameShape
    return /must not select different types/.test(got.message) && document.includes('__typename');
  }
  if (got.code !== 'accepted') return false;
  return (
    // DELIBERATE_DIFFERENCES.unicodeEscapeLength
    (/Invalid Unicode escape sequence/.test(expected.message) && /\\u\{0[0-9A-Fa-f]{8,}\}/.test(document)) ||
    // DELIBERATE_DIFFERENCES.notationOfStrings
    (/they have differing arguments/.test(expected.message) && document.includes('"""'))
  );
}

function disagreement(document, expected, got) {
  if (expected.code === got.code) {
    if (expected.code !== 'GRAPHQL_PARSE_FAILED' || expected.lines.includes(got.line)) return undefined;
    if (!got.line) return 'a syntax error without its place';
    // DELIBERATE_DIFFERENCES.lexicalPlace
    if (document.includes('"""')) return undefined;
    return `a syntax error in another line${/\r(?!\n)/.test(document) ? ', after a carriage return alone' : ''}`;
  }
  // DELIBERATE_DIFFERENCES.nullForDefault
  if (expected.hasNullForDefault && got.code.startsWith('GRAPHQL_VALIDATION_FAILED')) return undefined;
  if (isDeliberate(document, expected, got)) return undefined;
  const pattern = ({ message = '' }) => message.replaceAll(/"[^"]*"|'[^']*'|\d+/g, '_').slice(0, 70);
  if (got.code === 'GRAPHQL_PARSE_FAILED') return `taskql sees a syntax error where there is none: ${pattern(got)}`;
  return `graphql-js says ${expected.code}, taskql ${got.code}: ${pattern(got.code === 'accepted' ? expected : got)}`;
}

/** Keeps a disagreement. */
function keep(kind, found) {
  const { count = 0, ...known } = kinds.get(kind) ?? {};
  const isShorter = !known.request || found.request.document.length < known.request.document.length;
  kinds.set(kind, { ...(isShorter ? found : known), count: count + 1 });
}

/** Does the work of a part, several at once, each with its own chance and with the words that repeat it alone. */
async function each(part, count, work) {
  const [onlyPart, onlyNumber] = options.only?.split(':') ?? [];
  if (onlyPart && onlyPart !== part) return;
  const numbers = onlyNumber ? [Number(onlyNumber)] : Array.from({ length: count }, (_, number) => number);
  const worker = async () => {
    for (let number = numbers.shift(); number !== undefined; number = numbers.shift()) {
      const again = `--seed ${seed} --documents ${documents} --only ${part}:${number}`;
      const random = new Random(`${seed}/${part}/${number}`);
      const failed = (error) =>
        keep(`no answer: ${error.message}`, { request: { document: '', variables: '{}' }, again, what: error.message });
      await work({ number, random, again }).catch(failed);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}

/** The operations of a document, none where it is none. */
function operationsOf(document) {
  try {
    return parse(document).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  } catch {
    return [];
  }
}

/** Compares the verdicts on a request. */
async function compareVerdicts(request, again, pieces) {
  const { expected, got, isLimited, kind } = await ask(request);
  counts[isLimited ? 'limited' : expected.code === 'accepted' ? 'accepted' : 'refused'] += 1;
  if (kind) keep(kind, { request, again, pieces, expected, got });
  else if (expected.code === 'GRAPHQL_PARSE_FAILED' && expected.column !== got.column) counts.otherColumn += 1;
}

/** Documents of all kinds, good and bad. A verdict does not depend on what was sent before. */
async function compareDocument({ random, again }) {
  const kind = random.below(100);
  const tokens = new Document(schema, random, kind >= 50 && kind < 78 ? 1 + random.below(2) : 0).tokens();
  const pieces = spaced(kind < 78 ? tokens : mutated(tokens, random), random);
  const document = pieces.join('');
  const operations = operationsOf(document);
  const names = operations.map(({ name }) => name?.value).filter(Boolean);
  const isNamed = names.length > 1 || random.chance(0.05);
  const operationName = isNamed ? random.pick([...names, ...names, undefined, 'nothing']) : undefined;
  const operation = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
  const rounds = operation?.variableDefinitions?.length > 0 && random.chance(0.3) ? 3 : 1;
  for (let round = 0; round < rounds; round += 1) {
    const variables = variablesFor(schema, operation, random);
    await compareVerdicts({ document, operationName, variables }, again, pieces);
  }
}

/** Variables of all shapes in every place for an input. */
async function compareVariable({ random, again }) {
  const { type, document } = random.pick(PLACES);
  const isDate = String(type).includes('Date') && random.chance(0.8);
  const others = String(type).includes('Int') ? [...ODD_JSON, ...WHOLE_FLOATS] : ODD_JSON;
  const value = random.pick(isDate ? ODD_DATE_TIMES : others);
  const declared = random.pick([String(type), `${String(type).replace(/!$/, '')}!`]);
  const variables = random.chance(0.05) ? '{}' : `{"v": ${value}}`;
  await compareVerdicts({ document: document.replace('TYPE', declared), variables }, again);
}

/** Compares what a document reads, where it may be read at all. */
async function compareData(pieces, { random, again }, how) {
  const document = pieces.join('');
  const [operation] = operationsOf(document);
  const variables = variablesFor(schema, operation, random);
  const request = { document, operationName: operation.name?.value, variables };
  const found = await askForData(request, how);
  if (found.isLimited) counts.limited += 1;
  else if (found.expected.code === 'accepted') counts.data += 1;
  const recheck = (one) => askForData(one, how);
  if (found.kind) keep(found.kind, { ...found, request, again, pieces, recheck });
}

/** Introspection: what tools ask for, with all their options, and random selections. */
async function compareIntrospection({ number, random, again }) {
  const isStandard = number < 2 ** FLAGS.length;
  const choice = Object.fromEntries(FLAGS.map((flag, bit) => [flag, (number & (1 << bit)) !== 0]));
  const selected = () => spaced(new Introspection(schema, random).tokens(), random);
  const pieces = isStandard ? [getIntrospectionQuery(choice)] : selected();
  await compareData(pieces, { random, again }, { user: tester, plain: (data) => reference.plain(data) });
}

/** Where two answers differ first, the order of keys included. */
function difference(expected, got, path = 'data') {
  const isObject = (value) => typeof value === 'object' && value !== null;
  if (!isObject(expected) || !isObject(got)) {
    return expected === got ? undefined : `${path}: ${JSON.stringify(expected)} is ${JSON.stringify(got)}`;
  }
  const [keys, others] = [expected, got].map((one) => (typeof one[0] === 'string' ? one : Object.keys(one)));
  const [missing] = keys.filter((key) => !others.includes(key));
  const [added] = others.filter((key) => !keys.includes(key));
  if (missing !== undefined || added !== undefined)
    return `${path}: ${missing ?? 'nothing'} became ${added ?? 'nothing'}`;
  if (keys.join() !== others.join()) return `${path}: another order`;
  for (const key of Object.keys(expected)) {
    const inner = difference(expected[key], got[key], `${path}.${key}`);
    if (inner) return inner;
  }
  return undefined;
}

/** The cases that are written down, each refused one without a trace in the database. */
async function compareCase({ number }) {
  const {
    name,
    document,
    operationName,
    variables = {},
    variablesText,
    inTurn = [variables],
    refuses,
    place,
  } = CASES[number];
  const user = token(`case ${number}`);
  for (const one of inTurn) {
    const request = { document, operationName, variables: variablesText ?? JSON.stringify(one) };
    const { expected, got, kind } = await ask(request, user);
    counts.cases += 1;
    const again = `--only case:${number}`;
    const right = refuses ?? 'accepted';
    if (expected.code !== right)
      keep(`${name}: graphql-js differs`, { request, again, expected, got: { code: right } });
    const isElsewhere = ({ line, column }) => place && (line !== place.line || column !== place.column);
    if (kind) keep(kind, { request, again, expected, got });
    else if (isElsewhere(got) || isElsewhere(expected))
      keep(`${name}: another place`, { request, again, expected, got });
    if (!refuses || operationsOf(document)[0]?.operation !== 'mutation') continue;
    const { tasks } = await server.data(user, '{ tasks(first: 0) { totalCount } }');
    if (tasks.totalCount > 0)
      keep(`${name}: refused, and yet a task is made`, { request, again, what: 'a task is made' });
  }
}

/** Prints a kind of disagreement, with as small a document as shows it. */
async function report(kind, { count, request, again, pieces, recheck = ask, expected, got, what }) {
  const fails = async (document) => (await recheck({ ...request, document })).kind === kind;
  const document = pieces ? await shrunk(pieces, fails) : request.document;
  const say = ({ code, message = '', line, column }) =>
    `${code} ${line ? `at ${line}:${column} ` : ''}${message.split('\n')[0].slice(0, 120)}`;
  console.error(`\n${count} × ${kind}`);
  const isShort = document.length < 1_000;
  console.error(`  document:   ${isShort ? JSON.stringify(document) : `${document.slice(0, 60)}…`}`);
  if (request.variables !== '{}') console.error(`  variables:  ${request.variables}`);
  if (request.operationName) console.error(`  operation:  ${request.operationName}`);
  if (what) console.error(`  data:       ${what.slice(0, 400)}`);
  else console.error(`  graphql-js: ${say(expected)}\n  taskql:     ${say(got)}`);
  console.error(`  again:      ${again}`);
}

console.log(`taskql beside graphql-js: --seed ${seed} --documents ${documents}`);
try {
  await server.start();
  await each('case', CASES.length, compareCase);
  await each('document', documents, compareDocument);
  await each('variable', Math.ceil(documents * 0.4), compareVariable);
  await each('introspection', 2 ** FLAGS.length + Math.ceil(documents / 15), compareIntrospection);
  if (!options.only || options.only.startsWith('read')) {
    const rows = await prepare(server, reader, schema, new Random(seed));
    await each('read', Math.ceil(documents / 5), async ({ random, again }) => {
      const pieces = spaced(new Read(schema, random, rows).tokens(), random);
      await compareData(pieces, { random, again }, { user: reader, rows });
    });
  }
  const shown = [...kinds].sort(([, one], [, other]) => other.count - one.count).slice(0, MAX_SHOWN);
  for (const [kind, found] of shown) await report(kind, found);
  if (kinds.size > shown.length) console.error(`\nand ${kinds.size - shown.length} kinds more`);
  const { accepted, refused, limited, otherColumn, data, cases } = counts;
  console.log(
    `${cases} known cases; by graphql-js ${accepted} requests accepted and ${refused} refused; ` +
      `${limited} beyond a limit; ${otherColumn} syntax errors in another column; ${data} answers compared; ` +
      `${kinds.size} kinds of disagreement; ${((Date.now() - began) / 1000).toFixed(1)} s`,
  );
  // A generator that makes only bad documents, or none, shows nothing.
  const isMeant =
    options.only || (Math.min(accepted, refused) > documents / 3 && limited < documents / 10 && data > documents / 6);
  if (!isMeant) console.error('The documents are not what they are meant to be.');
  process.exitCode = kinds.size === 0 && isMeant ? 0 : 1;
} finally {
  server.stop();
}
