// graphql-sse in its distinct connections mode, and EventSource, which browsers have built in: subscriptions as an
// event stream.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventSource } from 'eventsource';
import { type ExecutionResult, print } from 'graphql';
import { type Client, type ClientOptions, NetworkError, createClient } from 'graphql-sse';
import type { CreateTaskMutation, PageQuery, TaskChangedSubscription } from './generated/codegen/graphql.js';
import { createTasks, syncToken, titlesOnServer } from './support/ask.js';
import { CreateTaskDocument, PageDocument, TaskChangedDocument } from './support/documents.js';
import { Events } from './support/events.js';
import { codesOf, resultsOf, subscribe } from './support/operations.js';
import { type ChangesOf, type TaskChanged, bringsEachChange, missesNothing } from './support/resume.js';
import { Server, newUser, tokenOf } from './support/server.js';

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

const connect = (url: string, token: () => string, more: Partial<ClientOptions> = {}): Client =>
  createClient({
    url,
    headers: () => ({ Authorization: `Bearer ${token()}` }),
    retryAttempts: Number.POSITIVE_INFINITY,
    retry: () => sleep(20),
    ...more,
  });

test('graphql-sse: a subscription brings each change as it happens', () =>
  bringsEachChange(server, (user, since, changes) =>
    subscribe(connect(server.http, () => tokenOf(user)), since, changes),
  ));

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`graphql-sse: a subscription misses nothing while its server goes by ${signal} and comes back`, () =>
    missesNothing(server, signal, (line, user, since, changes) =>
      subscribe(connect(line.http, () => tokenOf(user)), since, changes),
    ));
}

test('graphql-sse: queries and mutations go as event streams', async () => {
  const user = newUser();
  const client = connect(server.http, () => tokenOf(user), { retryAttempts: 0 });
  const input = { title: 'Buy milk' };
  const created = await resultsOf<CreateTaskMutation>(client, print(CreateTaskDocument), { input });
  assert.deepEqual(created.map((result) => result.data?.createTask?.task.title), ['Buy milk']);
  const pages = await resultsOf<PageQuery>(client, print(PageDocument), { first: 1 });
  assert.deepEqual(pages.map((page) => page.data?.tasks.totalCount), [1]);
  assert.deepEqual(await titlesOnServer(server, user), ['Buy milk']);
});

test('graphql-sse: errors come in the stream, which is then complete', async () => {
  const user = newUser();
  const client = connect(server.http, () => tokenOf(user), { retryAttempts: 0 });
  const unknown = await resultsOf(client, 'subscription { taskChanges { kind } }');
  assert.deepEqual(codesOf(unknown), ['GRAPHQL_VALIDATION_FAILED']);
  const changes = (since: string) => resultsOf(client, print(TaskChangedDocument), { since });
  assert.deepEqual(codesOf(await changes(await syncToken(server, newUser()))), ['SYNC_TOKEN_EXPIRED']);
  assert.deepEqual(codesOf(await changes('no token of ours')), ['BAD_USER_INPUT']);
});

test('graphql-sse: a stream whose token is over ends with UNAUTHENTICATED, and another goes on', async () => {
  const user = newUser();
  // Four seconds are left of the 30 that clocks may differ.
  const late = connect(server.http, () => tokenOf(user, { secondsLeft: -26 }), { retryAttempts: 0 });
  const since = await syncToken(server, user);
  await createTasks(server, user, 'before');
  const results = await resultsOf<TaskChangedSubscription>(late, print(TaskChangedDocument), { since });
  assert.equal(results.length, 2);
  assert.equal(results[0]?.data?.taskChanged.task?.title, 'before');
  assert.deepEqual(codesOf(results), ['UNAUTHENTICATED']);

  await createTasks(server, user, 'after');
  const changes = new Events<TaskChanged>();
  const last = results[0]?.data?.taskChanged.syncToken ?? '';
  const end = subscribe(connect(server.http, () => tokenOf(user)), last, changes);
  assert.equal((await changes.next()).task?.title, 'after');
  end();
});

test('graphql-sse: after a bad token, which is refused with 401, a fresh one serves', async () => {
  const user = newUser();
  const statuses: number[] = [];
  const tokens = [tokenOf(user, { secondsLeft: -3600 })];
  const client = connect(server.http, () => tokens.pop() ?? tokenOf(user), {
    fetchFn: async (input: string, init: RequestInit) => {
      const response = await fetch(input, init);
      statuses.push(response.status);
      return response;
    },
  });
  assert.deepEqual(await resultsOf(client, '{ viewer { id } }'), [{ data: { viewer: { id: user } } }]);
  assert.deepEqual(statuses, [401, 200]);

  const late = connect(server.http, () => tokenOf(user, { secondsLeft: -3600 }), { retryAttempts: 0 });
  const reason: unknown = await resultsOf(late, '{ viewer { id } }').catch((error: unknown) => error);
  assert.ok(reason instanceof NetworkError);
});

/** An EventSource on a subscription by GET. It sends the token, as browsers do with a fetch of their own only. */
function eventSource(url: string, user: string, since: string, changes: ChangesOf): EventSource {
  const address = new URL(url);
  address.searchParams.set('query', print(TaskChangedDocument));
  address.searchParams.set('variables', JSON.stringify({ since }));
  const source = new EventSource(address, {
    fetch: (input, init) =>
      fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${tokenOf(user)}` } }),
  });
  source.addEventListener('next', (event) => {
    const { data, errors } = JSON.parse(event.data as string) as ExecutionResult<TaskChangedSubscription>;
    if (data) changes.push(data.taskChanged);
    else changes.end(errors);
  });
  source.addEventListener('complete', () => changes.end(new Error('the subscription is complete')));
  return source;
}

test('EventSource: a subscription by GET brings each change as it happens', async (t) => {
  const user = newUser();
  const changes = new Events<TaskChanged>();
  const source = eventSource(server.http, user, await syncToken(server, user), changes);
  t.after(() => source.close());
  await createTasks(server, user, 'Buy milk', 'Call Ada');
  assert.deepEqual((await changes.take(2)).map((change) => change.task?.title), ['Buy milk', 'Call Ada']);
});

test('EventSource: it comes back by itself, and what it then gets again is what it had', async (t) => {
  const user = newUser();
  const changes = new Events<TaskChanged>();
  const source = eventSource(server.http, user, await syncToken(server, user), changes);
  t.after(() => source.close());
  await createTasks(server, user, 'before');
  const before = await changes.next();
  await server.stop();
  await server.restart();
  await createTasks(server, user, 'after');
  // It asks for the address that it was made with: the same token, and so the same changes first.
  const again = await changes.take(2);
  assert.deepEqual(again[0], before);
  assert.equal(again[1]?.task?.title, 'after');
});
