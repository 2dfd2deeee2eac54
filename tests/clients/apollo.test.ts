// Apollo Client over HTTP: its cache, pages, optimistic answers, errors and persisted queries.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ApolloClient,
  type ApolloCache,
  ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
} from '@apollo/client';
import { PersistedQueryLink, createPersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import type { ResultOf } from '@graphql-typed-document-node/core';
import { sha256 } from 'crypto-hash';
import { filter, firstValueFrom, map } from 'rxjs';
import { createTasks, titlesOnServer } from './support/ask.js';
import {
  CreateTaskDocument,
  DeleteTaskDocument,
  PageDocument,
  TaskDocument,
  UpdateTaskDocument,
} from './support/documents.js';
import { Gate } from './support/gate.js';
import { Server, newUser, tokenOf } from './support/server.js';

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

/** A client as the README has it. Links between are put before the one that sends. */
function connect(token: string | undefined, gate = new Gate(), ...between: ApolloLink[]): ApolloClient {
  const authorization = new ApolloLink((operation, forward) => {
    if (token) operation.setContext({ headers: { Authorization: `Bearer ${token}` } });
    return forward(operation);
  });
  return new ApolloClient({
    link: ApolloLink.from([authorization, ...between, new HttpLink({ uri: server.http, fetch: gate.fetch })]),
    cache: new InMemoryCache({
      typePolicies: {
        Query: { fields: { tasks: relayStylePagination(['status', 'sortBy', 'direction']) } },
      },
    }),
  });
}

const titlesInCache = (cache: ApolloCache): string[] | undefined =>
  cache.readQuery({ query: PageDocument }, true)?.tasks.edges.map((edge) => edge.node.title);

type Info = NonNullable<ResultOf<typeof PageDocument>>['tasks']['pageInfo'];

/** The one error of a refused operation. */
async function refusal(operation: Promise<unknown>): Promise<CombinedGraphQLErrors['errors'][number]> {
  const error: unknown = await operation.then(
    () => assert.fail('the operation was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(CombinedGraphQLErrors.is(error), String(error));
  assert.equal(error.errors.length, 1);
  return error.errors[0] ?? assert.fail();
}

test('Apollo: an update shows wherever the task is in the cache', async () => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk', 'Call Ada');
  const gate = new Gate();
  const client = connect(tokenOf(user), gate);
  await client.query({ query: PageDocument });
  assert.deepEqual(titlesInCache(client.cache), ['Call Ada', 'Buy milk']);

  await client.mutate({ mutation: UpdateTaskDocument, variables: { id, input: { title: 'Buy oat milk' } } });
  assert.deepEqual(titlesInCache(client.cache), ['Call Ada', 'Buy oat milk']);
  assert.equal(gate.sent.length, 2, 'the list was not asked for again');
});

test('Apollo: an optimistic answer shows before the server answers, and the true one after', async () => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk');
  const gate = new Gate();
  const client = connect(tokenOf(user), gate);
  const { data } = await client.query({ query: TaskDocument, variables: { id } });
  assert.ok(data?.task);

  const open = gate.close();
  const updated = client.mutate({
    mutation: UpdateTaskDocument,
    variables: { id, input: { completed: true } },
    optimisticResponse: { updateTask: { task: { ...data.task, completed: true } } },
  });
  const inCache = () => client.cache.readQuery({ query: TaskDocument, variables: { id } }, true)?.task;
  assert.equal(inCache()?.completed, true);
  assert.equal(inCache()?.version, 1, 'the server has not answered');
  open();
  await updated;
  assert.equal(inCache()?.completed, true);
  assert.equal(inCache()?.version, 2);
});

test('Apollo: an optimistic answer is taken back when the server refuses', async () => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk');
  const gate = new Gate();
  const client = connect(tokenOf(user), gate);
  const { data } = await client.query({ query: TaskDocument, variables: { id } });
  assert.ok(data?.task);

  const open = gate.close();
  const refused = refusal(
    client.mutate({
      mutation: UpdateTaskDocument,
      variables: { id, input: { title: 'Buy oat milk' }, expectedVersion: 7 },
      optimisticResponse: { updateTask: { task: { ...data.task, title: 'Buy oat milk' } } },
    }),
  );
  const title = () => client.cache.readQuery({ query: TaskDocument, variables: { id } }, true)?.task?.title;
  assert.equal(title(), 'Buy oat milk');
  open();
  await refused;
  assert.equal(title(), 'Buy milk');
});

test('Apollo: after creates and deletes the cache holds what the server has', async () => {
  const user = newUser();
  const [milk = ''] = await createTasks(server, user, 'Buy milk', 'Call Ada');
  const client = connect(tokenOf(user));
  await client.query({ query: PageDocument });

  await client.mutate({
    mutation: CreateTaskDocument,
    variables: { input: { title: 'Water the plants' } },
    update(cache, { data }) {
      const node = data?.createTask?.task;
      assert.ok(node);
      cache.updateQuery({ query: PageDocument }, (page) => {
        if (!page) return page;
        const edge = { __typename: 'TaskEdge' as const, cursor: '', node };
        const { edges, totalCount } = page.tasks;
        return { ...page, tasks: { ...page.tasks, totalCount: totalCount + 1, edges: [edge, ...edges] } };
      });
    },
  });
  await client.mutate({
    mutation: DeleteTaskDocument,
    variables: { id: milk },
    update(cache, { data }) {
      cache.evict({ id: cache.identify({ __typename: 'Task', id: data?.deleteTask?.deletedTaskId }) });
      cache.gc();
    },
  });
  assert.deepEqual(titlesInCache(client.cache), ['Water the plants', 'Call Ada']);
  assert.deepEqual(titlesInCache(client.cache), await titlesOnServer(server, user));
});

