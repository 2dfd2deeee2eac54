// schema.graphql by GraphQL ESLint's rules, and against the schema that was released last, released.graphql. With a
// release, schema.graphql is copied there. Until then a change that may break a client has to be named by its path,
// such as `Task.title`, under "### Breaking" in the section "## Unreleased" of CHANGELOG.md.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ESLint } from 'eslint';
import { brokenPromises } from './support/promise.js';

const read = (path: string): string => readFileSync(path, 'utf8');
const schema = read('../../schema.graphql');
const released = read('released.graphql');

/** The same text with one part replaced, which must be there. */
function replace(text: string, part: string, by: string): string {
  assert.ok(text.includes(part), part);
  return text.replace(part, by);
}

async function problems(text: string): Promise<string[]> {
  const results = await new ESLint().lintText(text, { filePath: 'schema.graphql' });
  const messages = results.flatMap((result) => result.messages);
  return messages.map(({ line, ruleId, message }) => `${line} ${ruleId} ${message}`);
}

test('schema: GraphQL ESLint has nothing to say', async () => {
  assert.deepEqual(await problems(schema), []);
});

test('schema: GraphQL ESLint sees a bad name, a missing description and a connection without pageInfo', async () => {
  const broken = [
    ['  email: String\n', '  e_mail: String\n', 'naming-convention'],
    ['"How urgent a task is."\n', '', 'require-description'],
    ['  pageInfo: PageInfo!\n', '  page: PageInfo!\n', 'relay-connection-types'],
  ] as const;
  for (const [part, by, rule] of broken) {
    const found = await problems(replace(schema, part, by));
    assert.ok(found.length > 0 && found.every((line) => line.includes(` @graphql-eslint/${rule} `)), found.join('\n'));
  }
});

test('schema: no unannounced change since the last release may break a client', async () => {
  assert.deepEqual(await brokenPromises(released, schema, read('../../CHANGELOG.md')), []);
});

test('schema: a field that went is seen, unless the changelog announces it for the next release', async () => {
  const before = 'type Query { task: Task } type Task { id: ID! title: String! }';
  const after = 'type Query { task: Task } type Task { id: ID! }';
  const broken = ["BREAKING Task.title: Field 'title' was removed from object type 'Task'"];
  const changelog = (unreleased: string, version = '') =>
    `# Changelog\n\n## Unreleased\n\n${unreleased}\n\n## 1.0.0\n\n${version}\n`;
  const breaking = '### Breaking\n\n- `Task.title` is gone.';

  assert.deepEqual(await brokenPromises(before, after, changelog('')), broken);
  assert.deepEqual(await brokenPromises(before, after, changelog(breaking)), []);
  assert.deepEqual(await brokenPromises(before, after, changelog('### Removed\n\n- `Task.title`')), broken);
  assert.deepEqual(await brokenPromises(before, after, changelog('### Breaking\n\n- `Task.titles`')), broken);
  assert.deepEqual(await brokenPromises(before, after, changelog('', breaking)), broken, 'of a version before');
});

test('schema: each kind of change that may break a client is seen', async () => {
  const breaking = [
    ['  completedAt: DateTime\n', '  endedAt: DateTime\n', 'BREAKING Task.completedAt'],
    ['  owner: User!\n', '  owner: User\n', 'BREAKING Task.owner'],
    ['  first: Int = 100\n', '  first: Int = 50\n', 'DANGEROUS Query.taskChanges.first'],
    ['  priority: TaskPriority\n', '  priority: TaskPriority!\n', 'BREAKING CreateTaskInput.priority'],
    ['  HIGH\n', '  HIGH\n  URGENT\n', 'DANGEROUS TaskPriority.URGENT'],
  ] as const;
  for (const [part, by, expected] of breaking) {
    const found = await brokenPromises(released, replace(released, part, by), '');
    assert.ok(found.length === 1 && found[0]?.startsWith(`${expected}: `), found.join('\n'));
  }
});
