// graphql-ws on its own: subscriptions, queries and mutations over a WebSocket, tokens and reconnects.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type GraphQLFormattedError, print } from 'graphql';
import { CloseCode } from 'graphql-ws';
import type { CloseEvent } from 'ws';
import type { CreateTaskMutation, PageQuery } from './generated/codegen/graphql.js';
import { createTasks, syncToken, titlesOnServer } from './support/ask.js';
import { CreateTaskDocument, PageDocument, TaskChangedDocument } from './support/documents.js';
import { Events } from './support/events.js';
import { codesOf, resultsOf, subscribe } from './support/operations.js';
import { type TaskChanged, bringsEachChange, missesNothing } from './support/resume.js';
import { Server, newUser, tokenOf } from './support/server.js';
import { connectSocket } from './support/socket.js';

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

test('graphql-ws: a subscription brings each change as it happens', () =>
  bringsEachChange(server, (user, since, changes) =>
    subscribe(connectSocket(server.ws, () => tokenOf(user)), since, changes),
  ));

test('graphql-ws: a user gets no changes of another', async (t) => {
  const [user, other] = [newUser(), newUser()];
  const changes = new Events<TaskChanged>();
  t.after(subscribe(connectSocket(server.ws, () => tokenOf(user)), await syncToken(server, user), changes));
  await createTasks(server, other, 'not yours');
  await createTasks(server, user, 'yours');
  assert.equal((await changes.next()).task?.title, 'yours');
});

test('graphql-ws: several operations share a socket, and one that ends leaves the others', async (t) => {
  const user = newUser();
  let sockets = 0;
  const client = connectSocket(server.ws, () => tokenOf(user), { on: { connected: () => (sockets += 1) } });
  const since = await syncToken(server, user);
  const [first, second] = [new Events<TaskChanged>(), new Events<TaskChanged>()];
  const endFirst = subscribe(client, since, first);
  t.after(subscribe(client, since, second));
  await createTasks(server, user, 'for both');
  assert.equal((await first.next()).task?.title, 'for both');
  assert.equal((await second.next()).task?.title, 'for both');
  endFirst();
  await createTasks(server, user, 'for one');
  assert.equal((await second.next()).task?.title, 'for one');
  await assert.rejects(first.next(), /the subscription is complete/);
  assert.deepEqual(await resultsOf(client, '{ __typename }'), [{ data: { __typename: 'Query' } }]);
  assert.equal(sockets, 1);
});

test('graphql-ws: subscriptions that begin beside a write all bring it, and go on', async (t) => {
  for (let round = 0; round < 25; round += 1) {
    const user = newUser();
    const client = connectSocket(server.ws, () => tokenOf(user));
    const since = await syncToken(server, user);
    const subscribers = [1, 2, 3, 4].map(() => new Events<TaskChanged>());
    for (const changes of subscribers) t.after(subscribe(client, since, changes));
    for (const title of ['beside', 'later']) {
      await createTasks(server, user, title);
      const got = await Promise.all(subscribers.map((changes) => changes.next()));
      assert.deepEqual(got.map((change) => change.task?.title), subscribers.map(() => title));
    }
  }
});

test('graphql-ws: queries and mutations go over the socket', async () => {
  const user = newUser();
  const client = connectSocket(server.ws, () => tokenOf(user));
  const create = (title: string) =>
    resultsOf<CreateTaskMutation>(client, print(CreateTaskDocument), { input: { title } });
  const created = await create('Buy milk');
  assert.deepEqual(created.map((result) => result.data?.createTask?.task.title), ['Buy milk']);
  const pages = await resultsOf<PageQuery>(client, print(PageDocument), { first: 1 });
  assert.deepEqual(pages.map((page) => page.data?.tasks.totalCount), [1]);
  assert.deepEqual(codesOf(await create('')), ['BAD_USER_INPUT']);
  assert.deepEqual(await titlesOnServer(server, user), ['Buy milk']);
});

test('graphql-ws: what is wrong with a document is an error, what goes wrong in it a result', async () => {
  const user = newUser();
  const client = connectSocket(server.ws, () => tokenOf(user));
  const unknown = resultsOf(client, 'subscription { taskChanges { kind } }');
  const errors: unknown = await unknown.catch((reason: unknown) => reason);
  assert.deepEqual(codesOf([{ errors: errors as GraphQLFormattedError[] }]), ['GRAPHQL_VALIDATION_FAILED']);

  const changes = (since: string) => resultsOf(client, print(TaskChangedDocument), { since });
  assert.deepEqual(codesOf(await changes(await syncToken(server, newUser()))), ['SYNC_TOKEN_EXPIRED']);
  assert.deepEqual(codesOf(await changes('no token of ours')), ['BAD_USER_INPUT']);
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`graphql-ws: a subscription misses nothing while its server goes by ${signal} and comes back`, async () => {
    const closed: unknown[] = [];
    await missesNothing(server, signal, (line, user, since, changes) => {
      const on = { closed: (event: unknown) => closed.push((event as CloseEvent).code) };
      return subscribe(connectSocket(line.ws, () => tokenOf(user), { on }), since, changes);
    });
    // 1001: going away. 1006: nobody has said goodbye.
    assert.equal(closed[0], signal === 'SIGTERM' ? 1001 : 1006);
  });
}

test('graphql-ws: a bad token closes the socket with 4403', async () => {
  const user = newUser();
  const foreign = tokenOf(user, { secret: 'another secret, 32 bytes and more' });
  const late = tokenOf(user, { secondsLeft: -3600 });
  for (const bad of [foreign, late, 'none']) {
    const client = connectSocket(server.ws, () => bad, { retryAttempts: 0 });
    const reason: unknown = await resultsOf(client, '{ viewer { id } }').catch((event: unknown) => event);
    assert.equal((reason as CloseEvent).code, CloseCode.Forbidden);
  }
});

test('graphql-ws: after a bad token connectionParams brings a fresh one', async () => {
  const user = newUser();
  const tokens = [tokenOf(user, { secondsLeft: -3600 })];
  const closed: unknown[] = [];
  const client = connectSocket(server.ws, () => tokens.pop() ?? tokenOf(user), {
    on: { closed: (event) => closed.push((event as CloseEvent).code) },
  });
  assert.deepEqual(await resultsOf(client, '{ viewer { id } }'), [{ data: { viewer: { id: user } } }]);
  assert.equal(closed[0], CloseCode.Forbidden);
});

test('graphql-ws: a socket whose token is over closes with 4403, and its subscription goes on', async (t) => {
  const user = newUser();
  // Four seconds are left of the 30 that clocks may differ.
  const tokens = [tokenOf(user, { secondsLeft: -26 })];
  const closed = new Events<number>();
  const changes = new Events<TaskChanged>();
  const client = connectSocket(server.ws, () => tokens.pop() ?? tokenOf(user), {
    on: { closed: (event) => closed.push((event as CloseEvent).code) },
  });
  t.after(subscribe(client, await syncToken(server, user), changes));
  await createTasks(server, user, 'before');
  assert.equal((await changes.next()).task?.title, 'before');
  assert.equal(await closed.next(), CloseCode.Forbidden);
  await createTasks(server, user, 'after');
  assert.equal((await changes.next()).task?.title, 'after');
});
