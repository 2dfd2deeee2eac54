// Relay, without React: artifacts of its compiler in an environment of its runtime.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type ConcreteRequest,
  Environment,
  type GraphQLResponse,
  type MutationConfig,
  type MutationParameters,
  Network,
  Observable,
  type PayloadError,
  RecordSource,
  Store,
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  getSingularSelector,
  requestSubscription,
} from 'relay-runtime';
import changedSubscription, {
  type tasksChangedSubscription,
} from './generated/relay/tasksChangedSubscription.graphql.js';
import createMutation, { type tasksCreateMutation } from './generated/relay/tasksCreateMutation.graphql.js';
import deleteMutation, { type tasksDeleteMutation } from './generated/relay/tasksDeleteMutation.graphql.js';
import itemQuery, { type tasksItemQuery } from './generated/relay/tasksItemQuery.graphql.js';
import refetchQuery, { type tasksItemRefetchQuery } from './generated/relay/tasksItemRefetchQuery.graphql.js';
import pageQuery, { type tasksListPageQuery } from './generated/relay/tasksListPageQuery.graphql.js';
import listQuery, { type tasksListQuery } from './generated/relay/tasksListQuery.graphql.js';
import updateMutation, { type tasksUpdateMutation } from './generated/relay/tasksUpdateMutation.graphql.js';
import itemFragment, { type tasks_item$data } from './generated/relay/tasks_item.graphql.js';
import listFragment, { type tasks_list$data } from './generated/relay/tasks_list.graphql.js';
import { ask, createTasks, syncToken, titlesOnServer } from './support/ask.js';
import { UpdateTaskDocument } from './support/documents.js';
import { Events } from './support/events.js';
import { Gate } from './support/gate.js';
import { Server, newUser, tokenOf } from './support/server.js';
import { connectSocket } from './support/socket.js';

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.remove());

function connect(user: string, gate = new Gate()): Environment {
  const send = async (query: string | null | undefined, variables: unknown): Promise<GraphQLResponse> => {
    const response = await gate.fetch(server.http, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf(user)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return (await response.json()) as GraphQLResponse;
  };
  const socket = connectSocket(server.ws, () => tokenOf(user));
  return new Environment({
    network: Network.create(
      (request, variables) => Observable.from(send(request.text, variables)),
      (request, variables) =>
        Observable.create<GraphQLResponse>((sink) =>
          socket.subscribe(
            { query: request.text ?? '', variables },
            {
              next: (result) => sink.next(result as GraphQLResponse),
              error: (reason) => sink.error(new Error('the subscription failed', { cause: reason })),
              complete: () => sink.complete(),
            },
          ),
        ),
    ),
    store: new Store(new RecordSource()),
  });
}

/** What a component with the list's fragment is given. */
function list(environment: Environment, variables: tasksListQuery['variables']): tasks_list$data {
  const query = createOperationDescriptor(listQuery, variables);
  const root = environment.lookup(query.fragment).data as tasksListQuery['response'];
  const selector = getSingularSelector(listFragment, root);
  assert.ok(selector);
  return environment.lookup(selector).data as tasks_list$data;
}

const titles = (data: tasks_list$data): string[] => data.tasks.edges.flatMap((edge) => edge?.node?.title ?? []);

/** What a component with a task's fragment is given. */
function item(environment: Environment, id: string): tasks_item$data {
  const query = createOperationDescriptor(itemQuery, { id });
  const root = environment.lookup(query.fragment).data as tasksItemQuery['response'];
  const selector = getSingularSelector(itemFragment, root.task);
  assert.ok(selector);
  return environment.lookup(selector).data as tasks_item$data;
}

type Info = tasks_list$data['tasks']['pageInfo'];

type Outcome<Mutation extends MutationParameters> = {
  response: Mutation['response'];
  errors: readonly PayloadError[] | null | undefined;
};

const commit = <Mutation extends MutationParameters>(
  environment: Environment,
  mutation: ConcreteRequest,
  variables: Mutation['variables'],
  more: Pick<MutationConfig<Mutation>, 'optimisticResponse'> = {},
): Promise<Outcome<Mutation>> =>
  new Promise((resolve, reject) => {
    const onCompleted: MutationConfig<Mutation>['onCompleted'] = (response, errors) => resolve({ response, errors });
    commitMutation<Mutation>(environment, { mutation, variables, onCompleted, onError: reject, ...more });
  });

for (const [way, size, next] of [
  ['forward', { first: 2 }, (info: Info) => info.hasNextPage && { first: 2, after: info.endCursor }],
  ['backward', { last: 2 }, (info: Info) => info.hasPreviousPage && { last: 2, before: info.startCursor }],
] as const) {
  test(`Relay: @connection joins pages, ${way}`, async () => {
    const user = newUser();
    await createTasks(server, user, 'one', 'two', 'three', 'four', 'five');
    const environment = connect(user);
    await fetchQuery<tasksListQuery>(environment, listQuery, size).toPromise();
    const sizes = [titles(list(environment, size)).length];
    for (;;) {
      const more = next(list(environment, size).tasks.pageInfo);
      if (!more) break;
      await fetchQuery<tasksListPageQuery>(environment, pageQuery, more).toPromise();
      sizes.push(titles(list(environment, size)).length);
    }
    assert.deepEqual(sizes, [2, 4, 5]);
    assert.deepEqual(titles(list(environment, size)), ['one', 'two', 'three', 'four', 'five']);
  });
}

test('Relay: @appendNode and @deleteRecord keep the list as the server has it', async () => {
  const user = newUser();
  const [milk = ''] = await createTasks(server, user, 'Buy milk', 'Call Ada');
  const environment = connect(user);
  await fetchQuery<tasksListQuery>(environment, listQuery, { first: 10 }).toPromise();
  const connections = [list(environment, { first: 10 }).tasks.__id];

  const input = { title: 'Water the plants' };
  await commit<tasksCreateMutation>(environment, createMutation, { input, connections });
  assert.deepEqual(titles(list(environment, { first: 10 })), ['Buy milk', 'Call Ada', 'Water the plants']);
  await commit<tasksDeleteMutation>(environment, deleteMutation, { id: milk });
  assert.deepEqual(titles(list(environment, { first: 10 })), ['Call Ada', 'Water the plants']);
  assert.deepEqual((await titlesOnServer(server, user)).reverse(), ['Call Ada', 'Water the plants']);
});

test('Relay: an optimistic answer shows before the server answers, and the true one after', async () => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk');
  const gate = new Gate();
  const environment = connect(user, gate);
  await fetchQuery<tasksItemQuery>(environment, itemQuery, { id }).toPromise();
  const open = gate.close();
  const task = { id, title: 'Buy milk', completed: true, dueDate: null, version: 1 };
  const optimisticResponse = { updateTask: { task } };
  const variables = { id, input: { completed: true } };
  const updated = commit<tasksUpdateMutation>(environment, updateMutation, variables, { optimisticResponse });
  assert.deepEqual([item(environment, id).completed, item(environment, id).version], [true, 1]);
  open();
  await updated;
  assert.deepEqual([item(environment, id).completed, item(environment, id).version], [true, 2]);
});