for (const [way, size, next] of [
  ['first and after', { first: 2 }, (info: Info) => info.hasNextPage && { first: 2, after: info.endCursor }],
  ['last and before', { last: 2 }, (info: Info) => info.hasPreviousPage && { last: 2, before: info.startCursor }],
] as const) {
  test(`Apollo: fetchMore with ${way} joins the pages into the whole list`, async () => {
    const user = newUser();
    await createTasks(server, user, 'one', 'two', 'three', 'four', 'five');
    const client = connect(tokenOf(user));
    const variables = { direction: 'ASC', ...size } as const;
    const list = client.watchQuery({ query: PageDocument, variables });
    /** The list as a component is given it, as soon as it has this many tasks. */
    const whenItHas = async (count: number) => {
      const shown = list.pipe(
        map((result) => (result.dataState === 'complete' ? result.data.tasks : undefined)),
        filter((tasks) => tasks?.edges.length === count),
      );
      return (await firstValueFrom(shown)) ?? assert.fail();
    };
    const component = list.subscribe({});
    let pageInfo: Info = (await whenItHas(2)).pageInfo;
    for (const count of [4, 5]) {
      const more = next(pageInfo);
      assert.ok(more);
      await list.fetchMore({ variables: more });
      pageInfo = (await whenItHas(count)).pageInfo;
    }
    assert.equal(next(pageInfo), false);
    const tasks = await whenItHas(5);
    assert.equal(tasks.totalCount, 5);
    assert.deepEqual(tasks.edges.map((edge) => edge.node.title), ['one', 'two', 'three', 'four', 'five']);
    component.unsubscribe();
  });
}

test('Apollo: BAD_USER_INPUT lists every problem with its path', async () => {
  const client = connect(tokenOf(newUser()));
  const input = { title: '', description: 'x'.repeat(10_001) };
  const { extensions } = await refusal(client.mutate({ mutation: CreateTaskDocument, variables: { input } }));
  assert.equal(extensions?.code, 'BAD_USER_INPUT');
  const problems = extensions?.problems as { path: string[]; message: string }[];
  assert.deepEqual(
    problems.map((problem) => problem.path),
    [['input', 'title'], ['input', 'description']],
  );
  assert.ok(problems.every((problem) => problem.message.length > 0));
});

test('Apollo: NOT_FOUND for an id that is not there, and for somebody else\'s', async () => {
  const [others = ''] = await createTasks(server, newUser(), 'not yours');
  const client = connect(tokenOf(newUser()));
  for (const id of [others, '00000000-0000-7000-8000-000000000000']) {
    const error = await refusal(client.query({ query: TaskDocument, variables: { id } }));
    assert.equal(error.extensions?.code, 'NOT_FOUND');
    assert.deepEqual(error.path, ['task']);
  }
});

test('Apollo: CONFLICT tells the version that is there', async () => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk');
  const client = connect(tokenOf(user));
  const update = (title: string, expectedVersion: number) =>
    client.mutate({ mutation: UpdateTaskDocument, variables: { id, input: { title }, expectedVersion } });
  await update('Buy oat milk', 1);
  const { extensions } = await refusal(update('Buy no milk', 1));
  assert.equal(extensions?.code, 'CONFLICT');
  assert.equal(extensions?.currentVersion, 2);
});

test('Apollo: UNAUTHENTICATED comes with status 401, without a token and with one that is over', async () => {
  for (const token of [undefined, tokenOf(newUser(), { secondsLeft: -3600 })]) {
    const gate = new Gate();
    const { extensions } = await refusal(connect(token, gate).query({ query: PageDocument }));
    assert.equal(extensions?.code, 'UNAUTHENTICATED');
    assert.deepEqual(gate.sent.map((request) => request.status), [401]);
  }
});

test('Apollo: persisted queries go without their text, by GET, and with it to a server that forgot them', async () => {
  const user = newUser();
  await createTasks(server, user, 'Buy milk');
  const gate = new Gate();
  const client = connect(tokenOf(user), gate, createPersistedQueryLink({ sha256, useGETForHashedQueries: true }));
  const query = async () => {
    const { data } = await client.query({ query: PageDocument, fetchPolicy: 'network-only' });
    assert.deepEqual(data?.tasks.edges.map((edge) => edge.node.title), ['Buy milk']);
    const sent = gate.sent.splice(0);
    assert.ok(sent.every((request) => request.status === 200));
    return sent.map(({ method, url, body }) => {
      const text = url.searchParams.get('query') ?? (JSON.parse(body ?? '{}') as { query?: string }).query;
      return `${method} ${text === undefined ? 'without text' : 'with text'}`;
    });
  };
  for (let round = 0; round < 2; round += 1) {
    // What was sent before is known until the server ends.
    await server.stop();
    await server.restart();
    assert.deepEqual(await query(), ['GET without text', 'POST with text']);
    assert.deepEqual(await query(), ['GET without text']);
  }
});

test('Apollo: a mutation with a persisted text goes by POST', async () => {
  const user = newUser();
  const gate = new Gate();
  const client = connect(tokenOf(user), gate, new PersistedQueryLink({ sha256, useGETForHashedQueries: true }));
  await client.mutate({ mutation: CreateTaskDocument, variables: { input: { title: 'Buy milk' } } });
  assert.ok(gate.sent.length > 0);
  assert.ok(gate.sent.every((request) => request.method === 'POST' && request.status === 200));
  assert.deepEqual(await titlesOnServer(server, user), ['Buy milk']);
});
