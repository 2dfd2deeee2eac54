// gql.tada: types of documents worked out by TypeScript itself, from what it generates of schema.graphql.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ResultOf, type VariablesOf, initGraphQLTada } from 'gql.tada';
import type { introspection } from './generated/gql-tada.js';
import { ask, createTasks } from './support/ask.js';
import { Server, newUser } from './support/server.js';
import type { Same, TaskPriority } from './support/types.js';
import { typeErrors } from './support/typescript.js';

const graphql = initGraphQLTada<{ introspection: introspection; scalars: { DateTime: string } }>();

const UrgentTasks = graphql(`
  query UrgentTasks($status: TaskStatusFilter, $first: Int) {
    tasks(status: $status, sortBy: DUE_DATE, first: $first) {
      totalCount
      nodes {
        __typename
        title
        priority
        dueDate
      }
    }
  }
`);

// Checked by tsc.
const resultIsExact: Same<
  ResultOf<typeof UrgentTasks>['tasks'],
  {
    totalCount: number;
    nodes: { __typename: 'Task'; title: string; priority: TaskPriority | null; dueDate: string | null }[];
  }
> = true;
const variablesAreExact: Same<
  VariablesOf<typeof UrgentTasks>,
  { status?: 'ALL' | 'PENDING' | 'COMPLETED' | null | undefined; first?: number | null | undefined }
> = true;

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

test('gql.tada: a document brings what its types say', async () => {
  assert.ok(resultIsExact && variablesAreExact);
  const user = newUser();
  await createTasks(server, user, 'Buy milk');
  const { tasks } = await ask(server, user, UrgentTasks, { status: 'PENDING', first: 1 });
  const node = { __typename: 'Task', title: 'Buy milk', priority: null, dueDate: null };
  assert.deepEqual(tasks, { totalCount: 1, nodes: [node] });
});

test('gql.tada: tsc refuses a wrong field, one that is not in the schema, and a wrong variable', async () => {
  const text = (read: string, asked: string, status: string): string => `
    import { type ResultOf, type VariablesOf, initGraphQLTada } from 'gql.tada';
    import type { introspection } from '../gql-tada.js';
    const graphql = initGraphQLTada<{ introspection: introspection; scalars: { DateTime: string } }>();
    const List = graphql('query L($status: TaskStatusFilter) { tasks(status: $status) { nodes { ${asked} title } } }');
    type Node = ResultOf<typeof List>['tasks']['nodes'][number];
    export const length = (node: Node) => node.${read}.length;
    export const asked = (node: Node): string => node.${asked};
    export const variables: VariablesOf<typeof List> = { status: '${status}' };
  `;
  const [none, errors = []] = await typeErrors(text('title', 'id', 'PENDING'), text('titel', 'nmae', 'DONE'));
  assert.deepEqual(none, []);
  assert.equal(errors.length, 3, errors.join('\n'));
  assert.match(errors[0] ?? '', /^7: error TS2551: Property 'titel' does not exist on type .* Did you mean 'title'\?$/);
  assert.match(errors[1] ?? '', /^8: error TS2322: Type 'unknown' is not assignable to type 'string'/);
  assert.match(errors[2] ?? '', /^9: error TS2322: Type '"DONE"' is not assignable to type '[^']*"PENDING"/);
});
