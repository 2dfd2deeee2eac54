// urql's subscriptions, over graphql-ws and as event streams, and what they do to its normalised cache.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, type Exchange, type ExecutionResult, fetchExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import type { TaskChangedSubscription } from './generated/codegen/graphql.js';
import { ask, createTasks, syncToken } from './support/ask.js';
import { DeleteTaskDocument, PageDocument, TaskChangedDocument, UpdateTaskDocument } from './support/documents.js';
import { Events } from './support/events.js';
import { type ChangesOf, type TaskChanged, missesNothing, resumable } from './support/resume.js';
import { Server, newUser, tokenOf } from './support/server.js';
import { connectSocket } from './support/socket.js';

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

/** Subscriptions over a WebSocket that go on from the last change that came. */
function overSocket(url: string, user: string): Exchange {
  const socket = connectSocket(url, () => tokenOf(user));
  return subscriptionExchange({
    forwardSubscription: ({ query = '' }, operation) => ({
      subscribe: (sink) => {
        const { variables, saw } = resumable((operation.variables as { since: string }).since);
        const unsubscribe = socket.subscribe<TaskChangedSubscription, ExecutionResult['extensions']>(
          { query, variables },
          {
            ...sink,
            next: (result) => {
              if (result.data) saw(result.data.taskChanged);
              sink.next(result);
            },
          },
        );
        return { unsubscribe };
      },
    }),
  });
}

function connect(http: string, user: string, ...subscriptions: Exchange[]): Client {
  const cache = cacheExchange({
    keys: { TaskChange: () => null },
    updates: {
      Subscription: {
        taskChanged: ({ taskChanged }: TaskChangedSubscription, _args, store) => {
          if (taskChanged.kind === 'DELETED') store.invalidate({ __typename: 'Task', id: taskChanged.taskId });
        },
      },
    },
  });
  return new Client({
    url: http,
    exchanges: [cache, ...subscriptions, fetchExchange],
    fetchOptions: () => ({ headers: { authorization: `Bearer ${tokenOf(user)}` } }),
    fetchSubscriptions: subscriptions.length === 0,
    preferGetMethod: false,
  });
}

/** Brings the changes since a token; returns the function that ends it. */
function subscribe(client: Client, since: string, changes: ChangesOf): () => void {
  const { unsubscribe } = client.subscription(TaskChangedDocument, { since }).subscribe(({ data, error }) => {
    if (error) changes.end(error);
    else if (data) changes.push(data.taskChanged);
  });
  return unsubscribe;
}

for (const [way, connectTo] of [
  ['over graphql-ws', (user: string) => connect(server.http, user, overSocket(server.ws, user))],
  ['as an event stream', (user: string) => connect(server.http, user)],
] as const) {
  test(`urql: what another device does shows in the cache, ${way}`, async (t) => {
    const user = newUser();
    const [milk = '', ada = ''] = await createTasks(server, user, 'Buy milk', 'Call Ada');
    const client = connectTo(user);
    const shown = new Events<string[] | undefined>();
    const list = client.query(PageDocument, {}).subscribe(({ data }) => {
      shown.push(data?.tasks.edges.map((edge) => edge.node.title));
    });
    t.after(list.unsubscribe);
    assert.deepEqual(await shown.next(), ['Call Ada', 'Buy milk']);
    const changes = new Events<TaskChanged>();
    t.after(subscribe(client, await syncToken(server, user), changes));

    await ask(server, user, UpdateTaskDocument, { id: milk, input: { title: 'Buy oat milk' } });
    assert.equal((await changes.next()).kind, 'UPDATED');
    assert.deepEqual(await shown.next(), ['Call Ada', 'Buy oat milk']);

    await ask(server, user, DeleteTaskDocument, { id: ada });
    assert.equal((await changes.next()).kind, 'DELETED');
    await shown.until((titles) => titles?.join() === 'Buy oat milk');
  });
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`urql: a subscription misses nothing while its server goes by ${signal} and comes back`, () =>
    missesNothing(server, signal, (line, user, since, changes) =>
      subscribe(connect(line.http, user, overSocket(line.ws, user)), since, changes),
    ));
}