test('Relay: a refused mutation takes its optimistic answer back and has its code', async () => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk');
  const gate = new Gate();
  const environment = connect(user, gate);
  await fetchQuery<tasksItemQuery>(environment, itemQuery, { id }).toPromise();
  const open = gate.close();
  const task = { id, title: 'Buy oat milk', completed: false, dueDate: null, version: 1 };
  const optimisticResponse = { updateTask: { task } };
  const variables = { id, input: { title: 'Buy oat milk' }, expectedVersion: 7 };
  const refused = commit<tasksUpdateMutation>(environment, updateMutation, variables, { optimisticResponse });
  assert.equal(item(environment, id).title, 'Buy oat milk');
  open();
  const { response, errors } = await refused;
  assert.equal(response.updateTask, null);
  const coded = errors as readonly (PayloadError & { extensions: { code: string } })[];
  assert.deepEqual(coded.map((error) => error.extensions.code), ['CONFLICT']);
  assert.equal(item(environment, id).title, 'Buy milk');
});

test('Relay: a fragment is fetched again through node', async () => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk');
  const environment = connect(user);
  await fetchQuery<tasksItemQuery>(environment, itemQuery, { id }).toPromise();
  await ask(server, user, UpdateTaskDocument, { id, input: { dueDate: '2027-01-01T12:00:00+01:00' } });
  assert.equal(item(environment, id).dueDate, null);
  await fetchQuery<tasksItemRefetchQuery>(environment, refetchQuery, { id }).toPromise();
  assert.equal(item(environment, id).dueDate, '2027-01-01T11:00:00.000000Z');
});

test('Relay: what another device does shows in the store', async (t) => {
  const user = newUser();
  const [id = ''] = await createTasks(server, user, 'Buy milk');
  const environment = connect(user);
  await fetchQuery<tasksItemQuery>(environment, itemQuery, { id }).toPromise();
  const kinds = new Events<string>();
  const { dispose } = requestSubscription<tasksChangedSubscription>(environment, {
    subscription: changedSubscription,
    variables: { since: await syncToken(server, user) },
    onNext: (data) => kinds.push(data?.taskChanged.kind ?? ''),
    onError: (reason) => kinds.end(reason),
  });
  t.after(dispose);
  await ask(server, user, UpdateTaskDocument, { id, input: { title: 'Buy oat milk' } });
  assert.equal(await kinds.next(), 'UPDATED');
  assert.equal(item(environment, id).title, 'Buy oat milk');
});
