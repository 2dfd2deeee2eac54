// GraphQL Code Generator's client preset: the types that it makes of schema.graphql and of the running server.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { type CodegenConfig, executeCodegen } from '@graphql-codegen/cli';
import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';
import config from './codegen.js';
import { ask, createTasks } from './support/ask.js';
import { TaskDocument, UpdateTaskDocument } from './support/documents.js';
import { Server, newUser } from './support/server.js';
import type { Same, TaskPriority } from './support/types.js';
import { linesWithAny, linesWithAnyIn, typeErrors } from './support/typescript.js';

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

// Checked by tsc.
const resultIsExact: Same<
  NonNullable<ResultOf<typeof TaskDocument>>['task'],
  {
    id: string;
    title: string;
    description: string | null;
    completed: boolean;
    priority: TaskPriority | null;
    dueDate: string | null;
    updatedAt: string;
    version: number;
  } | null
> = true;
const inputsMayBeLeftOut: VariablesOf<typeof UpdateTaskDocument> = { id: '', input: {} };

test('GraphQL Code Generator: a typed document brings what its types say', async () => {
  assert.ok(resultIsExact && inputsMayBeLeftOut);
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk');
  const { task } = await ask(server, user, TaskDocument, { id });
  assert.ok(task);
  const { updatedAt, ...rest } = task;
  assert.match(updatedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const nothing = { description: null, priority: null, dueDate: null };
  const expected = { id, title: 'Buy milk', completed: false, version: 1, ...nothing };
  assert.deepEqual(rest, expected);
});

test('GraphQL Code Generator: the types of the schema and of the documents have no any', async () => {
  assert.deepEqual(linesWithAnyIn('// any\ntype A = { a: string };\ntype B = { b: any };\n'), [3]);
  assert.deepEqual(await linesWithAny('generated/codegen/graphql.ts'), []);
});

test('GraphQL Code Generator: the running server gives the same types as schema.graphql', async () => {
  const introspected: CodegenConfig = { ...config, schema: server.http, silent: true };
  const { result, error } = await executeCodegen(introspected);
  assert.equal(error, null);
  const types = result.find((file) => file.filename.endsWith('/graphql.ts'));
  assert.equal(types?.content, await readFile('generated/codegen/graphql.ts', 'utf8'));
});

test('GraphQL Code Generator: tsc refuses a wrong field, a wrong value and a wrong variable', async () => {
  const text = (title: string, priority: string, id: string): string => `
    import type { ResultOf, VariablesOf } from '@graphql-typed-document-node/core';
    import type { TaskDocument, UpdateTaskDocument } from '../../support/documents.js';
    export const title = (data: NonNullable<ResultOf<typeof TaskDocument>>) => data.task?.${title};
    export const variables: VariablesOf<typeof UpdateTaskDocument> = { ${id}: '', input: {} };
    export const value: VariablesOf<typeof UpdateTaskDocument> = { id: '', input: { priority: '${priority}' } };
  `;
  const [none, errors = []] = await typeErrors(text('title', 'HIGH', 'id'), text('titel', 'URGENT', 'taskId'));
  assert.deepEqual(none, []);
  assert.equal(errors.length, 3, errors.join('\n'));
  assert.match(errors[0] ?? '', /^4: error TS2551: Property 'titel' does not exist on type .* Did you mean 'title'\?$/);
  assert.match(errors[1] ?? '', /^5: error TS2353: .* 'taskId' does not exist in type /);
  assert.match(errors[2] ?? '', /^6: error TS2322: Type '"URGENT"' is not assignable to type 'TaskPriority/);
});

test('GraphQL Code Generator: a document with a field that is not in the schema is refused', async () => {
  const wrong: CodegenConfig = { ...config, documents: ['query Wrong { viewer { nmae } }'], silent: true };
  const { error } = await executeCodegen(wrong);
  assert.match(String(error), /Cannot query field "nmae" on type "User". Did you mean "name"\?/);
});
