// urql with its normalised cache, Graphcache, over HTTP.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type AnyVariables, Client, type OperationResult, type TypedDocumentNode, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import type { DeleteTaskMutation, UpdateTaskMutationVariables } from './generated/codegen/graphql.js';
import { createTasks, titlesOnServer } from './support/ask.js';
import {
  CreateTaskDocument,
  DeleteTaskDocument,
  EdgesDocument,
  PageDocument,
  TaskDocument,
  TaskFields,
  UpdateTaskDocument,
} from './support/documents.js';
import { Events } from './support/events.js';
import { Gate } from './support/gate.js';
import { Server, newUser, tokenOf } from './support/server.js';

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

function connect(token: string, gate = new Gate()): Client {
  const cache = cacheExchange({
    resolvers: { Query: { tasks: relayPagination() } },
    updates: {
      Mutation: {
        createTask: (_result, _args, store) => {
          for (const { fieldName, fieldKey } of store.inspectFields('Query')) {
            if (fieldName === 'tasks') store.invalidate('Query', fieldKey);
          }
        },
        deleteTask: (result: DeleteTaskMutation, _args, store) => {
          if (result.deleteTask) store.invalidate({ __typename: 'Task', id: result.deleteTask.deletedTaskId });
        },
      },
    },
    optimistic: {
      updateTask: (args, store) => {
        const { id, input } = args as UpdateTaskMutationVariables;
        const task = store.readFragment(TaskFields, { __typename: 'Task', id });
        return { __typename: 'UpdateTaskPayload', task: { __typename: 'Task', ...task, ...input } };
      },
    },
  });
  return new Client({
    url: server.http,
    exchanges: [cache, fetchExchange],
    fetch: gate.fetch,
    fetchOptions: () => ({ headers: { authorization: `Bearer ${token}` } }),
    preferGetMethod: 'within-url-limit',
  });
}

/** What a component is given that shows a query. */
function watch<Data, Variables extends AnyVariables>(
  client: Client,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Events<OperationResult<Data, Variables>> {
  const shown = new Events<OperationResult<Data, Variables>>();
  const { unsubscribe } = client.query(document, variables).subscribe((result) => shown.push(result));
  after(unsubscribe);
  return shown;
}

test('urql: an update shows wherever the task is in the cache, at first optimistically', async () => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk', 'Call Ada');
  const gate = new Gate();
  const client = connect(tokenOf(user), gate);
  const shown = watch(client, EdgesDocument, { first: 10 });
  const tasks = async () => (await shown.next()).data?.tasks.edges.map(({ node }) => [node.title, node.version]);
  assert.deepEqual(await tasks(), [['Call Ada', 1], ['Buy milk', 1]]);
  const open = gate.close();
  const updated = client.mutation(UpdateTaskDocument, { id, input: { title: 'Buy oat milk' } }).toPromise();
  assert.deepEqual(await tasks(), [['Call Ada', 1], ['Buy oat milk', 1]], 'before the server answers');
  open();
  await updated;
  assert.deepEqual(await tasks(), [['Call Ada', 1], ['Buy oat milk', 2]]);
  assert.deepEqual(gate.sent.map((request) => request.method), ['GET', 'POST'], 'the list was not asked for again');
});

test('urql: an optimistic answer is taken back when the server refuses', async () => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk');
  const gate = new Gate();
  const client = connect(tokenOf(user), gate);
  const shown = watch(client, TaskDocument, { id });
  const title = async () => (await shown.next()).data?.task?.title;
  assert.equal(await title(), 'Buy milk');
  const open = gate.close();
  const update = { id, input: { title: 'Buy oat milk' }, expectedVersion: 7 };
  const refused = client.mutation(UpdateTaskDocument, update).toPromise();
  assert.equal(await title(), 'Buy oat milk');
  open();
  const { extensions } = (await refused).error?.graphQLErrors[0] ?? {};
  assert.equal(extensions?.code, 'CONFLICT');
  assert.equal(extensions?.currentVersion, 1);
  assert.equal(await title(), 'Buy milk');
});

test('urql: after creates and deletes a list shows what the server has', async () => {
  const user = newUser();
  const [milk = ''] = await createTasks(server, user, 'Buy milk', 'Call Ada');
  const client = connect(tokenOf(user));
  const shown = watch(client, EdgesDocument, { first: 10 });
  const untilItShows = (...titles: string[]) =>
    shown.until(({ data }) => data?.tasks.edges.map((edge) => edge.node.title).join() === titles.join());
  await untilItShows('Call Ada', 'Buy milk');
  await client.mutation(CreateTaskDocument, { input: { title: 'Water the plants' } }).toPromise();
  await untilItShows('Water the plants', 'Call Ada', 'Buy milk');
  await client.mutation(DeleteTaskDocument, { id: milk }).toPromise();
  await untilItShows('Water the plants', 'Call Ada');
  assert.deepEqual(await titlesOnServer(server, user), ['Water the plants', 'Call Ada']);
});

test('urql: relayPagination joins pages, with first and after', async () => {
  const user = newUser();
  await createTasks(server, user, 'one', 'two', 'three', 'four', 'five');
  const client = connect(tokenOf(user));
  let after: string | null = null;
  const seen: string[][] = [];
  for (;;) {
    const { data } = await client.query(EdgesDocument, { direction: 'ASC', first: 2, after }).toPromise();
    assert.ok(data);
    seen.push(data.tasks.edges.map((edge) => edge.node.title));
    if (!data.tasks.pageInfo.hasNextPage) break;
    after = data.tasks.pageInfo.endCursor;
  }
  assert.deepEqual(seen, [
    ['one', 'two'],
    ['one', 'two', 'three', 'four'],
    ['one', 'two', 'three', 'four', 'five'],
  ]);
});

test('urql: relayPagination joins pages, with last and before', async () => {
  const user = newUser();
  await createTasks(server, user, 'one', 'two', 'three', 'four', 'five');
  const client = connect(tokenOf(user));
  let before: string | null = null;
  const seen: string[][] = [];
  for (;;) {
    const { data } = await client.query(EdgesDocument, { direction: 'ASC', last: 2, before }).toPromise();
    assert.ok(data);
    seen.push(data.tasks.edges.map((edge) => edge.node.title));
    if (!data.tasks.pageInfo.hasPreviousPage) break;
    before = data.tasks.pageInfo.startCursor;
  }
  assert.deepEqual(seen, [
    ['four', 'five'],
    ['two', 'three', 'four', 'five'],
    ['one', 'two', 'three', 'four', 'five'],
  ]);
});

test('urql: errors have their codes and statuses', async () => {
  const client = connect(tokenOf(newUser()));
  const missing = await client.query(TaskDocument, { id: '00000000-0000-7000-8000-000000000000' }).toPromise();
  assert.deepEqual(missing.error?.graphQLErrors.map((error) => error.extensions.code), ['NOT_FOUND']);
  const invalid = await client.mutation(CreateTaskDocument, { input: { title: '' } }).toPromise();
  const { code, problems } = invalid.error?.graphQLErrors[0]?.extensions ?? {};
  assert.equal(code, 'BAD_USER_INPUT');
  assert.deepEqual((problems as { path: string[] }[]).map((problem) => problem.path), [['input', 'title']]);

  const late = await connect(tokenOf(newUser(), { secondsLeft: -3600 })).query(PageDocument, {}).toPromise();
  assert.deepEqual(late.error?.graphQLErrors.map((error) => error.extensions.code), ['UNAUTHENTICATED']);
  assert.equal((late.error?.response as Response).status, 401);
});
