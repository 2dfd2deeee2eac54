// Apollo Client's subscriptions over graphql-ws, and what they do to its cache.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import { tap } from 'rxjs';
import type { TaskChangedSubscription } from './generated/codegen/graphql.js';
import { ask, createTasks, syncToken } from './support/ask.js';
import { DeleteTaskDocument, PageDocument, TaskChangedDocument, UpdateTaskDocument } from './support/documents.js';
import { Events } from './support/events.js';
import { type ChangesOf, type TaskChanged, missesNothing } from './support/resume.js';
import { Server, newUser, tokenOf } from './support/server.js';
import { connectSocket } from './support/socket.js';

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

/** Whenever graphql-ws sends a subscription again, it goes on from the last change that came. */
const resume = new ApolloLink((operation, forward) => {
  let since: unknown = operation.variables.since;
  operation.variables = {
    ...operation.variables,
    get since() {
      return since;
    },
  };
  return forward(operation).pipe(
    tap((result) => {
      const data = result.data as TaskChangedSubscription | null | undefined;
      since = data?.taskChanged.syncToken ?? since;
    }),
  );
});

function connect(http: string, ws: string, user: string): ApolloClient {
  const authorization = new ApolloLink((operation, forward) => {
    operation.setContext({ headers: { Authorization: `Bearer ${tokenOf(user)}` } });
    return forward(operation);
  });
  return new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      ApolloLink.from([resume, new GraphQLWsLink(connectSocket(ws, () => tokenOf(user)))]),
      ApolloLink.from([authorization, new HttpLink({ uri: http })]),
    ),
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { tasks: relayStylePagination() } } } }),
  });
}

/** Brings the changes since a token; returns the function that ends it. */
function subscribe(client: ApolloClient, since: string, changes: ChangesOf): () => void {
  const subscription = client.subscribe({ query: TaskChangedDocument, variables: { since } }).subscribe({
    next: ({ data, error }) => {
      if (data) changes.push(data.taskChanged);
      else changes.end(error);
    },
    error: (reason) => changes.end(reason),
    complete: () => changes.end(new Error('the subscription is complete')),
  });
  return () => subscription.unsubscribe();
}

test('Apollo: what another device does shows in the cache', async (t) => {
  const user = newUser();
  const [milk = '', ada = ''] = await createTasks(server, user, 'Buy milk', 'Call Ada');
  const client = connect(server.http, server.ws, user);
  const changes = new Events<TaskChanged>();
  const since = await syncToken(server, user);
  await client.query({ query: PageDocument });
  t.after(subscribe(client, since, changes));
  const titles = () =>
    client.cache.readQuery({ query: PageDocument })?.tasks.edges.map((edge) => edge.node.title);

  await ask(server, user, UpdateTaskDocument, { id: milk, input: { title: 'Buy oat milk' } });
  assert.equal((await changes.next()).kind, 'UPDATED');
  assert.deepEqual(titles(), ['Call Ada', 'Buy oat milk']);

  await ask(server, user, DeleteTaskDocument, { id: ada });
  const deleted = await changes.next();
  assert.deepEqual([deleted.kind, deleted.taskId], ['DELETED', ada]);
  client.cache.evict({ id: client.cache.identify({ __typename: 'Task', id: deleted.taskId }) });
  assert.deepEqual(titles(), ['Buy oat milk']);
});

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`Apollo: a subscription misses nothing while its server goes by ${signal} and comes back`, async () => {
    await missesNothing(server, signal, (line, user, since, changes) =>
      subscribe(connect(line.http, line.ws, user), since, changes),
    );
  });
}
